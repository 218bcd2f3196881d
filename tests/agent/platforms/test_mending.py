"""What is run for a fix: the closed table's words, from a program of the user's PATH."""

import json
import os
import sys
from pathlib import Path

import pytest

from agent import platforms
from agent.errors import AgentError
from agent.fix import NPM_PACKAGE
from agent.host import Host
from agent.platforms.mending import argv_of, run_fix
from agent.wire import FixRef

INSTALL = FixRef("install", "npm", "2.1.330")

RECORD = """#!{python} -IS
import json, os, sys
with open({file!r}, "w") as stream:
    json.dump([sys.argv[1:], sorted(os.environ)], stream)
{then}
"""


def npm(folder: Path, then: str = "") -> Path:
    """A program named ``npm`` that keeps what it was started with; where it keeps that."""
    folder.mkdir(exist_ok=True)
    kept, program = folder / "kept.json", folder / "npm"
    program.write_text(RECORD.format(python=sys.executable, file=str(kept), then=then))
    program.chmod(0o755)
    return kept


def host(home: Path, path: str) -> Host:
    """A scratch machine with a PATH and one variable of the user's."""
    return platforms.live(
        home=home, system_root=home, environment={"PATH": path, "NPM_CONFIG_PREFIX": "x"}
    )


def test_the_tables_words_are_run_in_the_users_environment(tmp_path: Path) -> None:
    """By the program's absolute path, and its exit code is told."""
    kept = npm(tmp_path / "bin", then="sys.exit(7)")
    machine = host(tmp_path, f".:{tmp_path / 'bin'}")
    argv = argv_of(machine, INSTALL)
    assert argv == (str(tmp_path / "bin" / "npm"), "install", "-g", f"{NPM_PACKAGE}@2.1.330")
    assert run_fix(machine, INSTALL, timeout_s=30) == 7
    words, names = json.loads(kept.read_text())
    assert tuple(words) == argv[1:]
    assert {"PATH", "NPM_CONFIG_PREFIX"} <= set(names)


@pytest.mark.parametrize(
    "fix",
    [
        FixRef("unset", "user", "effortLevel"),
        FixRef("reinstall", "native", "2.1.330"),
        FixRef("install", "npm", "2.1.330 && reboot"),
        FixRef("install", "npm", "--prefix=/tmp"),
        FixRef("run", "npm", "2.1.330"),
    ],
)
def test_what_the_table_does_not_run_is_not_run(tmp_path: Path, fix: FixRef) -> None:
    """Instructions, shell lines and words that the table does not have."""
    npm(tmp_path / "bin")
    with pytest.raises(AgentError, match="cannot be run"):
        run_fix(host(tmp_path, str(tmp_path / "bin")), fix, timeout_s=30)


def test_a_program_that_is_not_there_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One in the folder where the person happens to be is not taken."""
    npm(tmp_path / "bin")
    monkeypatch.chdir(tmp_path / "bin")
    with pytest.raises(AgentError, match="no npm on your PATH") as caught:
        argv_of(host(tmp_path, f".{os.pathsep}{os.pathsep}bin"), INSTALL)
    assert f"npm install -g {NPM_PACKAGE}@2.1.330" in caught.value.advice


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """Nothing goes on behind the person's back."""
    child = tmp_path / "child"
    then = (
        "import subprocess\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        f"open({str(child)!r}, 'w').write(str(child.pid))\n"
        "child.wait()"
    )
    npm(tmp_path / "bin", then=then)
    machine = host(tmp_path, f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    with pytest.raises(AgentError, match="ended after 3 s"):
        run_fix(machine, INSTALL, timeout_s=3)
    pid = int(child.read_text())
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] in "ZX"


def test_a_program_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    """A damaged file is no traceback."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "npm").write_bytes(b"\x7fELF damaged")
    (tmp_path / "bin" / "npm").chmod(0o755)
    with pytest.raises(AgentError, match="could not be started"):
        run_fix(host(tmp_path, str(tmp_path / "bin")), INSTALL, timeout_s=30)
