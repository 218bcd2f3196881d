"""The live host, beyond what the contract holds of all: real files, looked at without a trace."""

import errno
import importlib
import os
import sys
from pathlib import Path, PurePosixPath

import psutil
import pytest

from agent import platforms
from agent.host import Host, PolicyScope
from agent.platforms import linux, win32
from agent.platforms.common import LiveHost, arch

SCOPES: tuple[PolicyScope, ...] = ("machine", "user")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """The live host over an empty home, with a system root beside it."""
    home, root = tmp_path / "home", tmp_path / "root"
    home.mkdir()
    root.mkdir()
    return platforms.live(home=home, system_root=root, environment={"SHELL": "/usr/bin/zsh"})


def test_the_running_system_is_known(host: Host) -> None:
    """The module is chosen by sys.platform."""
    assert host.system == sys.platform
    assert platforms.known() == ("darwin", "linux", "win32")
    assert host.arch == arch()


def test_a_scratch_machine_has_its_system_files_below_its_root(host: Host, tmp_path: Path) -> None:
    """A root goes before every system-wide path, once."""
    profile = host.system_file("/etc/profile")
    assert profile == tmp_path / "root/etc/profile"
    assert host.system_file(str(profile)) == profile
    assert host.managed_settings.is_relative_to(tmp_path / "root")


@pytest.mark.parametrize("system", platforms.known())
def test_no_registry_but_that_of_windows_is_asked(tmp_path: Path, system: str) -> None:
    """Elsewhere there is none, and what is not there is no error."""
    live = importlib.import_module(f"agent.platforms.{system}").live
    found: Host = live(home=tmp_path, system_root=None, environment={})
    assert (found.managed_policy("machine"), found.managed_policy("user")) == (None, None)
    for scope in SCOPES:
        assert found.user_variables(scope, lambda _: True) == {}


def test_a_scratch_machines_shell_is_that_of_its_environment(host: Host) -> None:
    """It has no user database."""
    assert host.login_shell == "zsh"


def test_the_real_machines_shell_is_that_of_the_user_database(tmp_path: Path) -> None:
    """SHELL of the environment may be another user's."""
    found = linux.live(home=tmp_path, system_root=None, environment={"SHELL": "/odd/shell"})
    assert found.login_shell != "shell"


def test_reading_leaves_no_access_time(host: Host) -> None:
    """A file and a folder that were read look as before, to the nanosecond."""
    file = Path(host.home, "file")
    file.write_bytes(b"text")
    for path in (file, Path(host.home)):
        os.utime(path, ns=(1, 1))
    assert host.read(file, max_bytes=4) == b"text"
    assert host.listdir(host.home) == ("file",)
    assert (file.stat().st_atime_ns, Path(host.home).stat().st_atime_ns) == (1, 1)


@pytest.mark.parametrize("path", ["", "pipe", "/dev/null"])
def test_what_is_refused_is_not_kept_open(host: Host, path: str) -> None:
    """A folder, a pipe and a device: a descriptor lost at each cycle would end the agent."""
    os.mkfifo(Path(host.home, "pipe"))
    before = psutil.Process().num_fds()
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the number is asserted
        host.open(host.home / path)
    assert caught.value.errno == errno.EINVAL
    assert psutil.Process().num_fds() == before


def test_two_names_of_one_file_have_one_identity(host: Host) -> None:
    """Facts of the open file are the file's own, whatever its path leads to by now."""
    first, second = Path(host.home, "first"), Path(host.home, "second")
    first.write_bytes(b"1")
    second.hardlink_to(first)
    assert host.stat(first).identity == host.stat(second).identity
    with host.open(first) as file:
        first.unlink()
        first.write_bytes(b"another")
        assert host.stat_open(file).identity == host.stat(second).identity


def test_windows_tries_the_suffixes_of_its_environment(tmp_path: Path) -> None:
    """PATHEXT says what a name may end in; words that are no suffix are ignored."""
    (tmp_path / "claude.cmd").write_bytes(b"")
    (tmp_path / "claude.cmd").chmod(0o755)
    found = win32.live(home=tmp_path, system_root=tmp_path, environment={"PATHEXT": ".EXE;.CMD;x"})
    assert isinstance(found, LiveHost)
    assert found.suffixes == (".exe", ".cmd")
    assert list(found.walk_path((tmp_path,), "claude")) == [tmp_path / "claude.cmd"]


def test_system_files_of_the_real_machine_are_themselves(tmp_path: Path) -> None:
    """Without a root nothing goes before a path."""
    found = platforms.live(home=tmp_path, system_root=None, environment={})
    assert PurePosixPath(found.system_file("/etc/profile")) == PurePosixPath("/etc/profile")
