"""What one process executes, read and followed on recorded machines that change."""

import tomllib
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, BinaryIO

import pytest

from agent import executed, wire
from agent.executed import Executed
from agent.fingerprint import Fingerprints
from agent.host import Host, Image, Process
from agent.testing import RecordedHost

PROCESS = Process(7, "1800000000")
PLACE = "/u/claude/versions/2.1.330"
PROGRAM = 'program = {platform = "darwin-arm64", version = "2.1.330"}'
RUNS = f'exe = "{PLACE}"'


def tree(*files: str, process: str) -> dict[str, Any]:
    """A machine that shows no memory, with some files and one process, or none."""
    head = 'host = {system = "darwin", arch = "arm64", home = "/u", shell = "zsh"}'
    entry = f"[[processes]]\npid = 7\nstarted = 1_800_000_000\n{process}" if process else ""
    return tomllib.loads("\n".join(('origin = {kind = "facts"}', head, *files, entry)))


def machine(*files: str, process: str = RUNS) -> RecordedHost:
    """The host of such a tree."""
    return RecordedHost(tree(*files, process=process))


def file(path: str, content: str = PROGRAM) -> str:
    """One file of it."""
    return f'[files."{path}"]\n{content}'


@pytest.fixture
def cache(tmp_path: Path) -> Fingerprints:
    """An empty cache."""
    return Fingerprints(tmp_path / "cache.json")


def examined(host: Host, cache: Fingerprints) -> Executed:
    """What its process executes."""
    found = executed.examine(host, cache, PROCESS, None)
    assert found is not None
    return found


def test_a_program_is_told_with_its_bytes_and_its_start(cache: Fingerprints) -> None:
    """Its file is older than the process, so these are the bytes in memory."""
    found = examined(machine(file(PLACE)), cache)
    assert found.session.build is not None
    assert found.session.build.version == "2.1.330"
    assert (found.program, found.started_at) == (PurePosixPath(PLACE), 1_800_000_000)


@pytest.mark.parametrize(
    ("files", "process", "session"),
    [
        ((), RUNS, wire.Session("deleted", reason=executed.GONE)),
        ((), RUNS + "\ndenied = true", wire.Session("present", reason=executed.DENIED)),
        ((file(PLACE, 'text = ""'),), RUNS, wire.Session("present", reason="the file is empty")),
        (
            (file(PLACE, "unreadable = true"),),
            RUNS,
            wire.Session("present", reason="it may not be read"),
        ),
        ((), 'exe = "/bin/node"', wire.Session("present", reason=executed.NO_SCRIPT)),
    ],
)
def test_what_cannot_be_examined_has_a_reason(
    cache: Fingerprints, files: tuple[str, ...], process: str, session: wire.Session
) -> None:
    """And is told all the same."""
    assert examined(machine(*files, process=process), cache).session == session


def test_what_has_ended_is_nothing(cache: Fingerprints) -> None:
    """Neither when it is examined nor when it is followed."""
    before = examined(machine(file(PLACE)), cache)
    ended = machine(file(PLACE), process="")
    assert executed.examine(ended, cache, PROCESS, None) is None
    assert not executed.goes_on(ended, PROCESS, before)


class GoesOver(RecordedHost):
    """A machine whose process goes over to another program as soon as a file is opened."""

    after: RecordedHost
    was_opened = False

    def open(self, path: PurePath) -> BinaryIO:
        """As `RecordedHost.open`."""
        self.was_opened = True
        return super().open(path)

    def image(self, process: Process) -> Image:
        """As `RecordedHost.image`."""
        return self.after.image(process) if self.was_opened else super().image(process)


@pytest.mark.parametrize(("after", "is_told"), [("/bin/other", False), (PLACE, True)])
def test_what_was_read_of_a_process_that_went_over_meanwhile_is_not_its_own(
    cache: Fingerprints, after: str, *, is_told: bool
) -> None:
    """The next look sees what it executes now."""
    there = (file(PLACE), file("/bin/other"))
    host = GoesOver(tree(*there, process=RUNS))
    host.after = machine(*there, process=f'exe = "{after}"')
    found = executed.examine(host, cache, PROCESS, None)
    assert (found is not None) is is_told


def test_a_program_goes_on_until_another_one_runs(cache: Fingerprints) -> None:
    """Renamed or removed it still runs, and what may not be looked at now is as it was."""
    before = examined(machine(file(PLACE)), cache)
    there = (file(PLACE), file("/bin/other"))
    for process, goes_on in (
        (RUNS, True),
        ('exe = "/bin/other"', False),
        (RUNS + "\ndenied = true", True),
    ):
        assert executed.goes_on(machine(*there, process=process), PROCESS, before) == goes_on
    assert executed.goes_on(machine(), PROCESS, before)
    renamed = machine(file("/u/claude/versions/old"), process='exe = "/u/claude/versions/old"')
    assert executed.goes_on(renamed, PROCESS, before)


def test_the_present_state_of_a_file_is_followed(cache: Fingerprints) -> None:
    """The bytes that run stay the same."""
    before = examined(machine(file(PLACE)), cache)
    newer = machine(file("/u/claude/first"), file(PLACE))
    assert executed.followed(machine(), before).session.file == "deleted"
    after = executed.followed(newer, before)
    assert after.session == wire.Session("replaced", before.session.build)
    assert executed.followed(machine(file(PLACE)), after) == before
