"""A count that is kept wrong is found by the recount."""

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from agent.wire import Standing
from server.store import counts
from tests.server.databases import SHARED, Fresh
from tests.server.shop import HEAD, Shop, profile


def test_every_wrong_number_is_one_sentence(shop: Shop) -> None:
    """Of standings and of verdicts; none when all is right."""
    shop.enrol("anna").tell(profile(HEAD))
    shop.enrol("ben")
    assert shop.read(lambda conn: list(counts.differences(conn))) == []
    for damage in (
        "UPDATE counts SET machines = 7 WHERE standing = 'match'",
        "INSERT INTO counts VALUES ('ghosts', 'drift', 2)",
        "UPDATE verdicts SET machines = 0",
        "UPDATE count_log SET machines = 4 WHERE standing = 'unknown'",
    ):
        shop.write(lambda conn, damage=damage: conn.execute(text(damage)).close())  # type: ignore[misc]
    assert shop.read(lambda conn: list(counts.differences(conn))) == [
        "group default, match: 7 machines are counted, 1 are there",
        "group ghosts, drift: 2 machines are counted, 0 are there",
        "profile 1 in group default: 0 are counted, 1 are there",
        "group default, match: 7 are counted, the log of counts ends with 1",
        "group default, unknown: 1 are counted, the log of counts ends with 4",
        "group ghosts, drift: 2 are counted, the log of counts ends with 0",
    ]


def test_the_status_has_no_zeros(shop: Shop) -> None:
    """A standing that nobody has any more is left out."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD))
    assert shop.read(counts.standings) == {("default", "match"): 1}


def _before(minute: int, said: list[tuple[int, int]]) -> int:
    return [number for at, number in said if at < minute][-1]


_changes = st.lists(
    st.tuples(st.integers(-90, 200), st.sampled_from(["match", "drift"]), st.integers(1, 3)),
    min_size=1,
    max_size=12,
)


@SHARED
@given(changes=_changes)
def test_the_log_knows_every_full_minute(
    fresh: Fresh, changes: list[tuple[int, Standing, int]]
) -> None:
    """As a model that writes every number down; the log ends with the numbers themselves.

    A clock that is set back takes back what was written of the minutes that come again.
    """
    model: dict[Standing, list[tuple[int, int]]] = {}
    now = 600_000
    with fresh() as conn:
        for passed, standing, number in changes:
            now += passed
            counts.count(conn, "default", standing, number, now)
            said = model.setdefault(standing, [(0, 0)])
            total = said[-1][1] + number
            model[standing] = [*(each for each in said if each[0] <= now), (now, total)]
        for minute in range(600_000 - 1200, now + 180, counts.MINUTE_S):
            told = {
                ("default", standing): _before(minute, said) for standing, said in model.items()
            }
            assert counts.at_minute(conn, minute) == {key: n for key, n in told.items() if n}
        assert not [each for each in counts.differences(conn) if "the log" in each]
