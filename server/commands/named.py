"""The machine that a command names, by its id or by its label."""

from sqlalchemy import Connection

from server import shown
from server.errors import StoreError
from server.store import read


def named(conn: Connection, name: str) -> str:
    """The id of the machine with this id, or of the live one with this label.

    Raises:
        StoreError: There is none.
    """
    identifier = read.machine_named(conn, name)
    if identifier is None:
        raise unknown(name)
    return identifier


def unknown(name: str) -> StoreError:
    """What is said where there is no such machine."""
    return StoreError(
        f"there is no machine {shown.cell(name)!r}, or it has left",
        advice="see parity-server machines list",
    )
