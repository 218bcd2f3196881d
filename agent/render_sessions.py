"""Running sessions as lines of text. Pure."""

from collections.abc import Iterable
from pathlib import PurePath

from agent.text import plain, rows_of
from agent.wire import Session

Place = tuple[PurePath, str]
"""The program of a process, and the surface from which it was started."""

Ran = tuple[Session, tuple[Place, ...]]
"""A build that is told, and each process that executes it now."""


def running(sessions: Iterable[Ran]) -> list[str]:
    """Each build that sessions run, with the files and surfaces that they were started from.

    Args:
        sessions: As told; one that no process executes any more has ended a while ago.
    """
    ordered = sorted(sessions, key=_order)
    if not ordered:
        return []
    head = ("VERSION", "BYTES", "FILE", "PROCESSES")
    told, *rows = rows_of(head, [_row(*each) for each in ordered])
    for (_, places), lines in zip(ordered, rows, strict=True):
        told += lines
        told += [f"    {plain(path)} ({surface})" for path, surface in sorted(set(places))]
    return ["RUNNING SESSIONS", *told]


def _row(session: Session, places: tuple[Place, ...]) -> tuple[str, ...]:
    build = session.build
    return (
        (build.version if build else None) or "?",
        f"sha256 {build.sha256[:12]}" if build else session.reason or "not examined",
        session.file,
        str(len(places)) if places else "ended",
    )


def _order(ran: Ran) -> tuple[bool, tuple[str, ...]]:
    return (not ran[1], _row(*ran))
