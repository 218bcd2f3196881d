"""The verdict as it holds for one machine. Pure.

Most machines simply have their verdict. What is true of one machine only goes over it, from
the outside in: it left; its user paused it; it says nothing; two laptops share its identity;
it is newly enrolled; a person permits that it differs. A finding is dated for the machine:
not before it took the profile, unless its previous profile had the same finding.

A machine of which any of these is true is an exception (`Stand.is_exception`), also where its
standing happens to be its verdict's: what befalls the fleet is then told without it, and it is
looked at by itself.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from agent.wire import FindingView, Standing
from server.judge import Verdict, ordered, severity_of, standing_of
from server.machine_facts import MachineFacts
from server.policy import GroupPolicy
from server.rules import rules
from server.rules.interface import MachineCase, earliest

READ_AGAIN_S = 15
"""How often a machine is looked at whose build waits for a reading of the head, in seconds."""

_NOTES = frozenset({"exempt", "note"})


@dataclass(frozen=True)
class Stand:
    """A machine's standing.

    Attributes:
        standing: The word for it.
        is_exception: Something is true of this machine only.
        next_change_at: When time alone may change it.
        findings: The verdict's and the machine's own, worst first, as they hold for it; not
            dated for it.
        unread: Those of the verdict's that rest on a head read before the machine told its
            build: it has to be read again.
    """

    standing: Standing
    is_exception: bool
    next_change_at: int | None
    findings: tuple[FindingView, ...] = ()
    unread: tuple[FindingView, ...] = ()


def stand(verdict: Verdict | None, machine: MachineFacts, policy: GroupPolicy, now: int) -> Stand:
    """The standing of a machine at `now`.

    Args:
        verdict: On its profile; None before its first one, which is `unknown`.
        machine: What is true of it only.
        policy: Its group's.
        now: Whole seconds since the epoch.
    """
    findings = _findings(verdict, machine, policy, now)
    if machine.left:
        return Stand("left", is_exception=True, next_change_at=None, findings=findings)
    unread = _unread(verdict, machine)
    look_at = now + READ_AGAIN_S if unread else None
    paused_until = machine.paused_until
    silent_at = machine.expected_at + machine.unheard_s + policy.silent_after_s
    is_paused = paused_until is not None and now < paused_until
    if is_paused or now >= silent_at:
        changes_at = _findings_change_at(verdict, machine, policy, now)
        return Stand(
            "paused" if is_paused else "silent",
            is_exception=True,
            next_change_at=earliest(paused_until if is_paused else None, look_at, changes_at),
            findings=findings,
            unread=unread,
        )
    ends = tuple(_ends(machine, policy, now))
    return Stand(
        "unknown" if verdict is None else standing_of(findings, verdict.counted),
        is_exception=bool(ends or unread) or machine.unsent_since is not None,
        next_change_at=earliest(silent_at, look_at, *ends),
        findings=findings,
        unread=unread,
    )


def shared(
    verdict: Verdict | None, machine: MachineFacts, policy: GroupPolicy, now: int
) -> tuple[FindingView, ...]:
    """The findings of a machine that is no exception, worst first: nothing changes them.

    Args:
        verdict: On its profile; None before its first one.
        machine: What is true of it only.
        policy: Its group's.
        now: Whole seconds since the epoch.
    """
    return ordered(_found(verdict, machine, policy, now))


def _ends(machine: MachineFacts, policy: GroupPolicy, now: int) -> Iterator[int]:
    """When each thing ends that is true of this machine only, of those that hold now."""
    ends = (_fresh_until(machine, policy), machine.cloned_until)
    yield from (end for end in ends if end is not None and now < end)
    yield from (each.until for each in machine.waivers if each.holds(now))


def _findings_change_at(
    verdict: Verdict | None, machine: MachineFacts, policy: GroupPolicy, now: int
) -> int | None:
    """When time alone changes the findings, where they do not decide about the standing."""
    here = _findings(verdict, machine, policy, now)
    ends = sorted(_ends(machine, policy, now))
    return next((at for at in ends if _findings(verdict, machine, policy, at) != here), None)


def _found(
    verdict: Verdict | None, machine: MachineFacts, policy: GroupPolicy, now: int
) -> Iterator[FindingView]:
    yield from verdict.findings if verdict else ()
    case = MachineCase(machine, policy, now)
    for rule in rules():
        yield from rule.examine_machine(case).findings


def _findings(
    verdict: Verdict | None, machine: MachineFacts, policy: GroupPolicy, now: int
) -> tuple[FindingView, ...]:
    fresh_until = _fresh_until(machine, policy)
    unread = {finding_key(item) for item in _unread(verdict, machine)}
    found = (_read_again(item, unread) for item in _found(verdict, machine, policy, now))
    if fresh_until is not None and now < fresh_until:
        found = (_spared(item, fresh_until) for item in found)
    return ordered(_waived(item, machine, now) for item in found)


def _fresh_until(machine: MachineFacts, policy: GroupPolicy) -> int | None:
    spared_s = policy.enrolled_grace_s
    return machine.enrolled_at + spared_s if spared_s else None


def _unread(verdict: Verdict | None, machine: MachineFacts) -> tuple[FindingView, ...]:
    """The findings that rest on a reading from before this machine told its build.

    A release reaches laptops before this server has read of it.
    """
    if verdict is None or machine.taken_at is None:
        return ()
    if machine.heads_read_at is not None and machine.heads_read_at >= machine.taken_at:
        return ()
    # What is permitted is so whatever the head is by now.
    doubted = (item for item in verdict.findings if severity_of(item) not in _NOTES)
    return tuple(item for item in doubted if finding_key(item) in verdict.outdated)


def _read_again(finding: FindingView, unread: Collection[str]) -> FindingView:
    if severity_of(finding) != "drift" or finding_key(finding) not in unread:
        return finding
    sentence = f"{finding.sentence}; the sources are being read again"
    return msgspec.structs.replace(finding, severity="pending", sentence=sentence, fix=None)


def _spared(finding: FindingView, until: int) -> FindingView:
    """A finding of a newly enrolled machine: its user has time to mend it."""
    if severity_of(finding) != "drift":
        return finding
    deadline = max(until, finding.deadline or 0)
    return msgspec.structs.replace(finding, severity="pending", deadline=deadline)


def _waived(finding: FindingView, machine: MachineFacts, now: int) -> FindingView:
    if severity_of(finding) in _NOTES:
        return finding
    ends = [each.until for each in machine.waivers if each.holds(now) and each.covers(finding)]
    if not ends:
        return finding
    return msgspec.structs.replace(finding, severity="exempt", waived_until=max(ends))


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
