"""`waiver`: given, listed and ended beside a running server, which takes it in by itself."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.harness import Server
from tests.e2e.waiting import wait_until
from tests.server.conftest import Known
from tests.server.expecting import laptop, seen

DAY = 86_400
ASKED = ("--code", "build-unpublished", "--reason", "a probe", "--person", "Anna")


def stands(known: Known, machine: str) -> str:
    """How a machine stands, as the server tells a viewer."""
    return seen(known.live.url, known.viewer, machine).standing


def give(known: Known, machine: str, *words: str) -> str:
    """Gives a waiver; its id."""
    given = known.live.printed("waiver", "give", machine, *ASKED, *words, "--json")
    return str(json.loads(given)["id"])


def test_a_waiver_takes_effect_beside_a_running_server(known: Known) -> None:
    """Nobody tells the server: it looks; so it does when the waiver is ended."""
    machine = laptop(known.live.url, known.secret)
    identifier = give(known, machine.label, "--for", "14d")
    wait_until(lambda: stands(known, machine.machine) == "exempt")
    shown = known.live.printed("machines", "show", machine.label)
    assert re.search(
        rf"(?m)^waiver +{identifier}: build-unpublished until .+Z by Anna: a probe$", shown
    )
    (row,) = [
        line
        for line in known.live.printed("machines", "list").splitlines()
        if machine.machine in line
    ]
    assert row.endswith("1 waiver")
    known.live.printed("waiver", "end", identifier, "--person", "Ben")
    wait_until(lambda: stands(known, machine.machine) == "drift")
    assert (
        "waiver" not in known.live.printed("machines", "show", machine.label).split("happened")[0]
    )


def test_what_ended_is_listed_with_all(known: Known) -> None:
    """With who ended it; without `--all` only what holds."""
    machine = laptop(known.live.url, known.secret)
    first = give(known, machine.machine, "--for", "1h")
    known.live.printed("waiver", "end", first, "--person", "Ben")
    second = give(known, machine.machine, "--until", _day_after_tomorrow(known, machine.machine))
    only = ("waiver", "list", "--machine", machine.label)
    (row,) = known.live.rows(*only)
    assert row[0] == second
    every = known.live.rows(*only, "--all")
    assert [each[0] for each in every] == [first, second]
    assert "by Ben" in every[0][4]


def _day_after_tomorrow(known: Known, machine: str) -> str:
    now = seen(known.live.url, known.viewer, machine).judged_at
    return datetime.fromtimestamp(now + 2 * DAY, UTC).strftime("%Y-%m-%d")


def test_one_that_holds_is_not_renewed(known: Known) -> None:
    """One line: which one holds, and that it has to be ended first."""
    machine = laptop(known.live.url, known.secret).label
    identifier = give(known, machine, "--for", "1d")
    again = known.live.run("waiver", "give", machine, *ASKED, "--for", "2d")
    assert again.returncode == 1
    assert again.stderr.startswith(f"parity-server: waiver {identifier} by Anna holds for the same")
    assert again.stderr.strip().endswith("none is renewed in silence")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--for", "91d"), "a waiver holds for 90 days at most"),
        (("--for", "soon"), "'soon' is no length of time"),
        (("--for", "0d"), "it would have ended already"),
        (("--until", "2001-01-01"), "it would have ended already"),
        (("--until", "tomorrow"), "'tomorrow' is no moment"),
        (("--until", "2126-01-01T12:00"), "does not say in which time zone"),
        (("--for", "1d", "--code", "build-pretty"), "no rule has this code"),
        (("--for", "1d", "--person", " "), "the person is empty"),
        (("--for", "1d", "--reason", "a\nb"), "the reason holds a control character"),
    ],
)
def test_a_waiver_that_cannot_be_given_is_told_in_one_line(
    known: Known, words: tuple[str, ...], said: str
) -> None:
    """And nothing is written."""
    machine = laptop(known.live.url, known.secret)
    done = known.live.run("waiver", "give", machine.label, *ASKED, *words)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert said in line
    assert seen(known.live.url, known.viewer, machine.machine).waivers == ()


@pytest.mark.parametrize("words", [(), ("--for", "1d", "--until", "2126-01-01")])
def test_a_waiver_has_one_end(known: Known, words: tuple[str, ...]) -> None:
    """Neither none nor two: a wrong command line."""
    done = known.live.run("waiver", "give", "nobody", *ASKED, *words)
    assert done.returncode == 2
    assert "either --for or --until" in done.stderr


def test_a_waiver_ends_by_itself_and_is_not_renewed(tmp_path: Path) -> None:
    """A running server's clock passes its end: the laptop drifts again, and people hear why."""
    with Server(tmp_path) as server:
        machine = laptop(server.url, server.secret_file.read_text(encoding="utf-8"))
        given = server.command("waiver", "give", machine.machine, *ASKED, "--for", "1d")
        assert given.returncode == 0, given.stderr
        server.wait_for(machine.label, "exempt")
        server.move_clock(DAY - 120)
        assert server.machine(machine.label)["standing"] == "exempt"
        server.move_clock(DAY + 1)
        told = server.wait_for(machine.label, "drift")
        assert "waivers" not in told
        ended = server.get("/v1/waivers?ended=true").json()["waivers"]
        assert [each["holds"] for each in ended] == [False]
