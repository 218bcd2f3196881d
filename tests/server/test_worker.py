"""The worker: jobs come again whatever happens to them, and a mark is done once."""

import itertools
import threading

import pytest
from structlog.testing import capture_logs

from server.errors import StoreError
from server.worker import Job, Mark, Worker

_LONG_S = 3600.0
_PATIENCE_S = 20.0


def test_every_job_runs_at_the_start_without_being_waited_for() -> None:
    """A job that takes its time holds up neither the start nor another job."""
    free, seen = threading.Event(), threading.Event()
    slow = Job("slow", _LONG_S, lambda: free.wait(_PATIENCE_S))
    worker = Worker([slow, Job("quick", _LONG_S, seen.set)])
    worker.start()
    assert seen.wait(_PATIENCE_S)
    free.set()
    worker.stop()


def test_a_job_that_fails_comes_again() -> None:
    """One failure ends neither the job nor the others."""
    runs = threading.Semaphore(0)

    def fail() -> None:
        runs.release()
        raise RuntimeError("as if a source broke")

    worker = Worker([Job("fails", 0.01, fail)])
    worker.start()
    assert runs.acquire(timeout=_PATIENCE_S)
    assert runs.acquire(timeout=_PATIENCE_S)
    worker.stop()


def test_what_hinders_a_job_is_told_once_in_one_line() -> None:
    """A database that is away for an hour must not fill the log; other words are news."""
    runs, over = itertools.count(), threading.Event()

    def hindered() -> None:
        number = next(runs)
        if number >= 6:
            over.set()
            return
        raise StoreError("it is away" if number != 4 else "its disk is full", advice="wait")

    with capture_logs() as told:
        worker = Worker([Job("reads", 0.01, hindered)])
        worker.start()
        assert over.wait(_PATIENCE_S)
        worker.stop()
    assert [(each["job"], each["error"]) for each in told] == [
        ("reads", "it is away"),
        ("reads", "its disk is full"),
        ("reads", "it is away"),
    ]


def test_a_job_never_runs_twice_at_a_time() -> None:
    """A run that outlasts its interval is not joined by a second one."""
    free, entered, together = threading.Event(), threading.Event(), threading.Event()
    inside = threading.Lock()

    def run() -> None:
        if not inside.acquire(blocking=False):
            together.set()
            return
        entered.set()
        free.wait(_PATIENCE_S)
        inside.release()

    ticks = threading.Semaphore(0)
    worker = Worker([Job("long", 0.01, run), Job("ticks", 0.01, ticks.release)])
    worker.start()
    assert entered.wait(_PATIENCE_S)
    for _ in range(5):
        assert ticks.acquire(timeout=_PATIENCE_S)
    free.set()
    worker.stop()
    assert not together.is_set()


def test_a_stop_waits_for_what_is_under_way() -> None:
    """A question to the database ends before the database is closed."""
    begun, ended = threading.Event(), threading.Event()

    def ask() -> None:
        begun.set()
        worker._stopping.wait(_PATIENCE_S)
        ended.set()

    worker = Worker([Job("asks", _LONG_S, ask)])
    worker.start()
    assert begun.wait(_PATIENCE_S)
    worker.stop()
    assert ended.is_set()


def test_marks_set_many_times_are_done_once() -> None:
    """A burst of changes is one pass."""
    done: list[int] = []
    mark = Mark()
    mark.set()
    mark.set()
    assert mark.do(lambda: done.append(1))
    assert not mark.do(lambda: done.append(1))
    assert done == [1]


def test_marked_work_that_fails_stays_to_be_done() -> None:
    """A pass that broke off is made again."""
    mark = Mark()
    mark.set()

    def fail() -> None:
        raise RuntimeError("as if the disk were full")

    with pytest.raises(RuntimeError):
        mark.do(fail)
    assert mark.do(lambda: None)


def test_a_mark_set_during_the_work_is_done_afterwards() -> None:
    """What changed while everything was judged is judged too."""
    mark = Mark()
    mark.set()
    mark.do(mark.set)
    assert mark.do(lambda: None)
