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


def ever_named(conn: Connection, name: str) -> str:
    """As `named`; where no live machine has the label, the one that left with it last.

    Raises:
        StoreError: There never was one.
    """
    return (
        read.machine_named(conn, name) or read.machine_once_named(conn, name) or named(conn, name)
    )


def unknown(name: str) -> StoreError:
    """What is said where there is no such machine."""
    return StoreError(
        f"there is no machine {shown.cell(name)!r}, or it has left",
        advice="see parity-server machines list",
    )
