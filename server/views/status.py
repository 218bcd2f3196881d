"""The whole fleet at one moment: how many stand how, and what that rests on. Pure.

Share is `match` over all machines that are not paused, absent or left. A machine that is
silent or unknown stays in the denominator: it is never counted as matching, and never
forgotten either. Without a machine to count there is no share.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from agent.wire import Answer, HeadView, Standing
from server.policy import Policies
from server.releases.health import Condition
from server.releases.ledger import Ledger
from server.views.releases import head_view

NOT_COUNTED: frozenset[Standing] = frozenset({"paused", "absent", "left"})
"""Standings that are not in the share's denominator."""

_DEFAULTS = Policies()


@dataclass(frozen=True)
class SourceFacts:
    """How a release source does.

    Attributes:
        name: ``npm`` or ``bucket``.
        state: ``ok``, ``unreachable``, or ``waiting`` before the first answer.
        since: Since when; None while waiting.
        read_at: The last successful reading; None before the first.
        error: Why it is unreachable.
    """

    name: str
    state: str
    since: int | None = None
    read_at: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class AlertFacts:
    """How the alerts fare.

    Attributes:
        waiting: Not yet delivered.
        oldest_at: When the oldest of them was written; None without one.
        held: Of those waiting: beyond the hourly limit, to be counted in the next message.
        failing: Of those waiting: tried, and not delivered.
        reason: Why the latest of those failed; None if none does.
        untold: Not sent, since no destination is set.
        delivered_at: When a message was last delivered; None if never.
    """

    waiting: int = 0
    oldest_at: int | None = None
    held: int = 0
    failing: int = 0
    reason: str | None = None
    untold: int = 0
    delivered_at: int | None = None


@dataclass(frozen=True)
class Fleet:
    """What the store knows of the whole fleet.

    Attributes:
        counts: How many machines, by (group, standing).
        sources: Every source that the settings name or that was ever read.
        alerts: How the alerts fare.
        lookups_waiting: Reported versions that are still being looked up.
        conditions: What is wrong with the sources.
        policy_refused: The latest load of the policy file, if it was refused: when and why.
    """

    counts: Mapping[tuple[str, str], int]
    sources: tuple[SourceFacts, ...] = ()
    alerts: AlertFacts = AlertFacts()
    lookups_waiting: int = 0
    conditions: tuple[Condition, ...] = ()
    policy_refused: tuple[int, str] | None = None


class Tally(Answer, frozen=True):
    """How some machines stand.

    Attributes:
        machines: How many there are, whatever their standing.
        standings: How many by standing; one that nobody has is left out.
        in_share: How many are in the share's denominator.
        share: `match` over `in_share`, from 0 to 1; null where that is 0.
    """

    machines: int
    standings: dict[str, int]
    in_share: int
    share: float | None


class GroupTally(Tally, frozen=True, kw_only=True):
    """How the machines of a group stand, and what its policy wants of them.

    Attributes:
        target_share: The share to reach, from 0 to 1; null where the policy sets none.
        target_reached: Whether it is; null without a target or a share.
    """

    target_share: float | None
    target_reached: bool | None


class HeadStatus(HeadView, frozen=True, kw_only=True):
    """A head and its age.

    Attributes:
        age_s: Seconds since it was last read.
    """

    age_s: int


class SourceStatus(Answer, frozen=True):
    """How a release source does.

    Attributes:
        source: ``npm`` or ``bucket``.
        state: ``ok``, ``unreachable``, or ``waiting`` before the first answer.
        since: Since when; null while waiting.
        read_at: The last successful reading; null before the first.
        error: Why it is unreachable.
    """

    source: str
    state: str
    since: int | None
    read_at: int | None
    error: str | None = None


class ConditionStatus(Answer, frozen=True):
    """Something that is wrong with the sources.

    Attributes:
        kind: ``unreachable``, ``disagree``, ``frozen``, ``moved-back``, ``withdrawn``,
            ``republished``, ``forged`` or ``unsigned``.
        since: Since when.
        text: One or two sentences for the operator.
    """

    kind: str
    since: int
    text: str


class AlertStatus(Answer, frozen=True):
    """How the alerts fare.

    Attributes:
        waiting: Not yet delivered.
        oldest_s: Age of the oldest of them, in seconds; null without one.
        held: Of those waiting: beyond the hourly limit, to be counted in the next message.
        failing: Of those waiting: tried, and not delivered.
        untold: Not sent, since no destination is set.
        delivered_at: When a message was last delivered; null if never.
        reason: Why the latest of those failing failed.
    """

    waiting: int
    oldest_s: int | None
    held: int
    failing: int
    untold: int
    delivered_at: int | None
    reason: str | None = None


class RefusedPolicy(Answer, frozen=True):
    """A policy file that cannot be used: the one before it is in force.

    Attributes:
        at: When it was refused.
        error: Why.
    """

    at: int
    error: str


class StatusView(Answer, frozen=True):
    """The answer of ``GET /v1/status``.

    Attributes:
        at: The server's clock.
        fleet: All machines.
        groups: The same by group, with its target.
        heads: What every channel of every source points to.
        sources: Every source that the settings name or that was ever read.
        alerts: How the alerts fare.
        lookups_waiting: Reported versions that are still being looked up, counted up to 1000.
        conditions: What is wrong with the sources, the oldest first.
        policy_refused: The policy file as it is now, where it cannot be used.
    """

    at: int
    fleet: Tally
    groups: dict[str, GroupTally]
    heads: tuple[HeadStatus, ...]
    sources: tuple[SourceStatus, ...]
    alerts: AlertStatus
    lookups_waiting: int
    conditions: tuple[ConditionStatus, ...] = ()
    policy_refused: RefusedPolicy | None = None


def view(fleet: Fleet, ledger: Ledger, now: int, policies: Policies = _DEFAULTS) -> StatusView:
    """The status at `now` (whole seconds since the epoch).

    Args:
        fleet: What the store knows.
        ledger: What is public.
        now: The server's clock.
        policies: Those in force, for the groups' targets.
    """
    groups = sorted({group for group, _ in fleet.counts})
    return StatusView(
        at=now,
        fleet=tally((standing, count) for (_, standing), count in fleet.counts.items()),
        groups={
            group: _group(
                tally(
                    (standing, count)
                    for (name, standing), count in fleet.counts.items()
                    if name == group
                ),
                policies.of(group).target_share,
            )
            for group in groups
        },
        heads=tuple(
            HeadStatus(**msgspec.structs.asdict(told), age_s=max(0, now - told.read_at))
            for told in map(head_view, ledger.heads())
        ),
        sources=tuple(
            SourceStatus(item.name, item.state, item.since, item.read_at, item.error)
            for item in fleet.sources
        ),
        alerts=_alerts(fleet.alerts, now),
        lookups_waiting=fleet.lookups_waiting,
        conditions=tuple(
            ConditionStatus(each.kind, each.since, each.text) for each in fleet.conditions
        ),
        policy_refused=RefusedPolicy(*fleet.policy_refused) if fleet.policy_refused else None,
    )


def _group(told: Tally, target: float | None) -> GroupTally:
    is_reached = None if target is None or told.share is None else told.share >= target
    counted = msgspec.structs.asdict(told)
    return GroupTally(**counted, target_share=target, target_reached=is_reached)


def _alerts(facts: AlertFacts, now: int) -> AlertStatus:
    return AlertStatus(
        waiting=facts.waiting,
        oldest_s=None if facts.oldest_at is None else max(0, now - facts.oldest_at),
        held=facts.held,
        failing=facts.failing,
        untold=facts.untold,
        delivered_at=facts.delivered_at,
        reason=facts.reason,
    )


def tally(counts: Iterable[tuple[str, int]]) -> Tally:
    """How some machines stand, from how many stand how."""
    standings: Counter[str] = Counter()
    for standing, count in counts:
        if count:
            standings[standing] += count
    in_share = sum(count for name, count in standings.items() if name not in NOT_COUNTED)
    return Tally(
        machines=sum(standings.values()),
        standings=dict(sorted(standings.items())),
        in_share=in_share,
        share=standings["match"] / in_share if in_share else None,
    )
