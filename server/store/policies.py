"""Every load of the operator's policy file: what it said, and whether it was taken.

The latest load that was not refused is what is in force, so that commands beside the server,
and a server that starts while its file has a mistake, go by the same policies. Rows are only
added; the same load twice in a row is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from agent.digest import of_bytes
from server import policy_file
from server.errors import StoreError
from server.policy import Policies
from server.policy_file import FILE_MAX_BYTES, PolicyError
from server.store.tables import policy_loads

BUILT_IN = "the defaults"
"""Origin of the policies of a server that no file was named to."""


@dataclass(frozen=True)
class Load:
    """One load.

    Attributes:
        at: When, in whole seconds since the epoch.
        origin: The file as the settings name it, or `BUILT_IN`.
        digest: Of its bytes.
        body: Its text; what is no text is replaced.
        error: Why it was refused; None if it was taken.
    """

    at: int
    origin: str
    digest: str
    body: str
    error: str | None = None

    @property
    def is_file(self) -> bool:
        """Whether it came from a file."""
        return self.origin != BUILT_IN


def load_of(data: bytes, origin: str, at: int, error: str | None = None) -> Load:
    """A load of some bytes, as it is kept."""
    text = data[:FILE_MAX_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd")
    return Load(at, origin, of_bytes(data), text, error)


def record(conn: Connection, load: Load) -> bool:
    """Keeps a load, unless it only repeats the one before.

    Returns:
        Whether it was kept.
    """
    last = next(iter(loads(conn, 1)), None)
    if last is not None and _same(last) == _same(load):
        return False
    values = {"at": load.at, "origin": load.origin, "digest": load.digest, "body": load.body}
    conn.execute(insert(policy_loads).values(**values, error=load.error))
    return True


def loads(conn: Connection, limit: int) -> Sequence[Load]:
    """The latest loads, newest first."""
    query = _LOADS.order_by(policy_loads.c.id.desc()).limit(limit)
    return [_load(row) for row in conn.execute(query)]


def accepted(conn: Connection) -> Load | None:
    """The latest load that was not refused; None before the first one."""
    taken = _LOADS.where(policy_loads.c.error.is_(None))
    row = conn.execute(taken.order_by(policy_loads.c.id.desc()).limit(1)).first()
    return _load(row) if row else None


def stated(load: Load | None) -> Policies:
    """The policies that a load states; the defaults where there is none, or no file.

    Raises:
        PolicyError: This version of the server no longer takes what an older one took.
    """
    if load is None or not load.is_file:
        return Policies()
    return policy_file.read(load.body.encode(), load.origin)


def in_force(conn: Connection) -> Policies:
    """The policies that a server on this database goes by.

    Raises:
        PolicyError: This version of the server no longer takes what an older one took.
    """
    return stated(accepted(conn))


def followed(conn: Connection) -> Policies:
    """The same, for a server that goes by what another one recorded.

    Raises:
        StoreError: This version of the server does not take it.
    """
    try:
        return in_force(conn)
    except PolicyError as error:
        raise StoreError(
            f"this version of the server does not take the policy in force: {error}",
            advice="upgrade this server, or state the policy as it reads it",
        ) from error


_LOADS = select(
    policy_loads.c.at,
    policy_loads.c.origin,
    policy_loads.c.digest,
    policy_loads.c.body,
    policy_loads.c.error,
)


def _load(row: Row[*tuple[Any, ...]]) -> Load:
    return Load(*row)


def _same(load: Load) -> tuple[str, str, str | None]:
    return load.origin, load.digest, load.error
