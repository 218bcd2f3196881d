"""The fold of all rules, for any profile, policy and ledger."""

from dataclasses import replace
from itertools import accumulate, pairwise
from random import Random
from typing import TypeVar

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.wire import Build, FindingView, Install, Problem, Profile, Session
from server.judge import WORST_FIRST, Verdict, fold, judge, severity_of, view_installs
from server.policy import SURFACES, GroupPolicy
from server.releases.identify import Public, identify
from server.releases.ledger import Artifact, Ledger, Lookup, Reading, Release
from server.rules.interface import is_counted
from tests.server import cases, shop
from tests.server.cases import NOW, SPAN_S

T = TypeVar("T")
S = TypeVar("S", Install, Session)
_many = settings(max_examples=300, deadline=None)


@_many
@given(cases.profiles, cases.policies, cases.ledgers)
def test_a_verdict_is_the_worst_of_its_findings(
    profile: Profile, policy: GroupPolicy, ledger: Ledger
) -> None:
    """Drift over unknown over pending over exempt over match; worst first; no case is an error."""
    verdict = judge(profile, policy, ledger, NOW)
    ranks = [WORST_FIRST.index(severity_of(item)) for item in verdict.findings]
    assert ranks == sorted(ranks)
    told = [item.severity for item in verdict.findings if item.severity != "note"]
    if verdict.counted or {"drift", "unknown", "pending"} & set(told):
        assert verdict.state == (told[0] if told else "match")
    else:
        assert verdict.state == "unknown"


@_many
@given(cases.profiles, cases.policies, cases.ledgers)
def test_a_match_has_every_counted_install_identified_by_its_bytes(
    profile: Profile, policy: GroupPolicy, ledger: Ledger
) -> None:
    """And every build that runs; at least one install, and nothing that was not examined."""
    verdict = judge(profile, policy, ledger, NOW)
    counted = [install for install in profile.installs if is_counted(install, policy)]
    assert verdict.counted == len(counted)
    if verdict.state == "match":
        assert counted
        assert all(install.state == "ok" for install in counted)
        builds = [*(each.build for each in counted), *(each.build for each in profile.sessions)]
        assert all(build and _is_public(build, policy, ledger) for build in builds)
        assert not profile.problems
        assert not profile.more_installs
        assert profile.config is not None
    if verdict.standing == "absent":
        assert not counted


def _is_public(build: Build, policy: GroupPolicy, ledger: Ledger) -> bool:
    return isinstance(identify(build, ledger, NOW, trust_learned=policy.trust_learned), Public)


_kept = st.sampled_from([True] * 7 + [False])
_facts = st.tuples(cases.readings(), cases.releases, cases.artifacts, cases.lookups)
_Facts = tuple[tuple[Reading, ...], tuple[Release, ...], tuple[Artifact, ...], tuple[Lookup, ...]]


@_many
@given(cases.profiles, cases.policies, _facts, st.data())
def test_no_evidence_that_is_missing_makes_a_match(
    profile: Profile, policy: GroupPolicy, facts: _Facts, data: st.DataObject
) -> None:
    """What a laptop could not read and what the server does not know only take away.

    Evidence is what was seen, not what is set: a machine without an override is another
    machine. A pointer's latest reading is where it points to: without it, it points elsewhere.
    A policy that trusts learned bytes rests on no source having a digest of them, so that it
    asks for the lack of evidence itself.
    """
    policy = replace(policy, trust_learned=False)
    before = judge(profile, policy, Ledger(*facts), NOW)
    readings, releases, artifacts, lookups = facts
    less = Ledger(
        (each for each in readings if _is_latest(each, readings) or data.draw(_kept)),
        _some(data, releases),
        _some(data, artifacts),
        _some(data, lookups),
    )
    after = judge(_unread(data, profile), policy, less, NOW)
    assert before.state == "match" or after.state != "match"


def _is_latest(reading: Reading, readings: tuple[Reading, ...]) -> bool:
    same = (each for each in readings if _pointer(each) == _pointer(reading))
    return reading.first_seen == max(each.first_seen for each in same)


def _pointer(reading: Reading) -> tuple[str, str]:
    return reading.source, reading.channel


def _some(data: st.DataObject, items: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(item for item in items if data.draw(_kept))


def _unread(data: st.DataObject, profile: Profile) -> Profile:
    """The profile of an agent that could read less of the same laptop."""
    poorer = msgspec.structs.replace(
        profile,
        installs=tuple(_unbuilt(data, each) for each in profile.installs),
        sessions=tuple(_unbuilt(data, each) for each in profile.sessions),
        config=profile.config if data.draw(_kept) else None,
    )
    if profile.exposure is None or data.draw(_kept):
        return poorer
    # A part that could not be looked at is told: an agent that never looks there is another one.
    problems = (*profile.problems, Problem("exposure", "no access"))
    return msgspec.structs.replace(poorer, exposure=None, problems=problems)


def _unbuilt(data: st.DataObject, item: S) -> S:
    return item if data.draw(_kept) else msgspec.structs.replace(item, build=None)


@_many
@given(cases.profiles, cases.policies, cases.ledgers, st.integers(0, 2 * SPAN_S))
def test_until_its_next_change_a_verdict_stays_what_it_is(
    profile: Profile, policy: GroupPolicy, ledger: Ledger, later: int
) -> None:
    """So nobody has to look before; and then it does change, to the second."""
    verdict = judge(profile, policy, ledger, NOW)
    at = verdict.next_change_at
    if at is None:
        assert judge(profile, policy, ledger, NOW + later) == verdict
        return
    assert at > NOW
    for moment in (at - 1, min(NOW + later, at - 1)):
        assert judge(profile, policy, ledger, moment) == verdict
    changed = judge(profile, policy, ledger, at)
    assert (changed.tag, changed.lookups) != (verdict.tag, verdict.lookups)


@_many
@given(cases.profiles, cases.policies, _facts, st.randoms(use_true_random=False))
def test_the_order_in_which_facts_were_read_does_not_matter(
    profile: Profile, policy: GroupPolicy, facts: _Facts, random: Random
) -> None:
    """Readings, releases, artifacts and look-ups are sets."""
    mixed = [random.sample(each, len(each)) for each in facts]
    readings, releases, artifacts, lookups = mixed
    ledger = Ledger(readings, releases, artifacts, lookups)  # type: ignore[arg-type]
    assert judge(profile, policy, ledger, NOW) == judge(profile, policy, Ledger(*facts), NOW)


_severities = st.sampled_from(WORST_FIRST)
_findings = st.lists(
    st.builds(FindingView, st.just("a-code"), _severities, st.just("it"), st.just("so it is")),
    max_size=3,
)


@given(_findings, _findings, st.integers(0, 2))
def test_permission_and_notes_never_make_a_match(
    findings: list[FindingView], more: list[FindingView], counted: int
) -> None:
    """Whatever is exempt or noted besides: a state that was no match is none."""
    harmless = [item for item in more if item.severity in {"exempt", "note"}]
    if fold([*findings, *harmless], counted) == "match":
        assert fold(findings, counted) == "match"
    if any(item.severity == "exempt" for item in more):
        assert fold([*findings, *more], counted) != "match"


_starts = st.sampled_from([("terminal",), ("editor",), ("desktop",), ("sdk", "desktop"), ("new",)])
_steps = st.lists(st.integers(1, 3 * 86_400), min_size=1, max_size=6)


@_many
@given(_starts, st.sampled_from([0, 3_600, 86_400]), _steps, _steps)
def test_a_laptop_never_updated_becomes_drift_and_stays_so(
    starts: tuple[str, ...], grace_s: int, moves: list[int], looks: list[int]
) -> None:
    """However many releases follow: its time runs from the first of them, to the second."""
    policy = GroupPolicy(grace_s=grace_s, editor_tolerance_s=2 * grace_s)
    told = Install("npm", "global", build=_numbered(0), starts=starts)
    profile = Profile(1, "linux", "x64", (told,), config=shop.NO_CONFIG)
    own = [policy.tolerance_s(surface) for surface in SURFACES if surface in starts]
    deadline = NOW + min(own, default=grace_s)
    for moment in (NOW - 1, NOW, deadline - 1, *accumulate(looks, initial=deadline)):
        state = judge(profile, policy, _history(moves, moment), moment).state
        assert state == ("match" if moment < NOW else "pending" if moment < deadline else "drift")


@given(st.sampled_from([0, 3_600, 86_400]), _steps, _steps)
def test_a_session_never_ended_becomes_drift_and_stays_so(
    grace_s: int, moves: list[int], looks: list[int]
) -> None:
    """Beside a copy that is always the head, so that the session alone decides."""
    policy, deadline = GroupPolicy(grace_s=grace_s), NOW + grace_s
    for moment in (NOW - 1, NOW, deadline - 1, *accumulate(looks, initial=deadline)):
        head = _numbered(len(_heads(moves, moment)) - 1)
        told = Install("npm", "global", build=head, starts=("terminal",))
        running = (Session("present", _numbered(0)),)
        profile = Profile(1, "linux", "x64", (told,), config=shop.NO_CONFIG, sessions=running)
        state = judge(profile, policy, _history(moves, moment), moment).state
        assert state == ("match" if moment < NOW else "pending" if moment < deadline else "drift")


def _numbered(number: int) -> Build:
    return Build(f"{number:064x}", 10, "binary", f"2.1.{200 + number}", "linux-x64")


def _heads(moves: list[int], until: int) -> list[int]:
    """When each release became the head: the second one now, the others further and further on."""
    return [at for at in (0, *accumulate(moves, initial=NOW)) if at <= until]


def _history(moves: list[int], now: int) -> Ledger:
    """What had been read by then, the head just now."""
    heads = _heads(moves, now)
    ends = [*(at - 1 for at in heads[1:]), now]
    versions = [_numbered(number) for number in range(len(heads))]
    return Ledger(
        [
            Reading("npm", "latest", str(build.version), at, end)
            for build, at, end in zip(versions, heads, ends, strict=True)
        ],
        artifacts=[
            Artifact(str(each.version), each.platform, each.form, each.sha256, 10, "signed", "npm")
            for each in versions
        ],
    )


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
    """A verdict without them is the same, but that a started copy cannot shadow what is gone."""
    started = tuple(each for each in profile.installs if is_counted(each, policy))
    without = msgspec.structs.replace(profile, installs=started)
    views = view_installs(profile, policy, ledger)
    assert [view.install for view in views] == list(profile.installs)
    assert [view.install for view in views if view.counted] == list(started)
    one, other = (judge(each, policy, ledger, NOW) for each in (profile, without))
    assert one.state == other.state
    assert _told(one) == _told(other)


def _told(verdict: Verdict) -> list[tuple[str, str]]:
    return [
        (item.code, item.sentence) for item in verdict.findings if item.code != "install-shadowed"
    ]
