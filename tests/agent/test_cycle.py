"""Collectors that fail, each in its own way, while the rest goes on."""

import errno

import pytest

from agent.cycle import _collected
from agent.wire import Problem


def test_a_good_collector_has_no_problem() -> None:
    """What it gives is passed on."""
    assert _collected("part", lambda: 7, 0) == (7, ())


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(errno.EACCES, "no", "/home/kim/.secret"), "it may not be read"),
        (OSError(errno.EIO, "broken", "/home/kim"), "it cannot be read"),
        (KeyError("kim"), "it failed with KeyError"),
        (RecursionError("deep"), "it failed with RecursionError"),
    ],
)
def test_a_failed_collector_is_a_problem_without_a_path_or_a_value(
    error: Exception, reason: str
) -> None:
    """Its reason says what kind of failure it was and nothing of the machine."""

    def fail() -> int:
        raise error

    assert _collected("part", fail, 0) == (0, (Problem("part", reason),))
