"""Keys that stop a laptop from updating itself, or let it follow another channel (facts 2.7).

`autoUpdates` set to false stops no native install: Claude Code ignores it there, as it ignores
a pin by `minimumVersion`, which is a floor and no stop (facts 2.7; 5, #88030). The channel that
a laptop chooses is judged here alone: the policy's own is right, and under `machine` any is.

It is told wherever a copy counts, also where none updates itself (Homebrew, a system package):
the key is an override that users do not have, no other rule tells it, and whether a method
updates itself is partly unverified (facts 1.4, WinGet).
"""

from agent.wire import FindingView, FixRef, Override, OverrideKind
from server.policy import MACHINE
from server.reference import is_effective
from server.rules.interface import CHANNEL_KEY, Case, Rule, Ruling

SWITCHES = frozenset({"DISABLE_AUTOUPDATER", "DISABLE_UPDATES"})
"""Variables that stop updates: in the background, or all."""

SETTING = "autoUpdates"
"""The setting that does so where it is not ignored."""

CEILING = "requiredMaximumVersion"
"""The setting by which an administrator holds updates at a version (facts 2.7)."""


def tells(kind: OverrideKind, key: str) -> bool:
    """Whether this rule is the one that tells of an override."""
    if kind == "variable":
        return key in SWITCHES
    return kind == "setting" and key in {SETTING, CEILING, CHANNEL_KEY}


def _examine(case: Case) -> Ruling:
    config = case.profile.config
    if config is None or not case.counted:
        return Ruling()
    found = (
        item for item in config.overrides if tells(item.kind, item.key) and _differs(case, item)
    )
    return Ruling(tuple(_finding(case, item) for item in found))


def _differs(case: Case, item: Override) -> bool:
    if not is_effective(item) or case.permits(item):
        return False
    if item.key == CHANNEL_KEY:
        return case.policy.channel not in {MACHINE, item.value}
    if item.key == SETTING:
        obeying = (copy for copy in case.counted if copy.install.method != "native")
        return item.value is not True and any(obeying)
    return True


def _finding(case: Case, item: Override) -> FindingView:
    where = f"the {item.kind} {item.key} in the {item.layer} layer"
    if item.key == CHANNEL_KEY:
        followed = f"the channel {item.value}" if item.value else "a channel that is not told"
        sentence = f"{where} follows {followed}; the group follows {case.policy.channel}"
    else:
        sentence = f"{where} stops updates: Claude Code stays as it is here while users move on"
    return FindingView(
        code="updates-off",
        severity="drift",
        subject=f"{item.kind} {item.key}",
        sentence=sentence,
        fix=FixRef("unset", item.layer, item.key),
    )


RULE = Rule(
    code="updates-off",
    says="A setting or variable stops updates here, or follows another channel than the group.",
    mend="Remove it, so that Claude Code updates itself as it does for users.",
    examine=_examine,
)
