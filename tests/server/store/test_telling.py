"""What the machine's own row remembers, and what a change of standing is recorded as."""

from collections.abc import Iterable
from dataclasses import replace
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from agent.wire import FindingView, Standing
from server.judge import Verdict
from server.store.machines import Machine
from server.store.telling import GROUP_MOVED, Stood, heard, is_change, transition
from server.store.verdicts import Held
from server.transitions import AWAY, SETTLED, Told

STANDINGS: tuple[Standing, ...] = get_args(Standing)
OF_VERDICTS: tuple[Standing, ...] = ("match", "pending", "drift", "exempt", "unknown", "absent")

MACHINE = Machine(
    id="0" * 16,
    label="anna",
    owner=None,
    group="default",
    token_hash="x",  # noqa: S106 - nobody's
    next_token_hash=None,
    enrolled_at=0,
    left_at=None,
    last_seen=1000,
    seq=1,
    epoch="e",
    past_epochs="",
    agent="0.1.0",
    claimed=None,
    settled=1,
    profile_id=7,
    profile_since=0,
    began=None,
    exception=None,
    stand_tag=None,
    paused_until=None,
    unsent_since=None,
    taken_at=0,
    alternations="",
    told=None,
    standing_since=0,
    due_at=None,
    numbered=1,
    build=None,
)


def finding(severity: str, waived_until: int | None = None) -> FindingView:
    """A finding of one copy."""
    return FindingView("build-behind", severity, "npm", "behind", waived_until=waived_until)


def stood(
    standing: Standing,
    exception: Standing | None = None,
    told: Told | None = None,
    of_pair: Told | None = None,
    findings: Iterable[FindingView] = (),
) -> Stood:
    """A machine whose verdict stands so, or which does by itself."""
    verdict = Verdict("match", (), 1, None, frozenset(), "tag")
    pair = Held(1, 7, "default", standing, 0, of_pair, "tag", verdict, False, None, 1)  # noqa: FBT003
    return Stood(replace(MACHINE, exception=exception, told=told), pair, tuple(findings))


tolds: st.SearchStrategy[Told | None] = st.sampled_from([None, "drifted", "healed"])
stoods = st.builds(
    stood,
    st.sampled_from(OF_VERDICTS),
    st.none() | st.sampled_from(STANDINGS),
    tolds,
    tolds,
)


@given(stoods, stoods)
def test_what_people_heard_is_remembered_until_it_is_told_otherwise(old: Stood, new: Stood) -> None:
    """Whoever stood where: drift is told at once; while nothing is known, what was holds."""
    new = replace(new, machine=replace(new.machine, told=heard(old, new)))
    if new.standing == "drift":
        remembers = True
    elif new.standing in SETTLED:
        remembers = False
    else:
        remembers = old.drifted
    follows = new.machine.exception is None and new.standing != "unknown"
    # One that follows a settled verdict shares what was told of that.
    assert follows or new.drifted == remembers


@given(stoods)
def test_to_stay_as_it_is_is_no_change(standing: Stood) -> None:
    """Neither standing nor group differ."""
    assert not is_change(standing, standing)
    moved = replace(standing, machine=replace(standing.machine, group="pilots"))
    assert is_change(standing, moved)
    left = moved.standing == "left" or moved.standing in AWAY
    assert left or transition(standing, moved, 5, 5).cause == GROUP_MOVED


@given(stoods, stoods, st.integers(1000, 10**6))
def test_only_who_comes_back_was_away(old: Stood, new: Stood, now: int) -> None:
    """From its last word on; to leave is not to come back."""
    told = transition(old, new, now, now)
    is_back = old.standing in AWAY and new.standing not in (*AWAY, "left")
    assert told.away_s == (now - 1000 if is_back else None)


def test_a_first_verdict_has_nothing_before_it() -> None:
    """A machine that was enrolled and told nothing was not `unknown` to anybody."""
    before = replace(stood("match"), machine=replace(MACHINE, profile_id=None), verdict=None)
    told = transition(before, stood("drift", findings=[finding("drift")]), 5, 9)
    assert (told.before, told.after, told.cause, told.at) == (None, "drift", "build-behind", 5)


def test_the_end_of_a_waiver_is_told_as_such() -> None:
    """Where what it covered drifts now."""
    waived = stood("drift", "exempt", findings=[finding("exempt", waived_until=50)])
    drifts = stood("drift", findings=[finding("drift")])
    assert transition(waived, drifts, 50, 50).waiver_ended
    assert transition(waived, drifts, 50, 50).cause == "build-behind"
    assert not transition(drifts, drifts, 50, 50).waiver_ended
    assert not transition(waived, stood("match"), 50, 50).waiver_ended
