"""What a build is: bytes decide, and no answer is a guess."""

from hypothesis import given
from hypothesis import strategies as st

from agent.wire import Build, Form
from server.releases.identify import (
    ABSENT_KEPT_S,
    PUBLIC_PACKAGE,
    RETRY_S,
    Altered,
    Public,
    Unknowable,
    Unpublished,
    Waiting,
    identify,
    questions,
)
from server.releases.ledger import Artifact, Ledger, Lookup, Outcome, Release

NOW = 3000

GOOD, OTHER = "a" * 64, "b" * 64
FILE = Artifact("2.1.330", "linux-x64", "binary", GOOD, 10, "registry", "npm")

_versions = st.sampled_from(["2.1.330", "2.1.112", "2.1.999"])
_platforms = st.sampled_from(["linux-x64", "darwin-arm64", None])
_forms: st.SearchStrategy[Form] = st.sampled_from(["binary", "js", "bundle"])
_shas = st.sampled_from([GOOD, OTHER, "c" * 64])
_packages = st.sampled_from([None, PUBLIC_PACKAGE, "@anthropic-ai/claude-code-internal"])
_builds = st.builds(
    Build,
    sha256=_shas,
    size=st.just(10),
    form=_forms,
    version=st.none() | _versions,
    platform=_platforms,
    package=_packages,
)
_artifacts = st.lists(
    st.builds(
        Artifact,
        version=_versions,
        platform=_platforms,
        form=_forms,
        sha256=_shas,
        size=st.just(10),
        trust=st.just("registry"),
        source=st.just("npm"),
    ),
    max_size=4,
)
_outcomes: st.SearchStrategy[Outcome] = st.sampled_from(["waiting", "found", "absent", "failed"])
_lookups = st.lists(
    st.builds(
        Lookup,
        version=_versions,
        asked_at=st.just(100),
        answered_at=st.none() | st.just(200),
        outcome=_outcomes,
        reason=st.none() | st.just("why"),
    ),
    max_size=3,
    unique_by=lambda lookup: lookup.version,
)


@given(_builds, _artifacts, _lookups)
def test_public_means_exactly_public_bytes(
    build: Build, artifacts: list[Artifact], lookups: list[Lookup]
) -> None:
    """Nothing but the digest makes it so, and nothing that a build claims unmakes it."""
    found = identify(build, Ledger(artifacts=artifacts, lookups=lookups), NOW)
    known = build.sha256 in {artifact.sha256 for artifact in artifacts}
    assert isinstance(found, Public) == known
    if isinstance(found, Public):
        assert found.artifact.sha256 == build.sha256


@given(_builds, _artifacts, _lookups)
def test_altered_needs_the_true_bytes_of_the_same_kind(
    build: Build, artifacts: list[Artifact], lookups: list[Lookup]
) -> None:
    """Never said on a number alone: JavaScript and native bytes of 2.1.112 are both public."""
    found = identify(build, Ledger(artifacts=artifacts, lookups=lookups), NOW)
    if isinstance(found, Altered):
        kinds = {(item.version, item.form, item.platform) for item in artifacts}
        assert (build.version, build.form, build.platform) in kinds


@given(_builds, _artifacts, _lookups)
def test_unpublished_needs_an_answer_or_a_foreign_name(
    build: Build, artifacts: list[Artifact], lookups: list[Lookup]
) -> None:
    """A number that nobody has answered for is waiting, not accused."""
    found = identify(build, Ledger(artifacts=artifacts, lookups=lookups), NOW)
    if isinstance(found, Unpublished) and found.version is not None:
        answered = {
            item.version
            for item in lookups
            if item.outcome == "absent" and item.answered_at is not None
        }
        assert found.version in answered
        assert found.asked_again_at == 200 + ABSENT_KEPT_S
    elif isinstance(found, Unpublished):
        assert build.package not in {None, PUBLIC_PACKAGE}


def _build(version: str | None = "2.1.999", package: str | None = None) -> Build:
    return Build(sha256=OTHER, size=1, form="binary", version=version, package=package)


def test_a_number_nobody_has_asked_about_waits() -> None:
    """Asked or not, without an answer it is being looked up."""
    waiting = Lookup("2.1.999", 100, None, "waiting")
    assert identify(_build(), Ledger(), NOW) == Waiting("2.1.999")
    assert identify(_build(), Ledger(lookups=[waiting]), NOW) == Waiting("2.1.999")


def test_a_failed_look_up_is_unknowable_and_comes_again() -> None:
    """With the reason it gave."""
    failed = Lookup("2.1.999", 100, 200, "failed", "npm: down")
    expected = Unknowable("npm: down", 200 + RETRY_S, "2.1.999")
    assert identify(_build(), Ledger(lookups=[failed]), NOW) == expected


def test_a_known_version_without_this_platforms_digest_is_unknowable() -> None:
    """It exists, but nothing says what its bytes are here."""
    lookups = [Lookup("2.1.330", 100, 200, "found")]
    build = Build(sha256=OTHER, size=1, form="binary", version="2.1.330", platform="linux-riscv64")
    found = identify(build, Ledger(artifacts=[FILE], lookups=lookups), NOW)
    assert isinstance(found, Unknowable)
    assert "linux-riscv64" in found.reason


def test_bytes_without_a_version_are_unknowable_for_good() -> None:
    """No question can be asked of them."""
    found = identify(_build(version=None), Ledger(), NOW)
    assert found == Unknowable("its bytes carry no version")


def test_a_foreign_package_name_is_unpublished_whatever_its_number() -> None:
    """Also with a public number."""
    build = _build(version="2.1.330", package="@anthropic-ai/claude-code-internal")
    found = identify(build, Ledger(artifacts=[FILE]), NOW)
    assert isinstance(found, Unpublished)
    assert found.version is None


def test_an_open_question_is_asked_now_or_at_its_time() -> None:
    """Exactly from that second on; what is known asks nothing."""
    assert questions(Waiting("2.1.999"), 0) == (frozenset({"2.1.999"}), None)
    for open_one in (Unpublished("2.1.999", "why", 500), Unknowable("why", 500, "2.1.999")):
        assert questions(open_one, 499) == (frozenset(), 500)
        until = 500 + ABSENT_KEPT_S if isinstance(open_one, Unpublished) else None
        assert questions(open_one, 500) == (frozenset({"2.1.999"}), until)
    for closed in (None, Public(FILE), Altered("2.1.330"), Unknowable("why"), _foreign()):
        assert questions(closed, 10**9) == (frozenset(), None)


def _foreign() -> Unpublished:
    return Unpublished(None, "its package name is not the public one")


def test_a_number_that_a_source_lists_by_now_was_not_never_public() -> None:
    """The negative answer is from before it was listed; one withdrawn since is no such."""
    absent = Lookup("2.1.999", 100, 200, "absent", "npm has no such version")
    build = _build()
    for release, expected in (
        (Release("2.1.999", 2900), Waiting),
        (Release("2.1.999", 2900, withdrawn_at=2950), Unpublished),
    ):
        known = Ledger(releases=[release], lookups=[absent])
        assert isinstance(identify(build, known, NOW), expected)
