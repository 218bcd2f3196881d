"""Keeps the policies in force up with the operator's file, and says so when it cannot.

Of several servers on one database the leading one loads its file; all others go by what it
recorded, and say once if they have another file: it would be loaded as soon as they lead.

The file is read at each look, whole: it is small, and neither its time nor its size tells of
every change. What was read is taken only when the next look reads the same, so that a file
caught while it is written, or between being taken away and put back, changes nothing.

What cannot be used is recorded with the reason and becomes one incident for the operator; the
policies before it stay in force, also over a restart. They are swapped on the writer's thread,
after the commit that records them.
"""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import Connection, Engine, select

from agent.digest import of_bytes
from server import policy_file
from server.alerts.outbox import end_operator, tell_operator
from server.current import Current
from server.errors import ServerError
from server.policy import Policies
from server.policy_file import FILE_MAX_BYTES, PolicyError
from server.store import policies, rings
from server.store.engine import reading
from server.store.following import renumber
from server.store.policies import BUILT_IN, Load, load_of
from server.store.tables import counts
from server.store.writer import Writer

TOPIC = "policy"
"""Of the operator's incident while the file cannot be used."""

_log = structlog.stdlib.get_logger("server.policy")


class UnreadableError(ServerError):
    """The policy file cannot be read."""


def read_bytes(path: Path) -> bytes:
    """The bytes of a policy file, and no more than one beyond what it may have.

    Raises:
        UnreadableError: It is missing, not a file, or may not be read.
    """
    try:
        # A pipe in its place must not hold up who looks.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(number, "rb") as stream:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise _unreadable(path, "it is no file")
            return stream.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error


@dataclass(frozen=True)
class _Seen:
    """What a look found.

    Attributes:
        data: The bytes of the file.
        error: Why there are none.
    """

    data: bytes = b""
    error: UnreadableError | None = None

    def is_same(self, other: "_Seen | None") -> bool:
        """Whether another look found nothing else."""
        return other is not None and (self.data, str(self.error)) == (other.data, str(other.error))


class PolicyWatch:
    """Looks after `Current.policies`.

    Args:
        path: The file; None for a server that goes by the defaults.
        writer: Records what was loaded.
        current: Where policies are swapped.
        clock: The server's clock, in whole seconds since the epoch.
    """

    def __init__(
        self, path: Path | None, writer: Writer, current: Current, clock: Callable[[], int]
    ) -> None:
        self._path = path
        self._writer = writer
        self._current = current
        self._clock = clock
        self._last: _Seen | None = None
        self._taken: _Seen | None = None
        self._differs: tuple[str | None, _Seen] | None = None

    def start(self, engine: Engine, *, leads: bool = True) -> None:
        """Loads the file before anything is judged; where it cannot be used, the last good one.

        Args:
            engine: For reading what was loaded before.
            leads: Whether this server leads; else it goes by what was recorded in any case.

        Raises:
            UnreadableError: It leads, the file cannot be read, and none was ever loaded here.
            PolicyError: It leads, the file cannot be used, and none was ever loaded here.
            StoreError: It does not lead, and does not take what was recorded.
        """
        if not leads:
            with reading(engine) as conn:
                self._current.policies = policies.followed(conn)
            self.compare(engine)
            return
        with reading(engine) as conn:
            before = policies.accepted(conn)
        known = _stated(before)
        self._current.policies = known or Policies()
        seen = self._look_at()
        try:
            stated = self._read(seen)
        except (UnreadableError, PolicyError) as error:
            if before is None or not before.is_file or known is None:
                raise
            self._refuse(seen, error)
        else:
            self._take(seen, stated)
            if known is None:
                self._writer.run(rings.ask).result()
        self._last = self._taken = seen

    def look(self) -> bool:
        """Loads the file if it changed, and has been the same for two looks.

        Returns:
            Whether verdicts could depend on it.

        Raises:
            StoreError: The database could not keep it.
        """
        seen, last = self._look_at(), self._last
        self._last = seen
        if seen.is_same(self._taken) or not seen.is_same(last):
            return False
        try:
            stated = self._read(seen)
        except (UnreadableError, PolicyError) as error:
            self._refuse(seen, error)
            changed = False
        else:
            changed = self._take(seen, stated)
        self._taken = seen
        return changed

    def compare(self, engine: Engine) -> None:
        """Looks, for a server that does not lead, whether it would load something else.

        Args:
            engine: For reading what the leading one loaded.

        Raises:
            StoreError: It cannot be read.
        """
        self._last = self._taken = None  # whoever begins to lead loads its file
        seen = self._look_at()
        with reading(engine) as conn:
            taken = policies.accepted(conn)
        theirs = taken.digest if taken else None
        told = None if theirs in {None, of_bytes(seen.data)} else (theirs, seen)
        if told is not None and told != self._differs:
            _log.warning("another policy file is in force", file=self._origin, digest=theirs)
        self._differs = told

    @property
    def _origin(self) -> str:
        return str(self._path) if self._path else BUILT_IN

    def _look_at(self) -> _Seen:
        if self._path is None:
            return _Seen()
        try:
            return _Seen(read_bytes(self._path))
        except UnreadableError as error:
            return _Seen(error=error)

    def _read(self, seen: _Seen) -> Policies:
        if self._path is None:
            return Policies()
        if seen.error is not None:
            raise seen.error
        return policy_file.read(seen.data, self._origin)

    def _refuse(self, seen: _Seen, error: ServerError) -> None:
        now, reason = self._clock(), str(error)
        load = load_of(seen.data, self._origin, now, reason)
        self._writer.run(lambda conn: _keep_refused(conn, load)).result()
        _log.error("policy refused", file=self._origin, reason=reason)

    def _take(self, seen: _Seen, stated: Policies) -> bool:
        now = self._clock()
        load = load_of(seen.data, self._origin, now)
        before = self._current.policies
        groups = self._writer.run(lambda conn: _keep(conn, load, before, stated)).result()
        if stated == before:
            return False
        self._writer.run(lambda conn: self._swap(conn, stated, groups)).result()
        _log.info("policy loaded", file=self._origin, digest=load.digest)
        return True

    def _swap(self, conn: Connection, stated: Policies, groups: frozenset[str]) -> None:
        self._current.policies = stated
        # Once more: between the two commits a machine may have been stood by the old policies.
        _look_again(conn, groups)


def _stated(load: Load | None) -> Policies | None:
    """The policies that were in force; None where this version does not take them."""
    try:
        return policies.stated(load)
    except PolicyError:
        return None


def _keep_refused(conn: Connection, load: Load) -> None:
    policies.record(conn, load)
    text = f"The policy file is refused, and the policy before it stays in force: {load.error}."
    tell_operator(conn, TOPIC, text, load.at)


def _keep(conn: Connection, load: Load, before: Policies, stated: Policies) -> frozenset[str]:
    """Records a load that is taken.

    Returns:
        The groups in which time works otherwise than before, whose machines are looked at again.
    """
    known = conn.execute(select(counts.c.group_name).distinct()).scalars()
    groups = frozenset(each for each in known if _times(before, each) != _times(stated, each))
    if policies.record(conn, load):
        renumber(conn, "policies")
    end_operator(conn, TOPIC, f"The policy of {load.origin} is in force.", load.at)
    _look_again(conn, groups)
    return groups


def _look_again(conn: Connection, groups: frozenset[str]) -> None:
    if groups:
        rings.ask(conn, groups)


def _times(stated: Policies, group: str) -> tuple[int, int]:
    policy = stated.of(group)
    return policy.silent_after_s, policy.enrolled_grace_s


def _unreadable(path: Path, why: str) -> UnreadableError:
    return UnreadableError(
        f"cannot read the policy file {path}: {why}",
        advice="put it there and make it readable for this user, or name another file",
    )
