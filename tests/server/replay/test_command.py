"""``parity-server replay`` as an operator types it."""

import json
import subprocess
import sys
from pathlib import Path

from tests.server.live import ROOT
from tests.server.replay.spring import FILE


def replay(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "server", "replay", *words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_shipped_replay_is_found_by_its_name() -> None:
    """It says of each change when whom what would have been told, or that it was not seen."""
    printed = replay("spring-2026")
    assert printed.returncode == 0, printed.stderr
    for name in ("Effort default", "Idle-session thinking", "Verbosity prompt"):
        assert name in printed.stdout
    assert "not seen by this tool" in printed.stdout
    assert "2026-03-04 13:00Z own-setting (Sam, group default): drift" in printed.stdout


def test_a_file_of_ones_own_is_played_and_told_as_json(tmp_path: Path) -> None:
    """Without its overrides, the setting is told on nobody."""
    own = tmp_path / "own.toml"
    text = FILE.read_text(encoding="utf-8")
    own.write_text(text.replace('key = "effortLevel"', 'key = "outputStyle"'), encoding="utf-8")
    printed = replay(str(own), "--json")
    effort = json.loads(printed.stdout)["stories"][0]
    assert "own-setting" in {each["machine"] for each in effort["unseen"]}


def test_a_file_that_is_not_there_is_one_line() -> None:
    """What happened, and what to do."""
    printed = replay("nothing-here")
    assert printed.returncode == 1
    assert printed.stderr == (
        "parity-server: cannot read nothing-here: No such file or directory;"
        " name a readable file, or one that comes with the server: spring-2026\n"
    )
