"""A person's dated permission for one machine to differ. Pure.

A waiver covers the findings of one rule, or one subject of it, until it ends; nothing renews
it. What it covers is still told, as `exempt`, with the waiver's end.
"""

from dataclasses import dataclass

from agent.wire import FindingView

WAIVER_MAX_S = 90 * 86_400
"""Longest waiver, in seconds: longer ones are forgotten rather than meant."""


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
