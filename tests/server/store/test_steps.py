"""The way from profile to profile, for any message."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.wire import WANTED_MAX, Change, CheckIn
from server.store.steps import HISTORY_KEPT_S, Step, told_by, way

NOW = 1_000_000
names = st.sampled_from([f"sha256:{letter * 64}" for letter in "abcdef"])
times = st.integers(0, 2 * NOW)


def check_in(present: str, changes: list[tuple[str, int]], clock: int = NOW) -> CheckIn:
    """A check-in with these changes."""
    told = tuple(Change(name, at) for name, at in changes)
    return CheckIn(1, present, "0.1", "0" * 16, 1, clock, told)


@given(
    present=names,
    changes=st.lists(st.tuples(names, times), max_size=8),
    claimed=st.none() | names,
    clock=times,
    last_seen=st.integers(0, NOW),
)
def test_steps_are_the_changes_in_order_between_the_last_ack_and_now(
    present: str, changes: list[tuple[str, int]], claimed: str | None, clock: int, last_seen: int
) -> None:
    """Numbered on, never back in time, no step to where the machine already is."""
    steps = told_by(check_in(present, changes, clock), claimed, last_seen, 7, NOW)
    path = [claimed, *(step.digest for step in steps)]
    assert all(one != two for one, two in pairwise(path))
    assert path[-1:] == [present]
    assert [step.number for step in steps] == list(range(7, 7 + len(steps)))
    ats = [step.at for step in steps]
    assert ats == sorted(ats)
    assert all(min(NOW, last_seen + 1) <= at <= NOW for at in ats)


def test_nothing_new_is_no_step() -> None:
    """As nearly every check-in is."""
    assert told_by(check_in("sha256:" + "a" * 64, []), "sha256:" + "a" * 64, 5, 0, NOW) == ()


steps = st.lists(
    st.builds(Step, names, st.just(NOW), st.integers(0, 99), st.integers(NOW - 2 * 86_400, NOW)),
    max_size=30,
    unique_by=lambda step: step.number,
)


@given(steps=steps, present=names, known=st.dictionaries(names, st.integers(1, 9)))
def test_every_known_step_is_taken_and_every_other_wished_for(
    steps: list[Step], present: str, known: dict[str, int]
) -> None:
    """Each once; of those not known only the fresh ones, the present one first."""
    found = way(steps, present, known, NOW)
    taken = [*found.passed, *([found.present] if found.present else [])]
    assert sorted(each.step.number for each in taken) == sorted(
        step.number for step in steps if step.digest in known
    )
    assert [each.step.number for each in taken] == sorted(each.step.number for each in taken)
    fresh = {
        step.digest
        for step in steps
        if step.digest not in known
        and (step.digest == present or step.asked_at + HISTORY_KEPT_S > NOW)
    }
    assert {wish.digest for wish in found.wishes} <= fresh
    assert len(found.wishes) <= WANTED_MAX
    if present in {wish.digest for wish in found.wishes}:
        assert found.wishes[0].digest == present


@given(steps=steps, present=names, known=st.dictionaries(names, st.integers(1, 9)))
def test_only_the_last_step_can_be_the_present_profile(
    steps: list[Step], present: str, known: dict[str, int]
) -> None:
    """An earlier visit to the same profile is history."""
    taken = way(steps, present, known, NOW).present
    if taken:
        assert taken.step == max(steps, key=lambda step: step.number)
        assert (taken.step.digest, taken.profile_id) == (present, known[present])
