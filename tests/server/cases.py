"""Any profile, policy and ledger, small enough that they often meet."""

from hypothesis import strategies as st

from agent.wire import (
    Build,
    Config,
    Form,
    Install,
    InstallState,
    Override,
    OverrideClass,
    Problem,
    Profile,
    Unnamed,
)
from server.policy import GroupPolicy
from server.releases.identify import PUBLIC_PACKAGE
from server.releases.ledger import Artifact, Ledger, Lookup, Outcome, Reading, Release

NOW = 1_777_000_000
SPAN_S = 3 * 86_400

_versions = st.sampled_from(["2.1.112", "2.1.329", "2.1.330", "2.1.331"])
_shas = st.sampled_from(["a" * 64, "b" * 64, "c" * 64])
_platforms = st.sampled_from(["linux-x64", "darwin-arm64"])
_forms: st.SearchStrategy[Form] = st.sampled_from(["binary", "js"])
_past = st.integers(NOW - SPAN_S, NOW)

_any_build = st.builds(
    Build,
    sha256=_shas,
    size=st.just(10),
    form=_forms,
    version=st.none() | _versions,
    platform=st.none() | _platforms,
    package=st.sampled_from([None, None, PUBLIC_PACKAGE, "@anthropic-ai/other"]),
)
KNOWN = (
    Artifact("2.1.330", "linux-x64", "binary", "a" * 64, 10, "registry", "npm"),
    Artifact("2.1.329", "linux-x64", "binary", "b" * 64, 10, "registry", "npm"),
)
_usual_build = st.sampled_from(
    [
        Build("a" * 64, 10, "binary", "2.1.330", "linux-x64"),
        Build("b" * 64, 10, "binary", "2.1.329", "linux-x64"),
        Build("c" * 64, 10, "binary", "2.1.330", "linux-x64"),
        Build("d" * 64, 10, "binary", "2.1.331", "linux-x64"),
    ]
)
builds = st.one_of(_usual_build, _usual_build, _any_build)
_states: st.SearchStrategy[InstallState] = st.sampled_from(["ok", "ok", "ok", "stub"])
_usual_install = st.builds(
    Install,
    method=st.sampled_from(["npm", "native"]),
    place=st.just("global"),
    build=builds,
    starts=st.just(("terminal",)),
)
_any_install = st.builds(
    Install,
    method=st.sampled_from(["npm", "native", "winget"]),
    place=st.sampled_from(["global", "versions"]),
    state=_states,
    claimed=st.none() | _versions,
    build=st.none() | builds,
    starts=st.sampled_from([(), ("terminal",), ("terminal",)]),
    reason=st.sampled_from([None, "it is not readable"]),
)
installs = st.one_of(_usual_install, _usual_install, _any_install)
_classes: st.SearchStrategy[OverrideClass] = st.sampled_from(["behaviour", "personal", "secret"])
overrides = st.builds(
    Override,
    kind=st.sampled_from(["setting", "variable"]),
    key=st.sampled_from(["effortLevel", "ANTHROPIC_BASE_URL"]),
    layer=st.sampled_from(["user", "managed", "environment"]),
    override_class=_classes,
    value=st.sampled_from([None, True, 7, "low"]),
    is_default=st.booleans(),
    shadowed=st.booleans(),
)
_CLEAN = Config(1, "sha256:" + "0" * 64)
configs = st.builds(
    Config,
    revision=st.just(1),
    hash=st.just("sha256:" + "0" * 64),
    overrides=st.lists(overrides, max_size=2).map(tuple),
    unnamed=st.lists(st.just(Unnamed("user", 2)), max_size=1).map(tuple),
)
profiles = st.builds(
    Profile,
    wire=st.just(1),
    os=st.just("linux"),
    arch=st.just("x64"),
    installs=st.one_of(
        st.lists(_usual_install, min_size=1, max_size=2), st.lists(installs, max_size=3)
    ).map(tuple),
    more_installs=st.sampled_from([0] * 9 + [1]),
    config=st.sampled_from([_CLEAN] * 9 + [None]) | configs,
    problems=st.sampled_from([()] * 9 + [(Problem("native", "no access"),)]),
)
policies = st.builds(
    GroupPolicy,
    channel=st.sampled_from(["latest", "stable"]),
    grace_s=st.sampled_from([0, 3_600, 86_400]),
    allowed_overrides=st.sampled_from([(), ("effort*",), ("*",)]),
)


@st.composite
def readings(draw: st.DrawFn, sources: tuple[str, ...] = ("npm", "bucket")) -> tuple[Reading, ...]:
    """What each source said of each channel: runs that follow each other."""
    found: list[Reading] = []
    for source in sources:
        for channel in ("latest", "stable"):
            moments = sorted(draw(st.sets(_past, max_size=3)))
            ends = [*(each - 1 for each in moments[1:]), NOW]
            for first, last in zip(moments, ends, strict=False):
                seen = draw(st.just(max(first, last)) | st.integers(first, max(first, last)))
                version = draw(st.just("2.1.330") | _versions)
                found.append(Reading(source, channel, version, first, seen))
    return tuple(found)


releases = st.lists(
    st.builds(Release, _versions, published_at=st.none() | _past, build_date=st.none() | _past),
    max_size=4,
).map(tuple)
_any_artifacts = st.lists(
    st.builds(
        Artifact,
        version=_versions,
        platform=st.none() | _platforms,
        form=_forms,
        sha256=_shas,
        size=st.just(10),
        trust=st.just("registry"),
        source=st.just("npm"),
    ),
    max_size=4,
).map(tuple)
artifacts = st.one_of(
    st.just(KNOWN), _any_artifacts.map(lambda more: (*KNOWN, *more)), _any_artifacts
)
_outcomes: st.SearchStrategy[Outcome] = st.sampled_from(["waiting", "found", "absent", "failed"])
lookups = st.lists(
    st.builds(
        Lookup,
        version=_versions,
        asked_at=_past,
        answered_at=st.none() | _past,
        outcome=_outcomes,
        reason=st.sampled_from([None, "it timed out"]),
    ),
    max_size=3,
    unique_by=lambda lookup: lookup.version,
).map(tuple)
ledgers = st.builds(Ledger, readings(), releases, artifacts, lookups)
