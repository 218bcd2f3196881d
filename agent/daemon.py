"""The daemon: the cycle repeated, cheap while nothing changes.

It looks at the watched files once a minute by their `stat` alone. A difference means a
full look at once; the server's interval means one anyway. It speaks to the server only if
the profile changed or the interval is over. One thread does all of it, so two cycles never
meet; a ``check`` typed meanwhile waits for the cycle's lock. A clock that is set back, as at
the start of many a laptop, takes nothing of this away: what was due moves back with it.
"""

import os
import signal
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from types import FrameType
from typing import NoReturn

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from agent import cycle, exchange, identity, lock, platforms, watch
from agent.cycle import Parts
from agent.errors import AgentError, IdentityError
from agent.exchange_table import EVENTS, Event, State
from agent.identity import Identity
from agent.journal import open_journal

NICENESS = 10
"""How far the daemon steps back behind other programs (nice(2))."""

_log = structlog.stdlib.get_logger("agent.daemon")


class Daemon:
    """The cycle repeated, one tick at a time."""

    def __init__(self, parts: Parts, who: Identity) -> None:
        """Looks at nothing yet."""
        self._parts = parts
        self._who = who
        settings = parts.settings
        self._host = platforms.live(
            home=settings.home, system_root=settings.system_root, environment=parts.environment
        )
        with closing(open_journal(settings.state_dir)) as journal:
            known = cycle.begin(journal, who)
        # Laptops that start together must not check in together.
        at = parts.clock() + parts.chance() * settings.spread_s
        self._x = replace(known, state=State.REST, at=at)
        self._seen: watch.Seen = {}
        self._settled = False
        self._ticked = parts.clock()

    @property
    def due_at(self) -> float | None:
        """When the next check-in is due, epoch seconds.

        None while what was due could not be done: then the next look is the next try.
        """
        return self._x.at if self._x.at > self._ticked else None

    def tick(self) -> None:
        """Looks whether there is something to do, and does it.

        Raises:
            AgentError: The journal, the identity or the locks cannot be used.
        """
        self._notice_clock()
        self._notice_enrolment()
        due = self._is_due()
        before = watch.snapshot(self._host, self._seen)
        if due or not self._settled or before != self._seen:
            self._cycle(before, due=due)

    def _cycle(self, before: watch.Seen, *, due: bool) -> None:
        settings = self._parts.settings
        file = settings.state_dir / "cycle.lock"
        with (
            lock.held(file, timeout_s=settings.lock_timeout_s, holder="another check"),
            closing(open_journal(settings.state_dir)) as journal,
        ):
            if due:
                self._happened(Event.DUE)
            looked, self._x = cycle.cycle(self._parts, journal, self._who, self._x)
        after = watch.snapshot(self._host, looked.watch)
        # A path watched since before the look keeps that state, so a change during the
        # look is still seen; one first watched now asks for one more look.
        self._settled = after.keys() <= before.keys()
        self._seen = {path: before.get(path, facts) for path, facts in after.items()}

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
        who = identity.load(self._parts.settings.state_dir)
        if who is not None and who != self._who:
            self._who = who
            self._happened(Event.ENROLLED)

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
    with lock.held(settings.state_dir / "daemon.lock", timeout_s=0, holder="an agent"):
        if hasattr(os, "nice"):
            os.nice(NICENESS)
        _repeat(Daemon(parts, who), settings.watch_interval_s)


def _repeat(daemon: Daemon, interval_s: float) -> None:
    thread = ThreadPoolExecutor(1)
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": thread},
        # After sleep one run stands for all that were missed, however late.
        job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
    )

    def tick() -> None:
        _ticked(daemon)
        if daemon.due_at is not None:
            due = datetime.fromtimestamp(max(daemon.due_at, time.time() + 1), UTC)
            scheduler.add_job(tick, "date", run_date=due, id="due", replace_existing=True)

    first = datetime.now(UTC)
    scheduler.add_job(tick, "interval", seconds=interval_s, next_run_time=first, id="watch")
    signal.signal(signal.SIGTERM, _end)
    _log.info("agent started")
    try:
        scheduler.start()
        _watch_the_clock(scheduler, interval_s)
    except (SystemExit, KeyboardInterrupt):
        _log.info("agent ends")
    finally:
        # Not waiting: the scheduler would keep its locks meanwhile, and a tick needs them.
        scheduler.shutdown(wait=False)
        thread.shutdown()


def _watch_the_clock(scheduler: BackgroundScheduler, interval_s: float) -> NoReturn:
    # The scheduler waits for a time of day: set back by an hour, it would sleep that hour.
    before = time.time()
    while True:
        time.sleep(interval_s)
        now = time.time()
        if now < before:
            scheduler.modify_job("watch", next_run_time=datetime.fromtimestamp(now, UTC))
        before = now


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    # Raised and not set: the scheduler's own event may be locked at this very moment.
    raise SystemExit(0)


def _ticked(daemon: Daemon) -> None:
    try:
        daemon.tick()
    except AgentError as error:
        _log.error("cycle failed", error=str(error), advice=error.advice)
    # A bug must not end the daemon: it is logged whole, and the next tick is another try.
    except Exception:  # noqa: BLE001 - the reason is above
        _log.exception("cycle failed")
