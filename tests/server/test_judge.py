"""The fold of all rules, for any profile, policy and ledger."""

from itertools import pairwise
from typing import TypeVar

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.wire import Install, Profile
from server.judge import Verdict, judge, view_installs
from server.policy import GroupPolicy
from server.releases.identify import Public, identify
from server.releases.ledger import Artifact, Ledger, Lookup, Reading, Release
from tests.server import cases, shop
from tests.server.cases import NOW, SPAN_S

T = TypeVar("T")
_ORDER = ("drift", "unknown", "pending")
_many = settings(max_examples=300, deadline=None)


@_many
@given(cases.profiles, cases.policies, cases.ledgers)
def test_a_verdict_is_the_worst_of_its_findings(
    profile: Profile, policy: GroupPolicy, ledger: Ledger
) -> None:
    """Drift over unknown over pending over match; worst first; no case is an error."""
    verdict = judge(profile, policy, ledger, NOW)
    ranks = [_ORDER.index(item.severity) for item in verdict.findings]
    assert ranks == sorted(ranks)
    if ranks:
        assert verdict.state == _ORDER[ranks[0]]
    else:
        assert verdict.state == ("match" if verdict.counted else "unknown")


@_many
@given(cases.profiles, cases.policies, cases.ledgers)
def test_a_match_has_every_counted_install_identified_by_its_bytes(
    profile: Profile, policy: GroupPolicy, ledger: Ledger
) -> None:
    """And at least one, and nothing that could not be examined."""
    verdict = judge(profile, policy, ledger, NOW)
    counted = [install for install in profile.installs if install.counted]
    public = [
        install.state == "ok"
        and install.build is not None
        and isinstance(identify(install.build, ledger), Public)
        for install in counted
    ]
    if verdict.state == "match":
        assert public
        assert all(public)
        assert not profile.problems
        assert not profile.more_installs
        assert profile.config is not None
    if verdict.standing == "absent":
        assert not counted


_facts = st.tuples(cases.readings(sources=("npm",)), cases.releases, cases.artifacts, cases.lookups)


@_many
@given(cases.profiles, cases.policies, _facts, st.data())
def test_less_evidence_never_makes_a_match(
    profile: Profile,
    policy: GroupPolicy,
    facts: tuple[
        tuple[Reading, ...], tuple[Release, ...], tuple[Artifact, ...], tuple[Lookup, ...]
    ],
    data: st.DataObject,
) -> None:
    """What a laptop could not read and what the server does not know only take away."""
    readings, releases, artifacts, lookups = facts
    before = judge(profile, policy, Ledger(*facts), NOW)
    kept = data.draw(st.booleans())
    less = Ledger(
        readings if kept else (),
        _some(data, releases),
        _some(data, artifacts),
        _some(data, lookups),
    )
    unread = tuple(_unread(data, install) for install in profile.installs)
    poorer = msgspec.structs.replace(profile, installs=unread)
    after = judge(poorer, policy, less, NOW)
    assert before.state == "match" or after.state != "match"


def _some(data: st.DataObject, items: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(item for item in items if data.draw(st.booleans()))


def _unread(data: st.DataObject, install: Install) -> Install:
    return install if data.draw(st.booleans()) else msgspec.structs.replace(install, build=None)


@_many
@given(cases.profiles, cases.policies, cases.ledgers, st.integers(0, 2 * SPAN_S))
def test_until_its_next_change_a_verdict_stays_what_it_is(
    profile: Profile, policy: GroupPolicy, ledger: Ledger, later: int
) -> None:
    """So nobody has to look before; the change itself lies in the future."""
    verdict = judge(profile, policy, ledger, NOW)
    at = verdict.next_change_at
    assert at is None or at > NOW
    moment = NOW + later if at is None else min(NOW + later, at - 1)
    assert judge(profile, policy, ledger, moment).tag == verdict.tag


@given(st.sampled_from([0, 1, 3_600, 86_400, 7 * 86_400]), st.integers(0, 3_600))
def test_pending_becomes_drift_exactly_at_its_deadline(grace: int, ago: int) -> None:
    """Not a second before; as long as the head is read again and again."""
    policy = GroupPolicy(grace_s=grace)
    deadline = NOW - ago + grace
    ledger = shop.ledger(since=NOW - ago, read_at=deadline + 60)
    profile = shop.profile(shop.BEHIND)
    if deadline > NOW:
        early = judge(profile, policy, ledger, deadline - 1)
        assert (early.state, early.next_change_at) == ("pending", deadline)
    assert judge(profile, policy, ledger, deadline).state == "drift"


@_many
@given(cases.profiles, cases.policies, cases.ledgers)
def test_a_verdict_is_the_same_after_being_stored(
    profile: Profile, policy: GroupPolicy, ledger: Ledger
) -> None:
    """And the same arguments give the same verdict."""
    verdict = judge(profile, policy, ledger, NOW)
    assert msgspec.json.decode(msgspec.json.encode(verdict), type=Verdict) == verdict
    assert judge(profile, policy, ledger, NOW) == verdict


@_many
@given(st.lists(cases.profiles, min_size=2, max_size=2), cases.policies, cases.ledgers)
def test_equal_tags_mean_equal_findings(
    two: list[Profile], policy: GroupPolicy, ledger: Ledger
) -> None:
    """And equal states: what differs is told by the tag."""
    for one, other in pairwise([judge(profile, policy, ledger, NOW) for profile in two]):
        equal = (one.state, one.findings) == (other.state, other.findings)
        assert equal == (one.tag == other.tag)


@given(cases.profiles, cases.policies, cases.ledgers)
def test_copies_at_rest_are_listed_and_never_judged(
    profile: Profile, policy: GroupPolicy, ledger: Ledger
) -> None:
    """A verdict without them is the same verdict."""
    started = tuple(each for each in profile.installs if each.counted)
    without = msgspec.structs.replace(profile, installs=started)
    views = view_installs(profile, ledger)
    assert [view.install for view in views] == list(profile.installs)
    assert [view.counted for view in views] == [each.counted for each in profile.installs]
    one, other = (judge(each, policy, ledger, NOW) for each in (profile, without))
    assert [(item.code, item.sentence) for item in one.findings] == [
        (item.code, item.sentence) for item in other.findings
    ]
