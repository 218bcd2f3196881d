"""What is true of one machine, over the verdict of its profile."""

from dataclasses import replace
from itertools import pairwise
from typing import cast, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.wire import FindingView, Standing
from server.judge import State, Verdict, judge
from server.machine_facts import CLONED_S, MachineFacts
from server.policy import GroupPolicy
from server.standing import (
    READ_AGAIN_S,
    Stand,
    begun,
    carried,
    dated,
    finding_key,
    shared,
    stand,
)
from server.waivers import Waiver
from tests.server import cases, shop
from tests.server.cases import NOW, SPAN_S

ENROLLED, REPLACED = 2_000, 1_000

BEHIND = FindingView(
    code="build-behind",
    severity="drift",
    subject="npm global 2.1.240",
    sentence="the npm install 2.1.240 is behind",
    since=REPLACED,
    estimated=True,
)


@pytest.mark.parametrize(
    ("profile_since", "began", "since", "estimated"),
    [
        (ENROLLED, {}, ENROLLED, False),
        (REPLACED - 500, {}, REPLACED, True),
        (ENROLLED, {finding_key(BEHIND): 1_500}, 1_500, False),
    ],
)
def test_only_a_public_moment_is_called_an_estimate(
    profile_since: int, began: dict[str, int], since: int, *, estimated: bool
) -> None:
    """The later of both moments counts; when a machine took its profile is known exactly."""
    (told,) = dated([BEHIND], profile_since, began)
    assert (told.since, told.estimated) == (since, estimated)


VERDICT = judge(shop.profile(shop.HEAD), GroupPolicy(), shop.ledger(), shop.NOW)
DAY = shop.DAY
SILENT_AFTER_S = GroupPolicy().silent_after_s
MOMENTS = st.integers(0, 10**6)

found = st.lists(
    st.builds(
        FindingView,
        code=st.sampled_from(["build-behind", "install-stub"]),
        severity=st.just("drift"),
        subject=st.sampled_from(["one", "two"]),
        sentence=st.just("so it is"),
        since=st.none() | MOMENTS,
    ),
    max_size=3,
    unique_by=finding_key,
)


@given(MOMENTS, st.integers(0, 2 * SILENT_AFTER_S))
def test_a_machine_is_silent_exactly_from_its_time_on(last_seen: int, passed: int) -> None:
    """Before, it stands as its verdict, and says when to look again."""
    now = last_seen + passed
    told = stand(VERDICT, MachineFacts(0, last_seen), GroupPolicy(), now)
    if passed >= SILENT_AFTER_S:
        assert (told.standing, told.is_exception, told.next_change_at) == ("silent", True, None)
    else:
        assert (told.standing, told.is_exception) == ("match", False)
        assert told.next_change_at == last_seen + SILENT_AFTER_S


@pytest.mark.parametrize("verdict", [VERDICT, None])
def test_who_left_has_left_whatever_else_is_true(verdict: Verdict | None) -> None:
    """It will not change by time."""
    told = stand(verdict, MachineFacts(0, 0, left=True), GroupPolicy(), 10**9)
    assert (told.standing, told.is_exception, told.next_change_at) == ("left", True, None)


def test_a_machine_without_a_verdict_is_unknown() -> None:
    """It is enrolled, and never told a profile."""
    assert stand(None, MachineFacts(0, 10), GroupPolicy(), 11).standing == "unknown"


@given(found, found, MOMENTS)
def test_only_what_both_profiles_have_is_carried(
    before: list[FindingView], after: list[FindingView], taken_at: int
) -> None:
    """With its own time, and never a later one than the change of profile."""
    began = carried(before, after, taken_at)
    old = {finding_key(item): item.since for item in before}
    for key, since in began.items():
        assert key in {finding_key(item) for item in after}
        assert since == min(old[key] or 0, taken_at)


@given(found, MOMENTS, st.dictionaries(st.sampled_from(["build-behind one"]), MOMENTS))
def test_every_finding_is_dated_for_a_machine(
    findings: list[FindingView], profile_since: int, began: dict[str, int]
) -> None:
    """Not before it took the profile, unless the finding came along."""
    for item in dated(findings, profile_since, began):
        assert item.since is not None
        assert item.since >= profile_since or finding_key(item) in began


@given(found, found, MOMENTS)
def test_a_finding_that_comes_begins_when_it_is_judged(
    before: list[FindingView], after: list[FindingView], now: int
) -> None:
    """One that was there keeps its time; one with a public moment keeps that."""
    old = {finding_key(item): item.since for item in before}
    for item, told in zip(after, begun(before, after, now), strict=True):
        expected = item.since if item.since is not None else old.get(finding_key(item), now)
        assert told.since == expected
        assert (told.code, told.subject) == (item.code, item.subject)


verdicts = st.none() | st.builds(judge, cases.profiles, cases.policies, cases.ledgers, st.just(NOW))
groups = st.builds(
    GroupPolicy,
    silent_after_s=st.sampled_from([3_600, SPAN_S]),
    enrolled_grace_s=st.sampled_from([0, 86_400, 2 * SPAN_S]),
)
_many = settings(max_examples=300, deadline=None)


@_many
@given(verdicts, cases.machines, groups, st.integers(-SPAN_S, 2 * SPAN_S))
def test_every_machine_stands_somehow(
    verdict: Verdict | None, machine: MachineFacts, policy: GroupPolicy, around: int
) -> None:
    """Whatever is true of it, and whatever the moment."""
    told = stand(verdict, machine, policy, NOW + around)
    assert told.standing in get_args(Standing)
    assert told.next_change_at is None or told.next_change_at > NOW + around


@_many
@given(verdicts, cases.machines, groups)
def test_only_a_matching_verdict_makes_a_machine_match(
    verdict: Verdict | None, machine: MachineFacts, policy: GroupPolicy
) -> None:
    """Nobody's permission does, and nothing that is true of one machine."""
    told = stand(verdict, machine, policy, NOW)
    if told.standing == "match":
        assert verdict is not None
        assert verdict.state == "match"
        unwaived = stand(verdict, replace(machine, waivers=()), policy, NOW)
        assert unwaived.standing == "match"


@_many
@given(verdicts, cases.machines, groups, st.integers(0, 2 * SPAN_S))
def test_a_standing_holds_until_its_next_change(
    verdict: Verdict | None, machine: MachineFacts, policy: GroupPolicy, later: int
) -> None:
    """To the second before; at it something ends that is true of this machine."""
    told = stand(verdict, machine, policy, NOW)
    at = told.next_change_at
    last = NOW + later if at is None else at - 1
    for moment in (last, min(NOW + later, last)):
        assert _seen(stand(verdict, machine, policy, moment)) == _seen(told)
    if at is not None:
        changed = _seen(stand(verdict, machine, policy, at)) != _seen(told)
        assert changed or at in _ends(machine, policy) or told.unread


def _seen(told: Stand) -> tuple[object, ...]:
    # Who is away is not looked at: what it would be told is said when it comes back.
    findings = told.findings if told.standing not in {"left", "paused", "silent"} else ()
    return told.standing, told.is_exception, findings


def _ends(machine: MachineFacts, policy: GroupPolicy) -> set[int | None]:
    waived = {each.until for each in machine.waivers}
    return {*waived, machine.cloned_until, machine.enrolled_at + policy.enrolled_grace_s}


@_many
@given(verdicts, cases.machines, groups)
def test_the_order_of_permissions_does_not_matter(
    verdict: Verdict | None, machine: MachineFacts, policy: GroupPolicy
) -> None:
    """Of several that cover a finding the last to end counts."""
    turned = replace(machine, waivers=machine.waivers[::-1])
    assert stand(verdict, turned, policy, NOW) == stand(verdict, machine, policy, NOW)


@given(st.lists(MOMENTS, max_size=5, unique=True).map(sorted))
def test_two_alternations_within_a_day_are_two_laptops(times: list[int]) -> None:
    """Told until a day after the later of the last such two."""
    close = [later for earlier, later in pairwise(times) if later - earlier < CLONED_S]
    expected = max(close) + CLONED_S if close else None
    assert MachineFacts(0, 0, alternations=tuple(times)).cloned_until == expected


AHEAD = FindingView("build-ahead", "drift", "npm global 2.1.331", "it is newer", install=0)
WAIVED = Waiver("01234567", "build-ahead", None, "a trial", "ada", 100, 200)


def ahead(severity: str = "drift") -> Verdict:
    """A verdict whose only finding is a build newer than the head."""
    finding = msgspec.structs.replace(AHEAD, severity=severity)
    state = cast("State", severity)
    outdated = frozenset({finding_key(finding)})
    return Verdict(state, (finding,), 1, None, frozenset(), "tag", outdated)


@pytest.mark.parametrize(("passed", "standing"), [(DAY - 1, "pending"), (DAY, "drift")])
def test_a_newly_enrolled_machine_is_spared_exactly_until_its_time(
    passed: int, standing: Standing
) -> None:
    """To the second: at its end it stands as its verdict, and is no exception."""
    machine = MachineFacts(enrolled_at=ENROLLED, last_seen=ENROLLED + passed)
    policy = GroupPolicy(enrolled_grace_s=DAY)
    drifts = Verdict("drift", (BEHIND,), 1, None, frozenset(), "tag")
    told = stand(drifts, machine, policy, ENROLLED + passed)
    assert (told.standing, told.is_exception) == (standing, standing == "pending")


@pytest.mark.parametrize("heads_read_at", [None, 99, 100])
def test_a_build_is_ahead_only_of_a_head_that_was_read_since(heads_read_at: int | None) -> None:
    """Until then the machine is pending, by itself, and looked at every few seconds."""
    facts = MachineFacts(0, 100, taken_at=100, heads_read_at=heads_read_at)
    told = stand(ahead(), facts, GroupPolicy(), 110)
    if heads_read_at == 100:
        assert (told.standing, told.is_exception, told.unread) == ("drift", False, ())
    else:
        assert (told.standing, told.is_exception) == ("pending", True)
        assert told.unread == (AHEAD,)
        assert told.next_change_at == 110 + READ_AGAIN_S
        assert told.findings[0].fix is None


def test_who_may_be_ahead_waits_for_no_reading() -> None:
    """It is exempt whatever the head is by now."""
    told = stand(ahead("exempt"), MachineFacts(0, 100, taken_at=100), GroupPolicy(), 110)
    assert (told.standing, told.is_exception, told.unread) == ("exempt", False, ())


@pytest.mark.parametrize(("paused_until", "standing"), [(500, "paused"), (None, "silent")])
@pytest.mark.parametrize("until", [200, 120])
def test_what_is_told_of_a_machine_that_is_away_changes_in_time_too(
    paused_until: int | None, standing: str, until: int
) -> None:
    """Its standing does not change by the end of a waiver, its findings do."""
    waiver = replace(WAIVED, until=until)
    facts = MachineFacts(0, 100, taken_at=50, heads_read_at=60, waivers=(waiver,))
    facts = replace(facts, paused_until=paused_until)
    policy = GroupPolicy(silent_after_s=5)
    for now in (110, until - 1):
        told = stand(ahead(), facts, policy, now)
        assert (told.standing, told.next_change_at) == (standing, until)
        assert told.findings[0].severity == "exempt"
    later = stand(ahead(), facts, policy, until)
    assert (later.standing, later.next_change_at) == (standing, paused_until)
    assert later.findings == (AHEAD,)


def test_a_waiver_that_changes_no_finding_is_no_reason_to_look_at_who_is_away() -> None:
    """As of a machine that matches, and has been silent for long."""
    facts = MachineFacts(0, 100, waivers=(WAIVED,))
    told = stand(VERDICT, facts, GroupPolicy(silent_after_s=5), 110)
    assert (told.standing, told.next_change_at) == ("silent", None)


@given(found)
def test_who_is_no_exception_has_what_its_verdict_has(findings: list[FindingView]) -> None:
    """And what its agent's version alone says."""
    verdict = Verdict("drift", tuple(findings), 1, None, frozenset(), "tag")
    facts = MachineFacts(0, 100, agent="0.0.1")
    told = shared(verdict, facts, GroupPolicy(), 101)
    assert {item.code for item in told} == {*(item.code for item in findings), "agent-outdated"}
    assert told == stand(verdict, facts, GroupPolicy(), 101).findings
