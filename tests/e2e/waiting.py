"""Waiting for what another process brings about."""

import threading
from collections.abc import Callable

import pytest

PAUSE_S = 0.2


def wait_until(condition: Callable[[], object], timeout_s: float = 60) -> None:
    """Asks again and again until something is so."""
    pause = threading.Event()
    for _ in range(int(timeout_s / PAUSE_S)):
        if condition():
            return
        pause.wait(PAUSE_S)
    pytest.fail(f"not so after {timeout_s} s")
