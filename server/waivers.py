"""A person's dated permission for one machine to differ. Pure.

A waiver covers the findings of one rule, or one subject of it, until it ends; nothing renews
it. What it covers is still told, as `exempt`, with the waiver's end.
"""

from collections.abc import Collection
from dataclasses import dataclass

from agent.wire import FindingView
from server.said import check_line, refused

WAIVER_MAX_S = 90 * 86_400
"""Longest waiver, in seconds: longer ones are forgotten rather than meant."""

REASON_MAX = 200
"""Longest reason, in characters."""

PERSON_MAX = 80
"""Longest name of a person, in characters."""

SUBJECT_MAX = 200
"""Longest subject, in characters."""


@dataclass(frozen=True)
class Waiver:
    """A permission to differ.

    Attributes:
        id: Names it in commands: 8 hex digits.
        code: The rule code whose findings it covers.
        subject: The one subject that it covers; None covers all of the code.
        reason: Why, as its giver wrote it.
        person: Who gave it.
        since: Since when it holds.
        until: From when on it no longer does: its end, or when it was taken back.
    """

    id: str
    code: str
    subject: str | None
    reason: str
    person: str
    since: int
    until: int

    def holds(self, now: int) -> bool:
        """Whether it holds at `now`."""
        return self.since <= now < self.until

    def covers(self, finding: FindingView) -> bool:
        """Whether a finding is one that it permits."""
        return finding.code == self.code and self.subject in {None, finding.subject}


def check(waiver: Waiver, codes: Collection[str]) -> None:
    """Looks whether a waiver can be given.

    Args:
        waiver: As it would hold from `Waiver.since` on.
        codes: The codes of all rules.

    Raises:
        RequestRefused: 422 no rule has its code; it has no person or no reason; it ends
            before it begins, or later than `WAIVER_MAX_S` afterwards.
    """
    if waiver.code not in codes:
        raise refused(
            "code", "no rule has this code", f"take one of these: {', '.join(sorted(codes))}"
        )
    check_line("reason", waiver.reason, REASON_MAX)
    check_line("person", waiver.person, PERSON_MAX)
    if waiver.subject is not None:
        check_line("subject", waiver.subject, SUBJECT_MAX)
    if waiver.until <= waiver.since:
        raise refused("until", "it would have ended already", "name a later end")
    if waiver.until - waiver.since > WAIVER_MAX_S:
        raise refused(
            "until",
            f"a waiver holds for {WAIVER_MAX_S // 86_400} days at most",
            "name an earlier end, and give it anew then if it is still meant",
        )
