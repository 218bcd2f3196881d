"""What is true now, for a command beside a server: all of it stands in the database."""

from sqlalchemy import Connection

from server.current import Current
from server.store import policies, public, references, uptime


def current_of(conn: Connection) -> Current:
    """The ledger, policies, references and uptime that a server on this database goes by.

    Raises:
        PolicyError: This version no longer takes the policies that an older one took.
    """
    return Current(
        public.load_ledger(conn),
        policies.in_force(conn),
        references.load(conn),
        uptime.load(conn),
    )
