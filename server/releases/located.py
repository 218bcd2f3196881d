"""Where a public version stands, as far as a finding tells it; asked for once a moment.

That another source shows the same head from some time on is told by no finding: it is no
change here, as it is in `server.releases.position`.
"""

import functools

import msgspec

from server.releases.ledger import Ledger
from server.releases.position import Position, locate


def located(
    version: str, method: str, channel: str, max_age_s: int, ledger: Ledger, now: int
) -> Position:
    """The position of a version in a channel, with when something of it changes that is told.

    Args:
        version: A public one.
        method: That installed it.
        channel: That it is compared with.
        max_age_s: How old a reading of the head may be, in seconds.
        ledger: What was public.
        now: Whole seconds since the epoch.
    """
    known = _positions(ledger, now)
    asked = version, method, channel, max_age_s
    if asked not in known:
        known[asked] = _locate(*asked, ledger, now)
    return known[asked]


@functools.lru_cache(maxsize=1)
def _positions(_ledger: Ledger, _now: int) -> dict[tuple[str, str, str, int], Position]:
    """What was asked for at a moment: a pass over a fleet asks for few positions very often."""
    return {}


def _locate(
    version: str, method: str, channel: str, max_age_s: int, ledger: Ledger, now: int
) -> Position:
    here = locate(version, method, channel, max_age_s, ledger, now)
    at = here.changes_at
    while at is not None:
        then = locate(version, method, channel, max_age_s, ledger, at)
        if _told(then) != _told(here):
            break
        at = then.changes_at
    return msgspec.structs.replace(here, changes_at=at)


def _told(position: Position) -> tuple[object, ...]:
    """What findings tell of a position."""
    head = position.head
    if head is None or position.place in {"head", "undecidable"}:
        return (position.place,)
    return position.place, head.version, position.replaced, position.checked
