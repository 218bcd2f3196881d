"""The lock that ends with its process."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent import lock
from agent.errors import AgentError

HOLD = """
import pathlib, sys
from agent import lock
with lock.held(pathlib.Path(sys.argv[1]), timeout_s=0, holder="a test"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_is_held_while_its_process_lives(tmp_path: Path) -> None:
    """Asking does not take it, and a killed holder leaves nothing behind."""
    file = tmp_path / "a.lock"
    command = [sys.executable, "-c", HOLD, str(file)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert lock.is_held(file)
        with pytest.raises(AgentError, match="a test is already running"):
            lock.held(file, timeout_s=0, holder="a test").__enter__()
        holder.kill()
        holder.wait()
    assert not lock.is_held(file)
    with lock.held(file, timeout_s=0, holder="a test"):
        assert lock.is_held(file)


def test_asking_for_a_lock_that_nobody_made_makes_nothing(tmp_path: Path) -> None:
    """A look at a machine without an agent changes nothing of it."""
    assert not lock.is_held(tmp_path / "state" / "daemon.lock")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_lock_is_an_error_with_advice(tmp_path: Path) -> None:
    """It is neither held nor free."""
    file = tmp_path / "daemon.lock"
    file.write_bytes(b"not a database, and longer than its header " * 20)
    with pytest.raises(AgentError, match="cannot be used"):
        lock.is_held(file)
