"""When machines come again, and when they are told that something changed."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from server.store.acks import HURRY_S, next_s, tag_of

ids = st.text("0123456789abcdef", min_size=16, max_size=16)
nows = st.integers(0, 2**40)


@given(ids, st.integers(1, 86_400), nows, st.booleans())
def test_a_machine_comes_within_half_to_one_and_a_half_of_its_interval(
    machine: str,
    interval: int,
    now: int,
    hurry: bool,  # noqa: FBT001 - drawn
) -> None:
    """Sooner when something is under way."""
    wait = next_s(machine, interval, now, hurry=hurry)
    most = min(interval, HURRY_S) if hurry else interval
    assert max(1, most // 2) <= wait <= most + most // 2


@given(ids, st.integers(1, 86_400), nows, st.integers(0, 86_400))
def test_a_machine_keeps_its_slot(machine: str, interval: int, now: int, later: int) -> None:
    """Whenever it checks in, it is sent to the same second of the interval."""
    slots = {(at + next_s(machine, interval, at)) % interval for at in (now, now + later)}
    assert len(slots) == 1


def test_a_herd_is_spread_by_one_answer() -> None:
    """900 machines that check in at the same second come back all over the interval."""
    came = Counter(next_s(f"{number:016x}", 900, 1_777_000_000) // 90 for number in range(900))
    assert len(came) >= 10
    assert max(came.values()) < 2 * 900 // 10


def test_a_tag_differs_with_verdict_and_exception() -> None:
    """Whatever the machine should ask about again changes it."""
    tags = [
        tag_of(verdict, exception)
        for verdict in (None, "a", "b")
        for exception in (None, "silent", "left")
    ]
    assert len(set(tags)) == 9
