"""What the doctor makes of what it sees."""

from dataclasses import replace
from datetime import UTC

import pytest

from agent import examination
from agent.errors import AgentError
from agent.examination import Examined, Route, StateFolder
from agent.pause import Pause

FOLDER = StateFolder(
    path="/home/u/.local/state/build-parity",
    exists=True,
    is_mine=True,
    is_writable=True,
    free_bytes=10**9,
    kind="ext4",
    is_shared=False,
)
MIB = 1024 * 1024


def judged(each: Examined) -> str:
    """Its verdict; whatever is not well has to say what to do."""
    assert bool(each.advice) is (each.verdict != "ok"), each
    return each.verdict


@pytest.mark.parametrize(
    ("folder", "verdict", "said"),
    [
        (FOLDER, "ok", "can be written"),
        (replace(FOLDER, exists=False, is_mine=None), "ok", "will be made"),
        (replace(FOLDER, kind=None, free_bytes=None, is_mine=None), "ok", "can be written"),
        (replace(FOLDER, is_writable=False), "fail", "cannot be written"),
        (replace(FOLDER, exists=False, is_writable=False, free_bytes=0), "fail", "cannot be made"),
        (replace(FOLDER, is_mine=False), "fail", "another user"),
        (replace(FOLDER, kind="nfs4", is_shared=True), "warn", "network file system (nfs4)"),
        (replace(FOLDER, free_bytes=63 * MIB), "warn", "63 MiB left"),
        (replace(FOLDER, free_bytes=MIB), "fail", "1 MiB left"),
    ],
)
def test_a_state_folder_is_this_users_and_this_machines_alone(
    folder: StateFolder, verdict: str, said: str
) -> None:
    """Anything else is told with where to put it."""
    each = examination.of_state(folder)
    assert judged(each) == verdict
    assert said in each.seen


@pytest.mark.parametrize("folder", [{"is_writable": False}, {"is_shared": True, "kind": "nfs"}])
def test_a_home_that_roams_is_told_which_variable_helps(folder: dict[str, bool | str]) -> None:
    """Read-only and shared homes both need a local folder."""
    each = examination.of_state(replace(FOLDER, **folder))  # type: ignore[arg-type] # by name
    assert "PARITY_AGENT_STATE_DIR" in each.advice


@pytest.mark.parametrize(
    ("ahead_s", "verdict", "said"),
    [
        (0.0, "ok", "agrees"),
        (60.0, "ok", "agrees"),
        (-60.0, "ok", "agrees"),
        (61.0, "warn", "1 min 1 s ahead of"),
        (-3600.0, "warn", "1 h behind"),
        (3601.0, "fail", "ahead of"),
        (-90_000.0, "fail", "1 d 1 h behind"),
        (None, "warn", "told no time"),
    ],
)
def test_clocks_that_differ_are_told(ahead_s: float | None, verdict: str, said: str) -> None:
    """A minute is nothing, an hour is too much."""
    each = examination.of_clock(ahead_s)
    assert judged(each) == verdict
    assert said in each.seen


@pytest.mark.parametrize(
    ("left_s", "verdict"),
    [(None, "ok"), (14 * 86_400.0, "ok"), (14 * 86_400.0 - 1, "warn"), (-5.0, "warn")],
)
def test_a_certificate_that_ends_soon_is_told(left_s: float | None, verdict: str) -> None:
    """While there is time to do something."""
    assert judged(examination.of_certificate(left_s, is_shown=True)) == verdict
    assert judged(examination.of_certificate(None, is_shown=False)) == "ok"


@pytest.mark.parametrize(
    ("theirs", "common", "verdict"),
    [
        ("1.2.0", None, "ok"),
        ("1.1.9", (1,), "ok"),
        ("1.10.0", None, "warn"),
        ("1.10.0", (), "fail"),
        (None, None, "ok"),
        ("of our own making", None, "ok"),
    ],
)
def test_an_agent_that_is_older_than_its_server_is_told(
    theirs: str | None, common: tuple[int, ...] | None, verdict: str
) -> None:
    """By the order of versions; without a common wire version nothing works."""
    assert judged(examination.of_versions("1.2.0", theirs, common)) == verdict


def test_what_cannot_be_read_is_told() -> None:
    """A home fails the examination; the rest is worth a warning."""
    assert judged(examination.of_home("/home/u", "")) == "ok"
    assert judged(examination.of_home("/home/u", "Permission denied")) == "fail"
    assert judged(examination.of_configuration(0, [])) == "ok"
    told = examination.of_configuration(3, ["it is no JSON", "it is no JSON"])
    assert (judged(told), told.seen.count("it is no JSON")) == ("warn", 1)
    assert judged(examination.of_processes(400, "")) == "ok"
    assert judged(examination.of_processes(None, "")) == "ok"
    assert judged(examination.of_processes(None, "Permission denied")) == "warn"


def test_settings_are_named_and_where_they_are() -> None:
    """Without a value: a path may be nobody's business."""
    told = examination.of_settings("/etc/agent.toml", exists=True, changed=["ca_bundle", "label"])
    assert (judged(told), told.seen) == ("ok", "/etc/agent.toml; set: ca_bundle, label")
    usual = examination.of_settings("/etc/agent.toml", exists=False, changed=[])
    assert usual.seen == "no file /etc/agent.toml; all at their defaults"


def test_the_way_to_the_server_is_told() -> None:
    """Which proxy by which variable, and whose word is trusted."""
    direct = Route(None, "", "/ca.pem", "the setting ca_bundle")
    proxy, trust = examination.of_route(direct)
    assert (proxy.seen, trust.seen) == ("none is used", "/ca.pem, from the setting ca_bundle")
    through = replace(direct, proxy="proxy:3128", proxy_from="HTTPS_PROXY")
    assert examination.of_route(through)[0].seen == "proxy:3128, from HTTPS_PROXY"


@pytest.mark.parametrize(
    ("is_installed", "is_current", "verdict"),
    [(True, True, "ok"), (True, False, "warn"), (False, False, "warn")],
)
def test_a_daemon_that_does_not_start_by_itself_is_told(
    verdict: str, *, is_installed: bool, is_current: bool
) -> None:
    """A laptop may be looked at by hand, so it is no failure."""
    told = examination.of_service(is_installed=is_installed, is_current=is_current, file="/unit")
    assert judged(told) == verdict
    assert judged(examination.of_daemon(is_running=is_current)) == ("ok" if is_current else "warn")


def test_a_pause_is_told_and_nobody_is_called_silent_in_it() -> None:
    """Until when, what was left out for it, and how it ends."""
    told = examination.of_pause(Pause(0, 7_200), UTC)
    assert judged(told) == "ok"
    assert told.seen.startswith("paused until 1970-01-01 02:00")
    assert "the server was not asked" in told.seen
    daemon = examination.of_daemon(is_running=False, is_paused=True)
    assert judged(daemon) == "warn"
    assert "silent" not in daemon.seen


def test_one_failure_is_enough() -> None:
    """A warning is not."""
    well, warned = Examined("a", "ok", ""), Examined("b", "warn", "", "do")
    broken = examination.failed("c", AgentError("it broke", advice="mend it"))
    assert (broken.seen, broken.advice) == ("it broke", "mend it")
    assert examination.is_healthy([well, warned])
    assert not examination.is_healthy([well, broken])
