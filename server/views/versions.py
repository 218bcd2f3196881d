"""How many machines have which version, now and at the end of each of some days. Pure.

Machines are counted by the build in use of their profile (`server.in_use`), whatever their
standing, until they leave; which version a build is, the ledger says now. Today's number is
the present one. So one sees since when a release spreads, and how fast.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from agent.wire import Answer
from server.activity import DAY_S
from server.in_use import NOTHING, Day
from server.policy import Policies
from server.releases.ledger import Ledger
from server.views.activity import version_of

NONE = "nothing installed"
"""What stands for the version of a machine on which nothing starts any copy."""


class VersionUse(Answer, frozen=True):
    """The machines that have one version.

    Attributes:
        version: The public one of the bytes, or why there is none: ``not public or not known``,
            ``not examined``, ``nothing installed``.
        machines: How many have it now.
        share: `machines` over all that are counted here, from 0 to 1; null where none is.
        days: How many had it at the end of each day told; the last is `machines`.
        groups: How many have it now, by group; none where one group was asked for.
    """

    version: str
    machines: int
    share: float | None
    days: tuple[int, ...]
    groups: dict[str, int] = msgspec.field(default_factory=dict)


class VersionsView(Answer, frozen=True):
    """The answer of ``GET /v1/versions``.

    Attributes:
        since: The beginning of the first day told, UTC.
        machines: How many are counted: those that told a profile and have not left.
        versions: What they have, or had on one of these days: what most have first.
        group: The group asked for.
    """

    since: int
    machines: int
    versions: tuple[VersionUse, ...]
    group: str | None = None


def view(
    counted: Mapping[tuple[str, str], int],
    changed: Iterable[Day],
    ledger: Ledger,
    policies: Policies,
    span: range,
    group: str | None = None,
) -> VersionsView:
    """How many machines had which version on some days.

    Args:
        counted: How many have which build now, by (group, build).
        changed: What changed on these days, in any order.
        ledger: What is public.
        policies: By which a group takes learned releases for public.
        span: The days, counted from the epoch, of which the last one is today.
        group: The group that all of this is of, if it was asked for.
    """
    days: defaultdict[str, Counter[int]] = defaultdict(Counter)
    groups: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (name, build), numbers in by_day(counted, changed, span).items():
        version = _version(build, ledger, trust_learned=policies.of(name).trust_learned)
        days[version].update(dict(enumerate(numbers)))
        groups[version][name] += numbers[-1]
    machines = sum(counted.values())
    versions = [
        VersionUse(
            version=version,
            machines=numbers[len(span) - 1],
            share=numbers[len(span) - 1] / machines if machines else None,
            days=tuple(numbers[place] for place in range(len(span))),
            groups={name: each for name, each in sorted(groups[version].items()) if each}
            if group is None
            else {},
        )
        for version, numbers in days.items()
    ]
    versions.sort(key=lambda each: (-each.machines, each.version))
    return VersionsView(span.start * DAY_S, machines, tuple(versions), group)


def by_day(
    counted: Mapping[tuple[str, str], int], changed: Iterable[Day], span: range
) -> Mapping[tuple[str, str], list[int]]:
    """Each number at the end of each day, from what it is now back to the first of them."""
    numbers = {key: [number] * len(span) for key, number in counted.items()}
    for each in sorted(changed, key=lambda each: -each.day):
        if each.day in span:
            key = each.group, each.build
            earlier = each.day - span.start
            numbers.setdefault(key, [0] * len(span))[:earlier] = [each.before] * earlier
    return {key: each for key, each in numbers.items() if any(each)}


def _version(build: str, ledger: Ledger, *, trust_learned: bool) -> str:
    return NONE if build == NOTHING else version_of(build, ledger, trust_learned=trust_learned)
