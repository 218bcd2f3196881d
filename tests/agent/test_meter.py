"""Activity from real stand-in programs into check-ins: a real daemon, a real receiver."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from agent import sendings, wire
from agent.cycle import Parts
from agent.daemon import Daemon
from agent.enrolment import enrol
from agent.errors import JournalError
from agent.host import Process
from agent.identity import Identity, Wish
from agent.journal import open_journal
from agent.meter import KEEP_S, Meter
from agent.pause_file import Pauses
from agent.running import LocalSession
from agent.settings import Settings
from tests.agent.receiver import Receiver
from tests.agent.standin import started

NOON = 1_795_000_000


class Clock:
    """A clock that is set by hand."""

    now: float = NOON

    def __call__(self) -> float:
        """Epoch seconds."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The agent's clock."""
    return Clock()


@contextmanager
def session(laptop: Settings) -> Iterator[int]:
    """The number of a stand-in that runs as a version of the native installer."""
    program = laptop.home / ".local" / "share" / "claude" / "versions" / "2.1.330"
    with started(program) as process:
        yield process.pid


def parts_of(
    laptop: Settings,
    clock: Clock,
    *pids: int,
    scan_processes: bool = True,
    share_activity: bool = True,
) -> Parts:
    """What an agent is made of that looks at some processes only."""
    settings = replace(
        laptop,
        process_roots=pids,
        scan_processes=scan_processes,
        share_activity=share_activity,
    )
    return Parts(settings, {"PATH": ""}, clock=clock, chance=lambda: 0.5)


def enrolled(parts: Parts, receiver: Receiver, label: str = "laptop-7") -> Identity:
    """Enrols the scratch laptop."""
    return enrol(parts.settings, Wish(receiver.url, label), "a-secret-of-the-operator")


def ticking(daemon: Daemon, clock: Clock, minutes: int) -> None:
    """Lets time pass, a look each minute."""
    for _ in range(minutes):
        clock.now += 60
        daemon.tick()


def told(receiver: Receiver) -> list[dict[str, Any]]:
    """All activity that arrived."""
    return [each for body in receiver.sent("/v1/check-ins") for each in body.get("activity", ())]


def kept(settings: Settings) -> tuple[wire.Activity, ...]:
    """What the journal would tell next."""
    with closing(open_journal(settings.state_dir)) as journal:
        backlog = journal.backlog()
        assert backlog is not None
        return backlog.activity


def test_the_use_of_a_session_arrives_with_the_check_ins(
    laptop: Settings, receiver: Receiver, clock: Clock
) -> None:
    """Each minute once, for the bytes that ran; it ran before the agent, so it is no start."""
    with session(laptop) as pid:
        parts = parts_of(laptop, clock, pid)
        daemon = Daemon(parts, enrolled(parts, receiver))
        daemon.tick()
        ticking(daemon, clock, 31)
        daemon.keep_counts()
    counts = told(receiver)
    profile = receiver.profiles[receiver.present or ""]
    assert {each["build"] for each in counts} == {
        each["build"]["sha256"] for each in json.loads(profile)["sessions"]
    }
    assert {(each["surface"], each.get("starts", 0)) for each in counts} == {("terminal", 0)}
    waiting = sum(each.seconds for each in kept(laptop))
    assert sum(each["seconds"] for each in counts) + waiting == 31 * 60
    assert waiting < 15 * 60


def test_nothing_is_written_while_counts_may_wait(
    laptop: Settings, receiver: Receiver, clock: Clock
) -> None:
    """A durable write a minute would be too much; a quarter of an hour is the longest wait."""
    with session(laptop) as pid:
        parts = parts_of(laptop, clock, pid)
        daemon = Daemon(parts, enrolled(parts, receiver))
        daemon.tick()
        ticking(daemon, clock, 1)
        file = laptop.state_dir / "journal.db"
        before = file.stat().st_mtime_ns
        ticking(daemon, clock, 3)
        assert file.stat().st_mtime_ns == before
        assert kept(laptop) == ()


def test_counts_are_kept_after_a_quarter_of_an_hour() -> None:
    """By the agent's clock, whether or not there is a check-in; a clock set back does not delay."""
    meter = Meter(60)
    for minute in range(14):
        meter.look([local()], NOON + 60 * minute)
        assert not meter.is_due(NOON + 60 * minute)
    meter.look([local()], NOON + KEEP_S)
    assert meter.is_due(NOON + KEEP_S)
    meter.look([local()], NOON - 90_000)
    assert not meter.is_due(NOON - 90_000)
    assert meter.is_due(NOON - 90_000 + KEEP_S)


def local(pid: int = 7) -> LocalSession:
    """A session as the laptop knows it."""
    return LocalSession(
        wire.Session("present"), PurePosixPath("/p"), Process(pid, "1"), NOON - 5, "terminal"
    )


def test_what_could_not_be_kept_goes_on_waiting(tmp_path: Path) -> None:
    """A full disk at that moment loses nothing, and it is kept once."""
    meter = Meter(60)
    meter.look([local()], NOON)
    meter.look([local()], NOON + 60)
    closed = open_journal(tmp_path)
    closed.close()
    with pytest.raises(JournalError):
        meter.keep(closed, NOON + 60)
    with closing(open_journal(tmp_path)) as journal:
        journal.record(b"{}", NOON)
        meter.keep(journal, NOON + 60)
        meter.keep(journal, NOON + 60)
        backlog = journal.backlog()
    assert backlog is not None
    assert [each.seconds for each in backlog.activity] == [60]


def test_the_end_of_the_agent_keeps_what_was_counted(
    laptop: Settings, receiver: Receiver, clock: Clock
) -> None:
    """A laptop that is shut down each evening loses nothing by it."""
    with session(laptop) as pid:
        parts = parts_of(laptop, clock, pid)
        daemon = Daemon(parts, enrolled(parts, receiver))
        daemon.tick()
        ticking(daemon, clock, 3)
        daemon.keep_counts()
        daemon.keep_counts()
    assert sum(each.seconds for each in kept(laptop)) == 180 - sum(
        each["seconds"] for each in told(receiver)
    )


def test_a_pause_is_not_counted(laptop: Settings, receiver: Receiver, clock: Clock) -> None:
    """Neither the time, nor what began in it, is anybody's business."""
    with session(laptop) as pid:
        parts = parts_of(laptop, clock, pid)
        daemon = Daemon(parts, enrolled(parts, receiver))
        daemon.tick()
        ticking(daemon, clock, 1)
        Pauses(laptop.state_dir).begin(int(clock.now), 240)
        ticking(daemon, clock, 5)
        ticking(daemon, clock, 2)
        daemon.keep_counts()
    everything = [each["seconds"] for each in told(receiver)]
    everything += [each.seconds for each in kept(laptop)]
    # A minute before it; after it the first look, and then two minutes.
    assert sum(everything) in {60 + 120, 60 + 180}


@pytest.mark.parametrize("setting", ["scan_processes", "share_activity"])
def test_nothing_is_counted_where_the_user_will_not_have_it(
    laptop: Settings, receiver: Receiver, clock: Clock, setting: str
) -> None:
    """One setting turns activity off with the sessions, another one activity alone."""
    with session(laptop) as pid:
        parts = parts_of(laptop, clock, pid, **{setting: False})
        daemon = Daemon(parts, enrolled(parts, receiver))
        daemon.tick()
        ticking(daemon, clock, 12)
        daemon.keep_counts()
    assert told(receiver) == []
    assert kept(laptop) == ()


def test_another_enrolment_hears_nothing_of_the_earlier_one(
    laptop: Settings, receiver: Receiver, clock: Clock
) -> None:
    """Neither what was kept nor what waited in memory."""
    with session(laptop) as pid:
        parts = parts_of(laptop, clock, pid)
        daemon = Daemon(parts, enrolled(parts, receiver))
        daemon.tick()
        ticking(daemon, clock, 3)
        enrolled(parts, receiver, "laptop-8")
        daemon.keep_counts()
        assert kept(laptop) == ()
        receiver.bodies.clear()
        daemon.tick()
        ticking(daemon, clock, 1)
        assert told(receiver) == []


def test_show_prints_what_is_kept_of_activity(
    laptop: Settings, receiver: Receiver, clock: Clock
) -> None:
    """It is in the check-in's own bytes."""
    with session(laptop) as pid:
        parts = parts_of(laptop, clock, pid)
        who = enrolled(parts, receiver)
        daemon = Daemon(parts, who)
        daemon.tick()
        ticking(daemon, clock, 2)
        daemon.keep_counts()
        with closing(open_journal(laptop.state_dir)) as journal:
            shown = json.loads(sendings.upcoming(parts, journal, who)["check-in"])
    assert sum(each["seconds"] for each in shown["activity"]) == 120
