"""From which surface a running session was started. Pure.

What Claude Code's own registry says of it comes first (facts 4.2), then where its program
lies: an editor's extension, the desktop app and the Agent SDK each have a copy of their own
(facts 4.1). All else was started by a shell.
"""

import re
from pathlib import PurePath

from agent.discover.census import TERMINAL
from agent.discover.interface import DESKTOP, EDITOR, SDK

BACKGROUND = "background"
"""The surface of what goes on without a window: supervisors, their workers and helpers."""

OTHER = "other"
"""The surface of entry points that are none of the others: servers, remote control, ..."""

_KINDS = frozenset({"bg", "daemon", "daemon-worker"})
_OF_ENTRY = (
    (re.compile(r"cli\Z"), TERMINAL),
    (re.compile(r"claude-vscode\Z"), EDITOR),
    (re.compile(r"claude-desktop(?:-.*)?\Z|local-agent\Z"), DESKTOP),
    (re.compile(r"sdk-"), SDK),
)
_OF_METHOD = {"editor_extension": EDITOR, "desktop": DESKTOP, "agent_sdk": SDK}
_OF_PLACE = (
    (re.compile(r"/anthropic\.claude-code-[^/]+/resources/"), EDITOR),
    (re.compile(r"/Claude(?:-3p)?/claude-code/"), DESKTOP),
    (re.compile(r"/claude_agent_sdk/_bundled/|/@anthropic-ai/claude-agent-sdk(?:-[^/]+)?/"), SDK),
    (re.compile(r"/ClaudeCode\.app/"), BACKGROUND),
)


def of_entry(entry_point: str | None, kind: str | None) -> str | None:
    """The surface by the registry's ``entrypoint`` and ``kind``; None where it says neither."""
    if kind in _KINDS:
        return BACKGROUND
    if not entry_point:
        return None
    return next((surface for form, surface in _OF_ENTRY if form.match(entry_point)), OTHER)


def of_program(program: PurePath, method: str | None) -> str:
    """The surface by the program that runs.

    Args:
        program: The file that the session was started from.
        method: Of the known install that this file is, where there is one.
    """
    if method in _OF_METHOD:
        return _OF_METHOD[method]
    text = program.as_posix()
    return next((surface for form, surface in _OF_PLACE if form.search(text)), TERMINAL)
