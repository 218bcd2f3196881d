"""Tables of processes, beyond what the contract holds of all."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.host import Host, Process
from agent.platforms import darwin, linux, win32
from agent.platforms.linux import ProcTable
from agent.platforms.processes import PsutilTable, Table, roots_of, script_of, started_of
from agent.platforms.win32 import filetime
from agent.started import DENIED, HIDDEN, LONG, PART_MAX_BYTES, Started
from tests.agent.platforms.machines import Everything
from tests.agent.standin import copied, parent, started, waiting

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


def test_another_users_processes_are_not_told(tmp_path: Path) -> None:
    """Not even below a root."""
    with started(tmp_path / "claude") as process:
        assert ProcTable((process.pid,), user=os.getuid() + 1).processes() == ()
        theirs = PsutilTable(lambda _: False, filetime, (process.pid,))
        assert theirs.processes() == ()
        mine = _only(PsutilTable(lambda _: True, filetime, (process.pid,)))
        with pytest.raises(PermissionError):
            theirs.image(mine)
        told = theirs.started_with(mine, Everything(), is_script=False)
        assert told == Started(unread=(("arguments", DENIED), ("variables", DENIED)))


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


def test_too_much_is_told_as_unread(table: Made, tmp_path: Path) -> None:
    """The rest could hold anything: nothing of that part is told."""
    # One word may be no longer (execve(2)), the program's name is another one.
    long = "x" * (PART_MAX_BYTES - 1)
    with waiting(tmp_path / "claude", "--model", "opus", long, variables={"A": "1"}) as process:
        found = table((process.pid,))
        told = found.started_with(_only(found), Everything(), is_script=False)
        assert told == Started(unread=(("arguments", LONG),))
    variables = {"A": long[:-2], "CLAUDE_X": "1"}
    with waiting(tmp_path / "claude", "--model=opus", variables=variables) as process:
        found = table((process.pid,))
        told = found.started_with(_only(found), Everything(), is_script=False)
        assert (told.flags, told.unread) == ({"--model": "opus"}, (("variables", LONG),))


def _refused() -> list[str]:
    raise PermissionError(errno.EACCES, "no")


def test_what_is_refused_or_not_shown_is_told_as_unread() -> None:
    """Each of the two alone; a process that has ended is none."""
    wanted = Everything()
    assert started_of(_refused, lambda: [("A", "1")], wanted, is_script=False) == Started(
        unread=(("arguments", DENIED),)
    )
    hidden = started_of(lambda: ["claude"], list, wanted, is_script=True)
    assert hidden == Started(unread=(("arguments", HIDDEN), ("variables", HIDDEN)))

    def ended() -> list[str]:
        raise ProcessLookupError(errno.ESRCH, "no")

    with pytest.raises(ProcessLookupError):
        started_of(ended, list, wanted, is_script=False)


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
