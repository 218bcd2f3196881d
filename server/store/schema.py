"""Which schema a database has, and which this code knows; looked at without loading Alembic.

A step's file begins with its revision, and the names sort in the order of the steps.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

MIGRATIONS = Path(__file__).with_name("migrations")
"""Alembic's folder: its environment and, in ``versions``, the steps."""


def known() -> tuple[str, ...]:
    """The revisions that this code knows, oldest first."""
    steps = (MIGRATIONS / "versions").glob("[0-9]*.py")
    return tuple(sorted(step.stem.partition("_")[0] for step in steps))


def newest() -> str:
    """The revision that this code works with."""
    return known()[-1]


def revision(conn: Connection) -> str | None:
    """The revision that a database says it has; None where it says none."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    found: str | None = conn.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
