"""What people write into commands and requests: a bounded line, the name of a group. Pure.

The same words are checked here whichever way they come in.
"""

import re

import msgspec

from agent.wire import Name
from server.errors import RequestRefused

GROUP_MAX = 64
"""Longest name of a group, in characters."""

# C0 and C1 controls, and what else begins a new line (Unicode 5.8, table 5-1).
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def check_line(field: str, text: str, max_chars: int) -> None:
    """Looks whether a text is one line that says something.

    Args:
        field: What the text is, as its sender calls it.
        text: What was written.
        max_chars: Its greatest length, in characters.

    Raises:
        RequestRefused: 422 it is blank, too long, or not one line.
    """
    if not text.strip():
        raise refused(field, f"the {field} is empty", f"say the {field}")
    if len(text) > max_chars:
        raise refused(
            field,
            f"the {field} has {len(text)} characters, and {max_chars} at most are kept",
            f"give a shorter {field}",
        )
    if _BREAKS.search(text):
        raise refused(
            field, f"the {field} holds a control character or a line's end", "write it on one line"
        )


def check_group(group: str) -> None:
    """Looks whether a text can name a group.

    Raises:
        RequestRefused: 422 it cannot.
    """
    try:
        msgspec.convert(group, Name)
    except msgspec.ValidationError:
        raise refused(
            "group",
            f"{group[:GROUP_MAX]!r} cannot name a group",
            f"take letters, digits, spaces and any of ._@:+- up to {GROUP_MAX} characters,"
            " a letter or digit first",
        ) from None


def refused(field: str, error: str, advice: str) -> RequestRefused:
    """The refusal of one field of a request."""
    return RequestRefused(error, advice=advice, status=422, path=f"$.{field}")
