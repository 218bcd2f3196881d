"""What lasted: unknown is told only of those that still are, an hour later."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, insert, select, update

from server.alerts import bodies
from server.alerts.lasting import POSTPONED_S, drop_overtaken
from server.alerts.outbox import tell
from server.releases.health import Condition
from server.store import conditions, public
from server.store.tables import machines, outbox, profiles, transitions, verdicts
from server.transitions import UNKNOWN_TOLD_AFTER_S, Transition

Make = Callable[..., Transition]

LATER_S = UNKNOWN_TOLD_AFTER_S + bodies.FLEET_SETTLE_S


def _pair(conn: Connection, profile: int, standing: str, since: int, count: int = 1) -> None:
    """A profile, its verdict in the default group, and as many machines."""
    conn.execute(
        insert(profiles).values(
            id=profile, digest=f"sha256:{profile}", body=b"{}", received_at=since
        )
    )
    conn.execute(
        insert(verdicts).values(
            profile_id=profile,
            group_name="default",
            standing=standing,
            since=since,
            tag="",
            body=b"{}",
            settling=0,
            judged_at=since,
            machines=count,
        )
    )
    for number in range(count):
        _machine(conn, f"m{profile}-{number}", profile, since)


def _machine(conn: Connection, name: str, profile: int, at: int) -> None:
    """A machine with that profile, in the default group."""
    conn.execute(
        insert(machines).values(
            id=name,
            label=f"label of {name}",
            group_name="default",
            token_hash="",
            enrol_key_hash=name,
            secret_id="",
            enrolled_at=at,
            profile_id=profile,
        )
    )


def _told(conn: Connection, change: Transition) -> None:
    """A change with its row in ``transitions``, as the fleet's own code writes them."""
    conn.execute(
        insert(transitions).values(
            kind=change.kind,
            at=change.at,
            group_name=change.group,
            profile_id=change.profile_id,
            machine_id=change.machine_id,
            before=change.before,
            after=change.after,
            cause=change.cause,
            machines=change.machines,
        )
    )
    tell(conn, change)


@pytest.mark.parametrize(
    ("verdict", "exception", "left"),
    [("unknown", None, 1), ("match", None, 0), ("unknown", "silent", 0), ("match", "unknown", 1)],
)
def test_a_machine_is_told_as_it_stands_now(
    conn: Connection, change: Make, verdict: str, exception: str | None, left: int
) -> None:
    """Its verdict counts, unless the machine itself stands otherwise."""
    at = change().at
    _pair(conn, 7, verdict, at)
    conn.execute(update(machines).values(exception=exception))
    _told(conn, change(after="unknown", cause="not-examined", machine_id="m7-0"))
    drop_overtaken(conn, at + LATER_S)
    query = select(outbox.c.id).where(outbox.c.dropped_at.is_(None))
    assert len(conn.execute(query).all()) == left


def test_a_forgotten_machine_is_not_told(conn: Connection, change: Make) -> None:
    """What is no longer there is no longer unknown."""
    _told(conn, change(after="unknown", cause="not-examined"))
    drop_overtaken(conn, change().at + LATER_S)
    assert conn.execute(select(outbox.c.reason)).scalar_one() == "no longer unknown"


def test_a_fleet_is_counted_anew(conn: Connection, change: Make) -> None:
    """Of three verdicts that became unknown, the one that mended is not told."""
    at = change().at
    for profile, standing in ((1, "unknown"), (2, "match"), (3, "unknown")):
        _pair(conn, profile, standing, at, count=profile)
        _told(
            conn,
            change(
                kind="fleet",
                profile_id=profile,
                machine_id=None,
                machines=profile,
                after="unknown",
                cause="build-unverified",
                labels=(f"old label {profile}",),
            ),
        )
    drop_overtaken(conn, at + LATER_S)
    body = bodies.decode_changed(conn.execute(select(outbox.c.body)).scalar_one())
    assert (body.machines, body.profiles) == (4, 2)
    assert body.labels == tuple(f"label of {name}" for name in ("m1-0", "m3-0", "m3-1", "m3-2"))


@pytest.mark.parametrize(
    "other", [{"group": "research"}, {"cause": "not-examined"}, {"kind": "machine"}]
)
def test_a_fleet_row_counts_only_its_own_cause(
    conn: Connection, change: Make, other: dict[str, str]
) -> None:
    """Unknown pairs of the same minute that others tell are not counted here."""
    at = change().at
    fleet = {"kind": "fleet", "machine_id": None, "cause": "build-unverified", "after": "unknown"}
    _pair(conn, 1, "match", at)
    _pair(conn, 2, "unknown", at)
    _told(conn, change(**fleet, profile_id=1))
    elsewhere = fleet | {"machine_id": "m2-0" if other.get("kind") else None} | other
    _told(conn, change(**elsewhere, profile_id=2))
    drop_overtaken(conn, at + LATER_S)
    query = select(outbox.c.reason).where(
        outbox.c.topic == "fleet unknown build-unverified default"
    )
    assert conn.execute(query).scalar_one() == "no longer unknown"


def test_a_pair_that_mended_in_between_waits_for_its_later_row(
    conn: Connection, change: Make
) -> None:
    """Unknown for twenty minutes, well, unknown again: the first hour is not its own."""
    at = change().at
    fleet = {"kind": "fleet", "machine_id": None, "cause": "build-unverified", "after": "unknown"}
    _pair(conn, 7, "unknown", at + 1_800)
    _told(conn, change(**fleet))
    _told(conn, change(**fleet, at=at + 1_800))
    drop_overtaken(conn, at + LATER_S)
    rows = conn.execute(select(outbox.c.reason).order_by(outbox.c.id)).scalars().all()
    assert rows == ["no longer unknown", None]


@pytest.mark.parametrize(
    ("cause", "once_read", "is_put_off"),
    [
        ("build-unverified", True, True),
        ("build-unverified", False, False),
        ("not-examined", True, False),
    ],
)
def test_an_outage_is_told_of_no_laptop(
    conn: Connection, change: Make, cause: str, *, once_read: bool, is_put_off: bool
) -> None:
    """Laptops that update meanwhile cannot be looked up: told only if that outlasts it."""
    at = change().at
    _pair(conn, 7, "unknown", at)
    if once_read:
        public.mark_ok(conn, "npm", at - 60)
    public.mark_unreachable(conn, "npm", "down", at)
    _told(conn, change(after="unknown", cause=cause, machine_id="m7-0"))
    drop_overtaken(conn, at + LATER_S)
    due_at = conn.execute(select(outbox.c.due_at)).scalar_one()
    assert (due_at == at + LATER_S + POSTPONED_S) == is_put_off
    public.mark_ok(conn, "npm", at + LATER_S)
    drop_overtaken(conn, at + LATER_S + POSTPONED_S)
    assert conn.execute(select(outbox.c.due_at)).scalar_one() == due_at


def test_a_forged_release_is_told_of_no_laptop(conn: Connection, change: Make) -> None:
    """What is not taken cannot be looked up: the operator is told, once."""
    at = change().at
    _pair(conn, 7, "unknown", at)
    forged = Condition("forged bucket 2.1.331", "forged", at, "wrong signature")
    conditions.note(conn, forged, at)
    _told(conn, change(after="unknown", cause="build-unverified", machine_id="m7-0"))
    drop_overtaken(conn, at + LATER_S)
    due_at = select(outbox.c.due_at).where(outbox.c.told == "unknown")
    assert conn.execute(due_at).scalar_one() == at + LATER_S + POSTPONED_S
    conditions.settle(conn, forged.topic, at + LATER_S)
    drop_overtaken(conn, at + LATER_S + POSTPONED_S)
    assert conn.execute(due_at).scalar_one() == at + LATER_S + POSTPONED_S


def test_before_the_hour_nothing_is_looked_at(conn: Connection, change: Make) -> None:
    """A row that is not due is left alone."""
    _told(conn, change(after="unknown", cause="not-examined"))
    drop_overtaken(conn, change().at + UNKNOWN_TOLD_AFTER_S)
    assert conn.execute(select(outbox.c.dropped_at)).scalar_one() is None
