"""Running sessions as lines of text. Pure."""

from collections.abc import Iterable
from pathlib import PurePath

from agent.text import plain, table
from agent.wire import Session

Ran = tuple[Session, tuple[PurePath, ...]]
"""A build that is told, and the program of each process that executes it now."""


def running(sessions: Iterable[Ran]) -> list[str]:
    """Each build that sessions run, with the files that they were started from.

    Args:
        sessions: As told; one that no process executes any more has ended a while ago.
    """
    ordered = sorted(sessions, key=_order)
    if not ordered:
        return []
    head = ("VERSION", "BYTES", "FILE", "PROCESSES")
    lines = table(head, [_row(*each) for each in ordered])
    told = [lines[0]]
    for (_, programs), line in zip(ordered, lines[1:], strict=True):
        told.append(line)
        told += [f"    {plain(path)}" for path in sorted(set(programs))]
    return ["RUNNING SESSIONS", *told]


def _row(session: Session, programs: tuple[PurePath, ...]) -> tuple[str, ...]:
    build = session.build
    return (
        (build.version if build else None) or "?",
        f"sha256 {build.sha256[:12]}" if build else session.reason or "not examined",
        session.file,
        str(len(programs)) if programs else "ended",
    )


def _order(ran: Ran) -> tuple[bool, tuple[str, ...]]:
    return (not ran[1], _row(*ran))
