"""Where a public version stands to the head of its channel. Pure."""

from itertools import permutations
from typing import Literal

import msgspec

from server.releases.ledger import Ledger, Reading, Replaced
from server.releases.versions import is_newer

Place = Literal["head", "behind", "ahead", "withdrawn", "undecidable"]


class Position(msgspec.Struct, frozen=True):
    """A version against the head that its own updater follows.

    Attributes:
        place: ``withdrawn`` if it was the head and the channel was moved back from it;
            ``undecidable`` where no head is shown, or its last reading is too old.
        head: The deciding head; None where no source shows the channel.
        replaced: When a version behind or withdrawn ceased to be the head; None where nothing
            tells.
        checked: For ``ahead``: a reading later than the laptop's report confirms it.
        changes_at: The moment at which time alone changes any of this.
    """

    place: Place
    head: Reading | None = None
    replaced: Replaced | None = None
    checked: bool = True
    changes_at: int | None = None


NOWHERE = Position("undecidable")
"""The place of everything in a channel that is not known."""


def locate(
    version: str, method: str, channel: str, max_age_s: int, ledger: Ledger, now: int
) -> Position:
    """Where `version`, installed by `method`, stands in a channel at `now`.

    Args:
        version: A public version.
        method: The install method: its updater follows a source of its own.
        channel: The pointer to compare with.
        max_age_s: How old the last reading of a head may be, in seconds.
        ledger: What was public.
        now: Whole seconds since the epoch.
    """
    here = _place(version, method, channel, max_age_s, ledger, now)
    later = (at for at in _turns(channel, max_age_s, ledger) if at > now)
    changes_at = next(
        (at for at in later if _place(version, method, channel, max_age_s, ledger, at) != here),
        None,
    )
    return msgspec.structs.replace(here, changes_at=changes_at)


def _turns(channel: str, max_age_s: int, ledger: Ledger) -> list[int]:
    """Every moment at which a place can change by time alone, ascending."""
    heads = ledger.heads(channel)
    stale = [head.last_seen + max_age_s for head in heads]
    agreed = [ledger.differ_until(first, other) for first, other in permutations(heads, 2)]
    return sorted({*stale, *agreed})


def _place(
    version: str, method: str, channel: str, max_age_s: int, ledger: Ledger, now: int
) -> Position:
    heads = ledger.heads_for(method, channel, now)
    fresh = [head for head in heads if now < head.last_seen + max_age_s]
    if not fresh:
        return Position("undecidable", head=heads[0] if heads else None)
    head = fresh[0]
    if any(version == each.version for each in fresh):
        return Position("head", head)
    if not is_newer(version, head.version):
        return Position("behind", head, ledger.replaced(version, head))
    left = ledger.left(version, head)
    if left is not None:
        return Position("withdrawn", head, left)
    return Position("ahead", head, checked=_checked(version, head, ledger))


def _checked(version: str, head: Reading, ledger: Ledger) -> bool:
    """Whether the head was read after the first report of this number.

    Whether it was read after the report of one particular laptop, `server.standing` asks.
    """
    lookup = ledger.lookup(version)
    return (
        lookup is not None
        and lookup.answered_at is not None
        and head.last_seen >= (lookup.first_asked_at or lookup.asked_at)
    )
