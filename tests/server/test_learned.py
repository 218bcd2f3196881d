"""What a reference machine teaches."""

import msgspec
import pytest
from hypothesis import given

from agent.wire import Build, Install, Profile
from server.learned import learn
from server.policy import GroupPolicy
from server.releases.identify import PUBLIC_PACKAGE, Altered, Public, Unknowable, identify
from server.releases.ledger import Artifact, Ledger, Lookup, Release, Trust
from tests.server import cases
from tests.server.cases import NOW

BUNDLE = Build("e" * 64, 10, "bundle", "2.1.330", "darwin-arm64", package=PUBLIC_PACKAGE)
RELEASED = Release("2.1.330")
ASKED = Lookup("2.1.330", NOW - 20, NOW - 10, "found")
VOUCHED = Artifact("2.1.330", "darwin-arm64", "bundle", "e" * 64, 10, "learned", "reference")


def profile(*builds: Build, **also: object) -> Profile:
    """A machine whose terminal starts these builds."""
    given_ = {"method": "native", "place": "bundle", "starts": ("terminal",)}
    installs = tuple(Install(build=each, **(given_ | also)) for each in builds)  # type: ignore[arg-type]
    return Profile(1, "darwin", "arm64", installs)


def ledger(*artifacts: Artifact, release: Release = RELEASED, asked: Lookup = ASKED) -> Ledger:
    """2.1.330 is released, and the sources were asked about it."""
    return Ledger(releases=[release], artifacts=artifacts, lookups=[asked])


def test_bytes_of_a_release_that_no_source_covers_are_learned() -> None:
    """With their size, and with the trust that says where they are from."""
    assert learn(profile(BUNDLE), GroupPolicy(), ledger()) == (VOUCHED,)


@pytest.mark.parametrize("trust", ["signed", "registry", "stated", "learned"])
@pytest.mark.parametrize("sha256", ["e" * 64, "f" * 64], ids=["its own", "another"])
def test_nothing_is_learned_where_a_digest_is_known(sha256: str, trust: Trust) -> None:
    """Then other bytes are altered, and it is the reference machine that drifts."""
    known = Artifact("2.1.330", "darwin-arm64", "bundle", sha256, 10, trust, "npm")
    assert learn(profile(BUNDLE), GroupPolicy(), ledger(known)) == ()


def test_a_digest_of_another_platform_or_form_is_no_digest_of_it() -> None:
    """One version has other bytes on each."""
    binary = Artifact("2.1.330", "darwin-arm64", "binary", "f" * 64, 10, "signed", "npm")
    linux = Artifact("2.1.330", "linux-x64", "bundle", "a" * 64, 10, "signed", "npm")
    assert learn(profile(BUNDLE), GroupPolicy(), ledger(binary, linux)) == (VOUCHED,)


@pytest.mark.parametrize(
    "change",
    [
        {"package": None},
        {"package": "@anthropic-ai/other"},
        {"version": None},
        {"version": "2.1.331"},
    ],
)
def test_bytes_that_do_not_call_themselves_public_are_not_learned(
    change: dict[str, str | None],
) -> None:
    """A foreign package name, or a number that no source lists."""
    build = msgspec.structs.replace(BUNDLE, **change)
    assert learn(profile(build), GroupPolicy(), ledger()) == ()


@pytest.mark.parametrize(
    "known",
    [
        Ledger(releases=[RELEASED]),
        ledger(asked=Lookup("2.1.330", NOW, None, "waiting")),
        ledger(asked=Lookup("2.1.330", NOW - 20, NOW, "failed")),
        ledger(release=Release("2.1.330", withdrawn_at=NOW)),
        Ledger(lookups=[ASKED]),
    ],
    ids=["not asked", "waiting", "failed", "withdrawn", "not listed"],
)
def test_the_sources_are_asked_first(known: Ledger) -> None:
    """A digest that is on its way counts more than a laptop's word."""
    assert learn(profile(BUNDLE), GroupPolicy(), known) == ()


def test_only_counted_copies_vouch() -> None:
    """What nothing starts is not what users run."""
    assert learn(profile(BUNDLE, starts=()), GroupPolicy(), ledger()) == ()
    editors = GroupPolicy(surfaces=frozenset({"editor"}))
    assert learn(profile(BUNDLE), editors, ledger()) == ()
    assert learn(profile(BUNDLE, state="stub"), GroupPolicy(), ledger()) == ()


def test_of_two_files_that_say_the_same_neither_is_learned() -> None:
    """One of them is not what it says."""
    other = msgspec.structs.replace(BUNDLE, sha256="f" * 64)
    assert learn(profile(BUNDLE, other), GroupPolicy(), ledger()) == ()
    assert learn(profile(BUNDLE, BUNDLE), GroupPolicy(), ledger()) == (VOUCHED,)


def test_what_was_learned_is_public_only_where_the_policy_says_so() -> None:
    """Elsewhere it is as good as unknown; against a source's digest it is altered."""
    assert isinstance(identify(BUNDLE, ledger(VOUCHED), NOW), Unknowable)
    assert isinstance(identify(BUNDLE, ledger(VOUCHED), NOW, trust_learned=True), Public)
    signed = Artifact("2.1.330", "darwin-arm64", "bundle", "f" * 64, 10, "signed", "bucket")
    for trusted in (False, True):
        known = ledger(VOUCHED, signed)
        assert identify(BUNDLE, known, NOW, trust_learned=trusted) == Altered("2.1.330")


def test_other_bytes_are_not_altered_by_a_laptops_word_alone() -> None:
    """Unless the policy takes it."""
    other = msgspec.structs.replace(BUNDLE, sha256="f" * 64)
    assert isinstance(identify(other, ledger(VOUCHED), NOW), Unknowable)
    assert identify(other, ledger(VOUCHED), NOW, trust_learned=True) == Altered("2.1.330")


@given(cases.profiles, cases.policies, cases.ledgers)
def test_what_is_learned_was_unknown_before(
    told: Profile, policy: GroupPolicy, known: Ledger
) -> None:
    """And it is learned once."""
    for artifact in learn(told, policy, known):
        assert known.artifact(artifact.sha256) is None
        assert artifact.trust == "learned"
        grown = Ledger((), known.releases(), [*known.files(), artifact], known.lookups())
        assert artifact not in learn(told, policy, grown)
