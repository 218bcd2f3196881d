"""Behaviour overrides that users do not run with.

Each is told with its layer, and with its value where that may be told; one with which a running
session was started ends with it, and the sentence says so. What the policy allows and what a
reference machine has with the same value is no complaint; what every reference machine has is
expected here, too. Personal overrides are never told, nor that files of a kind are there: users
have them as well.

Keys that stop updates, turn flags off or belong to staff have rules of their own, and are told
by those alone. Names that the laptop keeps to itself count: their effect is not known.
"""

from collections.abc import Iterable, Iterator, Mapping

from agent.wire import FindingView, FixRef, Override, OverrideKind, Unnamed
from server.policy import written
from server.reference import SESSION, Value, is_effective
from server.rules import exposure_differs, staff_only, updates_off
from server.rules.interface import Case, Rule, Ruling

_LAYER_OF_KIND: Mapping[OverrideKind, str] = {"setting": "user", "variable": "environment"}
_TOLD_ELSEWHERE = (exposure_differs.tells, staff_only.tells, updates_off.tells)


def _examine(case: Case) -> Ruling:
    config = case.profile.config
    if config is None or not case.counted:
        return Ruling()
    own = [
        item for item in config.overrides if is_effective(item) and _is_ours(item.kind, item.key)
    ]
    expected = _expected(case)
    return Ruling(
        (
            *(_present(item, expected) for item in own if not case.permits(item)),
            *_absent(own, expected),
            *(_unnamed(item) for item in config.unnamed),
        )
    )


def _is_ours(kind: OverrideKind, key: str) -> bool:
    return not any(tells(kind, key) for tells in _TOLD_ELSEWHERE)


def _expected(case: Case) -> dict[tuple[OverrideKind, str], Value]:
    """What every reference machine overrides, unless the policy lets it differ."""
    shared = sorted(case.policy.reference.all, key=str)
    return {
        (kind, key): value
        for kind, key, value in shared
        if _is_ours(kind, key) and not case.policy.allows(kind, key)
    }


def _present(item: Override, expected: Mapping[tuple[OverrideKind, str], Value]) -> FindingView:
    is_expected = (item.kind, item.key) in expected
    usual = _with(expected[item.kind, item.key]) if is_expected else "without"
    return FindingView(
        code="config-overridden",
        severity="drift",
        subject=f"{item.kind} {item.key}",
        sentence=f"{_told(item)}: users run {usual}",
        fix=FixRef("set" if is_expected else "unset", item.layer, item.key),
    )


def _told(item: Override) -> str:
    name = f"the {item.kind} {item.key}"
    if item.kind == "flag":
        # A flag that takes no value is there or not.
        value = "" if item.value is None or item.value is True else f" {_text(item.value)}"
        return f"a running session was started with {written(item.kind, item.key)}{value}"
    if item.kind == "file":
        return f"{name} is there, in the {item.layer} layer"
    if item.layer == SESSION:
        value = " set" if item.value is None else f" set to {_text(item.value)}"
        return f"a running session was started with {name}{value}"
    value = "set" if item.value is None else _text(item.value)
    return f"{name} is {value} in the {item.layer} layer"


def _absent(
    own: Iterable[Override], expected: Mapping[tuple[OverrideKind, str], Value]
) -> Iterator[FindingView]:
    present = {(item.kind, item.key) for item in own}
    for (kind, key), value in expected.items():
        if (kind, key) in present:
            continue
        layer = _LAYER_OF_KIND.get(kind)
        yield FindingView(
            code="config-overridden",
            severity="drift",
            subject=f"{kind} {key}",
            sentence=f"the {kind} {key} is at its default here: users run {_with(value)}",
            fix=FixRef("set", layer, key) if layer else None,
        )


def _with(value: Value) -> str:
    return "with a value that is not told" if value is None else f"with {_text(value)}"


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unnamed(item: Unnamed) -> FindingView:
    keys = "a key" if item.count == 1 else f"{item.count} keys"
    return FindingView(
        code="config-overridden",
        severity="drift",
        subject=f"unnamed {item.layer}",
        sentence=f"{keys} in the {item.layer} layer whose effect is not known; only the laptop"
        " tells their names",
    )


RULE = Rule(
    code="config-overridden",
    says="A setting, variable or flag makes Claude Code behave differently from what users have.",
    mend="Set it as users have it, start the session again without the flag, or ask the operator"
    " to allow it for this group.",
    examine=_examine,
)
