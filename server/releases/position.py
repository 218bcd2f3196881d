"""Where a public version stands to the head of its channel. Pure."""

from itertools import permutations
from typing import Literal

import msgspec

from server.policy import GroupPolicy
from server.releases.ledger import Ledger, Reading, Replaced, is_newer

Place = Literal["head", "behind", "ahead", "undecidable"]


class Position(msgspec.Struct, frozen=True):
    """A version against the head that its own updater follows.

    Attributes:
        place: ``undecidable`` where no head is shown, or its last reading is too old.
        head: The deciding head; None where no source shows the channel.
        replaced: When a version behind ceased to be the head; None where nothing tells.
        checked: For ``ahead``: a reading later than the laptop's report confirms it.
        changes_at: The moment at which time alone changes any of this.
    """

    place: Place
    head: Reading | None = None
    replaced: Replaced | None = None
    checked: bool = True
    changes_at: int | None = None


def locate(version: str, method: str, policy: GroupPolicy, ledger: Ledger, now: int) -> Position:
    """Where `version`, installed by `method`, stands in the policy's channel at `now`."""
    here = _place(version, method, policy, ledger, now)
    later = (at for at in _turns(policy, ledger) if at > now)
    changes_at = next(
        (at for at in later if _place(version, method, policy, ledger, at) != here), None
    )
    return msgspec.structs.replace(here, changes_at=changes_at)


def _turns(policy: GroupPolicy, ledger: Ledger) -> list[int]:
    """Every moment at which a place can change by time alone, ascending."""
    heads = ledger.heads(policy.channel)
    stale = [head.last_seen + policy.head_max_age_s for head in heads]
    agreed = [ledger.differ_until(first, other) for first, other in permutations(heads, 2)]
    return sorted({*stale, *agreed})


def _place(version: str, method: str, policy: GroupPolicy, ledger: Ledger, now: int) -> Position:
    heads = ledger.heads_for(method, policy.channel, now)
    fresh = [head for head in heads if now < head.last_seen + policy.head_max_age_s]
    if not fresh:
        return Position("undecidable", head=heads[0] if heads else None)
    head = fresh[0]
    if any(version == each.version for each in fresh):
        return Position("head", head)
    if is_newer(version, head.version):
        return Position("ahead", head, checked=_checked(version, head, ledger))
    return Position("behind", head, ledger.replaced(version, head))


def _checked(version: str, head: Reading, ledger: Ledger) -> bool:
    """Whether the head was read after the laptop's number was first asked about."""
    lookup = ledger.lookup(version)
    return (
        lookup is not None
        and lookup.answered_at is not None
        and (head.last_seen >= lookup.asked_at)
    )
