"""The verdict as it holds for one machine. Pure.

Most machines simply have their verdict. What is true of one machine only (it left, it
says nothing) goes over it, and a finding is dated for the machine: not before it took
the profile, unless its previous profile had the same finding.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from agent.wire import FindingView, Standing
from server.judge import Verdict
from server.policy import GroupPolicy


@dataclass(frozen=True)
class MachineFacts:
    """What is true of one machine only.

    Attributes:
        last_seen: Its last acknowledged check-in.
        left: It was revoked or said goodbye.
    """

    last_seen: int
    left: bool = False


@dataclass(frozen=True)
class Stand:
    """A machine's standing.

    Attributes:
        standing: The word for it.
        is_exception: It differs from what the verdict alone says.
        next_change_at: When silence alone would change it.
    """

    standing: Standing
    is_exception: bool
    next_change_at: int | None


def stand(verdict: Verdict | None, machine: MachineFacts, policy: GroupPolicy, now: int) -> Stand:
    """The standing of a machine at `now`.

    Args:
        verdict: On its profile; None before its first one, which is `unknown`.
        machine: What is true of it only.
        policy: Its group's.
        now: Whole seconds since the epoch.
    """
    if machine.left:
        return Stand("left", is_exception=True, next_change_at=None)
    silent_at = machine.last_seen + policy.silent_after_s
    if now >= silent_at:
        return Stand("silent", is_exception=True, next_change_at=None)
    own = verdict.standing if verdict else "unknown"
    return Stand(own, is_exception=False, next_change_at=silent_at)


def unsent_profile(since: int | None) -> FindingView:
    """What is said of a machine that names a profile and does not send it.

    Its last known profile may not be what runs there now.

    Args:
        since: Since when it is `unknown` for this.
    """
    return FindingView(
        code="not-examined",
        severity="unknown",
        subject="profile unsent",
        sentence="this machine has changed, and the server has not been sent what it is now;"
        " `parity-agent check` on it tells why",
        since=since,
    )


def carried(
    before: Iterable[FindingView], after: Iterable[FindingView], taken_at: int
) -> dict[str, int]:
    """When findings began that a machine brings along into another profile.

    Args:
        before: The findings of the profile left, dated for this machine.
        after: The findings of the profile taken.
        taken_at: When it was taken: the fall-back for a finding without a date.
    """
    began = {finding_key(item): item.since for item in before}
    return {
        key: min(since, taken_at)
        for item in after
        if (since := began.get(key := finding_key(item))) is not None
    }


def dated(
    findings: Iterable[FindingView], profile_since: int, began: Mapping[str, int]
) -> tuple[FindingView, ...]:
    """Findings with the `since` that holds for one machine.

    Args:
        findings: As the verdict has them.
        profile_since: When the machine took the profile.
        began: What `carried` kept for it.
    """
    return tuple(
        _dated(item, began.get(finding_key(item), max(profile_since, item.since or 0)))
        for item in findings
    )


def _dated(finding: FindingView, since: int) -> FindingView:
    # Only the public moment can be an estimate; when this machine took part is known.
    is_estimate = finding.estimated and since == finding.since
    return msgspec.structs.replace(finding, since=since, estimated=is_estimate)


def begun(
    before: Iterable[FindingView], after: Iterable[FindingView], now: int
) -> tuple[FindingView, ...]:
    """Findings of a verdict judged again, each with the time at which it began there.

    A finding that was there before keeps its time, also if it had none: then it is as old
    as the pair, and begins for each machine when that takes the profile.

    Args:
        before: As the verdict had them.
        after: As judged now.
        now: When that was.
    """
    known = {finding_key(item): item.since for item in before}
    return tuple(
        item
        if item.since is not None
        else msgspec.structs.replace(item, since=known.get(finding_key(item), now))
        for item in after
    )


def finding_key(finding: FindingView) -> str:
    """Names a finding across profiles and judgements."""
    return f"{finding.code} {finding.subject}"
