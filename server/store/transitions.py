"""The rows of transitions: what changed, whether people are told of it or not."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert

from server.store.tables import transitions
from server.transitions import Transition


def record(conn: Connection, changes: Sequence[Transition]) -> None:
    """Writes transitions, in the transaction that caused them."""
    if changes:
        conn.execute(insert(transitions), [_row(each) for each in changes])


def _row(transition: Transition) -> dict[str, object]:
    return {
        "kind": transition.kind,
        "at": transition.at,
        "group_name": transition.group,
        "profile_id": transition.profile_id,
        "machine_id": transition.machine_id,
        "before": transition.before,
        "after": transition.after,
        "cause": transition.cause,
        "machines": transition.machines,
        "away_s": transition.away_s,
    }
