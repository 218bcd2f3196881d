"""The public truth in the database: look-ups and the sources' health."""

from dataclasses import replace

import pytest
from sqlalchemy import Connection, update

from server.releases.health import SourceHealth
from server.releases.ledger import Lookup
from server.store import public
from server.store.public import WAITING_MAX, load_ledger
from server.store.tables import lookups


def test_an_empty_store_is_an_empty_ledger(conn: Connection) -> None:
    """Nothing read, nothing asked."""
    ledger = load_ledger(conn)
    assert (ledger.heads(), list(ledger.releases()), ledger.files()) == ((), [], frozenset())
    assert public.waiting(conn) == ()
    assert public.health(conn) == ()


def test_a_question_waits_until_it_is_answered(conn: Connection) -> None:
    """Asking again meanwhile changes nothing."""
    public.ask(conn, ["2.1.2", "2.1.1"], 10)
    public.ask(conn, ["2.1.1"], 20)
    first, second = public.waiting(conn)
    assert first == Lookup("2.1.1", 10, None, "waiting", first_asked_at=10)
    assert second.version == "2.1.2"
    public.answer(conn, "2.1.1", "absent", "npm has no such version", 30)
    assert [lookup.version for lookup in public.waiting(conn)] == ["2.1.2"]
    told = load_ledger(conn).lookup("2.1.1")
    assert told == Lookup("2.1.1", 10, 30, "absent", "npm has no such version", first_asked_at=10)


@pytest.mark.parametrize("again", [30, 31, 29])
def test_an_answered_question_can_be_asked_again(conn: Connection, again: int) -> None:
    """Also within the second of its answer, or by a clock set back; the answer holds on."""
    public.ask(conn, ["2.1.1"], 10)
    public.answer(conn, "2.1.1", "failed", "down", 30)
    public.ask(conn, ["2.1.1"], again)
    (lookup,) = public.waiting(conn)
    assert lookup.asked_at == max(again, 31)
    assert (lookup.outcome, lookup.answered_at) == ("failed", 30)
    public.answer(conn, "2.1.1", "found", None, again)
    assert public.waiting(conn) == ()


def test_when_it_was_asked_first_stays(conn: Connection) -> None:
    """However often it is asked again; also where only the last question was kept."""
    public.ask(conn, ["2.1.1"], 10)
    public.answer(conn, "2.1.1", "found", None, 20)
    public.ask(conn, ["2.1.1"], 30)
    (lookup,) = public.waiting(conn)
    assert (lookup.first_asked_at, lookup.asked_at) == (10, 30)
    conn.execute(update(lookups).values(first_asked_at=None, answered_at=30))
    public.ask(conn, ["2.1.1"], 40)
    (lookup,) = public.waiting(conn)
    assert (lookup.first_asked_at, lookup.asked_at) == (30, 40)


def test_a_repeated_question_that_is_taken_back_leaves_no_trace(conn: Connection) -> None:
    """The answer has its old time, and waits for nobody."""
    public.ask(conn, ["2.1.1", "2.1.2"], 10)
    public.answer(conn, "2.1.1", "found", None, 20)
    before = load_ledger(conn).lookup("2.1.1")
    public.ask(conn, ["2.1.1"], 30)
    for version in ("2.1.1", "2.1.2"):
        public.confirm(conn, version)
    after = load_ledger(conn).lookup("2.1.1")
    assert before is not None
    assert after == replace(before, asked_at=20)
    assert [each.version for each in public.waiting(conn)] == ["2.1.2"]


def test_only_so_many_questions_are_handed_out_at_a_time(conn: Connection) -> None:
    """The oldest first, so that none waits for ever."""
    public.ask(conn, (f"3.0.{patch}" for patch in range(WAITING_MAX)), 20)
    public.ask(conn, ["1.0.0"], 10)
    handed_out = public.waiting(conn)
    assert len(handed_out) == WAITING_MAX
    assert handed_out[0].version == "1.0.0"


def test_asking_for_nothing_writes_nothing(conn: Connection) -> None:
    """Most verdicts need no look-up."""
    public.ask(conn, frozenset(), 10)
    assert public.waiting(conn) == ()


def test_health_says_since_when(conn: Connection) -> None:
    """A state keeps its beginning for as long as it lasts."""
    assert public.mark_ok(conn, "npm", 10) is None
    assert public.mark_ok(conn, "npm", 20) == SourceHealth("npm", "ok", 10, read_at=10)
    public.mark_unreachable(conn, "npm", "down", 30)
    after = public.mark_unreachable(conn, "npm", "still down", 40)
    assert after == SourceHealth("npm", "unreachable", 30, read_at=20, error="still down")
    assert public.mark_ok(conn, "npm", 70) == after
    assert public.health(conn) == (SourceHealth("npm", "ok", 70, read_at=70),)


def test_a_source_that_never_answered_has_no_last_reading(conn: Connection) -> None:
    """And each source has a row of its own."""
    public.mark_unreachable(conn, "npm", "no registry", 10)
    public.mark_ok(conn, "bucket", 10)
    bucket, npm = public.health(conn)
    assert (bucket.state, npm.read_at) == ("ok", None)
