"""The daemon and the cycle under it: a real scratch home, real files, a real HTTP receiver."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from queue import Queue

import pytest
from werkzeug import Request, Response

from agent import cycle, identity, lock
from agent.cycle import Looked, Parts
from agent.daemon import Daemon
from agent.enrolment import enrol
from agent.errors import AgentError
from agent.exchange import STOPPED_S, Exchange
from agent.identity import Identity, Wish
from agent.journal import open_journal
from agent.pause_file import Pauses
from agent.settings import Settings
from tests.agent.receiver import Receiver

BARE: Mapping[str, str] = {"PATH": ""}


@dataclass
class Clock:
    """A clock that is set by hand."""

    now: float = 1_795_000_000.0

    def __call__(self) -> float:
        """Epoch seconds."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The daemon's clock."""
    return Clock()


@pytest.fixture
def parts(laptop: Settings, clock: Clock) -> Parts:
    """What the daemon is made of."""
    return Parts(laptop, BARE, clock=clock, chance=lambda: 0.5)


@pytest.fixture
def daemon(parts: Parts, receiver: Receiver) -> Daemon:
    """A daemon that has looked, checked in and settled."""
    who = enrolled(parts.settings, receiver)
    made = Daemon(parts, who)
    made.tick()
    made.tick()
    receiver.bodies.clear()
    return made


def enrolled(settings: Settings, receiver: Receiver) -> Identity:
    """Enrols the scratch laptop."""
    return enrol(settings, Wish(receiver.url, "laptop-7"), "a-secret-of-the-operator")


def change(settings: Settings, text: str) -> None:
    """The user edits their settings."""
    (settings.home / ".claude" / "settings.json").write_text(text)


def test_the_first_tick_checks_in_and_hands_the_profile_over(
    parts: Parts, receiver: Receiver
) -> None:
    """The bytes go up because the server wants them, and the verdict is asked for."""
    Daemon(parts, enrolled(parts.settings, receiver)).tick()
    asked = [(method, path.split("/")[2]) for method, path, _ in receiver.bodies]
    assert asked == [
        ("POST", "enrolments"),
        ("POST", "check-ins"),
        ("PUT", "profiles"),
        ("GET", "machines"),
    ]


def test_while_nothing_changes_nothing_is_sent(
    daemon: Daemon, receiver: Receiver, clock: Clock
) -> None:
    """Only the server's interval makes a check-in."""
    for _ in range(9):
        clock.now += 60
        daemon.tick()
    assert receiver.bodies == []
    clock.now += 61
    daemon.tick()
    assert [path for _, path, _ in receiver.bodies] == ["/v1/check-ins"]


def test_a_changed_setting_is_told_at_the_next_tick(
    daemon: Daemon, receiver: Receiver, parts: Parts, clock: Clock
) -> None:
    """Two minutes are two ticks at most."""
    change(parts.settings, '{"effortLevel": "high"}')
    clock.now += 60
    daemon.tick()
    assert [path.split("/")[2] for _, path, _ in receiver.bodies] == [
        "check-ins",
        "profiles",
        "machines",
    ]


def test_a_file_that_comes_into_being_is_noticed(
    daemon: Daemon, receiver: Receiver, parts: Parts, clock: Clock
) -> None:
    """A missing path is watched too."""
    root = parts.settings.system_root
    assert root is not None
    managed = root / "etc" / "claude-code"
    managed.mkdir(parents=True)
    (managed / "managed-settings.json").write_text('{"effortLevel": "max"}')
    clock.now += 60
    daemon.tick()
    assert len(receiver.sent("/v1/check-ins")) == 1


def test_changes_seen_without_a_network_are_all_told_later(
    daemon: Daemon, receiver: Receiver, parts: Parts, clock: Clock
) -> None:
    """Each look is kept; when the server is back, it hears them in order."""
    receiver.answer_first = lambda _request: Response("", 500)
    for level in ("medium", "high", "low"):
        change(parts.settings, json.dumps({"effortLevel": level}))
        clock.now += 60
        daemon.tick()
    receiver.bodies.clear()
    receiver.answer_first = lambda _request: None
    clock.now += 3600
    daemon.tick()
    first, second = receiver.sent("/v1/check-ins")
    assert second["seq"] == first["seq"] + 1
    told = [first["profile"], *(each["profile"] for each in second["changes"]), second["profile"]]
    assert len(told) == 3
    assert set(told) <= set(receiver.profiles)


def test_a_revoked_machine_falls_silent_until_it_is_enrolled_again(
    daemon: Daemon, receiver: Receiver, parts: Parts, clock: Clock
) -> None:
    """A refused token is not sent again; a new one is used at once."""
    refusal = json.dumps({"error": "this token is not known", "advice": "enrol again"})
    receiver.answer_first = lambda _request: Response(refusal, 401)
    clock.now += 700
    daemon.tick()
    receiver.bodies.clear()
    for _ in range(5):
        clock.now += 700
        daemon.tick()
    assert receiver.bodies == []
    receiver.answer_first = lambda _request: None
    enrol(parts.settings, Wish(receiver.url, "laptop-8"), "a-secret-of-the-operator")
    clock.now += 60
    daemon.tick()
    assert len(receiver.sent("/v1/check-ins")) == 1


def test_waking_from_sleep_waits_a_random_moment(
    laptop: Settings, receiver: Receiver, clock: Clock
) -> None:
    """A laptop that slept past its time does not check in on the second it wakes."""
    parts = Parts(replace(laptop, spread_s=30), BARE, clock=clock, chance=lambda: 0.5)
    daemon = Daemon(parts, enrolled(laptop, receiver))
    daemon.tick()
    daemon.tick()
    receiver.bodies.clear()
    clock.now += 8 * 3600
    daemon.tick()
    assert receiver.bodies == []
    assert daemon.due_at == clock.now + 15


@pytest.mark.parametrize("back_s", [3_600, 30 * 86_400])
def test_a_clock_set_back_does_not_silence_the_agent(
    daemon: Daemon, receiver: Receiver, clock: Clock, back_s: int
) -> None:
    """What is left of the interval stays what it was."""
    assert daemon.due_at is not None
    left = daemon.due_at - clock.now
    clock.now -= back_s
    daemon.tick()
    assert daemon.due_at == clock.now + left
    clock.now += left
    daemon.tick()
    assert len(receiver.sent("/v1/check-ins")) == 1


def test_a_cycle_that_fails_is_tried_again_at_the_next_look(
    daemon: Daemon, laptop: Settings, clock: Clock
) -> None:
    """Not at once, again and again: a full disk must not keep the laptop busy."""
    kept = laptop.state_dir / "journal.db"
    kept.rename(laptop.state_dir / "elsewhere")
    kept.mkdir()
    assert daemon.due_at is not None
    clock.now = daemon.due_at
    with pytest.raises(AgentError):
        daemon.tick()
    assert daemon.due_at is None
    kept.rmdir()
    (laptop.state_dir / "elsewhere").rename(kept)
    clock.now += 60
    daemon.tick()
    assert daemon.due_at is not None


def test_a_laptop_whose_token_is_refused_asks_again_rarely(
    daemon: Daemon, receiver: Receiver, clock: Clock
) -> None:
    """In an hour or more; a new enrolment makes it speak at once."""
    refusal = {"error": "the token is not known", "advice": "enrol again"}
    receiver.answer_first = lambda _: Response(json.dumps(refusal), 401)
    assert daemon.due_at is not None
    clock.now = daemon.due_at
    daemon.tick()
    assert daemon.due_at is not None
    assert daemon.due_at >= clock.now + STOPPED_S


def test_in_a_pause_nothing_is_looked_at_and_nothing_is_sent(
    daemon: Daemon, receiver: Receiver, parts: Parts, clock: Clock
) -> None:
    """But for the one check-in that tells of it; what changed meanwhile is seen afterwards."""
    pauses = Pauses(parts.settings.state_dir)
    pauses.begin(int(clock.now), 7_200)
    clock.now += 2
    daemon.tick()
    change(parts.settings, '{"effortLevel": "high"}')
    for _ in range(100):
        clock.now += 60
        daemon.tick()
    assert [each.get("paused_s") for each in receiver.sent("/v1/check-ins")] == [7_198]
    assert len(receiver.bodies) == 1
    assert daemon.due_at == 1_795_007_200
    before = receiver.present
    clock.now = daemon.due_at
    daemon.tick()
    assert receiver.sent("/v1/check-ins")[-1].get("paused_s", 0) == 0
    assert receiver.present != before
    assert not pauses.file.exists()


def test_a_pause_that_ends_early_is_followed_by_a_look_at_once(
    daemon: Daemon, receiver: Receiver, parts: Parts, clock: Clock
) -> None:
    """Long before the next check-in would be due."""
    pauses = Pauses(parts.settings.state_dir)
    pauses.begin(int(clock.now), 86_400)
    daemon.tick()
    pauses.end()
    clock.now += 2
    daemon.tick()
    assert [each.get("paused_s", 0) for each in receiver.sent("/v1/check-ins")] == [86_400, 0]


def test_a_pause_that_could_not_be_told_is_told_when_the_server_is_back(
    daemon: Daemon, receiver: Receiver, parts: Parts, clock: Clock
) -> None:
    """With what is left of it, and still without a look."""
    receiver.answer_first = lambda _request: Response("", 500)
    Pauses(parts.settings.state_dir).begin(int(clock.now), 7_200)
    daemon.tick()
    change(parts.settings, '{"effortLevel": "high"}')
    receiver.answer_first = lambda _request: None
    clock.now += 3_600
    daemon.tick()
    clock.now += 3_500
    daemon.tick()
    first, second, *more = receiver.sent("/v1/check-ins")
    assert first == second, "an unanswered check-in is repeated to the byte"
    assert more == []
    assert first["paused_s"] == 7_200
    clock.now += 100
    daemon.tick()
    assert receiver.sent("/v1/check-ins")[-1].get("paused_s", 0) == 0


def test_a_check_in_from_before_the_pause_goes_first(
    daemon: Daemon, receiver: Receiver, parts: Parts, clock: Clock
) -> None:
    """It knows nothing of the pause, so that another one follows."""
    receiver.answer_first = lambda _request: Response("", 500)
    clock.now += 700
    daemon.tick()
    receiver.bodies.clear()
    receiver.answer_first = lambda _request: None
    Pauses(parts.settings.state_dir).begin(int(clock.now), 600)
    daemon.tick()
    assert [each.get("paused_s", 0) for each in receiver.sent("/v1/check-ins")] == [0, 600]


def test_a_check_in_of_a_pause_that_is_over_is_followed_by_one_that_says_so(
    daemon: Daemon, receiver: Receiver, parts: Parts, clock: Clock
) -> None:
    """Else the server would take the machine for paused, by an answer that came late."""
    receiver.answer_first = lambda _request: Response("", 500)
    Pauses(parts.settings.state_dir).begin(int(clock.now), 600)
    daemon.tick()
    receiver.bodies.clear()
    receiver.answer_first = lambda _request: None
    clock.now += 3_600
    daemon.tick()
    clock.now += 60
    daemon.tick()
    assert [each.get("paused_s", 0) for each in receiver.sent("/v1/check-ins")] == [600, 0]


def test_a_pause_outlives_the_daemon(
    daemon: Daemon, receiver: Receiver, parts: Parts, clock: Clock
) -> None:
    """The next one neither looks nor tells it again."""
    Pauses(parts.settings.state_dir).begin(int(clock.now), 7_200)
    daemon.tick()
    receiver.bodies.clear()
    who = identity.load(parts.settings.state_dir)
    assert who is not None
    again = Daemon(parts, who)
    clock.now += 3_600
    again.tick()
    assert receiver.bodies == []
    clock.now += 3_600
    again.tick()
    assert len(receiver.sent("/v1/check-ins")) == 1


@pytest.mark.parametrize("shift_s", [-30 * 86_400, -3_600, 3_600, 30 * 86_400])
def test_a_clock_that_is_set_in_a_pause_does_no_harm(
    daemon: Daemon, receiver: Receiver, parts: Parts, clock: Clock, shift_s: int
) -> None:
    """The agent speaks again, at the latest one length of the pause after the clock was set."""
    Pauses(parts.settings.state_dir).begin(int(clock.now), 7_200)
    daemon.tick()
    clock.now += shift_s
    daemon.tick()
    clock.now += 7_200
    daemon.tick()
    clock.now += 60
    daemon.tick()
    assert receiver.sent("/v1/check-ins")[-1].get("paused_s", 0) == 0


def test_a_machine_enrolled_anew_in_a_pause_tells_of_it(
    daemon: Daemon, receiver: Receiver, parts: Parts, clock: Clock
) -> None:
    """The other identity is not known to be paused."""
    Pauses(parts.settings.state_dir).begin(int(clock.now), 7_200)
    daemon.tick()
    receiver.bodies.clear()
    enrol(parts.settings, Wish(receiver.url, "laptop-8"), "a-secret-of-the-operator")
    clock.now += 60
    daemon.tick()
    assert [each.get("paused_s") for each in receiver.sent("/v1/check-ins")] == [7_140]


def look(parts: Parts) -> Looked:
    """One look that is told to nobody."""
    with closing(open_journal(parts.settings.state_dir)) as journal:
        return cycle.cycle(parts, journal, None, Exchange())[0]


@pytest.mark.parametrize("broken", ["{", '{"effortLevel": ', "\x00\xff"])
def test_a_part_that_cannot_be_read_is_told_and_the_rest_goes_on(parts: Parts, broken: str) -> None:
    """A broken settings file is a problem of its collector."""
    change(parts.settings, broken)
    looked = look(parts)
    assert "claude_config" in {problem.collector for problem in looked.made.problems}
    assert looked.made.os


def test_nothing_in_the_home_is_changed_by_looking(parts: Parts) -> None:
    """Neither content nor times, access times included."""

    def tree() -> list[tuple[str, int, int, int]]:
        stats = [(str(each), each.stat()) for each in sorted(parts.settings.home.rglob("*"))]
        return [(name, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for name, s in stats]

    before = tree()
    look(parts)
    assert tree() == before


def test_a_second_daemon_is_refused(laptop: Settings) -> None:
    """One state folder has one daemon; the lock ends with its holder."""
    file = laptop.state_dir / "daemon.lock"
    with lock.held(file, timeout_s=0, holder="an agent"):  # noqa: SIM117 - the order is the test
        with (
            pytest.raises(AgentError, match="an agent is already running"),
            lock.held(file, timeout_s=0, holder="an agent"),
        ):
            pass
    with lock.held(file, timeout_s=0, holder="an agent"):
        pass


@contextmanager
def started(laptop: Settings, watch_interval_s: float = 0.2) -> Iterator[subprocess.Popen[bytes]]:
    """The command as a process of its own, logging to standard error; gone afterwards."""
    variables = {
        "PARITY_AGENT_STATE_DIR": str(laptop.state_dir),
        "PARITY_AGENT_HOME": str(laptop.home),
        "PARITY_AGENT_SYSTEM_ROOT": str(laptop.system_root),
        "PARITY_AGENT_SPREAD_S": "0",
        "PARITY_AGENT_WATCH_INTERVAL_S": str(watch_interval_s),
        "PARITY_AGENT_CYCLE_MIN_S": "0.1",
        "HOME": str(laptop.home),
        "PATH": "",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-m", "agent", "run"]
    with subprocess.Popen(command, env=variables, stderr=subprocess.PIPE) as child:
        try:
            yield child
        finally:
            child.kill()


def until(child: subprocess.Popen[bytes], event: str) -> list[str]:
    """Log lines up to the first that tells of an event."""
    assert child.stderr is not None
    lines = []
    for line in child.stderr:
        lines.append(line.decode())
        if json.loads(line).get("event") == event:
            return lines
    raise AssertionError(f"ended before {event!r}: {lines}")


def test_the_daemon_ends_cleanly_on_sigterm(laptop: Settings, receiver: Receiver) -> None:
    """It says that it ends, and exits with 0; no secret is in its log."""
    enrolled(laptop, receiver)
    with started(laptop) as child:
        lines = until(child, "told")
        child.send_signal(signal.SIGTERM)
        lines += until(child, "agent ends")
        assert child.wait(timeout=30) == 0
    assert "tok-5ecret" not in "".join(lines)
    assert len(receiver.sent("/v1/check-ins")) >= 1


def test_the_running_daemon_notices_within_seconds_that_a_pause_has_ended(
    laptop: Settings, receiver: Receiver
) -> None:
    """Though its next look at the watched files is far away."""
    enrolled(laptop, receiver)
    pauses = Pauses(laptop.state_dir)
    pauses.begin(int(time.time()), 86_400)
    with started(laptop, watch_interval_s=90) as child:
        until(child, "paused")
        pauses.end()
        lines = until(child, "told")
        child.terminate()
        assert child.wait(timeout=30) == 0
    assert "resumed" in "".join(lines)
    assert [each.get("paused_s", 0) for each in receiver.sent("/v1/check-ins")] == [0]


def test_a_kill_between_sending_and_answer_sends_the_same_bytes_again(
    laptop: Settings, receiver: Receiver
) -> None:
    """The agent dies while the server is answering; the next one repeats it to the byte."""
    enrolled(laptop, receiver)
    children: Queue[subprocess.Popen[bytes]] = Queue()

    def kill_once(request: Request) -> Response | None:
        if request.path == "/v1/check-ins" and len(receiver.sent("/v1/check-ins")) == 1:
            children.get(timeout=30).kill()
        return None

    receiver.answer_first = kill_once
    with started(laptop) as child:
        children.put(child)
        assert child.wait(timeout=60) == -signal.SIGKILL
    with started(laptop) as child:
        until(child, "told")
        child.terminate()
        assert child.wait(timeout=30) == 0
    first, second, *_ = (body for _, path, body in receiver.bodies if path == "/v1/check-ins")
    assert first == second
