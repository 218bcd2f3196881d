"""What running sessions were started with, beside what files set. Pure.

Flags are a kind of their own: no setting shadows one, and none of them shadows a setting. A
variable of a session stands below every ``env`` block, which replaces it in the session
itself, and above the start files, which it was typed over. One that start files hand on with
the same value, as far as that is told, came from there and is theirs alone: it is mended
there, and a session that begins or ends changes nothing. Sessions that were started with
different values of a key tell that it is set.

A `Trait` holds a raw value and stays in memory; what `told` makes of it holds only what may
be told. What Claude Code sets in its children (facts 3.5) is cosmetic and not told.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from agent.claude_config import overrides
from agent.claude_config.key import Key, Told
from agent.claude_config.keys import load
from agent.claude_config.overrides import ConfigFacts, LocalOverride

LAYER = "session"


@dataclass(frozen=True)
class Trait:
    """One flag or variable with which a session was started.

    Attributes:
        kind: Which of these.
        name: A flag's as written, with or without its dashes; a variable's.
        raw: Its value, only ever in memory; None where a flag has none.
    """

    kind: Literal["flag", "variable"]
    name: str
    raw: str | None


def wanted_flag(name: str) -> Key | None:
    """The flag of a command line's word; None where it is not listed.

    Cosmetic flags are found too, so that a reader knows by `Key.takes_value` which word is the
    value of one; their values need not be kept.

    Args:
        name: As for `agent.claude_config.keys.Keys.flag`.
    """
    return load().flag(name)


def wanted_variable(name: str) -> bool:
    """Whether a variable may be told of."""
    key = load().named("variable", name)
    return key is not None and key.key_class != "cosmetic"


def told(traits: Iterable[Trait]) -> tuple[LocalOverride, ...]:
    """What may be told of the traits of all sessions, by kind and name.

    An empty variable is not set. Of a flag that one session was given twice only the last value
    comes here (`agent.started`); what differs are the values of several sessions.
    """
    values: dict[Key, set[Told | None]] = {}
    for trait in traits:
        key = _key(trait)
        if key is not None:
            values.setdefault(key, set()).add(key.told(trait.raw))
    found = (_override(key, each) for key, each in values.items())
    listed = (item for item in found if item is not None)
    return tuple(sorted(listed, key=lambda item: (item.kind, item.name)))


def with_session(facts: ConfigFacts, found: tuple[LocalOverride, ...]) -> ConfigFacts:
    """The facts of a machine, with what its sessions were started with.

    Args:
        facts: What its files say.
        found: As `told` gave them, perhaps some time ago.
    """
    handed_on = {
        (item.kind, item.name, item.value)
        for item in facts.local
        if item.layer == "environment" and not item.shadowed
    }
    session = tuple(
        replace(item, shadowed=item.kind == "variable" and item.name in facts.decided)
        for item in found
        if (item.kind, item.name, item.value) not in handed_on
    )
    effective = {item.name for item in session if item.kind == "variable" and not item.shadowed}
    above = tuple(item for item in facts.local if item.layer != "environment")
    below = tuple(
        replace(item, shadowed=item.shadowed or item.name in effective)
        for item in facts.local
        if item.layer == "environment"
    )
    return overrides.with_local(facts, (*above, *session, *below))


def _key(trait: Trait) -> Key | None:
    if trait.kind == "flag":
        return wanted_flag(trait.name)
    return None if trait.raw == "" else load().named("variable", trait.name)


def _override(key: Key, values: set[Told | None]) -> LocalOverride | None:
    if key.key_class == "cosmetic":
        return None
    value = next(iter(values)) if len(values) == 1 else None
    is_default = value is not None and value == key.default
    return LocalOverride(key.kind, key.name, LAYER, key.key_class, None, value, is_default)
