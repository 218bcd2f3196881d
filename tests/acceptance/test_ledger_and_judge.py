"""The public truth in full, line by line: what was public, and what each difference means.

Everything runs through the installed commands. What is public comes from the npm registry:
manifests of real releases, with the channels moved as they were moved in April 2026.
"""

import json
import sqlite3
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
import requests

from agent.wire import Build, Override, Profile, Standing
from server.rules import rules
from tests.e2e.fleet import Machine, profile_of
from tests.e2e.harness import Server
from tests.e2e.registry import Registry
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.real

HOUR_S = 3600
GRACE_S = 24 * HOUR_S

# linux-x64, out of the manifests of these releases (facts 7.2).
V112 = Build(
    "57be9406d3e5cae259552790bf7288dd6496675430ec93dbed76a33a57580d3d",
    235_846_272,
    "binary",
    "2.1.112",
    "linux-x64",
)
V116 = Build(
    "0d1aea5ce056a5ce491da7e9bbe63f992585e5c24852f023a07c8f18cf292cc5",
    237_652_608,
    "binary",
    "2.1.116",
    "linux-x64",
)
V117 = Build(
    "b7246963d9e32ece439c3e1e7885f53773a4820e90a4d2433ef2a413a055a5fe",
    238_451_328,
    "binary",
    "2.1.117",
    "linux-x64",
)

POLICY = """
[default]
channel = "latest"
grace = "24h"

[groups.stable]
channel = "stable"
"""


@pytest.fixture
def april(tmp_path: Path, registry: Registry) -> Iterator[Server]:
    """A server that reads both channels every second, as they stood on 2026-04-17."""
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY, encoding="utf-8")
    registry.tags |= {"latest": "2.1.112", "stable": "2.1.112"}
    with Server(
        tmp_path / "server",
        npm_registry_url=registry.url,
        heads_every_s=1,
        policy_file=policy,
    ).start() as running:
        wait_until(lambda: heads(running) == {"latest": "2.1.112", "stable": "2.1.112"})
        yield running


def heads(server: Server) -> dict[str, str]:
    """What the server knows of the two channels."""
    told = {"latest", "stable"}
    known = server.get("/v1/status").json()["heads"]
    return {each["channel"]: each["version"] for each in known if each["channel"] in told}


def move(server: Server, registry: Registry, **channels: str) -> None:
    """Moves channels, and waits until the server has read it."""
    registry.tags |= channels
    wait_until(lambda: heads(server) == heads(server) | channels)


def joined(server: Server, label: str, build: Build, group: str = "default") -> Machine:
    """A machine with one npm install, in a group."""
    machine = Machine.enrol(server, label)
    if group != "default":
        server.command("machines", "move", label, "--group", group).check_returncode()
    machine.check_in(profile_of(build))
    return machine


def said(view: dict[str, Any]) -> list[tuple[str, str]]:
    """Code and severity of each finding."""
    return [(each["code"], each["severity"]) for each in view.get("findings", ())]


def ever_said(view: dict[str, Any]) -> set[tuple[str, str]]:
    """Code and severity of each finding that a machine's timeline holds."""
    return {
        (finding["code"], finding["severity"])
        for entry in view["timeline"]
        for finding in entry.get("findings", ())
    }


def test_every_verdict_is_reproduced_by_judging_its_values_anew(
    april: Server, registry: Registry
) -> None:
    """`doctor` does so for a fleet in every state, and notices a verdict that is not so."""
    effort = Override("setting", "effortLevel", "user", "behaviour", "low")
    own = profile_of(V116)
    assert own.config is not None
    changed = msgspec.structs.replace(own.config, overrides=(effort,))
    move(april, registry, latest="2.1.116")
    joined(april, "behind", V112)
    joined(april, "head", V116)
    joined(april, "stable", V112, "stable")
    odd = Machine.enrol(april, "odd")
    odd.check_in(msgspec.structs.replace(own, config=changed))
    empty = Machine.enrol(april, "empty")
    empty.check_in(Profile(1, "linux", "x64", config=own.config))
    standings = {"behind": "pending", "head": "match", "stable": "match"}
    for label, standing in (standings | {"odd": "drift", "empty": "absent"}).items():
        april.wait_for(label, standing)
    waiver = ("--code", "config-overridden", "--reason", "a study", "--person", "Kim")
    april.command("waiver", "give", "odd", *waiver, "--for", "2d").check_returncode()
    april.wait_for("odd", "exempt")

    assert examined(april)["verdicts"] is None

    april.stop()
    with sqlite3.connect(april.database) as database:
        database.execute("UPDATE verdicts SET standing = 'match' WHERE standing = 'pending'")
    found = examined(april)["verdicts"]
    assert found is not None


def examined(server: Server) -> dict[str, str | None]:
    """What `doctor` advises, by what it looked at."""
    checks = json.loads(server.command("doctor", "--json").stdout)
    return {each["name"]: each.get("advice") for each in checks}


def test_a_served_history_is_judged_as_it_happened(april: Server, registry: Registry) -> None:
    """Behind by its own channel only; moved back is withdrawn, never ahead."""
    joined(april, "on-latest", V112)
    joined(april, "on-stable", V112, "stable")
    for label in ("on-latest", "on-stable"):
        april.wait_for(label, "match")

    move(april, registry, latest="2.1.116")
    updated = joined(april, "updated", V116)
    pending = april.wait_for("on-latest", "pending")
    april.wait_for("updated", "match")
    deadline = pending["findings"][0]["deadline"]
    assert said(pending) == [("build-behind", "pending")]
    assert april.machine("on-stable")["standing"] == "match"

    april.move_clock(GRACE_S + HOUR_S)
    late = april.wait_for("on-latest", "drift")
    assert late["findings"][0]["deadline"] == deadline
    assert april.machine("on-stable")["standing"] == "match"

    move(april, registry, latest="2.1.114")
    back = april.wait_for("updated", "pending")
    assert said(back) == [("build-withdrawn", "pending")]
    april.move_clock(2 * GRACE_S + 2 * HOUR_S)
    updated.check_in(profile_of(V116))
    gone = april.wait_for("updated", "drift")
    assert said(gone) == [("build-withdrawn", "drift")]
    assert "build-ahead" not in {code for code, _ in ever_said(gone)}


def test_a_laptop_that_updates_before_the_next_reading_is_never_ahead(
    tmp_path: Path, registry: Registry
) -> None:
    """Also where another laptop had that build before it was anybody's head."""
    registry.tags |= {"latest": "2.1.116", "stable": "2.1.112"}
    with Server(
        tmp_path / "server", npm_registry_url=registry.url, heads_every_s=HOUR_S
    ).start() as server:
        wait_until(lambda: heads(server).get("latest") == "2.1.116")
        joined(server, "early", V117)
        early = server.wait_for("early", "drift")
        assert said(early) == [("build-ahead", "drift")]

        registry.tags["latest"] = "2.1.117"
        server.move_clock(60)  # the last reading is a minute old, the next one far away
        joined(server, "updated", V117)
        view = server.wait_for("updated", "match")

    assert ("build-ahead", "drift") not in ever_said(view)


def test_the_last_month_of_releases_is_there_within_a_minute(
    tmp_path: Path, real_registry: str
) -> None:
    """On a cold start: publish time, platforms, trust and commit of each."""
    server = Server(tmp_path / "server", npm_registry_url=real_registry)
    server.command("migrate").check_returncode()

    done = server.command("releases", "--refresh", "--json", timeout_s=60)

    assert done.returncode == 0, done.stderr
    known = json.loads(done.stdout)
    newest = max(each["published_at"] for each in known["releases"] if each["published_at"])
    month = [
        each
        for each in known["releases"]
        if each["published_at"] and each["published_at"] > newest - 29 * 86_400
    ]
    assert len(month) >= 15
    for release in month:
        assert len({file["platform"] for file in release["files"]}) == 8
        assert {file["trust"] for file in release["files"]} == {"registry"}
        assert len(release["commit"]) == 40


def test_the_operators_page_says_what_each_state_and_finding_means(april: Server) -> None:
    """In the rules' own words, at /help and in a terminal, without signing in."""
    answer = requests.get(f"{april.url}/help", timeout=30)
    assert answer.headers["content-type"].startswith("text/html")
    page = " ".join(unescape(answer.text).split())
    explained = " ".join(april.command("explain").stdout.split())
    for rule in rules():
        for text in (rule.code, rule.says, rule.mend):
            assert text.replace("`", "") in page.replace("<code>", "").replace("</code>", "")
            assert text.replace("`", "") in explained.replace("`", "")
    for standing in get_args(Standing):
        assert f'id="{standing}"' in page
        assert standing in explained
