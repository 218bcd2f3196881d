"""A notification reaches the system's own program as text, whatever the text says."""

import json
import sys
from pathlib import Path

import pytest

from agent.errors import AgentError
from agent.notify import Notice
from agent.platforms import darwin, linux, win32
from agent.platforms.notices import command, show

EVIL = Notice("--help", "\"; do shell script 'id' $(id) `id` %PATH% <b>x</b>")

RECORD = """#!{python} -IS
import json, os, sys
with open({file!r}, "w") as stream:
    json.dump(sys.argv[1:], stream)
sys.exit({code})
"""


def stand_in(folder: Path, *, code: int = 0) -> Path:
    """A ``notify-send`` that keeps its arguments; the file that it keeps them in."""
    folder.mkdir(exist_ok=True)
    kept = folder / "arguments.json"
    program = folder / "notify-send"
    program.write_text(RECORD.format(python=sys.executable, file=str(kept), code=code))
    program.chmod(0o755)
    return kept


def test_a_desktop_gets_the_text_as_whole_arguments(tmp_path: Path) -> None:
    """After `--`, so that none of it can be an option."""
    kept = stand_in(tmp_path / "bin")
    host = linux.live(
        home=tmp_path, system_root=tmp_path, environment={"PATH": f".:{tmp_path / 'bin'}"}
    )
    show(host, EVIL)
    assert json.loads(kept.read_text())[-3:] == ["--", EVIL.title, EVIL.text]


def test_a_system_without_the_program_says_so(tmp_path: Path) -> None:
    """A folder that is no absolute path is not looked in."""
    host = linux.live(home=tmp_path, system_root=tmp_path, environment={"PATH": ".:bin:"})
    assert command(host, EVIL) is None
    with pytest.raises(AgentError, match="shows no notifications"):
        show(host, EVIL)


def test_a_program_that_fails_is_told_of(tmp_path: Path) -> None:
    """The log says with which code."""
    stand_in(tmp_path / "bin", code=3)
    environment = {"PATH": str(tmp_path / "bin")}
    host = linux.live(home=tmp_path, system_root=tmp_path, environment=environment)
    with pytest.raises(AgentError, match="ended with the code 3"):
        show(host, EVIL)


def test_on_a_mac_the_text_is_no_part_of_the_script(tmp_path: Path) -> None:
    """It is two arguments behind a fixed script (osascript(1))."""
    host = darwin.live(home=tmp_path, system_root=tmp_path, environment={})
    found = command(host, EVIL)
    assert found is not None
    assert found.argv[0] == "/usr/bin/osascript"
    assert found.argv[-2:] == (EVIL.title, EVIL.text)
    assert not any("shell script" in word for word in found.argv[:-2])


def test_on_windows_the_text_is_no_part_of_the_script(tmp_path: Path) -> None:
    """It is two variables of the program."""
    environment = {"SYSTEMROOT": r"D:\Windows"}
    host = win32.live(home=tmp_path, system_root=tmp_path, environment=environment)
    found = command(host, EVIL)
    assert found is not None
    assert found.argv[0] == r"D:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"
    assert sorted(found.variables.values()) == sorted((EVIL.title, EVIL.text))
    assert not any("%PATH%" in word for word in found.argv)
    assert all(f"$env:{name}" in found.argv[-1] for name in found.variables)
