"""What a desktop is told of drift, and how often: once for each finding. Pure.

A finding is told when it becomes drift, and again only after it had gone and come back. What
is shown is short, and free of whatever a desktop could take for markup.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from agent.text import plain
from agent.wire import FindingView, MachineView

TEXT_MAX = 240
"""Most characters of a notification's text."""

TITLE = "Claude Code here is not what the public gets"
"""What every notification begins with."""

_HINT = "To mend it, run: parity-agent fix"
_MARKUP = str.maketrans("<>&", "   ")

Key = tuple[str, str]
"""What a finding is told by: its code and its subject."""


@dataclass(frozen=True)
class Notice:
    """What a desktop shows: two pieces of plain text.

    Attributes:
        title: One line.
        text: At most `TEXT_MAX` characters.
    """

    title: str
    text: str


@dataclass(frozen=True)
class Decision:
    """What follows from a word.

    Attributes:
        notice: What is shown now; None for nothing.
        told: The findings that count as told from now on.
    """

    notice: Notice | None
    told: frozenset[Key]


def decide(view: MachineView, told: Iterable[Key]) -> Decision:
    """What to show of a word, and what is then told.

    Args:
        view: The server's word.
        told: The findings that were told before and had not gone since.
    """
    before = frozenset(told)
    if view.standing == "paused":
        return Decision(None, before)
    drifts = [each for each in view.findings if each.severity == "drift"]
    now = frozenset(map(_key, drifts))
    if view.standing != "drift":
        return Decision(None, now & before)
    new = [each for each in drifts if _key(each) not in before]
    return Decision(_notice(new) if new else None, now)


def _key(finding: FindingView) -> Key:
    return (finding.code, finding.subject)


def _notice(new: list[FindingView]) -> Notice:
    others = len(new) - 1
    more = f" And {others} more." if others else ""
    end = f"{more} {_HINT}"
    said = plain(new[0].sentence).translate(_MARKUP).strip()
    most = TEXT_MAX - len(end) - 1
    said = said if len(said) <= most else f"{said[: most - 1]}…"
    return Notice(TITLE, f"{said}.{end}")
