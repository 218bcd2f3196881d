"""Conditions as rows: told once, when they are old enough, and ended once."""

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from server.alerts import bodies
from server.releases.health import SEEN, TOLD_AFTER_S, Condition
from server.store import conditions
from server.store.tables import outbox
from tests.server.databases import SHARED, Fresh

BACK = Condition("moved-back npm latest 2.1.114", "moved-back", 10, "moved back")
AWAY = Condition("source npm", "unreachable", 10, "HTTP 503")


def _told(conn: Connection) -> list[tuple[str, bool]]:
    """Topic of every message, and whether it ends an incident."""
    rows = conn.execute(select(outbox.c.topic, outbox.c.body).order_by(outbox.c.id))
    return [(row.topic, bodies.decode_incident(row.body).over) for row in rows]


def test_a_new_condition_is_told_once_and_its_end_once(conn: Connection) -> None:
    """However often it is looked at."""
    for now in (20, 80, 140):
        conditions.reconcile(conn, [BACK], now)
    assert conditions.load(conn) == (BACK,)
    for now in (200, 260):
        conditions.reconcile(conn, [], now)
    assert conditions.load(conn) == ()
    topic = "operator moved-back npm latest 2.1.114"
    assert _told(conn) == [(topic, False), (topic, True)]


def test_what_settles_by_itself_is_never_told(conn: Connection) -> None:
    """Half an hour out of reach is shown, and disturbs nobody."""
    late = AWAY.since + TOLD_AFTER_S["unreachable"]
    conditions.reconcile(conn, [AWAY], late - 1)
    assert conditions.load(conn) == (AWAY,)
    conditions.reconcile(conn, [], late)
    assert _told(conn) == []
    conditions.reconcile(conn, [AWAY], late)
    assert _told(conn) == [("operator source npm", False)]


def test_a_condition_is_shown_as_it_is_now(conn: Connection) -> None:
    """With another reason it is still the same, and told already."""
    conditions.reconcile(conn, [BACK], 20)
    other = Condition(BACK.topic, BACK.kind, BACK.since, "other words")
    conditions.reconcile(conn, [other], 80)
    assert conditions.load(conn) == (other,)
    assert len(_told(conn)) == 1


def test_what_was_noticed_once_outlasts_every_look(conn: Connection) -> None:
    """Until its source says something better; noticed again, it keeps its beginning."""
    forged = Condition("forged bucket 2.1.330", "forged", 10, "wrong signature")
    conditions.note(conn, forged, 10)
    conditions.note(conn, Condition(forged.topic, "forged", 50, "again"), 50)
    conditions.reconcile(conn, [], 60)
    assert conditions.load(conn) == (forged,)
    conditions.settle(conn, forged.topic, 70)
    conditions.settle(conn, forged.topic, 80)
    assert _told(conn) == [("operator forged bucket", False), ("operator forged bucket", True)]


def test_an_incident_ends_with_its_last_condition(conn: Connection) -> None:
    """Three releases without a signature are one incident."""
    topics = [f"unsigned bucket 2.1.{patch}" for patch in range(3)]
    for topic in topics:
        conditions.note(conn, Condition(topic, "unsigned", 10, "no signature"), 10)
    for topic in topics:
        assert _told(conn) == [("operator unsigned bucket", False)]
        conditions.settle(conn, topic, 20)
    assert _told(conn)[-1] == ("operator unsigned bucket", True)


_seen = st.lists(
    st.sampled_from([f"{kind} npm {each}" for kind in sorted(SEEN) for each in "ab"]), unique=True
)


@SHARED
@given(st.lists(_seen, max_size=8))
def test_messages_open_and_close_in_turn(fresh: Fresh, looks: list[list[str]]) -> None:
    """No incident is opened twice, nor closed before it was opened."""
    with fresh() as conn:
        for number, topics in enumerate(looks):
            now = 10_000 * number
            found = [
                Condition(topic, kind, 0, "")
                for topic in topics
                for kind in SEEN
                if topic.startswith(kind)
            ]
            conditions.reconcile(conn, found, now)
            assert {each.topic for each in conditions.load(conn)} == set(topics)
        told = _told(conn)
    for topic in {name for name, _ in told}:
        ends = [over for name, over in told if name == topic]
        assert ends == [bool(place % 2) for place in range(len(ends))]
