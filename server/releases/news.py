"""Whether a verdict could differ under a newer ledger. Pure.

Heads are read every few minutes and mostly say the same: then nothing is judged again.
"""

from server.releases.ledger import Ledger, Reading
from server.releases.runs import GONE_S, LATE_S, is_left

GAP_S = 900
"""A head read again after so long, in seconds, may have been too old to decide by."""


def is_news(before: Ledger, after: Ledger) -> bool:
    """Whether `after` says something that a verdict made under `before` could depend on."""
    return (
        _listed(before) != _listed(after)
        or before.files() != after.files()
        or _answers(before) != _answers(after)
        or _left(before) != _left(after)
        or _heads_tell_more(before, after)
    )


def _listed(ledger: Ledger) -> frozenset[object]:
    return frozenset(ledger.releases())


def _answers(ledger: Ledger) -> frozenset[object]:
    # A question alone changes nothing: without an answer, "being looked up" holds already.
    return frozenset(
        (item.version, item.answered_at, item.outcome, item.reason)
        for item in ledger.lookups()
        if item.answered_at is not None
    )


def _left(ledger: Ledger) -> frozenset[tuple[str, str, int]]:
    """The heads that decide no longer, since another source is read and theirs is not."""
    return frozenset(
        (head.source, head.channel, after_s)
        for head in ledger.heads()
        for after_s in (LATE_S, GONE_S)
        if is_left(head, ledger.heads(head.channel), after_s)
    )


def _heads_tell_more(before: Ledger, after: Ledger) -> bool:
    old = {(head.source, head.channel): head for head in before.heads()}
    # When it was asked first: asked again, only the one laptop that asks looks at it again.
    asked = [item.first_asked_at or item.asked_at for item in after.lookups()]
    return any(
        _tells_more(old.get((head.source, head.channel)), head, asked) for head in after.heads()
    )


def _tells_more(old: Reading | None, new: Reading, asked: list[int]) -> bool:
    if old is None or old.version != new.version or old.first_seen != new.first_seen:
        return True
    if new.last_seen - old.last_seen >= GAP_S:
        return True
    # A build newer than the head is only `pending` until a reading later than its report.
    return any(old.last_seen < at <= new.last_seen for at in asked)
