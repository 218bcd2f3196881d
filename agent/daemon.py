"""The daemon: the cycle repeated, cheap while nothing changes.

It looks at the watched files once a minute by their `stat` alone, and at processes that are
new. A difference means a full look at once; the server's interval means one anyway. It speaks
to the server only if the profile changed or the interval is over. One thread does all of it, so
two cycles never meet; a ``check`` typed meanwhile waits for the cycle's lock. A clock that is
set back, as at the start of many a laptop, takes nothing of this away: what was due moves back
with it.

While a pause lasts a tick looks at nothing, and speaks only if the server was not told of it
yet. That a pause begins or ends is noticed within seconds, by the `stat` of one file.

It only crashes: a tick that takes longer than its limit ends the process, as a power cut would,
and the service manager begins another one.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from agent import cycle, exchange, identity, lock, notifying, platforms, stacks, watch
from agent.cycle import Parts
from agent.errors import AgentError, IdentityError
from agent.exchange_table import EVENTS, Event, State
from agent.identity import Identity
from agent.journal import Journal, open_journal
from agent.meter import Meter
from agent.pause import Pause
from agent.pause_file import Pauses
from agent.platforms.priority import step_back
from agent.settings import Settings
from agent.stacks import Stacks

PAUSE_LOOK_S = 2.0
"""Seconds between two looks whether a pause has begun or ended."""

_log = structlog.stdlib.get_logger("agent.daemon")


class Daemon:
    """The cycle repeated, one tick at a time."""

    def __init__(self, parts: Parts, who: Identity) -> None:
        """Looks at nothing yet."""
        self._parts = parts
        self._who = who
        settings = parts.settings
        self._pauses = Pauses(settings.state_dir)
        self._pause: Pause | None = None
        self._host = platforms.live(
            home=settings.home,
            system_root=settings.system_root,
            environment=parts.environment,
            process_roots=settings.process_roots,
        )
        with closing(open_journal(settings.state_dir)) as journal:
            known = cycle.begin(journal, who)
        # Laptops that start together must not check in together.
        at = parts.clock() + parts.chance() * settings.spread_s
        self._x = replace(known, state=State.REST, at=at)
        self._seen: watch.Seen = {}
        self._settled = False
        self._sessions_at: int | None = None
        self._meter = Meter(settings.watch_interval_s)
        self._ticked = parts.clock()

    @property
    def due_at(self) -> float | None:
        """When the next check-in is due, epoch seconds.

        None while what was due could not be done: then the next look is the next try. While a
        pause lasts that the server knows of, its end.
        """
        if self._pause is not None and self._pause.is_told:
            return self._pause.until
        return self._x.at if self._x.at > self._ticked else None

    def tick(self) -> None:
        """Looks whether there is something to do, and does it.

        Raises:
            AgentError: The journal, the identity or the locks cannot be used.
        """
        self._notice_clock()
        self._notice_enrolment()
        if self._is_paused():
            return
        due = self._is_due()
        before = watch.snapshot(self._host, self._seen)
        if due or not self._settled or before != self._seen or self._sessions_changed():
            self._cycle(before, due=due)
        self._count()

    def keep_counts(self) -> None:
        """Keeps what was counted and would be lost with the process.

        Raises:
            AgentError: It cannot be kept.
        """
        # Of a machine that has left, or was enrolled anew meanwhile, nothing is kept.
        if self._who.is_machine_of(identity.load(self._parts.settings.state_dir)):
            with closing(open_journal(self._parts.settings.state_dir)) as journal:
                self._meter.keep(journal, int(self._parts.clock()))

    def _count(self) -> None:
        if self._current_pause() is not None or not self._parts.settings.share_activity:
            self._meter.stop()
            return
        now = int(self._parts.clock())
        self._meter.look(self._parts.running.seen(), now)
        if self._meter.is_due(now):
            self.keep_counts()

    def _cycle(self, before: watch.Seen, *, due: bool) -> None:
        with self._alone() as journal:
            if self._current_pause() is not None:
                return  # Asked for while this waited for the lock.
            if due:
                self._happened(Event.DUE)
            self._meter.keep(journal, int(self._parts.clock()))
            looked, self._x = cycle.cycle(self._parts, journal, self._who, self._x)
            notifying.tell(self._parts, journal)
        after = watch.snapshot(self._host, looked.watch)
        # A path watched since before the look keeps that state, so a change during the
        # look is still seen; one first watched now asks for one more look.
        self._settled = after.keys() <= before.keys()
        self._seen = {path: before.get(path, facts) for path, facts in after.items()}
        self._sessions_at = looked.again_at

    def _sessions_changed(self) -> bool:
        if not self._parts.settings.scan_processes:
            return False
        if self._sessions_at is not None and self._parts.clock() >= self._sessions_at:
            return True
        try:
            return self._parts.running.has_changed(self._host)
        except OSError:
            # The next full look tells why; until then what runs is not known.
            self._meter.stop()
            return False

    @contextmanager
    def _alone(self) -> Iterator[Journal]:
        settings = self._parts.settings
        file = settings.state_dir / "cycle.lock"
        with (
            lock.held(file, timeout_s=settings.lock_timeout_s, holder="another check"),
            closing(open_journal(settings.state_dir)) as journal,
        ):
            yield journal

    def _is_paused(self) -> bool:
        before, self._pause = self._pause, self._current_pause()
        if self._pause is None:
            if before is not None:
                _log.info("resumed")
                self._happened(Event.RESUMED)
                self._settled = False
            return False
        self._meter.stop()
        is_new = before is None or before.until != self._pause.until
        if is_new:
            _log.info("paused", until=self._pause.until)
        if not self._pause.is_told and (is_new or self._is_due()):
            self._announce()
        return True

    def _announce(self) -> None:
        with self._alone() as journal:
            self._meter.keep(journal, int(self._parts.clock()))
            pause = self._current_pause()
            # The command that asked for it mostly has told the server by now.
            if pause is not None and not pause.is_told:
                self._x = cycle.announce(self._parts, journal, self._who, self._x)
        self._pause = self._current_pause() or self._pause

    def _current_pause(self) -> Pause | None:
        return self._pauses.current(int(self._parts.clock()))

    def _is_due(self) -> bool:
        return self._parts.clock() >= self._x.at

    def _notice_clock(self) -> None:
        now, interval = self._parts.clock(), self._parts.settings.watch_interval_s
        passed = now - self._ticked
        if passed < 0:
            x = self._x
            self._x = replace(x, at=x.at + passed, upload_at=x.upload_at + passed)
        elif passed > 2 * interval:
            self._happened(Event.WOKE)
        self._ticked = now

    def _notice_enrolment(self) -> None:
        who = identity.load(self._parts.settings.state_dir) or self._who
        if not who.is_machine_of(self._who):
            self._meter.forget()
            self._happened(Event.ENROLLED)
        self._who = who

    def _happened(self, event: Event) -> None:
        # In a sending state a conversation was cut short: the next cycle goes on with it.
        if (self._x.state, event) in EVENTS:
            parts = self._parts
            pace = cycle.pace_of(parts.settings)
            self._x = exchange.happened(
                self._x, event, pace, now=parts.clock(), chance=parts.chance()
            )


def run(parts: Parts) -> None:
    """Runs the daemon until SIGTERM or Ctrl-C.

    Raises:
        AgentError: This machine is not enrolled, or another daemon has its state folder.
    """
    settings = parts.settings
    who = identity.load(settings.state_dir)
    if who is None:
        raise IdentityError(
            "this machine is not enrolled", advice="run: parity-agent enrol --server https://..."
        )
    with (
        lock.held(settings.state_dir / "daemon.lock", timeout_s=0, holder="an agent"),
        stacks.kept(settings.state_dir) as kept,
    ):
        step_back()
        _repeat(Daemon(parts, who), settings, kept)


def _repeat(daemon: Daemon, settings: Settings, kept: Stacks) -> None:
    interval_s = settings.watch_interval_s
    thread = ThreadPoolExecutor(1)
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": thread},
        # After sleep one run stands for all that were missed, however late.
        job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
    )

    def tick() -> None:
        with kept.limit(settings.cycle_limit_s):
            _logged(daemon.tick)
        if daemon.due_at is not None:
            due = datetime.fromtimestamp(max(daemon.due_at, time.time() + 1), UTC)
            scheduler.add_job(tick, "date", run_date=due, id="due", replace_existing=True)

    first = datetime.now(UTC)
    scheduler.add_job(tick, "interval", seconds=interval_s, next_run_time=first, id="watch")
    signal.signal(signal.SIGTERM, _end)
    if hasattr(signal, "SIGBREAK"):
        # Windows has no SIGTERM from outside; this is what ends a group of processes there.
        signal.signal(signal.SIGBREAK, _end)
    _log.info("agent started")
    try:
        scheduler.start()
        _watch(scheduler, Pauses(settings.state_dir).file, interval_s)
    except (SystemExit, KeyboardInterrupt):
        _log.info("agent ends")
    finally:
        # Not waiting: the scheduler would keep its locks meanwhile, and a tick needs them.
        scheduler.shutdown(wait=False)
        thread.shutdown()
        _logged(daemon.keep_counts)


def _watch(scheduler: BackgroundScheduler, pause_file: Path, interval_s: float) -> NoReturn:
    before, paused = time.time(), watch.stamp(pause_file)
    while True:
        time.sleep(min(PAUSE_LOOK_S, interval_s))
        now, stamp = time.time(), watch.stamp(pause_file)
        # The scheduler waits for a time of day: set back by an hour, it would sleep that hour.
        if now < before or stamp != paused:
            scheduler.modify_job("watch", next_run_time=datetime.fromtimestamp(now, UTC))
        before, paused = now, stamp


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    # Raised and not set: the scheduler's own event may be locked at this very moment.
    raise SystemExit(0)


def _logged(step: Callable[[], None]) -> None:
    try:
        step()
    except AgentError as error:
        _log.error("cycle failed", error=str(error), advice=error.advice)
    # A bug must not end the daemon: it is logged whole, and the next tick is another try.
    except Exception:  # noqa: BLE001 - the reason is above
        _log.exception("cycle failed")
