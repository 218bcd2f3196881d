"""Notes that the server listens, and sees when its clock was set back.

It beats with the job that lets machines fall silent, and before that looks at any: after a
stop, or a sleep, the gap is known before it could be taken for everybody's silence. Where the
clock was set back every timer lies too late, and all machines are looked at again.
"""

from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from server.current import Current
from server.store import rings, uptime
from server.store.following import renumber
from server.store.uptime import SET_BACK_S, Noted
from server.store.writer import Writer
from server.uptime import NOTED_EVERY_S

_log = structlog.stdlib.get_logger("server.heartbeat")


class Heartbeat:
    """Looks after `Current.listened`.

    Args:
        writer: For the notes.
        current: Where the spans are swapped.
        clock: The server's clock, in whole seconds since the epoch.
    """

    def __init__(self, writer: Writer, current: Current, clock: Callable[[], int]) -> None:
        self._writer = writer
        self._current = current
        self._clock = clock
        self._noted_at: int | None = None

    def beat(self) -> bool:
        """Notes that the server listens, if it is time to.

        Returns:
            Whether the clock was set back: what was to happen by time is to be asked anew.

        Raises:
            StoreError: The database could not keep it.
        """
        now = self._clock()
        if self._noted_at is not None and -SET_BACK_S <= now - self._noted_at < NOTED_EVERY_S:
            return False
        noted = self._writer.run(lambda conn: _note(conn, now)).result()
        self._current.listened = noted.spans
        self._noted_at = now
        if noted.was_set_back:
            _log.warning("the clock was set back", to=now)
        return noted.was_set_back


def _note(conn: Connection, now: int) -> Noted:
    noted = uptime.note(conn, now)
    renumber(conn, "listened")
    if noted.was_set_back:
        rings.ask(conn)
    return noted
