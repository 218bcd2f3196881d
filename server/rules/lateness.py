"""How late a copy is whose build users no longer get: `pending` for a while, then `drift`. Pure.

The time runs from when the build was replaced, not from the present head's publication, so
releases that a laptop skips never restart it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from server.releases.ledger import Replaced


@dataclass(frozen=True)
class Lateness:
    """How late a copy is at one moment.

    Attributes:
        severity: ``pending`` until the deadline, ``drift`` from it on.
        since: When its build was replaced; None where nothing tells.
        deadline: When the time that it is given ends; None where nothing tells.
        estimated: `since` lies before the first reading of what was public.
    """

    severity: Literal["pending", "drift"]
    since: int | None = None
    deadline: int | None = None
    estimated: bool = False

    @property
    def changes_at(self) -> int | None:
        """When time alone makes it worse."""
        return self.deadline if self.severity == "pending" else None


UNDATED = Lateness("drift")
"""Of a build that users no longer get, and nothing tells since when: it has no time left."""


def lateness(replaced: Replaced | None, tolerance_s: int, now: int) -> Lateness:
    """How late a copy is.

    Args:
        replaced: When its build was; None where nothing tells.
        tolerance_s: How long it may stay, in seconds.
        now: Whole seconds since the epoch.
    """
    if replaced is None:
        return UNDATED
    deadline = replaced.at + tolerance_s
    severity: Literal["pending", "drift"] = "drift" if now >= deadline else "pending"
    return Lateness(severity, replaced.at, deadline, replaced.estimated)


def moment(replaced: Replaced | None) -> str | None:
    """When a build was replaced, for a sentence; mostly that is older than the finding."""
    if replaced is None:
        return None
    day = datetime.fromtimestamp(replaced.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"{'about ' if replaced.estimated else ''}{day}"
