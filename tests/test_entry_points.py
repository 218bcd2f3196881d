"""The two programs in an environment that holds the parts of neither, of one or of both."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

WITHOUT = """
import sys
lacking, module, *words = sys.argv[1:]
# As the import system tells a module that is not there (docs.python.org, "sys.modules").
sys.modules[lacking] = None
sys.argv = [module, *words]
from importlib import import_module
import_module(module).main()
"""


def typed(folder: Path, lacking: str, module: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A program whose environment lacks a module, with all that is its own in a folder."""
    scratch = {
        "HOME": str(folder),
        "PARITY_AGENT_STATE_DIR": str(folder / "state"),
        "PARITY_AGENT_SYSTEM_ROOT": str(folder / "root"),
        "PARITY_SERVER_DATA_DIR": str(folder / "data"),
    }
    return subprocess.run(
        [sys.executable, "-P", "-c", WITHOUT, lacking, module, *words],
        env={"PYTHONPATH": str(ROOT)} | scratch,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("program", "lacking", "word"),
    [
        ("agent", "click", "status"),
        ("agent", "requests", "check"),
        ("agent", "truststore", "check"),
        ("server", "click", "migrate"),
        ("server", "sqlalchemy", "migrate"),
        ("server", "litestar", "serve"),
    ],
)
def test_an_environment_without_a_programs_parts_is_told_in_two_lines(
    tmp_path: Path, program: str, lacking: str, word: str
) -> None:
    """Which are missing, and what to install."""
    done = typed(tmp_path, lacking, f"{program}.__main__", word)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"parity-{program}: this environment lacks the {program}'s parts: there is no {lacking}",
        f"what to do: install build-parity[{program}]",
    ]


@pytest.mark.parametrize("lacking", ["agent.cycle", "sqlite3"])
def test_a_part_of_the_program_itself_that_is_missing_is_a_fault(
    tmp_path: Path, lacking: str
) -> None:
    """No extra brings it, and whoever mends it has to see where."""
    done = typed(tmp_path, lacking, "agent.__main__", "status")
    assert "Traceback" in done.stderr


def test_the_installed_commands_are_these_programs() -> None:
    """A script that went past them would show a traceback."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {
        "parity-agent": "agent.__main__:main",
        "parity-server": "server.__main__:main",
    }
