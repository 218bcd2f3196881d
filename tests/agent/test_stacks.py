"""Ending a process that hangs, and what the next one tells of it: in processes of their own."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

from werkzeug import Request, Response

from agent import stacks
from agent.enrolment import enrol
from agent.identity import Wish
from agent.settings import Settings
from tests.agent.receiver import Receiver

HANG = """
import sys, time
from pathlib import Path
from agent import stacks

def hangs(secret):
    time.sleep(600)

with stacks.kept(Path(sys.argv[1])) as kept, kept.limit(0.2):
    hangs("canary-5ecret")
"""

CRASH = """
import ctypes, sys
from pathlib import Path
from agent import stacks

with stacks.kept(Path(sys.argv[1])):
    ctypes.string_at(0)
"""

ENDS = """
import sys
from pathlib import Path
from agent import stacks

with stacks.kept(Path(sys.argv[1])) as kept:
    for _ in range(3):
        with kept.limit(60):
            pass
"""

PYTHONPATH = os.pathsep.join(sys.path)


def ran(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A small program, run to its end."""
    return subprocess.run(
        [sys.executable, "-c", program, folder],
        env={"PATH": "", "PYTHONPATH": PYTHONPATH},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_takes_too_long_ends_with_its_stacks(tmp_path: Path) -> None:
    """Names of functions and files; no value, and nobody else may read it."""
    assert ran(HANG, tmp_path).returncode == 1
    file = tmp_path / stacks.FILE_NAME
    said = file.read_text()
    assert "in hangs" in said
    assert "canary" not in said
    assert file.stat().st_mode & 0o077 == 0


def test_a_crash_leaves_its_stacks_too(tmp_path: Path) -> None:
    """The interpreter itself may fail."""
    assert ran(CRASH, tmp_path).returncode < 0
    assert "string_at" in (tmp_path / stacks.FILE_NAME).read_text()


def test_the_next_one_tells_of_it_once(tmp_path: Path) -> None:
    """In its log; afterwards nothing is left to tell."""
    ran(HANG, tmp_path)
    first, second = ran(ENDS, tmp_path), ran(ENDS, tmp_path)
    assert (first.returncode, second.returncode) == (0, 0)
    assert "in hangs" in first.stdout
    assert "ended" not in second.stdout
    assert (tmp_path / stacks.FILE_NAME).read_bytes() == b""


@contextmanager
def daemon(laptop: Settings, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """The daemon of a scratch laptop, logging to standard error; the block's end ends it."""
    told = {
        "STATE_DIR": str(laptop.state_dir),
        "HOME": str(laptop.home),
        "SYSTEM_ROOT": str(laptop.system_root),
        "SPREAD_S": "0",
        "WATCH_INTERVAL_S": "0.2",
    } | settings
    variables = {f"PARITY_AGENT_{name}": value for name, value in told.items()}
    with subprocess.Popen(
        [sys.executable, "-m", "agent", "run"],
        env=variables | {"HOME": str(laptop.home), "PATH": "", "PYTHONPATH": PYTHONPATH},
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_daemon_that_hangs_ends_and_the_next_one_goes_on(
    laptop: Settings, receiver: Receiver
) -> None:
    """A server keeps it waiting beyond the limit of a cycle: it ends by itself, not with 0.

    The next one logs where it was, and sends the same check-in again.
    """
    enrol(laptop, Wish(receiver.url, "laptop-7"), "a-secret-of-the-operator")
    never, held = threading.Event(), Queue[None]()

    def wait(_request: Request) -> Response | None:
        held.put(None)
        never.wait()
        return Response("", 500)

    receiver.answer_first = wait
    try:
        with daemon(laptop, CYCLE_LIMIT_S="3", HTTP_TIMEOUT_S="600") as child:
            held.get(timeout=60)
            assert child.wait(timeout=60) == 1
    finally:
        receiver.answer_first = lambda _request: None
        never.set()
    with daemon(laptop) as child:
        assert child.stderr is not None
        lines = []
        for line in child.stderr:
            lines.append(json.loads(line))
            if lines[-1]["event"] == "told":
                break
        child.terminate()
    (left,) = (each["stacks"] for each in lines if "stacks" in each)
    assert "transport.py" in "".join(left)
    assert lines[-1]["state"] == "rest"
    bodies = [body for _, path, body in receiver.bodies if path == "/v1/check-ins"]
    assert bodies[0] == bodies[1]
