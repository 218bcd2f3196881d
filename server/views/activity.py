"""How much the builds are used, and how much of that is what users have. Pure.

Use is on the public build where the bytes that ran were, on that day, the head of the group's
channel: any of its heads, where it moved that day or sources differed. Bytes are looked up in
the ledger; those that it does not have are not public, or not known to be. A day of which no
reading tells the head decides nothing: it is told, and is in no share.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from agent.wire import Answer
from server.activity import DAY_S, NOT_EXAMINED, Used
from server.policy import MACHINE, Policies
from server.releases.ledger import Ledger

DAYS = 7
"""How many days are told, today included, unless others are asked for."""

DAYS_MAX = 92
"""Most days told at once."""

NOT_PUBLIC = "not public or not known"
"""What stands for the version of bytes that the ledger does not have."""

UNKNOWN = "not examined"
"""The same of bytes that no laptop could examine, or of which too many were told."""


class Use(Answer, frozen=True):
    """How long and how often something was used.

    Attributes:
        use_s: Seconds that sessions ran; sessions side by side add up.
        starts: Sessions that began.
        public_s: Of these seconds, those on bytes that were the head of the group's channel.
        undecided_s: Of these seconds, those of days whose head is not known.
        share: `public_s` over the seconds of days whose head is known, from 0 to 1; null where
            there are none.
    """

    use_s: int
    starts: int
    public_s: int
    undecided_s: int
    share: float | None


class BuildUse(Use, frozen=True, kw_only=True):
    """The use of one version from one surface.

    Attributes:
        version: The public one of the bytes, or why there is none: ``not public or not known``,
            ``not examined``.
        surface: ``terminal``, ``editor``, ``desktop``, ``sdk``, ``background`` or ``other``.
    """

    version: str
    surface: str


class ActivityView(Answer, frozen=True):
    """The answer of ``GET /v1/activity``.

    Attributes:
        since: The beginning of the first day told, UTC.
        days: How many days are told, the last one being today.
        use: Of all groups together, or of the one asked for.
        builds: The same by version and surface, the most used first.
        groups: The same by group; none where one group was asked for.
        group: The group asked for.
    """

    since: int
    days: int
    use: Use
    builds: tuple[BuildUse, ...]
    groups: dict[str, Use] = msgspec.field(default_factory=dict)
    group: str | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was used, with what the ledger says of it; `is_head` is None where it does not."""

    used: Used
    version: str
    is_head: bool | None


def view(
    used: Iterable[Used], ledger: Ledger, policies: Policies, span: range, group: str | None = None
) -> ActivityView:
    """How much was used on some days.

    Args:
        used: What is kept of them, of all groups or of one.
        ledger: What was public.
        policies: By whose channel a group is judged.
        span: The days, counted from the epoch; at least one.
        group: The group asked for.
    """
    seen = _looked_up(used, ledger, policies)
    by_group, by_build = defaultdict[str, list[_Seen]](list), defaultdict[_Line, list[_Seen]](list)
    for each in seen:
        by_group[each.used.group].append(each)
        by_build[each.version, each.used.surface].append(each)
    return ActivityView(
        since=span.start * DAY_S,
        days=len(span),
        use=_use(seen),
        groups={name: _use(own) for name, own in sorted(by_group.items())} if group is None else {},
        builds=_builds(by_build),
        group=group,
    )


def span_of(days: int, now: int) -> range:
    """The last days, counted from the epoch, of which the last one is today."""
    today = now // DAY_S
    return range(max(0, today - days + 1), today + 1)


_Line = tuple[str, str]


def _looked_up(used: Iterable[Used], ledger: Ledger, policies: Policies) -> Sequence[_Seen]:
    heads: dict[tuple[str, int], frozenset[str]] = {}
    seen = []
    for each in used:
        policy = policies.of(each.group)
        asked = policy.channel, each.day
        if asked not in heads:
            heads[asked] = _heads(ledger, *asked)
        version = version_of(each.build, ledger, trust_learned=policy.trust_learned)
        is_head = version in heads[asked] if heads[asked] else None
        seen.append(_Seen(each, version, is_head))
    return seen


def version_of(build: str, ledger: Ledger, *, trust_learned: bool) -> str:
    """The public version of a build's bytes, or why there is none.

    Args:
        build: SHA-256 of the bytes, or `NOT_EXAMINED`.
        ledger: What is public.
        trust_learned: Whether a release that was learned from a laptop is taken for public.
    """
    if build == NOT_EXAMINED:
        return UNKNOWN
    artifact = ledger.artifact(build)
    is_public = artifact is not None and (trust_learned or artifact.trust != "learned")
    return artifact.version if artifact is not None and is_public else NOT_PUBLIC


def _heads(ledger: Ledger, channel: str, day: int) -> frozenset[str]:
    """Everything that a channel pointed to on a day, by any source.

    Where each laptop chooses its channel, those of all channels.
    """
    begin, end = day * DAY_S, (day + 1) * DAY_S
    found: set[str] = set()
    for pointer in ledger.heads(None if channel == MACHINE else channel):
        runs = ledger.readings(pointer.source, pointer.channel)
        ends = (*(run.first_seen for run in runs[1:]), None)
        found.update(
            run.version
            for run, over in zip(runs, ends, strict=True)
            if run.first_seen < end and (over is None or over > begin)
        )
    return frozenset(found)


def _builds(by_build: Mapping[_Line, Sequence[_Seen]]) -> tuple[BuildUse, ...]:
    lines = (
        BuildUse(**msgspec.structs.asdict(_use(own)), version=version, surface=surface)
        for (version, surface), own in by_build.items()
    )
    return tuple(sorted(lines, key=lambda line: (-line.use_s, line.version, line.surface)))


def _use(seen: Iterable[_Seen]) -> Use:
    use_s = starts = public_s = undecided_s = 0
    for each in seen:
        use_s += each.used.seconds
        starts += each.used.starts
        public_s += each.used.seconds if each.is_head else 0
        undecided_s += each.used.seconds if each.is_head is None else 0
    decided_s = use_s - undecided_s
    share = public_s / decided_s if decided_s else None
    return Use(use_s, starts, public_s, undecided_s, share)
