"""Which change is told, and as what: read off one table."""

from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.wire import FindingView, Standing
from server.transitions import AWAY, Kind, Told, Transition, cause, told_as

STANDINGS: tuple[Standing, ...] = get_args(Standing)
BEFORE: tuple[Standing | None, ...] = (None, *STANDINGS)
TOLD: tuple[Told | None, ...] = (None, *get_args(Told))

findings = st.lists(
    st.builds(
        FindingView,
        code=st.sampled_from(["build-behind", "build-ahead", "install-stub"]),
        severity=st.sampled_from(["drift", "pending"]),
        subject=st.sampled_from(["one", "two"]),
        sentence=st.just("so it is"),
    ),
    max_size=4,
)


def change(
    before: Standing | None,
    after: Standing,
    told: Told | None = None,
    kind: Kind = "machine",
    why: str = "build-altered",
) -> Transition:
    """A change of standing."""
    return Transition(kind, 0, "default", 1, before, after, told, why, 1, (), ())


def test_every_change_is_told_as_something_or_nothing() -> None:
    """The table is total, and to stay the same is no change."""
    for before, after, told, kind in product(BEFORE, STANDINGS, TOLD, get_args(Kind)):
        assert told_as(change(before, after, told, kind)) in TOLD
    for standing in STANDINGS:
        assert told_as(change(standing, standing)) is None


@pytest.mark.parametrize("before", [None, "match", "pending", "exempt", "absent", "unknown"])
def test_entering_drift_is_told(before: Standing | None) -> None:
    """From wherever a machine was heard of."""
    assert told_as(change(before, "drift")) == "drifted"


@pytest.mark.parametrize("after", ["match", "pending", "exempt", "absent"])
def test_leaving_drift_is_told(after: Standing) -> None:
    """When it stands well again; also across an unknown in between."""
    assert told_as(change("drift", after)) == "healed"
    assert told_as(change("unknown", after, told="drifted")) == "healed"
    assert told_as(change("unknown", after)) is None


@pytest.mark.parametrize("after", ["silent", "left", "paused"])
@pytest.mark.parametrize("before", BEFORE)
def test_silence_and_leaving_are_no_repairs(before: Standing | None, after: Standing) -> None:
    """They end nothing, so nothing is told."""
    assert told_as(change(before, after)) is None


@pytest.mark.parametrize("before", AWAY)
@pytest.mark.parametrize("after", STANDINGS)
def test_coming_back_is_no_news_by_itself(before: Standing, after: Standing) -> None:
    """It is told against how the machine stood before it went, by whoever knows that."""
    assert told_as(change(before, after)) is None


@pytest.mark.parametrize("kind", get_args(Kind))
def test_an_outage_is_told_to_no_laptop(kind: Kind) -> None:
    """Neither as it begins, nor, to who was told to drift before, as it ends."""
    assert told_as(change("match", "unknown", None, kind, "build-behind")) is None
    assert told_as(change("drift", "unknown", "drifted", kind, "build-behind")) is None
    assert told_as(change("unknown", "drift", "drifted", kind, "build-behind")) is None


def test_an_unknown_of_the_laptops_own_is_told() -> None:
    """An hour later; that is the outbox's to wait."""
    assert told_as(change("match", "unknown", why="build-unverified")) == "unknown"


@given(findings, findings)
def test_a_cause_is_a_finding_that_came_or_went(
    before: list[FindingView], after: list[FindingView]
) -> None:
    """What came is worse news than what went; without either there is none."""
    old = {(item.code, item.subject, item.severity) for item in before}
    new = {(item.code, item.subject, item.severity) for item in after}
    came, went = ({code for code, _, _ in each} for each in (new - old, old - new))
    assert cause(before, after) in (came or went or {"no-finding"})
