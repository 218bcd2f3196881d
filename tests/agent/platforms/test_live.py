"""The live host: real files, looked at without a trace; the platforms by their names."""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from agent import platforms
from agent.host import Host
from agent.platforms import darwin, linux, win32
from agent.platforms.common import LiveHost, arch


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """The live host over an empty home, with a system root beside it."""
    home, root = tmp_path / "home", tmp_path / "root"
    home.mkdir()
    root.mkdir()
    return platforms.live(home=home, system_root=root, environment={"SHELL": "/usr/bin/zsh"})


def _code(call: Callable[[], object]) -> int | None:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the number is what is asserted
        call()
    return caught.value.errno


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


def test_only_a_mac_has_managed_preferences_the_users_first(tmp_path: Path) -> None:
    """Of a scratch machine they lie below its root, and its home names the user."""
    mac = darwin.live(home=tmp_path / "u", system_root=tmp_path, environment={})
    folder = tmp_path / "Library/Managed Preferences"
    name = "com.anthropic.claudecode.plist"
    assert mac.managed_preferences == (folder / "u" / name, folder / name)
    for module in (linux, win32):
        other = module.live(home=tmp_path, system_root=tmp_path, environment={})
        assert other.managed_preferences == ()


def test_a_scratch_machine_has_no_policy_of_this_machines_registry(tmp_path: Path) -> None:
    """Its root moves files, and a registry cannot be moved."""
    for module in (linux, darwin, win32):
        found = module.live(home=tmp_path, system_root=tmp_path, environment={})
        assert found.managed_policy("machine") is None
        assert found.managed_policy("user") is None
        assert found.user_variables("machine", lambda _: True) == {}
        assert found.user_variables("user", lambda _: True) == {}


def test_a_scratch_machines_shell_is_that_of_its_environment(host: Host, tmp_path: Path) -> None:
    """It has no user database; without a SHELL the system's own default counts."""
    assert host.login_shell == "zsh"
    for module, shell in ((linux, "bash"), (darwin, "zsh"), (win32, "cmd")):
        found = module.live(home=tmp_path, system_root=tmp_path, environment={})
        assert found.login_shell == shell


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


def test_a_pipe_neither_waits_nor_opens(host: Host) -> None:
    """Only regular files are opened."""
    pipe = Path(host.home, "pipe")
    os.mkfifo(pipe)
    assert _code(lambda: host.open(pipe)) == errno.EINVAL
    assert _code(lambda: host.open(host.home)) in {errno.EINVAL, errno.EISDIR}
    assert _code(lambda: host.open(Path("/dev/null"))) == errno.EINVAL


def test_a_file_beyond_the_limit_is_refused_not_cut(host: Host) -> None:
    """A cut file could mean something else."""
    file = Path(host.home, "file")
    file.write_bytes(b"12345")
    assert host.read(file, max_bytes=5) == b"12345"
    assert _code(lambda: host.read(file, max_bytes=4)) == errno.EFBIG


def test_a_loop_of_links_is_an_os_error(host: Host) -> None:
    """Whatever the Python version makes of it."""
    loop = Path(host.home, "loop")
    loop.symlink_to(loop)
    assert _code(lambda: host.resolve(loop)) == errno.ELOOP
    assert _code(lambda: host.stat(loop)) == errno.ELOOP


def test_a_path_with_a_zero_in_it_is_not_there(host: Host) -> None:
    """No system has such a file, and no caller has to ask."""
    assert _code(lambda: host.stat(Path("a\0b"))) == errno.ENOENT


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


def test_programs_are_walked_in_the_order_of_the_path(host: Host) -> None:
    """What cannot be executed is passed over, as a shell does."""
    folders = [Path(host.home, name) for name in ("one", "two", "three", "missing")]
    for folder in folders[:3]:
        folder.mkdir()
        (folder / "claude").write_bytes(b"")
    (folders[0] / "claude").chmod(0o644)
    for folder in folders[1:3]:
        (folder / "claude").chmod(0o755)
    found = list(host.walk_path(tuple(reversed(folders)), "claude"))
    assert found == [folders[2] / "claude", folders[1] / "claude"]


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
