"""Logs: one JSON object a line on standard error, one event per notable thing.

What is logged is chosen where it is logged: events are fixed phrases, values are ids,
counts, states and reasons. Nothing logs a request's header or body, so a token has no way
in. A check-in is not notable and logs nothing; refusals are counted and told once a minute,
so that a client in a loop cannot fill the disk.
"""

import logging
import sys
import threading
from collections import Counter

import structlog

from server.setting_values import LogLevel

REFUSALS_TOLD_EVERY_S = 60
"""Seconds between two lines that count the refused requests."""

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def configure(level: LogLevel) -> None:
    """Sends structlog's and the libraries' lines to standard error, as JSON.

    Args:
        level: Least severity that is written; libraries below ``warning`` never are.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(sort_keys=True),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(_LEVELS[level], logging.WARNING))
    logging.getLogger("server").setLevel(_LEVELS[level])
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


class Refusals:
    """Counts refused requests by status and path, to be told together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, status: int, route: str) -> None:
        """Counts one refusal of a route (a fixed pattern, never what a client sent)."""
        with self._lock:
            self._counts[f"{status} {route}"] += 1

    def tell(self) -> None:
        """Logs what was counted since the last call, if anything was."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if counts:
            structlog.get_logger("server.app").warning("requests refused", counts=dict(counts))
