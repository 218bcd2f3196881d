"""What stands in a policy, can be used, and is most likely not what was meant. Pure."""

import difflib
from collections.abc import Collection, Iterator

from server.policy import DEFAULT_GROUP, MACHINE, GroupPolicy, Policies

CHANNELS = (MACHINE, "latest", "next", "stable")
"""The channels that are known by name; a source may show others (facts 1.3)."""

_ALIKE = 0.8  # as `difflib` measures it: one letter more, less or exchanged in a short word


def doubts(stated: Policies) -> tuple[str, ...]:
    """What a person should look at once more, in sentences; a policy is used all the same."""
    groups = sorted(stated.groups.items())
    return tuple(
        doubt
        for name, each in ((DEFAULT_GROUP, stated.default), *groups)
        for doubt in _of(name, each)
    )


def empty_groups(stated: Policies, peopled: Collection[str]) -> tuple[str, ...]:
    """The groups that nothing is in, in sentences: perhaps a name was mistyped.

    Args:
        stated: The policies.
        peopled: The groups that machines are in, or come into by an enrolment secret.
    """
    return tuple(_empty(name, peopled) for name in sorted(stated.groups) if name not in peopled)


def _empty(name: str, peopled: Collection[str]) -> str:
    said = f"group {name}: no machine is in it, and no enrolment secret puts one there"
    meant = difflib.get_close_matches(name, sorted(peopled), 1, _ALIKE)
    return f'{said}; did you mean "{meant[0]}"?' if meant else said


def _of(group: str, policy: GroupPolicy) -> Iterator[str]:
    if policy.channel in CHANNELS:
        return
    for meant in difflib.get_close_matches(policy.channel, CHANNELS, 1, _ALIKE):
        yield (
            f'group {group}: the channel "{policy.channel}" is used as written; did you mean'
            f' "{meant}"? While no source shows it, all its machines are unknown'
        )
