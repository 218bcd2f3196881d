"""Running sessions all the way into the profile: real stand-in programs, a real receiver."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from agent import cycle, local_facts, sessions, wire
from agent.cycle import Looked, Parts
from agent.daemon import Daemon
from agent.enrolment import enrol
from agent.exchange import Exchange
from agent.identity import Wish
from agent.journal import open_journal
from agent.settings import Settings
from tests.agent.receiver import Receiver
from tests.agent.standin import parent, started, waiting


@dataclass
class Clock:
    """A clock that is set by hand."""

    now: float = 1_795_000_000.0

    def __call__(self) -> float:
        """Epoch seconds."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The agent's clock."""
    return Clock()


def parts_of(laptop: Settings, clock: Clock, *pids: int) -> Parts:
    """What an agent is made of that looks at some processes only."""
    settings = replace(laptop, process_roots=pids)
    return Parts(settings, {"PATH": ""}, clock=clock, chance=lambda: 0.5)


def daemon_of(parts: Parts, receiver: Receiver) -> Daemon:
    """A daemon that has looked, checked in and settled."""
    wish = Wish(receiver.url, "laptop-7")
    made = Daemon(parts, enrol(parts.settings, wish, "a-secret-of-the-operator"))
    made.tick()
    made.tick()
    receiver.bodies.clear()
    return made


@contextmanager
def session(laptop: Settings) -> Iterator[int]:
    """The number of a stand-in that runs as a version of the native installer."""
    program = laptop.home / ".local" / "share" / "claude" / "versions" / "2.1.330"
    with started(program) as process:
        # Where nothing is watched, only the process tells that there is something new.
        program.unlink()
        yield process.pid


def told_sessions(looked: Looked) -> list[str]:
    """The states of the sessions' files in a profile."""
    return [each.file for each in looked.made.sessions]


def test_a_session_is_told_for_half_an_hour_after_it_ended(
    laptop: Settings, receiver: Receiver, clock: Clock
) -> None:
    """A terminal that is closed is no news; while it is open nothing is sent either."""
    with session(laptop) as pid:
        daemon = daemon_of(parts_of(laptop, clock, pid), receiver)
        for _ in range(9):
            clock.now += 60
            daemon.tick()
        assert receiver.bodies == []
    ticks = 0
    while not receiver.sent("/v1/profiles") and ticks < 60:
        ticks += 1
        clock.now += 60
        daemon.tick()
    assert 30 <= ticks <= 36


def test_a_session_that_begins_is_told_at_the_next_tick(
    laptop: Settings, receiver: Receiver, clock: Clock
) -> None:
    """No watched file has changed: the daemon looks at what claims to be one."""
    with parent() as (root, _):
        daemon = daemon_of(parts_of(laptop, clock, root), receiver)
        clock.now += 60
        daemon.tick()
        assert receiver.bodies == []
        register(laptop, root)
        clock.now += 60
        daemon.tick()
        assert len(receiver.sent("/v1/profiles")) == 1


def register(laptop: Settings, pid: int) -> None:
    """Claude Code's registry says that a process is a session."""
    folder = laptop.home / ".claude" / "sessions"
    folder.mkdir()
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    (folder / f"{pid}.json").write_text(json.dumps({"pid": pid, "procStart": ticks}))


def test_what_a_session_runs_is_in_the_profile_and_nothing_more_of_it(
    laptop: Settings, clock: Clock
) -> None:
    """Its build and the state of its file: no number, no path and no time."""
    with session(laptop) as pid, closing(open_journal(laptop.state_dir)) as journal:
        looked, _ = cycle.cycle(parts_of(laptop, clock, pid), journal, None, Exchange())
    (told,) = msgspec.json.decode(looked.body)["sessions"]
    assert told.keys() == {"file", "build"}
    assert told["build"].keys() == {"sha256", "size", "form", "platform"}
    assert str(laptop.home).encode() not in looked.body


def test_the_laptop_alone_shows_where_a_session_was_started(laptop: Settings, clock: Clock) -> None:
    """And that one which is still told has ended."""
    with closing(open_journal(laptop.state_dir)) as journal:
        with session(laptop) as pid:
            looked, _ = cycle.cycle(parts_of(laptop, clock, pid), journal, None, Exchange())
        later, _ = cycle.cycle(parts_of(laptop, clock), journal, None, Exchange())
    (shown,) = looked.made.sessions
    path = laptop.home / ".local/share/claude/versions/2.1.330"
    local = local_facts.of(looked, {})
    assert local.sessions == ((shown, ((path, "terminal"),)),)
    assert local_facts.in_json(local)["sessions"] == [
        {"session": shown, "paths": [str(path)], "surfaces": ["terminal"]}
    ]
    assert local_facts.of(later, {}).sessions == ((shown, ()),)


def test_looking_at_processes_can_be_turned_off(laptop: Settings, clock: Clock) -> None:
    """That it is off is told, since nothing is known of sessions then."""
    with session(laptop) as pid, closing(open_journal(laptop.state_dir)) as journal:
        parts = parts_of(laptop, clock, pid)
        cycle.cycle(parts, journal, None, Exchange())
        off = replace(parts, settings=replace(parts.settings, scan_processes=False))
        looked, _ = cycle.cycle(off, journal, None, Exchange())
    assert told_sessions(looked) == []
    assert sessions.TURNED_OFF in looked.made.problems


def test_a_session_that_ended_is_remembered_by_another_process(
    laptop: Settings, clock: Clock
) -> None:
    """The journal keeps when it was last seen."""
    states = []
    with closing(open_journal(laptop.state_dir)) as journal:
        with session(laptop) as pid:
            cycle.cycle(parts_of(laptop, clock, pid), journal, None, Exchange())
        for passed in (60, sessions.LEAVES_S + sessions.MARK_S):
            clock.now += passed
            looked, _ = cycle.cycle(parts_of(laptop, clock), journal, None, Exchange())
            states.append(told_sessions(looked))
    assert states == [["deleted"], []]


CANARY = "canary-5f2c"


def test_nothing_secret_of_a_session_is_kept_sent_or_logged(
    laptop: Settings, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing of its path, and nothing else that its registry entry, lock and key say of it."""
    home = laptop.home
    program = home / CANARY / "claude" / "versions" / "2.1.330"
    registry, locks = home / ".claude" / "sessions", home / ".local/state/claude/locks"
    registry.mkdir()
    locks.mkdir(parents=True)
    with started(program) as process, closing(open_journal(home / "s")) as journal:
        told = {"pid": process.pid, "cwd": CANARY, "name": CANARY, "sessionId": CANARY}
        (registry / f"{process.pid}.json").write_text(json.dumps(told | {"procStart": CANARY}))
        key = registry / f"{process.pid}.{'a' * 64}.key"
        key.write_text(CANARY)
        key.chmod(0)
        before = key.stat().st_atime_ns
        (locks / "2.1.330.lock").write_text(json.dumps(told | {"execPath": str(program)}))
        looked, _ = cycle.cycle(parts_of(laptop, clock, process.pid), journal, None, Exchange())
        kept = journal.remembered("sessions")
        assert key.stat().st_atime_ns == before
    assert len(looked.made.sessions) == 1
    assert kept is not None
    for text in (looked.body, kept[0], caplog.text.encode()):
        assert CANARY.encode() not in text


def overrides_of(looked: Looked) -> list[wire.Override]:
    """What a profile tells of the layer of sessions."""
    assert looked.made.config is not None
    return [each for each in looked.made.config.overrides if each.layer == "session"]


def hash_of(looked: Looked) -> str:
    """The config hash of a profile."""
    assert looked.made.config is not None
    return looked.made.config.hash


def test_with_what_a_session_was_started_counts_for_half_an_hour(
    laptop: Settings, clock: Clock
) -> None:
    """It changes the config hash at once, and the laptop shows it by its layer."""
    program = laptop.home / ".local/share/claude/versions/2.1.330"
    looks = []
    with closing(open_journal(laptop.state_dir)) as journal:
        with waiting(program, "--model", "opus", variables={"MAX_THINKING_TOKENS": "0"}) as one:
            program.unlink()
            looks.append(
                cycle.cycle(parts_of(laptop, clock, one.pid), journal, None, Exchange())[0]
            )
        for passed in (0, 60, sessions.LEAVES_S + sessions.MARK_S):
            clock.now += passed
            looks.append(cycle.cycle(parts_of(laptop, clock), journal, None, Exchange())[0])
    assert overrides_of(looks[0]) == [
        wire.Override("flag", "model", "session", "behaviour", "opus"),
        wire.Override("variable", "MAX_THINKING_TOKENS", "session", "behaviour", 0),
    ]
    assert [len(overrides_of(each)) for each in looks] == [2, 2, 2, 0]
    assert hash_of(looks[0]) == hash_of(looks[2]) != hash_of(looks[3])
    shown = local_facts.in_json(local_facts.of(looks[0], {}))["overrides"]
    assert {"key": "model", "layer": "session", "file": None, "value": "opus"} in shown


def test_a_block_of_variables_in_the_settings_stands_above_a_sessions(
    laptop: Settings, clock: Clock
) -> None:
    """It replaces them in the session itself."""
    program = laptop.home / ".local/share/claude/versions/2.1.330"
    settings = laptop.home / ".claude" / "settings.json"
    settings.write_text(json.dumps({"env": {"MAX_THINKING_TOKENS": "7"}}))
    with (
        waiting(program, variables={"MAX_THINKING_TOKENS": "0"}) as process,
        closing(open_journal(laptop.state_dir)) as journal,
    ):
        looked, _ = cycle.cycle(parts_of(laptop, clock, process.pid), journal, None, Exchange())
    (found,) = overrides_of(looked)
    assert found.shadowed


def test_what_cannot_be_seen_of_a_session_is_a_problem(laptop: Settings, clock: Clock) -> None:
    """A session with so many variables tells none of them."""
    program = laptop.home / ".local/share/claude/versions/2.1.330"
    variables = {f"CLAUDE_CODE_{at}": "x" * 60_000 for at in range(3)}
    with (
        waiting(program, variables=variables) as process,
        closing(open_journal(laptop.state_dir)) as journal,
    ):
        looked, _ = cycle.cycle(parts_of(laptop, clock, process.pid), journal, None, Exchange())
    problem = wire.Problem("sessions", "a session's variables are longer than what is read")
    assert problem in looked.made.problems
    assert overrides_of(looked) == []


SECRETS = (
    *("--append-system-prompt", CANARY, "--settings", f'{{"env": {{"A": "{CANARY}"}}}}'),
    *("--model", CANARY, f"--agents={CANARY}", "--resume", CANARY, f"--unknown-{CANARY}={CANARY}"),
    *(CANARY, "--", f"--effort={CANARY}", f"--{CANARY}"),
)
VARIABLES = {
    "ANTHROPIC_API_KEY": CANARY,
    "ANTHROPIC_BASE_URL": f"https://{CANARY}",
    "ANTHROPIC_MODEL": CANARY,
    "CLAUDE_CODE_SESSION_ID": CANARY,
    "CLAUDE_CODE_UNLISTED": CANARY,
    "DISABLE_TELEMETRY": CANARY,
    "AWS_SECRET_ACCESS_KEY": CANARY,
    "HOME": f"/{CANARY}",
    CANARY.upper().replace("-", "_"): CANARY,
}


def test_no_word_of_a_sessions_arguments_and_variables_is_kept_sent_or_logged(
    laptop: Settings, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Only that these are set is told."""
    program = laptop.home / ".local/share/claude/versions/2.1.330"
    with waiting(program, *SECRETS, variables=VARIABLES) as process:
        parts = parts_of(laptop, clock, process.pid)
        with closing(open_journal(laptop.state_dir)) as journal:
            looked, _ = cycle.cycle(parts, journal, None, Exchange())
        shown = subprocess.run(
            [sys.executable, "-m", "agent", "show", "--json"],
            env={
                "PARITY_AGENT_STATE_DIR": str(laptop.state_dir),
                "PARITY_AGENT_HOME": str(laptop.home),
                "PARITY_AGENT_SYSTEM_ROOT": str(laptop.system_root),
                "PARITY_AGENT_PROCESS_ROOTS": str(process.pid),
                "PARITY_AGENT_LOG_LEVEL": "debug",
                "HOME": str(laptop.home),
                "PATH": "",
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
            capture_output=True,
            timeout=60,
            check=True,
        )
    names = {each.key for each in overrides_of(looked)}
    assert {"model", "append-system-prompt", "ANTHROPIC_API_KEY", "DISABLE_TELEMETRY"} <= names
    assert b"append-system-prompt" in shown.stdout
    kept = [file.read_bytes() for file in laptop.state_dir.rglob("*") if file.is_file()]
    local = msgspec.json.encode(local_facts.in_json(local_facts.of(looked, {})))
    memory = repr(parts.running.seen()).encode()
    for text in (
        *kept,
        looked.body,
        local,
        memory,
        shown.stdout,
        shown.stderr,
        caplog.text.encode(),
    ):
        assert CANARY.encode() not in text.lower()
        assert CANARY.replace("-", "_").encode() not in text.lower()
