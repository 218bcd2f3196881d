"""Progress on a terminal and elsewhere, on a clock that is set by hand."""

import io

import pytest

from agent.progress import Progress


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def told(stream: io.StringIO, at: list[float]) -> str:
    """What is shown when progress is told at these seconds."""
    times = iter([0.0, *at])
    progress = Progress(stream, clock=lambda: next(times))
    for second in at:
        progress(int(second * 10_000_000), 380_000_000)
    progress.close()
    return stream.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_a_quick_reading_shows_nothing(stream: type[io.StringIO]) -> None:
    """Under a second nothing needs to be said."""
    assert told(stream(), [0.2, 0.9]) == ""


def test_elsewhere_the_beginning_and_the_end_are_told() -> None:
    """A log keeps no line of work that seems to stand still."""
    shown = told(io.StringIO(), [1, 2, 3, 6, 7])
    assert shown.splitlines() == [
        "reading Claude Code's bytes ...",
        "reading Claude Code's bytes: done",
    ]


def test_a_terminal_has_one_line_that_goes_away() -> None:
    """It is written over, and gone when the table comes."""
    shown = told(Terminal(), [1, 1.1, 2])
    assert shown.count("reading") == 2
    assert "\n" not in shown
    assert shown.endswith("\r\x1b[K")
