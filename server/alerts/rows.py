"""A row of the outbox as a value, and the reasons that decide what becomes of one. Pure."""

from dataclasses import dataclass

HELD = "beyond the hourly limit: counted in another message"
"""Reason of a row that waits to be, or was, only counted in another one's message."""

NO_DESTINATION = "no destination"
"""Reason of a row that fell due while nothing was configured to send it to."""


@dataclass(frozen=True)
class Row:
    """One row of the outbox.

    Attributes:
        id: Grows with every row; 0 before it is written.
        topic: What it is about.
        told: ``drifted``, ``healed``, ``unknown`` or ``operator``.
        body: JSON, by `server.alerts.bodies`.
        created_at: When it was written, in whole seconds since the epoch.
        attempts: How often it was taken.
        reason: Why it was not sent at the last attempt, or `HELD`.
    """

    id: int
    topic: str
    told: str
    body: str
    created_at: int
    attempts: int = 0
    reason: str | None = None
