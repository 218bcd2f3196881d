"""The pause on a real disk."""

import json
from pathlib import Path

import pytest

from agent.errors import AgentError
from agent.pause import Pause
from agent.pause_file import Pauses

NOW = 1_795_000_000


@pytest.fixture
def pauses(tmp_path: Path) -> Pauses:
    """Of a scratch state folder."""
    return Pauses(tmp_path / "state")


def test_a_pause_survives_its_process(pauses: Pauses, tmp_path: Path) -> None:
    """Another process reads the same one."""
    asked = pauses.begin(NOW, 3_600)
    assert Pauses(tmp_path / "state").current(NOW + 3_599) == asked == Pause(NOW, NOW + 3_600)


def test_without_a_pause_there_is_none(pauses: Pauses) -> None:
    """A folder that was never made is no error, and ending nothing neither."""
    assert pauses.current(NOW) is None
    pauses.end()
    assert pauses.current(NOW) is None


def test_a_pause_can_be_seen_without_a_change(pauses: Pauses) -> None:
    """One that is over is none, and its file stays for whoever may change it."""
    asked = pauses.begin(NOW, 3_600)
    assert pauses.seen(NOW) == asked
    assert pauses.seen(NOW + 3_600) is None
    assert pauses.file.exists()


def test_a_pause_that_is_over_stays_over_when_the_clock_is_set_back(pauses: Pauses) -> None:
    """It is removed where its end was seen."""
    pauses.begin(NOW, 3_600)
    assert pauses.current(NOW + 3_600) is None
    assert not pauses.file.exists()
    assert pauses.current(NOW - 86_400) is None


def test_a_clock_set_back_is_taken_in_once(pauses: Pauses) -> None:
    """The pause is then measured by the clock as it is."""
    pauses.begin(NOW, 3_600)
    assert pauses.current(NOW - 86_400) is not None
    assert pauses.current(NOW - 86_400 + 3_600) is None


def test_only_the_pause_that_was_told_counts_as_told(pauses: Pauses) -> None:
    """One asked for meanwhile is another one."""
    first = pauses.begin(NOW, 3_600)
    pauses.begin(NOW, 7_200)
    pauses.told(first.until)
    assert pauses.current(NOW) == Pause(NOW, NOW + 7_200)
    pauses.told(NOW + 7_200)
    assert pauses.current(NOW) == Pause(NOW, NOW + 7_200, is_told=True)
    pauses.tell_again()
    assert pauses.current(NOW) == Pause(NOW, NOW + 7_200)


def test_telling_of_a_pause_that_is_gone_brings_none_back(pauses: Pauses) -> None:
    """It was ended while the answer was under way."""
    asked = pauses.begin(NOW, 3_600)
    pauses.end()
    pauses.told(asked.until)
    assert pauses.current(NOW) is None


@pytest.mark.parametrize("data", [b"", b"[]", b'{"asked_at": "x"}'])
def test_a_damaged_file_is_no_leave_to_look(pauses: Pauses, data: bytes) -> None:
    """It is told as damaged until the person resumes."""
    pauses.begin(NOW, 3_600)
    pauses.file.write_bytes(data)
    with pytest.raises(AgentError, match="damaged") as caught:
        pauses.current(NOW)
    assert "parity-agent resume" in caught.value.advice
    pauses.end()
    assert pauses.current(NOW) is None


def test_the_file_holds_times_and_nothing_else(pauses: Pauses) -> None:
    """No reason is asked for, and none is kept."""
    pauses.begin(NOW, 60)
    assert json.loads(pauses.file.read_bytes()) == {
        "asked_at": NOW,
        "until": NOW + 60,
        "is_told": False,
    }
