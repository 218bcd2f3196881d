"""Where a public version stands to the head of its channel. Pure."""

from dataclasses import dataclass
from typing import Literal

from server.policy import GroupPolicy
from server.releases.ledger import SOURCES_DIFFER_S, Ledger, Reading, Replaced, is_newer

Place = Literal["head", "behind", "ahead", "undecidable"]


@dataclass(frozen=True)
class Position:
    """A version against the head that its own updater follows.

    Attributes:
        place: ``undecidable`` where no head is shown, or its last reading is too old.
        head: The deciding head; None where no source shows the channel.
        replaced: When a version behind ceased to be the head; None where nothing tells.
        checked: For ``ahead``: a reading later than the laptop's report confirms it.
        changes_at: When time alone changes the place.
    """

    place: Place
    head: Reading | None = None
    replaced: Replaced | None = None
    checked: bool = True
    changes_at: int | None = None


def locate(version: str, method: str, policy: GroupPolicy, ledger: Ledger, now: int) -> Position:
    """Where `version`, installed by `method`, stands in the policy's channel at `now`."""
    heads = ledger.heads_for(method, policy.channel, now)
    fresh = [head for head in heads if now < head.last_seen + policy.head_max_age_s]
    if not fresh:
        return Position("undecidable", head=heads[0] if heads else None)
    head = fresh[0]
    stale_at = max(each.last_seen for each in fresh) + policy.head_max_age_s
    if version == head.version:
        return Position("head", head, changes_at=head.last_seen + policy.head_max_age_s)
    if any(version == other.version for other in fresh):
        return Position("head", head, changes_at=_differing_until(version, fresh, policy))
    if is_newer(version, head.version):
        return Position("ahead", head, checked=_checked(version, head, ledger), changes_at=stale_at)
    return Position("behind", head, ledger.replaced(version, head), changes_at=stale_at)


def _differing_until(version: str, fresh: list[Reading], policy: GroupPolicy) -> int:
    first = fresh[0]
    other = next(head for head in fresh if head.version == version)
    ends = max(first.first_seen, other.first_seen) + SOURCES_DIFFER_S
    return min(ends, *(head.last_seen + policy.head_max_age_s for head in (first, other)))


def _checked(version: str, head: Reading, ledger: Ledger) -> bool:
    """Whether the head was read after the laptop's number was first asked about."""
    lookup = ledger.lookup(version)
    return (
        lookup is not None
        and lookup.answered_at is not None
        and (head.last_seen >= lookup.asked_at)
    )
