"""Which overrides count, what of them may be told, and the config hash. Pure but `examine`.

Each setting and variable is effective in the highest layer that sets it and shadowed
below. What leaves the laptop is a `wire.Config`; `LocalOverride` holds what only the
laptop shows besides: the file, and the names that are not told.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath

from agent import digest, wire
from agent.claude_config import exposure, layers
from agent.claude_config.exposure import Remote
from agent.claude_config.key import Key, Kind, Told
from agent.claude_config.keys import Keys, load
from agent.claude_config.sources import COLLECTOR, Source
from agent.host import Host

OVERRIDES_MAX = 400
"""Most overrides told by name; further ones are counted like those without a name."""

UNNAMED_MAX = 100_000
"""The largest count told of one layer."""


@dataclass(frozen=True)
class LocalOverride:
    """One override as the laptop shows it.

    Attributes:
        kind: ``setting``, ``variable``, ``flag`` or ``file``.
        name: Its name, also one that is never told; printable.
        layer: The layer that sets it.
        override_class: As on the wire.
        file: Where it is set; None for a running session and for the typing shell.
        value: Only what might be told too; None means "set".
        is_default: The value equals the documented default.
        shadowed: A higher layer sets the same key.
        named: Whether its name may leave the laptop.
    """

    kind: Kind
    name: str
    layer: str
    override_class: wire.OverrideClass
    file: PurePath | None
    value: Told | None = None
    is_default: bool = False
    shadowed: bool = False
    named: bool = True


@dataclass(frozen=True)
class ConfigFacts:
    """What was found of a machine's configuration.

    Attributes:
        config: What is told of it.
        exposure: What is told of what the product was told remotely.
        problems: What could not be examined.
        watch: Files and folders whose change could change the answer.
        local: What the laptop shows, highest layer first.
        remote: What the exposure is made from, beside variables.
        decided: The variables that an ``env`` block sets or empties, which therefore count in
            no process as it was started.
    """

    config: wire.Config
    exposure: wire.Exposure
    problems: tuple[wire.Problem, ...]
    watch: tuple[PurePath, ...]
    local: tuple[LocalOverride, ...]
    remote: Remote
    decided: frozenset[str]


def examine(host: Host, *, share_plan: bool = False) -> ConfigFacts:
    """Read a machine's configuration and say what of it counts.

    Args:
        host: The machine.
        share_plan: Whether the class of the user's plan is told.
    """
    found = layers.read(host, share_plan=share_plan)
    above = (source for source in found.sources if source.layer != "environment")
    decided = frozenset(name for source in above for name in source.variables)
    return _facts(
        resolve(found.sources, load()), found.remote, found.problems, found.watch, decided
    )


def with_local(facts: ConfigFacts, local: tuple[LocalOverride, ...]) -> ConfigFacts:
    """The same facts, of other overrides.

    Args:
        facts: What was found.
        local: As `ConfigFacts.local`.
    """
    return _facts(local, facts.remote, facts.problems, facts.watch, facts.decided)


def _facts(
    local: tuple[LocalOverride, ...],
    remote: Remote,
    problems: tuple[wire.Problem, ...],
    watch: tuple[PurePath, ...],
    decided: frozenset[str],
) -> ConfigFacts:
    config = told(local, load().revision)
    if len(config.overrides) < sum(item.named for item in local):
        reason = f"more than {OVERRIDES_MAX} overrides: the rest is counted without names"
        problems = tuple(dict.fromkeys((*problems, wire.Problem(COLLECTOR, reason))))
    effective = {item.name for item in local if _is_effective_variable(item)}
    told_remotely = exposure.of(effective, remote)
    return ConfigFacts(config, told_remotely, problems, watch, local, remote, decided)


def typed_shell(environment: Mapping[str, str]) -> tuple[LocalOverride, ...]:
    """The variables of the shell that a command was typed in: shown apart, never sent."""
    keys = load()
    named = {name: environment[name] for name in environment if keys.named("variable", name)}
    return resolve([Source("shell", None, variables=named)], keys)


def resolve(sources: Iterable[Source], keys: Keys) -> tuple[LocalOverride, ...]:
    """Every override of these sources, effective or shadowed; cosmetic ones are left out.

    Args:
        sources: Highest precedence first. Of several that are one layer, the first that
            sets a key counts; an empty variable sets nothing and hides what is below it.
            Files hide none of the layers below: all are read.
        keys: What the keys are.
    """
    effective: set[tuple[Kind, str, bool]] = set()
    seen: set[tuple[tuple[Kind, str, bool], str]] = set()
    found: list[LocalOverride] = []
    for source in sources:
        for item, is_set in _items(source, keys):
            # A name that is not told is never the listed one that reads like it.
            what = (item.kind, item.name, item.named)
            is_hidden = what in effective and item.kind != "file"
            if (what, item.layer) in seen:
                continue
            seen.add((what, item.layer))
            if is_set:
                found.append(replace(item, shadowed=is_hidden))
            effective.add(what)
    return tuple(found)


def told(local: Iterable[LocalOverride], revision: int) -> wire.Config:
    """What leaves the laptop of these overrides."""
    items = list(local)
    named = sorted((_wire(item) for item in items if item.named), key=_effective_first)
    kept = sorted(named[:OVERRIDES_MAX], key=lambda item: (item.kind, item.key, item.layer))
    counts = Counter(item.layer for item in items if not item.named and not item.shadowed)
    counts.update(item.layer for item in named[OVERRIDES_MAX:] if _is_hashed(item))
    unnamed = tuple(
        wire.Unnamed(layer, min(counts[layer], UNNAMED_MAX)) for layer in sorted(counts)
    )
    return wire.Config(revision, config_hash(revision, kept, unnamed), tuple(kept), unnamed)


def config_hash(
    revision: int, overrides: Iterable[wire.Override], unnamed: Iterable[wire.Unnamed] = ()
) -> str:
    """The digest of the effective behaviour overrides, whichever layer sets them.

    Defaults, shadowed overrides and the other classes do not change it. An override whose
    value is not told counts as "set", and those without a told name by their number.
    """
    counted = sorted(
        (item for item in overrides if _is_hashed(item)), key=lambda item: (item.kind, item.key)
    )
    listed = [
        (item.kind, item.key, "set" if item.value is None else item.value) for item in counted
    ]
    content: dict[str, object] = {"revision": revision, "overrides": listed}
    if total := sum(item.count for item in unnamed):
        content["unnamed"] = total
    return digest.of_value(content)


def public_default(revision: int) -> str:
    """The config hash of a machine that overrides nothing."""
    return config_hash(revision, ())


def _is_hashed(item: wire.Override) -> bool:
    return item.override_class == "behaviour" and not item.is_default and not item.shadowed


def _is_effective_variable(item: LocalOverride) -> bool:
    return item.kind == "variable" and item.named and not item.shadowed and not item.is_default


def _effective_first(item: wire.Override) -> tuple[bool, str, str, str]:
    return (not _is_hashed(item), item.kind, item.key, item.layer)


def _wire(item: LocalOverride) -> wire.Override:
    return wire.Override(
        kind=item.kind,
        key=item.name,
        layer=item.layer,
        override_class=item.override_class,
        value=item.value,
        is_default=item.is_default,
        shadowed=item.shadowed,
    )


def _items(source: Source, keys: Keys) -> Iterator[tuple[LocalOverride, bool]]:
    """Each key that a source names, and whether it sets it."""
    for name, value in source.settings.items():
        for leaf, raw in _leaves(name, value, keys):
            # A dot in a name as written is the user's own, not a step into an object.
            key = None if "." in name else keys.named("setting", leaf)
            item = _item(source, "setting", leaf, key, raw)
            if item:
                yield item, True
    for name, text in source.variables.items():
        # Of the start files only Claude Code's own variables count, not all that a shell has.
        key = keys.named("variable", name)
        if key is None and source.layer == "environment":
            continue
        item = _item(source, "variable", name, key, text)
        if item:
            yield item, text != ""
    for name in source.files:
        item = _item(source, "file", name, keys.named("file", name), None)
        if item:
            yield item, True


def _item(
    source: Source, kind: Kind, name: str, key: Key | None, raw: object
) -> LocalOverride | None:
    if key is None:
        printable = name if name.isprintable() else name.encode("unicode_escape").decode("ascii")
        return LocalOverride(kind, printable, source.layer, "behaviour", source.file, named=False)
    if key.key_class == "cosmetic":
        return None
    value = key.told(raw)
    is_default = value is not None and value == key.default
    return LocalOverride(kind, name, source.layer, key.key_class, source.file, value, is_default)


def _leaves(name: str, value: object, keys: Keys) -> Iterator[tuple[str, object]]:
    """The listed names that a setting fills; an empty object fills none.

    Names below the last listed one are a user's own words (servers, rules, paths): they
    count as that listed name.
    """
    if not isinstance(value, dict):
        yield name, value
        return
    if name not in keys.parents:
        if value:
            yield name, value
        return
    own = False
    for child, inner in value.items():
        if "." not in child and keys.has(f"{name}.{child}"):
            yield from _leaves(f"{name}.{child}", inner, keys)
        else:
            own = True
    if own:
        yield name, value
