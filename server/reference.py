"""What users run besides the default, as machines show that are known to be like theirs. Pure.

A reference machine has a clean consumer account and the public installer. What it has, users
have: an override that all references share is expected of everyone, one that some have is
allowed, and exposure classes are compared with theirs.

With which flags and variables one of its sessions was started is no word of what users run: it
ends with that session. Nor are personal files, which are never compared.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce

import msgspec

from agent.wire import Exposure, Override, OverrideKind, Profile

SESSION = "session"
"""The layer of what a running session was started with."""

Value = bool | int | float | str | None
Said = tuple[OverrideKind, str, Value]
"""An override without its layer: kind, key and value."""


@dataclass(frozen=True)
class Reference:
    """What the reference machines of a group have.

    Attributes:
        some: Behaviour overrides that at least one of them has.
        all: Those that each of them has.
        exposures: Their exposures, without repetition.
        machines: How many there are; with none, users have only defaults.
    """

    some: frozenset[Said] = frozenset()
    all: frozenset[Said] = frozenset()
    exposures: tuple[Exposure, ...] = ()
    machines: int = 0


DEFAULTS_ONLY = Reference()
"""What users run as far as no reference machine tells otherwise."""


def of_profiles(profiles: Iterable[Profile]) -> Reference:
    """What the profiles of reference machines amount to.

    One whose configuration could not be examined tells nothing.
    """
    known = [each for each in profiles if each.config is not None]
    if not known:
        return DEFAULTS_ONLY
    said = [_said(each) for each in known]
    exposures = dict.fromkeys(each.exposure for each in known if each.exposure is not None)
    return Reference(
        some=frozenset[Said]().union(*said),
        all=reduce(frozenset.intersection, said),
        exposures=tuple(exposures),
        machines=len(known),
    )


def said(override: Override) -> Said:
    """An override as it is compared: the layer in which it is set does not matter."""
    return override.kind, override.key, override.value


def _said(profile: Profile) -> frozenset[Said]:
    overrides = profile.config.overrides if profile.config else ()
    return frozenset(said(item) for item in _lasting(overrides) if is_effective(item))


def _lasting(overrides: Iterable[Override]) -> Iterator[Override]:
    """What holds without the sessions that run: also what one of them replaces meanwhile."""
    items = tuple(overrides)
    replaced = {
        (item.kind, item.key) for item in items if item.layer == SESSION and not item.shadowed
    }
    for item in items:
        if item.layer != SESSION:
            is_free = (item.kind, item.key) in replaced
            yield msgspec.structs.replace(item, shadowed=False) if is_free else item


def is_effective(override: Override) -> bool:
    """Whether an override changes what Claude Code does, as far as can be told."""
    is_plain = not (override.is_default or override.shadowed)
    return override.override_class == "behaviour" and is_plain
