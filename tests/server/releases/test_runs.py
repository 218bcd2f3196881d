"""One pointer's history: what was in force, what moved where, since when two differ."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from server.releases import runs
from server.releases.ledger import Reading
from server.releases.versions import is_newer

_number = st.integers(1, 5).map(lambda patch: f"2.1.{patch}")


@st.composite
def _histories(draw: st.DrawFn, source: str = "npm") -> list[Reading]:
    """Runs of one pointer, one after the other in time."""
    moments = sorted(draw(st.lists(st.integers(0, 60), min_size=2, max_size=12, unique=True)))
    pairs = zip(moments[::2], moments[1::2], strict=False)
    return [Reading(source, "latest", draw(_number), first, last) for first, last in pairs]


@given(_histories(), st.randoms(use_true_random=False))
def test_the_order_of_readings_does_not_matter(history: list[Reading], random: Random) -> None:
    """They are told apart by their times alone."""
    shuffled = list(history)
    random.shuffle(shuffled)
    assert runs.by_pointer(shuffled) == runs.by_pointer(history) == {("npm", "latest"): history}


@given(_histories(), st.integers(-1, 70))
def test_the_last_word_before_a_moment_was_in_force(history: list[Reading], moment: int) -> None:
    """Also between two readings; nothing was before the first one."""
    said = [run for run in history if run.first_seen <= moment]
    assert runs.at(history, moment) == (said[-1] if said else None)


@given(_histories())
def test_moves_lead_from_the_first_word_to_the_last(history: list[Reading]) -> None:
    """Each begins where the one before ended, and no move stays where it was."""
    version = history[0].version
    for move in runs.moves(history):
        assert move.before == version != move.after
        assert runs.at(history, move.at - 1) != runs.at(history, move.at)
        version = move.after
    assert version == history[-1].version


@given(_histories(), _number)
def test_only_what_is_newer_than_the_head_was_moved_back_from(
    history: list[Reading], version: str
) -> None:
    """And the pointer was seen at it or beyond it before that moment."""
    at = runs.moved_back(version, history)
    if at is not None:
        assert is_newer(version, history[-1].version)
        past = [run.version for run in history if run.first_seen < at]
        assert any(seen == version or is_newer(seen, version) for seen in past)


def test_a_version_that_was_skipped_is_left_when_the_pointer_comes_back_past_it() -> None:
    """2.1.3 came and went between two readings of 2.1.2 and 2.1.4."""
    history = [
        Reading("npm", "latest", "2.1.2", 10, 15),
        Reading("npm", "latest", "2.1.4", 20, 25),
        Reading("npm", "latest", "2.1.2", 30, 35),
    ]
    assert runs.moved_back("2.1.3", history) == 30
    assert runs.moved_back("2.1.4", history) == 30
    assert runs.moved_back("2.1.5", history) is None
    assert runs.moved_back("2.1.2", history) is None


@given(_histories("npm"), _histories("bucket"))
def test_two_pointers_differ_since_they_last_agreed(
    one: list[Reading], other: list[Reading]
) -> None:
    """At every second from then on, and not one second before."""
    since = runs.differ_since(one, other)
    assert (since is None) == (one[-1].version == other[-1].version)
    if since is None:
        return
    for moment in range(since, 70):
        left, right = runs.at(one, moment), runs.at(other, moment)
        assert left is not None
        assert right is not None
        assert left.version != right.version
    left, right = runs.at(one, since - 1), runs.at(other, since - 1)
    assert left is None or right is None or left.version == right.version


def test_what_was_passed_over_again_and_again_was_left_at_the_last_move_back() -> None:
    """A channel that moves back and forth dates a skipped version by its latest way back."""
    steps = enumerate(("2.1.5", "2.1.1", "2.1.6", "2.1.2"))
    history = [Reading("npm", "latest", version, at * 10, at * 10 + 9) for at, version in steps]
    assert runs.moved_back("2.1.4", history) == 30
