"""What views are made of, where it depends on what is kept of the past."""

from pathlib import Path

from server.store import kept
from server.views.api import facts
from tests.server.shop import DAY, HEAD, NOW, Shop, profile


def test_days_of_builds_are_told_from_where_they_are_kept(tmp_path: Path) -> None:
    """Not before the first one, nor before what was let go; today always."""
    shop = Shop(tmp_path)
    today = NOW // DAY

    def told(days: int) -> tuple[int, int]:
        seen = shop.read(lambda conn: facts.versions(conn, shop.current, days, shop.now, None))
        return seen.since // DAY, max((len(each.days) for each in seen.versions), default=0)

    assert told(7) == (today, 0)
    shop.enrol("anna").tell(profile(HEAD))
    shop.now += 5 * DAY
    assert told(9) == (today, 6)
    assert told(2) == (today + 4, 2)
    shop.write(lambda conn: kept.move(conn, "shares", (today + 3) * DAY))
    assert told(9) == (today + 3, 3)
    shop.write(lambda conn: kept.move(conn, "shares", (today + 30) * DAY))
    assert told(9) == (today + 5, 1)
    shop.close()
