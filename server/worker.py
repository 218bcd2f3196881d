"""The jobs that run beside the requests, on APScheduler, in the server's process.

Every job is one function that looks whether there is something to do. A job never runs
twice at a time, missed runs are one run, and one that fails comes again at its next time. A
mistake of ours is logged with its traceback; what stands in the way outside is one line, and
is not said again until something else happens to that job. Judging has one lane: a change of
the ledger only marks that everything is to be judged again, so that a burst of readings is
one pass; the first pass runs at the start, for what a crash may have left between a reading
and its verdicts.

A stop waits a moment for what is under way, so that no question to the database is cut off.
Threads are daemons: a download that takes longer does not hold up a stop, since it holds
nothing that a crash could not take from it either.
"""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.schedulers.background import BackgroundScheduler

from server.errors import ServerError

STOP_WAIT_S = 2.0
"""Longest that a stop waits for the jobs under way, in seconds."""

_log = structlog.stdlib.get_logger("server.worker")


@dataclass(frozen=True)
class Job:
    """Something that is looked after again and again.

    Attributes:
        name: As logged.
        every_s: Seconds between two looks; the first one is at the start.
        run: Does what there is to do; may raise anything.
    """

    name: str
    every_s: float
    run: Callable[[], object]


class Worker:
    """Runs jobs until it is stopped.

    Args:
        jobs: With names of their own.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._stopping = threading.Event()
        self._daemons = _Daemons()
        self._scheduler = BackgroundScheduler(
            executors={"default": self._daemons},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )
        for job in jobs:
            self._scheduler.add_job(
                self._guarded(job),
                "interval",
                seconds=job.every_s,
                id=job.name,
                next_run_time=datetime.now(UTC),
            )

    def start(self) -> None:
        """Starts the jobs; returns at once."""
        self._scheduler.start()

    def stop(self) -> None:
        """Starts no further job; one under way for longer may find the writer closed, and ends."""
        self._stopping.set()
        self._scheduler.shutdown(wait=False)
        self._daemons.wait(STOP_WAIT_S)

    def _guarded(self, job: Job) -> Callable[[], None]:
        said = ""

        def run() -> None:
            nonlocal said
            try:
                job.run()
                said = ""
            except ServerError as error:
                if str(error) != said and not self._stopping.is_set():
                    _log.error("job hindered", job=job.name, error=str(error))
                said = str(error)
            except Exception:  # noqa: BLE001 - one job's failure must not end the others
                if not self._stopping.is_set():
                    _log.exception("job failed", job=job.name)

        return run


class Mark:
    """Says that something is to be done again, however often it is set before it is."""

    def __init__(self) -> None:
        self._set = threading.Event()

    def set(self) -> None:
        """From now on it is to be done."""
        self._set.set()

    def do(self, work: Callable[[], None]) -> bool:
        """Does the work if it is to be done; work that fails stays to be done.

        Returns:
            Whether it was to be done.
        """
        if not self._set.is_set():
            return False
        self._set.clear()
        try:
            work()
        except BaseException:
            self._set.set()
            raise
        return True


class _Daemons(BaseExecutor):  # type: ignore[misc] # APScheduler ships no types
    """Runs every job in a daemon thread of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._threads: dict[str, threading.Thread] = {}

    def wait(self, timeout_s: float) -> None:
        """Returns when no job is under way, or when the time is over."""
        ends_at = time.monotonic() + timeout_s
        for thread in tuple(self._threads.values()):
            thread.join(max(0.0, ends_at - time.monotonic()))

    def _do_submit_job(self, job: Any, run_times: Any) -> None:
        thread = threading.Thread(
            target=self._run, args=(job, run_times), name=f"job {job.id}", daemon=True
        )
        thread.start()
        # A job never runs twice at a time.
        self._threads[job.id] = thread

    def _run(self, job: Any, run_times: Any) -> None:
        try:
            events = run_job(job, job._jobstore_alias, run_times, self._logger.name)  # noqa: SLF001 - as its own executors do
        except BaseException:  # noqa: BLE001 - APScheduler has to hear of it
            self._run_job_error(job.id, *sys.exc_info()[1:])
        else:
            self._run_job_success(job.id, events)
