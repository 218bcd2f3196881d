"""What every host holds: the modules of all systems, and a recorded machine of each."""

import ast
import errno
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePath

import pytest

from agent import platforms
from agent.host import Host, Process
from agent.platforms.common import arch
from agent.started import Started
from tests.agent.platforms.machines import (
    DIFFERENCES,
    ENVIRONMENT,
    Everything,
    LiveMachine,
    Machine,
    RecordedMachine,
    running_program,
    running_script,
)

BIG = 64 * 1024 * 1024
ENDED: set[int | None] = {errno.ESRCH, errno.ENOENT}


@pytest.fixture(params=["live", "recorded"])
def kind(request: pytest.FixtureRequest) -> str:
    """Whether the machine's files lie on this disk."""
    return str(request.param)


@pytest.fixture(params=platforms.known())
def machine(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Machine:
    """A machine of each system that has a module."""
    if kind == "live":
        return LiveMachine(request.param, tmp_path.resolve())
    return RecordedMachine(request.param)


@pytest.fixture
def host(machine: Machine) -> Host:
    """It, with no process."""
    return machine.host()


def _code(call: Callable[[], object]) -> int | None:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the number is what is asserted
        call()
    return caught.value.errno


def _only(host: Host) -> Process:
    (process,) = host.processes()
    return process


def test_every_question_to_a_host_is_in_this_contract() -> None:
    """A new one cannot be forgotten for any system."""
    questions = {name for name in vars(Host) if not name.startswith("_")}
    source = ast.parse(Path(__file__).read_text(encoding="utf-8"))
    asked = {node.attr for node in ast.walk(source) if isinstance(node, ast.Attribute)}
    assert questions - asked == set()
    assert set(DIFFERENCES) == set(platforms.known())


def test_a_host_knows_what_it_is(machine: Machine, host: Host) -> None:
    """System, home, shell and environment are as they were given, or the system's own."""
    assert DIFFERENCES[host.system] == machine.differs
    assert host.arch in {"x64", arch()}
    assert host.home == machine.home
    assert host.login_shell == machine.differs.login
    assert host.environment == ENVIRONMENT


def test_managed_configuration_has_one_place_for_each_system(machine: Machine, host: Host) -> None:
    """Below the root of a scratch machine, as every system-wide file is."""
    assert host.managed_settings == host.system_file(machine.differs.managed)
    expected = tuple(host.system_file(name) for name in machine.differs.preferences)
    assert host.managed_preferences == expected
    file = host.system_file("/etc/profile")
    assert file.parts[-2:] == ("etc", "profile")
    assert host.system_file(str(file)) == file


def test_only_what_is_wanted_of_the_systems_variables_is_told(machine: Machine, host: Host) -> None:
    """In capitals; what is kept for the user is not told as the machine's."""
    wanted = {name: text for name, text in machine.variables.items() if name == "CLAUDE_X"}
    assert host.user_variables("user", lambda name: name == "CLAUDE_X") == wanted
    assert host.user_variables("user", lambda _: False) == {}
    assert host.user_variables("machine", lambda _: True) == {}
    assert host.managed_policy("machine") == machine.policy
    assert host.managed_policy("user") is None


def test_links_are_followed_and_names_are_sorted(machine: Machine, host: Host) -> None:
    """A path through a link is the path that it leads to."""
    home = host.home
    assert host.listdir(home / "link") == (machine.differs.program, "file")
    assert host.resolve(home / "link" / "file") == home / "folder" / "file"
    assert host.resolve(home / "link" / ".." / "folder") == home / "folder"
    assert host.read(home / "link" / "file", max_bytes=4) == b"text"
    assert host.stat(home / "link").identity == host.stat(home / "folder").identity


def test_facts_of_a_file_are_its_own(machine: Machine, host: Host) -> None:
    """By its path and once it is open; two files are never one."""
    file, program = host.home / "folder" / "file", host.home / "first" / machine.differs.program
    stat = host.stat(file)
    assert (stat.is_file, stat.is_dir, stat.size) == (True, False, 4)
    assert host.stat(host.home / "folder").is_dir
    assert not host.stat(host.home / "pipe").is_file
    assert host.stat(program).executable
    assert not (stat.executable and machine.differs.has_modes)
    assert stat.identity == host.stat(host.home / "other").identity != host.stat(program).identity
    with host.open(file) as opened:
        assert host.stat_open(opened) == replace(stat, executable=False)


def test_an_open_file_is_read_from_anywhere(host: Host) -> None:
    """A fingerprint reads it from its beginning, a version from its end."""
    with host.open(host.home / "folder" / "file") as file:
        assert file.read(2) == b"te"
        assert file.seek(-1, 2) == 3
        assert file.read() == b"t"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("gone", errno.ENOENT),
        ("a\0b", errno.ENOENT),
        ("folder/file/below", errno.ENOTDIR),
        ("loop", errno.ELOOP),
        ("pipe", errno.EINVAL),
        ("folder", errno.EINVAL),
    ],
)
def test_what_is_no_regular_file_is_refused_by_the_same_number(
    host: Host, name: str, code: int
) -> None:
    """Callers tell these apart, and none of them waits."""
    path = host.home / name
    assert _code(lambda: host.open(path)) == code
    assert _code(lambda: host.read(path, max_bytes=1)) == code
    if code != errno.EINVAL:
        assert _code(lambda: host.stat(path)) == code
        assert _code(lambda: host.resolve(path)) == code
        assert _code(lambda: host.listdir(path)) == code


def test_a_file_beyond_the_limit_is_refused_not_cut(host: Host) -> None:
    """A cut file could mean something else."""
    file = host.home / "folder" / "file"
    assert host.read(file, max_bytes=4) == b"text"
    assert _code(lambda: host.read(file, max_bytes=3)) == errno.EFBIG
    assert _code(lambda: host.listdir(file)) == errno.ENOTDIR


def test_programs_are_walked_in_the_order_of_the_path(machine: Machine, host: Host) -> None:
    """What is missing or cannot be executed is passed over, as a shell does."""
    names = ("second", "gone", "first") + (("folder",) if machine.differs.has_modes else ())
    found = host.walk_path(tuple(host.home / name for name in names), "claude")
    program = machine.differs.program
    assert list(found) == [host.home / "second" / program, host.home / "first" / program]


def test_a_machine_without_roots_has_no_process(machine: Machine, host: Host) -> None:
    """Those of the machine that it lies on are not its."""
    with machine.waiting(variables={"A": "1"}):
        assert host.processes() == ()


def test_a_process_has_one_name_and_its_program(machine: Machine) -> None:
    """The same at every look; it started between now and a moment ago."""
    before = time.time_ns()
    with machine.waiting(variables={"A": "1"}) as pid:
        host = machine.host(pid)
        found = _only(host)
        assert (found.pid, found) == (pid, _only(machine.host(pid)))
        assert re.fullmatch(machine.differs.begun, found.started), found.started
        image = host.image(found)
        assert image.path == running_program(machine)
        # Systems count in ticks or in whole seconds.
        assert abs(image.started_ns - before) < 3_000_000_000


def test_the_bytes_in_memory_are_read_where_the_system_shows_them(machine: Machine) -> None:
    """Elsewhere the file is all that there is."""
    with machine.waiting(variables={"A": "1"}) as pid:
        host = machine.host(pid)
        memory = host.image(_only(host)).memory
        assert (memory is not None) is machine.differs.shows_memory
        program = running_program(machine)
        same = PurePath(memory or program)
        assert host.read(same, max_bytes=BIG) == host.read(program, max_bytes=BIG)


def test_a_number_that_was_given_away_is_another_process(machine: Machine) -> None:
    """The start token guards every question."""
    with machine.waiting(variables={"A": "1"}) as pid:
        host = machine.host(pid)
        other = replace(_only(host), started="1")
        assert _code(lambda: host.image(other)) == errno.ESRCH
        assert _code(lambda: host.script(other)) == errno.ESRCH
        wanted = Everything()
        asked = _code(lambda: host.started_with(other, wanted, is_script=False))
        assert asked == errno.ESRCH


def test_what_has_ended_is_not_told(machine: Machine) -> None:
    """And what it executed cannot be asked any more."""
    with machine.waiting(variables={"A": "1"}) as pid:
        ended = _only(machine.host(pid))
    host = machine.host(pid)
    assert host.processes() == ()
    assert _code(lambda: host.image(ended)) in ENDED
    assert _code(lambda: host.script(ended)) in ENDED


def test_what_was_asked_for_is_told_of_arguments_and_variables(machine: Machine) -> None:
    """Nothing else is, not even by its name."""
    words = ("--model", "opus", "a secret", "--password", "secret")
    with machine.waiting(*words, variables={"CLAUDE_X": "1", "SECRET": "secret"}) as pid:
        host = machine.host(pid)
        told = host.started_with(_only(host), Everything(), is_script=False)
        assert told == Started({"--model": "opus"}, {"CLAUDE_X": "1"}, "-c")
        assert host.script(_only(host)) is None


def test_a_runtimes_script_and_its_own_arguments_are_told(machine: Machine) -> None:
    """The runtime's options come before the script; no later argument is a script."""
    with machine.scripted("/a/prompt", "--model", "opus") as pid:
        host = machine.host(pid)
        process = _only(host)
        assert host.script(process) == running_script(machine)
        told = host.started_with(process, Everything(), is_script=True)
        assert (told.flags, told.mode, told.unread) == ({"--model": "opus"}, "/a/prompt", ())
