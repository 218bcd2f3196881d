"""What people read of running sessions."""

from pathlib import PurePosixPath

from agent.render_sessions import running
from agent.wire import Build, Session

BUILD = Build("ab" * 32, 7, "binary", version="2.1.330")
OLD = Build("cd" * 32, 7, "binary", version="2.1.329")
LOST = Session("deleted", reason="its file is gone")
PATH = PurePosixPath("/h/claude/versions/2.1.330")
PLACE = (PATH, "terminal")


def test_each_build_has_its_bytes_its_file_and_who_runs_it() -> None:
    """One line for each build, the files below it, what has ended last."""
    lines = running(
        [
            (Session("deleted", OLD), ()),
            (Session("present", BUILD), (PLACE, PLACE)),
            (LOST, ((PurePosixPath("/h/\x1bgone"), "sdk"),)),
        ]
    )
    assert [line.split() for line in lines] == [
        ["RUNNING", "SESSIONS"],
        ["VERSION", "BYTES", "FILE", "PROCESSES"],
        ["2.1.330", "sha256", "abababababab", "present", "2"],
        [str(PATH), "(terminal)"],
        ["?", "its", "file", "is", "gone", "deleted", "1"],
        ["/h/", "gone", "(sdk)"],
        ["2.1.329", "sha256", "cdcdcdcdcdcd", "deleted", "ended"],
    ]


def test_without_sessions_there_is_no_table() -> None:
    """Most laptops, most of the night."""
    assert running([]) == []
