"""The log, in a process of its own: where a process logs is set once, for all of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from agent.logs import LOG_MAX_BYTES

MUCH = """
import sys
from pathlib import Path
import structlog
from agent import logs
from agent.settings import Settings

logs.configure_daemon(Settings(log_file=Path(sys.argv[1])))
log = structlog.stdlib.get_logger("agent.daemon")
for number in range(3000):
    log.info("looked", number=number, filler="x" * 1000)
"""


def test_a_log_file_does_not_grow_without_end(tmp_path: Path) -> None:
    """It is cut at its limit, one older part is kept, and the newest lines are whole."""
    file = tmp_path / "agent.log"
    subprocess.run(
        [sys.executable, "-c", MUCH, file],
        env={"PATH": "", "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=120,
        check=True,
    )
    assert sorted(each.name for each in tmp_path.iterdir()) == ["agent.log", "agent.log.1"]
    assert all(each.stat().st_size <= LOG_MAX_BYTES for each in tmp_path.iterdir())
    last = json.loads(file.read_text(encoding="utf-8").splitlines()[-1])
    assert (last["event"], last["number"]) == ("looked", 2999)
