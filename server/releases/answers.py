"""What several sources' words on one version amount to. Pure.

A version was "never public" only if every source that can be asked says so, and one at
least. A source that failed just now may know it, unless all had said so the last time: a
short outage takes nothing back. One that has not answered for long, or ever, or that by
its nature cannot tell, is no evidence of anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from server.releases.ledger import Lookup, Outcome

EVIDENCE_KEPT_S = 6 * 3600
"""How long a source that fails is still waited for, in seconds since it last answered."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One source's word on one version.

    Attributes:
        source: Its name.
        says: ``found``, ``absent``, ``failed`` (it could not tell this time) or ``mute`` (it
            has no word on it: no evidence).
        reason: Why it could not tell.
    """

    source: str
    says: Literal["found", "absent", "failed", "mute"]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a look-up found.

    Attributes:
        outcome: ``found``, ``absent`` or ``failed``.
        reason: Why it failed, or who says that there is none.
    """

    outcome: Outcome
    reason: str | None = None


def fold(votes: Iterable[Vote], before: Lookup | None = None) -> Answer:
    """The answer to a look-up.

    Args:
        votes: One of each source.
        before: The look-up with the answer that it had so far, if any.
    """
    said: dict[str, list[Vote]] = {"found": [], "absent": [], "failed": [], "mute": []}
    for vote in votes:
        said[vote.says].append(vote)
    if said["found"]:
        # What could not be learnt of a version that exists is tried again, not forgotten.
        return Answer("failed", _reasons(said["failed"])) if said["failed"] else Answer("found")
    if said["failed"]:
        if before is not None and before.outcome == "absent":
            return Answer("absent", before.reason)
        return Answer("failed", _reasons(said["failed"]))
    if said["absent"]:
        names = " and ".join(vote.source for vote in said["absent"])
        return Answer("absent", f"{names} {'have' if ' and ' in names else 'has'} no such version")
    return Answer("failed", _reasons(said["mute"]) or "no release source is set")


def unanswered(source: str, read_at: int | None, reason: str | None, now: int) -> Vote:
    """The word of a source that did not answer.

    Args:
        source: Its name.
        read_at: When it last answered.
        reason: Why it did not now.
        now: Seconds since the epoch.
    """
    waited_for = read_at is not None and now < read_at + EVIDENCE_KEPT_S
    return Vote(source, "failed" if waited_for else "mute", reason)


def _reasons(votes: list[Vote]) -> str:
    return "; ".join(f"{vote.source}: {vote.reason or 'it did not answer'}" for vote in votes)
