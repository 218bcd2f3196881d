"""Where the keys that releases are signed with are kept: rows of ``server_keys``.

Who reads a key checks it again; the table is a cache, not an authority.
"""

from sqlalchemy import Connection, Engine, select

from server.store.dialect import upsert
from server.store.engine import reading
from server.store.tables import server_keys
from server.store.writer import Writer

_PREFIX = "signing "  # the table holds the server's own secrets, too


class SigningKeys:
    """Kept keys by name.

    Args:
        engine: Reads.
        writer: Writes.
    """

    def __init__(self, engine: Engine, writer: Writer) -> None:
        self._engine = engine
        self._writer = writer

    def get(self, name: str) -> bytes | None:
        """A kept key; None where there is none."""
        query = select(server_keys.c.value).where(server_keys.c.name == _PREFIX + name)
        with reading(self._engine) as conn:
            return conn.execute(query).scalar_one_or_none()

    def put(self, name: str, value: bytes) -> None:
        """Keeps a key in place of what was kept under its name.

        Raises:
            StoreError: It cannot be written.
        """
        self._writer.run(lambda conn: _put(conn, _PREFIX + name, value)).result()


def _put(conn: Connection, name: str, value: bytes) -> None:
    statement = upsert(server_keys).values(name=name, value=value)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["name"], set_={"value": statement.excluded.value}
        )
    )
