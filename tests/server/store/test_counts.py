"""A count that is kept wrong is found by the recount."""

from sqlalchemy import text

from server.store import counts
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
    ):
        shop.write(lambda conn, damage=damage: conn.execute(text(damage)).close())  # type: ignore[misc]
    assert shop.read(lambda conn: list(counts.differences(conn))) == [
        "group default, match: 7 machines are counted, 1 are there",
        "group ghosts, drift: 2 machines are counted, 0 are there",
        "profile 1 in group default: 0 are counted, 1 are there",
    ]


def test_the_status_has_no_zeros(shop: Shop) -> None:
    """A standing that nobody has any more is left out."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD))
    assert shop.read(counts.standings) == {("default", "match"): 1}
