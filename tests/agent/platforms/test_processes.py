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
from agent.platforms.processes import PsutilTable, Table, roots_of, script_of, started_of
from agent.platforms.win32 import filetime
from agent.started import DENIED, HIDDEN, LONG, PART_MAX_BYTES, Kept, Started
from tests.agent.standin import copied, parent, runtime, started, waiting

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

        def started_with(process: Process) -> Started:
            return found.started_with(process, Everything(), is_script=False)

        for ask in (found.image, found.script, started_with):
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
        told = theirs.started_with(mine, Everything(), is_script=False)
        assert told == Started(unread=(("arguments", DENIED), ("variables", DENIED)))


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


class Everything:
    """Wants one flag, one variable and every first word."""

    def takes_value(self, flag: str) -> bool:
        """It does."""
        return flag == "--model"

    def flag(self, flag: str, value: str | None) -> Kept | None:
        """One."""
        return (flag, value) if flag == "--model" else None

    def variable(self, name: str, value: str) -> Kept | None:
        """One."""
        return (name, value) if name == "CLAUDE_X" else None

    def is_mode(self, word: str) -> bool:
        """Any."""
        return bool(word)


def test_what_was_asked_for_is_told_of_arguments_and_variables(table: Made, tmp_path: Path) -> None:
    """Nothing else is, not even by its name."""
    variables = {"CLAUDE_X": "1", "SECRET": "secret"}
    words = ("--model", "opus", "a secret", "--password", "secret")
    with waiting(tmp_path / "claude", *words, variables=variables) as process:
        found = table((process.pid,))
        told = found.started_with(_only(found), Everything(), is_script=False)
        assert told == Started({"--model": "opus"}, {"CLAUDE_X": "1"}, "-c")


def test_a_scripts_arguments_are_told_without_its_runtimes(table: Made, tmp_path: Path) -> None:
    """The runtime's own options come before the script."""
    with runtime(tmp_path / "cli.js", "mode", "--model", "opus") as process:
        found = table((process.pid,))
        told = found.started_with(_only(found), Everything(), is_script=True)
        assert (told.flags, told.mode, told.unread) == ({"--model": "opus"}, "mode", ())


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
