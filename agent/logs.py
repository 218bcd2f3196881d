"""Logs: one JSON object a line, for machines to read and people to search.

What is logged is chosen where it is logged: events are fixed phrases, values are
digests, counts, states and reasons. Nothing logs a request's header or body, so a token
or a setting's value has no way in. The file is cut in two when it has grown large.
"""

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog

from agent.errors import SettingsError
from agent.settings import LogLevel, Settings

LOG_MAX_BYTES = 1_048_576
"""Size at which a log file is put aside as ``<name>.1``, in bytes; one old one is kept."""

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def configure_daemon(settings: Settings) -> None:
    """Logs to the settings' file, or to standard error.

    Raises:
        SettingsError: The file cannot be written.
    """
    _configure(settings.log_level, _handler(settings.log_file))


def configure_command(settings: Settings) -> None:
    """Logs to the settings' file, or nowhere: a person at a terminal is told otherwise.

    Raises:
        SettingsError: The file cannot be written.
    """
    file = settings.log_file
    _configure(settings.log_level, _handler(file) if file else logging.NullHandler())


def _configure(level: LogLevel, handler: logging.Handler) -> None:
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
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
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(max(_LEVELS[level], logging.WARNING))
    logging.getLogger("agent").setLevel(_LEVELS[level])
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _handler(file: Path | None) -> logging.Handler:
    if file is None:
        return logging.StreamHandler(sys.stderr)
    try:
        return RotatingFileHandler(file, maxBytes=LOG_MAX_BYTES, backupCount=1, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"cannot write the log file {file}: {error.strerror}",
            advice="name another log_file, or make its folder writable",
        ) from error
