"""With what a running session was started: its flags, its variables, and what it is for.

Only of sessions that a person starts in a terminal. An editor, the desktop app and a program
of the Agent SDK start Claude Code with flags and variables of their own (facts 4.1): those are
no configuration of this laptop, and are not read.

Of each value only what could be told is taken out of the system's answer: a prompt, a path
or a secret does not outlive the call that read it.
"""

from collections.abc import Iterable

from agent import surfaces, wire
from agent.claude_config import session_overrides
from agent.claude_config.key import Key
from agent.claude_config.keys import load
from agent.claude_config.overrides import LocalOverride
from agent.claude_config.session_overrides import LAYER, Trait
from agent.host import Host, Process
from agent.started import Kept, Started, Unread

_MODES = {
    "bg-pty-host": surfaces.BACKGROUND,
    "bg-spare": surfaces.BACKGROUND,
    "--bg-pty-host": surfaces.BACKGROUND,
    "--bg-spare": surfaces.BACKGROUND,
    "daemon": surfaces.BACKGROUND,
    "mcp": surfaces.OTHER,
    "remote-control": surfaces.OTHER,
}


_ENTRY_POINT = "CLAUDE_CODE_ENTRYPOINT"
"""Set by whatever starts Claude Code for a purpose of its own (facts 3.5); its class is kept."""


class _Listed:
    """What ``keys.toml`` lists may be taken, and of values what they may tell."""

    def takes_value(self, flag: str) -> bool:
        key = session_overrides.wanted_flag(flag)
        return key is not None and key.takes_value

    def flag(self, flag: str, value: str | None) -> Kept | None:
        key = session_overrides.wanted_flag(flag)
        return None if key is None or key.key_class == "cosmetic" else _kept(key, value)

    def variable(self, name: str, value: str) -> Kept | None:
        if name == _ENTRY_POINT:
            return name, surfaces.of_entry(value, None)
        key = load().named("variable", name) if session_overrides.wanted_variable(name) else None
        return None if key is None else _kept(key, value)

    def is_mode(self, word: str) -> bool:
        return word in _MODES


def read(host: Host, process: Process, *, is_script: bool) -> Started:
    """With what a session was started, as far as it may be told.

    Args:
        host: The machine.
        process: The session.
        is_script: Whether a script runtime executes it.

    Raises:
        OSError: It has ended.
    """
    return host.started_with(process, _Listed(), is_script=is_script)


def surface(found: Started) -> str | None:
    """The surface that a process was started for, where its first word or its entry point says it.

    A program of the Agent SDK may start the copy that a terminal starts too, before the registry
    knows of it (facts 4.1).
    """
    return _MODES.get(found.mode or "") or found.variables.get(_ENTRY_POINT)


def traits(found: Started) -> tuple[Trait, ...]:
    """Its flags and variables."""
    named = [Trait("flag", name, value) for name, value in found.flags.items()]
    variables = ((name, raw) for name, raw in found.variables.items() if name != _ENTRY_POINT)
    return (*named, *(Trait("variable", name, raw) for name, raw in variables))


def told(traits: Iterable[Trait]) -> tuple[wire.Override, ...]:
    """What may be sent of what all sessions were started with."""
    return tuple(
        wire.Override(
            kind=each.kind,
            key=each.name,
            layer=LAYER,
            override_class=each.override_class,
            value=each.value,
            is_default=each.is_default,
        )
        for each in session_overrides.told(traits)
    )


def shown(overrides: Iterable[wire.Override]) -> tuple[LocalOverride, ...]:
    """The same as the laptop shows it: no file sets it."""
    return tuple(
        LocalOverride(
            each.kind,
            each.key,
            each.layer,
            each.override_class,
            None,
            each.value,
            each.is_default,
        )
        for each in overrides
    )


def problem(unread: Unread) -> wire.Problem:
    """What could not be seen of a session, as it is told."""
    part, reason = unread
    return wire.Problem("sessions", f"a session's {part} {reason}")


def _kept(key: Key, value: str | None) -> Kept:
    if key.told(value) is None:
        return key.name, None
    # Any value turns such a variable on, so none needs to be known.
    return key.name, "1" if key.form == "any" else value
