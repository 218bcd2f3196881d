"""The outbox: one row for what belongs together, none for what was taken back."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine, select

from server.alerts import bodies
from server.alerts.outbox import end_operator, tell, tell_all, tell_operator
from server.store import outbox as store
from server.store.tables import outbox
from server.transitions import Transition

Make = Callable[..., Transition]


def _open(conn: Connection) -> list[tuple[str, int]]:
    """Word and count of machines of all rows that wait."""
    query = select(outbox.c.told, outbox.c.body).where(outbox.c.dropped_at.is_(None))
    rows = conn.execute(query.order_by(outbox.c.id)).all()
    return [(row.told, bodies.decode_changed(row.body).machines) for row in rows]


def _incidents(conn: Connection) -> list[tuple[str, bool]]:
    """Text and end of all the operator's rows."""
    query = select(outbox.c.body).order_by(outbox.c.id)
    found = [bodies.decode_incident(row.body) for row in conn.execute(query)]
    return [(incident.text, incident.over) for incident in found]


def test_a_drift_writes_one_row(conn: Connection, change: Make) -> None:
    """Entering drift is told once, five seconds later."""
    tell(conn, change())
    row = conn.execute(select(outbox)).one()
    assert (row.topic, row.told, row.created_at) == ("machine m1", "drifted", change().at)
    assert row.due_at == change().at + bodies.MACHINE_SETTLE_S


@pytest.mark.parametrize(
    ("before", "after"), [("match", "pending"), ("drift", "silent"), ("pending", "exempt")]
)
def test_other_changes_write_nothing(
    conn: Connection, change: Make, before: str, after: str
) -> None:
    """Only what the table of changes tells reaches the outbox."""
    tell(conn, change(before=before, after=after))
    assert _open(conn) == []


def test_a_row_is_gone_with_its_transaction(engine: Engine, change: Make) -> None:
    """A change that was not committed is told to nobody."""
    with engine.connect() as conn:
        tell(conn, change())
        conn.rollback()
        assert _open(conn) == []


def test_machines_have_rows_of_their_own(conn: Connection, change: Make) -> None:
    """Two laptops that drift by their own doing are two messages."""
    tell(conn, change())
    tell(conn, change(machine_id="m2", labels=("ben-mbp",)))
    assert _open(conn) == [("drifted", 1), ("drifted", 1)]


def test_a_machine_that_heals_in_time_tells_nothing(conn: Connection, change: Make) -> None:
    """Flapping inside the settle time drops the first row and writes no second."""
    tell(conn, change())
    tell(conn, change(before="drift", after="match", at=change().at + 2))
    assert _open(conn) == []
    assert conn.execute(select(outbox.c.reason)).scalars().all() == [
        "taken back before it was told"
    ]


def test_a_machine_that_drifts_again_in_time_tells_nothing(conn: Connection, change: Make) -> None:
    """Who was told of a drift hears neither that it ended nor that it came back at once."""
    tell(conn, change(before="drift", after="match"))
    tell(conn, change(at=change().at + 1))
    assert _open(conn) == []


def test_healing_after_the_drift_was_taken_is_told(conn: Connection, change: Make) -> None:
    """A drift that may have been sent is never followed by silence."""
    tell(conn, change())
    (row,) = store.unclaimed(conn, "machine m1")
    store.lease(conn, [row.id], change().at + 5, change().at + 65)
    tell(conn, change(before="drift", after="match", at=change().at + 6))
    assert _open(conn) == [("drifted", 1), ("healed", 1)]


def test_healing_after_a_failed_attempt_is_told(conn: Connection, change: Make) -> None:
    """A failed attempt may have arrived all the same, so its row is not taken back."""
    tell(conn, change())
    (row,) = store.unclaimed(conn, "machine m1")
    store.lease(conn, [row.id], change().at + 5, change().at + 65)
    store.failed(conn, row.id, [], "no answer", None)
    tell(conn, change(before="drift", after="match", at=change().at + 6))
    assert _open(conn) == [("drifted", 1), ("healed", 1)]


@pytest.mark.parametrize("after", ["match", "pending", "silent", "left"])
def test_unknown_that_ended_is_dropped(conn: Connection, change: Make, after: str) -> None:
    """A machine that is no longer unknown is not told as unknown an hour later."""
    tell(conn, change(after="unknown", cause="not-examined"))
    tell(conn, change(before="unknown", after=after, at=change().at + 60))
    assert _open(conn) == []
    assert conn.execute(select(outbox.c.reason)).scalar_one() == "no longer unknown"


def test_unknown_that_became_drift_is_told_as_drift(conn: Connection, change: Make) -> None:
    """The unknown row goes, the drift is told."""
    tell(conn, change(after="unknown", cause="not-examined"))
    tell(conn, change(before="unknown", at=change().at + 60))
    assert _open(conn) == [("drifted", 1)]


def test_a_drift_that_became_unknown_is_still_told(conn: Connection, change: Make) -> None:
    """Unknown takes back no drift: nobody would hear of it when it drifts on."""
    tell(conn, change())
    tell(conn, change(before="drift", after="unknown", cause="not-examined", at=change().at + 1))
    assert _open(conn) == [("drifted", 1), ("unknown", 1)]


def test_fleet_changes_of_one_cause_are_one_row(conn: Connection, change: Make) -> None:
    """Slices of one re-judging, each with its own profile, join."""
    for number in range(10):
        at = change().at + number
        tell(
            conn,
            change(kind="fleet", profile_id=number, machines=50, labels=(f"mac-{number}",), at=at),
        )
    assert _open(conn) == [("drifted", 500)]
    (row,) = store.unclaimed(conn, "fleet drifted build-behind default")
    body = bodies.decode_changed(row.body)
    assert (body.profiles, body.labels) == (10, tuple(f"mac-{number}" for number in range(5)))


@pytest.mark.parametrize(
    "other",
    [
        {"cause": "build-unverified"},
        {"group": "research"},
        {"before": "drift", "after": "match"},
    ],
)
def test_fleet_changes_of_another_kind_are_another_row(
    conn: Connection, change: Make, other: dict[str, str]
) -> None:
    """Another cause, group or word does not join."""
    tell(conn, change(kind="fleet", machines=3))
    tell(conn, change(kind="fleet", machines=4, **other))
    assert [machines for _, machines in _open(conn)] == [3, 4]


def test_a_fleet_change_after_the_claim_is_a_new_row(conn: Connection, change: Make) -> None:
    """What is being sent is not added to."""
    tell(conn, change(kind="fleet", machines=3))
    (row,) = store.unclaimed(conn, "fleet drifted build-behind default")
    store.lease(conn, [row.id], change().at + 30, change().at + 90)
    tell(conn, change(kind="fleet", machines=4))
    assert _open(conn) == [("drifted", 3), ("drifted", 4)]


def test_a_row_that_changed_meanwhile_is_not_overwritten(conn: Connection, change: Make) -> None:
    """Adding to a row repeats the old body: of two at once, the second sees that it lost."""
    tell(conn, change(kind="fleet", machines=3))
    (seen,) = store.unclaimed(conn, "fleet drifted build-behind default")
    tell(conn, change(kind="fleet", machines=4))
    assert not store.amend(conn, seen, seen.body)
    assert _open(conn) == [("drifted", 7)]


def test_a_claimed_row_is_not_dropped(conn: Connection, change: Make) -> None:
    """Taking back loses against a sender that was first."""
    tell(conn, change())
    (seen,) = store.unclaimed(conn, "machine m1")
    store.lease(conn, [seen.id], change().at + 5, change().at + 65)
    assert not store.drop(conn, seen, "taken back", change().at + 5)


def test_many_changes_at_once_end_as_one_by_one(conn: Connection, change: Make) -> None:
    """`tell_all` writes what as many `tell`s would."""
    changes = [change(kind="fleet", machines=2, at=change().at + number) for number in range(5)]
    changes.append(change())
    tell_all(conn, changes)
    assert sorted(_open(conn)) == [("drifted", 1), ("drifted", 10)]


def test_an_outage_of_a_source_tells_no_laptop(conn: Connection, change: Make) -> None:
    """Heads that cannot be read make verdicts unknown: the operator's incident alone."""
    tell(conn, change(kind="fleet", after="unknown", cause="build-behind"))
    tell(conn, change(kind="machine", before=None, after="unknown", cause="build-behind"))
    assert _open(conn) == []


def test_a_late_change_is_news_of_today(conn: Connection, change: Make) -> None:
    """The age of a row is that of the news, not of what an offline laptop did last week."""
    now = change().at
    tell(conn, change(at=now - 604_800), now)
    row = conn.execute(select(outbox)).one()
    assert (row.created_at, row.due_at) == (now, now + bodies.MACHINE_SETTLE_S)


def test_an_incident_is_told_once_until_it_ends(conn: Connection) -> None:
    """The operator hears of the beginning once, of the end once, and of the next beginning."""
    for now in (10, 20, 30):
        tell_operator(conn, "source npm", "npm cannot be reached", now)
    end_operator(conn, "source npm", "npm is read again", 40)
    end_operator(conn, "source npm", "npm is read again", 50)
    tell_operator(conn, "source npm", "npm cannot be reached again", 60)
    assert _incidents(conn) == [
        ("npm cannot be reached", False),
        ("npm is read again", True),
        ("npm cannot be reached again", False),
    ]


def test_incidents_of_two_topics_do_not_mix(conn: Connection) -> None:
    """The end of one leaves the other open, and what never began has no end."""
    tell_operator(conn, "source npm", "npm is gone", 10)
    end_operator(conn, "source bucket", "the bucket is back", 20)
    tell_operator(conn, "source npm", "npm is gone", 30)
    assert _incidents(conn) == [("npm is gone", False)]


def test_an_incidents_text_is_bounded(conn: Connection) -> None:
    """An error text of any length makes a row of bounded size."""
    tell_operator(conn, "source npm", "x" * 100_000, 10)
    assert [len(text) for text, _ in _incidents(conn)] == [bodies.TEXT_MAX_CHARS]
