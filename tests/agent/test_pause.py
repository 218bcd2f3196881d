"""How long a pause lasts, whatever the clock does."""

from hypothesis import given
from hypothesis import strategies as st

from agent.pause import Pause

NOW = 1_795_000_000
LENGTHS = st.integers(1, 7 * 86_400)


@given(LENGTHS, st.integers(0, 8 * 86_400))
def test_a_pause_lasts_its_length_and_no_longer(length: int, passed: int) -> None:
    """The last second before its end is paused, the end is not."""
    pause = Pause(NOW, NOW + length)
    assert (pause.at(NOW + passed) is not None) == (passed < length)
    assert pause.left_s(NOW + passed) == max(0, length - passed)


@given(LENGTHS, st.integers(1, NOW))
def test_a_clock_set_back_adds_one_length_at_most(length: int, back: int) -> None:
    """A clock that was a month ahead does not make a pause of a month."""
    now = NOW - back
    shifted = Pause(NOW, NOW + length, is_told=True).at(now)
    assert shifted is not None
    assert shifted.left_s(now) == length
    assert shifted.is_told
    assert shifted.at(now + length) is None
