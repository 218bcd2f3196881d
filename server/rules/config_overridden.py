"""Behaviour overrides that the group's policy does not allow."""

from collections.abc import Iterator

from agent.wire import FindingView, FixRef, Override, Unnamed
from server.rules.interface import Case, Rule, Ruling


def _examine(case: Case) -> Ruling:
    config = case.profile.config
    if config is None or not case.counted:
        return Ruling()
    overrides = (_override(item) for item in _effective(case, config.overrides))
    return Ruling((*overrides, *(_unnamed(item) for item in config.unnamed)))


def _effective(case: Case, overrides: tuple[Override, ...]) -> Iterator[Override]:
    for item in overrides:
        if item.override_class != "behaviour" or item.is_default or item.shadowed:
            continue
        if not case.policy.allows(item.key):
            yield item


def _override(item: Override) -> FindingView:
    told = "is set" if item.value is None else f"is {str(item.value).lower()}"
    return FindingView(
        code="config-overridden",
        severity="drift",
        subject=f"{item.kind} {item.key}",
        sentence=f"the {item.kind} {item.key} {told} in the {item.layer} layer: users run without",
        fix=FixRef("unset", item.layer, item.key),
    )


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
    says="A setting or variable makes Claude Code behave differently from its default.",
    mend="Remove it, or ask the operator to allow it for this group.",
    examine=_examine,
)
