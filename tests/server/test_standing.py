"""What is true of one machine, over the verdict of its profile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.wire import FindingView
from server.judge import Verdict, judge
from server.policy import GroupPolicy
from server.standing import MachineFacts, begun, carried, dated, finding_key, stand
from tests.server import shop

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
