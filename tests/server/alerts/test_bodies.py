"""Bodies: small whatever they count, joined in any order to the same sums."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.wire import FindingView
from server.alerts import bodies
from server.alerts.bodies import Changed, Incident
from server.transitions import UNKNOWN_TOLD_AFTER_S, Transition

fleet_changes = st.builds(
    Transition,
    kind=st.just("fleet"),
    at=st.integers(0, 10**9),
    group=st.just("default"),
    profile_id=st.integers(1, 10**6),
    before=st.just("match"),
    after=st.just("drift"),
    told=st.none(),
    cause=st.just("build-behind"),
    machines=st.integers(1, 10**5),
    labels=st.lists(st.text(min_size=1, max_size=80), max_size=5, unique=True).map(tuple),
    findings=st.lists(
        st.builds(
            FindingView,
            code=st.sampled_from(("build-behind", "config-overridden")),
            severity=st.just("drift"),
            subject=st.just("npm"),
            sentence=st.text(max_size=20),
        ),
        max_size=4,
    ).map(tuple),
)


def _joined(changes: list[Transition]) -> Changed:
    """The body of several changes, joined in their order."""
    whole = bodies.changed(changes[0], "drifted")
    for each in changes[1:]:
        whole = bodies.join(whole, bodies.changed(each, "drifted"))
    return whole


@given(st.lists(fleet_changes, min_size=1, max_size=30))
def test_a_fleet_body_adds_up_machines_and_profiles(changes: list[Transition]) -> None:
    """No machine is lost or doubled by joining, and the first and last times are kept."""
    whole = _joined(changes)
    assert whole.machines == sum(each.machines for each in changes)
    assert whole.profiles == len(changes)
    assert whole.at == min(each.at for each in changes)
    assert whole.last_at == max(each.at for each in changes)


@given(st.lists(fleet_changes, min_size=1, max_size=30))
def test_a_fleet_body_stays_small(changes: list[Transition]) -> None:
    """Five labels and three examples of the cause are kept, however many join."""
    whole = _joined(changes)
    assert len(whole.labels) == len(set(whole.labels)) <= 5
    assert len(whole.findings) <= 3
    assert {item.code for item in whole.findings} <= {"build-behind"}


@given(st.lists(fleet_changes, min_size=1, max_size=5))
def test_a_body_is_read_back_as_it_was_written(changes: list[Transition]) -> None:
    """What the outbox keeps is the body, nothing less."""
    whole = _joined(changes)
    assert bodies.decode_changed(bodies.encode(whole)) == whole


def test_an_incident_is_read_back_as_it_was_written() -> None:
    """Both kinds of body survive the outbox."""
    incident = Incident("npm cannot be reached", 5, over=True)
    assert bodies.decode_incident(bodies.encode(incident)) == incident


def test_of_one_machine_only_the_newer_body_holds(change: Callable[..., Transition]) -> None:
    """A machine is never counted twice in its own message."""
    old = bodies.changed(change(cause="install-stub"), "drifted")
    new = bodies.changed(change(cause="build-behind"), "drifted")
    assert bodies.join(old, new) == new


def test_findings_beyond_five_are_counted(change: Callable[..., Transition]) -> None:
    """A machine with many overrides names the worst five and counts the rest."""
    finding = change().findings[0]
    many = tuple(msgspec.structs.replace(finding, subject=str(number)) for number in range(8))
    body = bodies.changed(change(findings=many), "drifted")
    assert (len(body.findings), body.more_findings) == (5, 3)


def test_labels_of_different_ends_leave_no_common_standing(
    change: Callable[..., Transition],
) -> None:
    """Changes that end in different standings claim none for all."""
    healed = [change(kind="fleet", before="drift", after=after) for after in ("match", "pending")]
    one, two = (bodies.changed(each, "healed") for each in healed)
    assert bodies.join(one, one).after == "match"
    assert bodies.join(one, two).after is None


@pytest.mark.parametrize(
    ("kind", "told", "wait_s"),
    [
        ("machine", "drifted", bodies.MACHINE_SETTLE_S),
        ("fleet", "healed", bodies.FLEET_SETTLE_S),
        ("machine", "unknown", UNKNOWN_TOLD_AFTER_S + bodies.MACHINE_SETTLE_S),
        ("fleet", "unknown", UNKNOWN_TOLD_AFTER_S + bodies.FLEET_SETTLE_S),
    ],
)
def test_a_body_is_due_after_its_settle_time(
    change: Callable[..., Transition], kind: str, told: bodies.Word, wait_s: int
) -> None:
    """Drift waits for seconds, unknown for an hour more."""
    moved = change(kind=kind)
    assert told != "operator"
    body = bodies.changed(moved, told)
    assert bodies.due_at(body, moved.at) == moved.at + wait_s


def test_an_offline_laptops_old_change_is_due_soon(change: Callable[..., Transition]) -> None:
    """A change dated two days ago is news now, and its hour of unknown has passed."""
    now = change().at
    body = bodies.changed(replace(change(), at=now - 172_800), "unknown")
    assert bodies.due_at(body, now) == now + bodies.MACHINE_SETTLE_S


def test_unknown_joins_only_what_began_with_it(change: Callable[..., Transition]) -> None:
    """Half an hour later is another message; drift may always join what still waits."""
    late = change(kind="fleet", at=change().at + 1_800)
    assert not bodies.joins(change().at, bodies.changed(late, "unknown"))
    assert bodies.joins(late.at - bodies.FLEET_SETTLE_S, bodies.changed(late, "unknown"))
    assert bodies.joins(change().at, bodies.changed(late, "drifted"))
