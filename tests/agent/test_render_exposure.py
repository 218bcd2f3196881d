"""What a person reads of what the product was told remotely."""

import pytest

from agent.render_exposure import told_remotely
from agent.wire import Exposure


def test_every_class_has_its_line() -> None:
    """In the words in which it is sent."""
    lines = told_remotely(Exposure("off", "DO_NOT_TRACK", 5462, "2.1.200-299", "team-standard"))
    assert lines[0] == "TOLD REMOTELY (in classes)"
    assert [line.split(maxsplit=2) for line in lines[2:5]] == [
        ["feature", "flags", "off, by DO_NOT_TRACK"],
        ["model", "catalog", "5462"],
        ["first", "start", "2.1.200-299"],
    ]
    assert lines[5].split() == ["plan", "team-standard"]


@pytest.mark.parametrize(
    ("exposure", "said"),
    [
        (Exposure("on"), ("on", "none downloaded", "not known", "not told")),
        (Exposure("off"), ("off", "none downloaded", "not known", "not told")),
    ],
)
def test_what_is_not_told_is_said_to_be_so(exposure: Exposure, said: tuple[str, ...]) -> None:
    """No class is left out in silence."""
    for line, word in zip(told_remotely(exposure)[2:], said, strict=True):
        assert line.endswith(word)


def test_nothing_is_shown_where_nothing_was_looked_for() -> None:
    """As in ``status``, which does not look."""
    assert told_remotely(None) == []
