"""Every system's table of processes, on programs that the test starts."""

import errno
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agent.host import Host, Process
from agent.platforms import darwin, linux, win32
from agent.platforms.linux import ProcTable
from agent.platforms.processes import PsutilTable, Table, roots_of, script_of
from agent.platforms.win32 import filetime
from tests.agent.standin import copied, parent, runtime, started

Made = Callable[[tuple[int, ...]], Host]


@pytest.fixture(params=[linux, darwin, win32], ids=["linux", "darwin", "win32"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    """A scratch machine of each system, over some roots."""

    def made(roots: tuple[int, ...]) -> Host:
        live = request.param.live
        host: Host = live(home=tmp_path, system_root=tmp_path, environment={}, process_roots=roots)
        return host

    return made


def _only(table: Table) -> Process:
    (process,) = table.processes()
    return process


def test_only_a_root_and_its_descendants_are_told(table: Made, tmp_path: Path) -> None:
    """A process beside them, of the same user, is not looked at."""
    with started(tmp_path / "beside") as beside, parent() as (root, child):
        found = {each.pid for each in table((root,)).processes()}
        assert found == {root, child}
        assert beside.pid not in found


def test_a_process_has_one_name_and_its_program(table: Made, tmp_path: Path) -> None:
    """The same at every look; it started between now and a moment ago."""
    before = time.time_ns()
    with started(tmp_path / "claude") as process:
        found = _only(table((process.pid,)))
        assert found.pid == process.pid
        assert found == _only(table((process.pid,)))
        image = table((process.pid,)).image(found)
        assert image.path == tmp_path / "claude"
        # The system counts in ticks, and psutil from the start of the system, in whole seconds.
        assert abs(image.started_ns - before) < 3_000_000_000


def test_a_number_that_was_given_away_is_another_process(table: Made, tmp_path: Path) -> None:
    """The start token guards every question."""
    with started(tmp_path / "claude") as process:
        found = table((process.pid,))
        other = replace(_only(found), started="1")
        for ask in (found.image, found.script):
            with pytest.raises(OSError) as caught:  # noqa: PT011 - the number is asserted
                ask(other)
            assert caught.value.errno == errno.ESRCH


def test_another_users_processes_are_not_told(tmp_path: Path) -> None:
    """Not even below a root."""
    with started(tmp_path / "claude") as process:
        assert ProcTable((process.pid,), user=os.getuid() + 1).processes() == ()
        theirs = PsutilTable(lambda _: False, filetime, (process.pid,))
        assert theirs.processes() == ()
        mine = _only(PsutilTable(lambda _: True, filetime, (process.pid,)))
        with pytest.raises(PermissionError):
            theirs.image(mine)


def test_what_has_ended_is_not_told(table: Made, tmp_path: Path) -> None:
    """And what it executed cannot be asked any more."""
    with started(tmp_path / "claude") as process:
        found = table((process.pid,))
        ended = _only(found)
    assert found.processes() == ()
    with pytest.raises(OSError):  # noqa: PT011 - no such file or no such process, by the system
        found.image(ended)


def test_the_bytes_in_memory_are_read_after_the_file_is_gone(tmp_path: Path) -> None:
    """Linux keeps the file that runs, and says the path that it had."""
    program = tmp_path / "2.1.330"
    with started(program) as process:
        data = program.read_bytes()
        program.unlink()
        table = ProcTable((process.pid,))
        image = table.image(_only(table))
        assert image.path == program
        assert image.memory is not None
        assert Path(image.memory).read_bytes() == data


def test_a_runtimes_script_is_its_first_argument_that_is_no_option(
    table: Made, tmp_path: Path
) -> None:
    """No later argument is told: a prompt may be in it."""
    script = tmp_path / "cli.js"
    with runtime(script, "/a/prompt") as process:
        found = table((process.pid,))
        assert found.script(_only(found)) == script


@pytest.mark.parametrize(
    ("arguments", "script"),
    [
        (["node", "/x/cli.js", "-p", "/secret"], "/x/cli.js"),
        (["node", "--no-warnings", "/x/claude"], "/x/claude"),
        (["node", "cli.js"], None),
        (["node", "cli.js", "/secret"], None),
        (["node", "--eval"], None),
        (["node"], None),
        ([], None),
    ],
)
def test_only_an_absolute_first_argument_is_a_script(
    arguments: list[str], script: str | None
) -> None:
    """A relative one would need the folder that the process works in, which is not read."""
    found = script_of(arguments)
    assert (None if found is None else str(found)) == script


def test_a_scratch_machine_has_no_processes_of_its_own(tmp_path: Path) -> None:
    """Those of the machine that it lies on are not its."""
    assert roots_of(None, None) is None
    assert roots_of(tmp_path, None) == ()
    assert roots_of(tmp_path, (7,)) == (7,)
    assert ProcTable(()).processes() == ()


def test_a_filetime_counts_from_1601() -> None:
    """Windows' own example: the Unix epoch is 116444736000000000."""
    assert filetime(0) == "116444736000000000"
    assert filetime(1.5) == "116444736015000000"


def test_a_copy_runs_under_its_own_name(tmp_path: Path) -> None:
    """The stand-in is a real executable."""
    assert os.access(copied(tmp_path / "deep" / "claude"), os.X_OK)
