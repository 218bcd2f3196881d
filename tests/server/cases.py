"""Any profile, policy and ledger, small enough that they often meet."""

from hypothesis import strategies as st

from agent.wire import (
    Build,
    Config,
    Exposure,
    Form,
    Install,
    InstallState,
    Override,
    OverrideClass,
    Problem,
    Profile,
    Session,
    SessionFile,
    Unnamed,
)
from server.machine_facts import MachineFacts
from server.policy import SURFACES, GroupPolicy, Lane
from server.reference import Reference, of_profiles
from server.releases.identify import PUBLIC_PACKAGE
from server.releases.ledger import Artifact, Ledger, Lookup, Outcome, Reading, Release, Trust
from server.waivers import Waiver

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
        *[Build("a" * 64, 10, "binary", "2.1.330", "linux-x64")] * 4,
        Build("b" * 64, 10, "binary", "2.1.329", "linux-x64"),
        Build("c" * 64, 10, "binary", "2.1.330", "linux-x64"),
        Build("d" * 64, 10, "binary", "2.1.331", "linux-x64"),
    ]
)
builds = st.one_of(_usual_build, _usual_build, _usual_build, _any_build)
_states: st.SearchStrategy[InstallState] = st.sampled_from(["ok", "ok", "ok", "stub"])
STARTS = (
    (),
    ("terminal",),
    ("login-shell",),
    ("editor",),
    ("desktop", "sdk"),
    ("terminal", "editor"),
    ("somewhere",),
)
"""What starts a copy: nothing, known surfaces, one of an unknown kind."""

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
    starts=st.sampled_from(STARTS),
    reason=st.sampled_from([None, "it is not readable"]),
)
installs = st.one_of(_usual_install, _usual_install, _any_install)
_classes: st.SearchStrategy[OverrideClass] = st.sampled_from(["behaviour", "personal", "secret"])
KEYS = (
    "effortLevel",
    "ANTHROPIC_BASE_URL",
    "autoUpdates",
    "autoUpdatesChannel",
    "DISABLE_UPDATES",
    "DISABLE_TELEMETRY",
    "USER_TYPE",
)
"""Keys of every rule that tells overrides."""

_usual_override = st.sampled_from(
    [
        Override("setting", "effortLevel", "user", "behaviour", "low"),
        Override("setting", "autoUpdatesChannel", "user", "behaviour", "stable"),
        Override("variable", "DISABLE_UPDATES", "user", "behaviour", value=True),
        Override("variable", "DISABLE_TELEMETRY", "environment", "behaviour", value=True),
        Override("variable", "USER_TYPE", "environment", "behaviour"),
        Override("flag", "model", "session", "behaviour", "opus"),
        Override("flag", "system-prompt", "session", "behaviour"),
        Override("file", "custom-oauth-state", "state", "behaviour"),
        Override("file", "memory", "user", "personal"),
    ]
)
_any_override = st.builds(
    Override,
    kind=st.sampled_from(["setting", "variable", "flag", "file"]),
    key=st.sampled_from(KEYS),
    layer=st.sampled_from(["user", "managed", "environment", "session"]),
    override_class=_classes,
    value=st.sampled_from([None, True, False, 7, "low", "stable"]),
    is_default=st.booleans(),
    shadowed=st.booleans(),
)
overrides = _usual_override | _any_override
_CLEAN = Config(1, "sha256:" + "0" * 64)
configs = st.builds(
    Config,
    revision=st.just(1),
    hash=st.just("sha256:" + "0" * 64),
    overrides=st.lists(overrides, max_size=2).map(tuple),
    unnamed=st.lists(st.just(Unnamed("user", 2)), max_size=1).map(tuple),
)
_files: st.SearchStrategy[SessionFile] = st.sampled_from(["present", "deleted", "replaced"])
sessions = st.builds(
    Session,
    file=_files,
    build=st.none() | builds,
    reason=st.sampled_from([None, "no access"]),
)
exposures = st.builds(
    Exposure,
    flags=st.sampled_from(["on", "on", "off"]),
    flags_off_by=st.sampled_from([None, "DISABLE_TELEMETRY", "DO_NOT_TRACK"]),
    model_catalog=st.sampled_from([None, 5461, 5462]),
    first_start=st.sampled_from([None, "2.0", "2.1"]),
    plan=st.sampled_from([None, "max"]),
)
profiles = st.builds(
    Profile,
    wire=st.just(1),
    os=st.just("linux"),
    arch=st.just("x64"),
    installs=st.one_of(
        st.lists(_usual_install, min_size=1, max_size=1),
        st.lists(_usual_install, min_size=1, max_size=2),
        st.lists(installs, max_size=3),
    ).map(tuple),
    more_installs=st.sampled_from([0] * 9 + [1]),
    config=st.one_of(st.just(_CLEAN), st.sampled_from([_CLEAN] * 5 + [None]), configs),
    exposure=st.one_of(st.none(), st.none(), exposures),
    sessions=st.one_of(
        st.just(()),
        st.just(()),
        st.just(()),
        st.lists(sessions, max_size=2, unique=True).map(tuple),
    ),
    problems=st.sampled_from([()] * 9 + [(Problem("native", "no access"),)]),
)
references: st.SearchStrategy[Reference] = st.lists(
    st.builds(
        Profile,
        wire=st.just(1),
        os=st.just("linux"),
        arch=st.just("x64"),
        config=configs,
        exposure=st.none() | exposures,
    ),
    max_size=2,
).map(of_profiles)
_lanes: st.SearchStrategy[Lane] = st.sampled_from(["public", "public", "ahead"])
policies = st.builds(
    GroupPolicy,
    channel=st.sampled_from(["latest", "latest", "stable", "machine"]),
    grace_s=st.sampled_from([0, 3_600, 86_400]),
    editor_tolerance_s=st.sampled_from([7_200, 172_800]),
    surfaces=st.one_of(
        st.just(frozenset(SURFACES)),
        st.just(frozenset(SURFACES)),
        st.frozensets(st.sampled_from(SURFACES)),
    ),
    allowed_overrides=st.sampled_from([(), ("effort*",), ("*",)]),
    lane=_lanes,
    trust_learned=st.sampled_from([False, False, True]),
    reference=st.one_of(st.just(Reference()), st.just(Reference()), references),
)


_moments: st.SearchStrategy[set[int]] = st.one_of(
    st.sets(_past, min_size=1, max_size=2), st.sets(_past, min_size=1, max_size=3), st.just(set())
)


@st.composite
def readings(draw: st.DrawFn, sources: tuple[str, ...] = ("npm", "bucket")) -> tuple[Reading, ...]:
    """What each source said of each channel: runs that follow each other."""
    found: list[Reading] = []
    for source in sources:
        for channel in ("latest", "stable"):
            moments = sorted(draw(_moments))
            ends = [*(each - 1 for each in moments[1:]), NOW]
            for first, last in zip(moments, ends, strict=False):
                end = max(first, last)
                seen = draw(st.one_of(st.just(end), st.just(end), st.integers(first, end)))
                version = draw(st.one_of(st.just("2.1.330"), st.just("2.1.330"), _versions))
                found.append(Reading(source, channel, version, first, seen))
    return tuple(found)


releases = st.lists(
    st.builds(
        Release,
        _versions,
        published_at=st.none() | _past,
        build_date=st.none() | _past,
        tested_wrappers=st.sampled_from([(), ("0.3.329", "0.3.330"), ("0.3.330",)]),
    ),
    max_size=4,
    unique_by=lambda release: release.version,
).map(tuple)
_trusts: st.SearchStrategy[Trust] = st.sampled_from(["signed", "registry", "learned"])
_any_artifacts = st.lists(
    st.builds(
        Artifact,
        version=_versions,
        platform=st.none() | _platforms,
        form=_forms,
        sha256=_shas,
        size=st.just(10),
        trust=_trusts,
        source=st.just("npm"),
    ),
    max_size=4,
    unique_by=lambda artifact: artifact.sha256,
).map(tuple)


def _with_known(more: tuple[Artifact, ...]) -> tuple[Artifact, ...]:
    """Equal bytes are the same file, whoever tells of them."""
    known = {artifact.sha256 for artifact in KNOWN}
    return (*KNOWN, *(artifact for artifact in more if artifact.sha256 not in known))


artifacts = st.one_of(st.just(KNOWN), _any_artifacts.map(_with_known), _any_artifacts)
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

CODES = ("build-behind", "build-ahead", "config-overridden", "not-examined")
_around = st.integers(NOW - SPAN_S, NOW + SPAN_S)
waivers = st.builds(
    Waiver,
    id=st.just("0123abcd"),
    code=st.sampled_from(CODES),
    subject=st.none() | st.sampled_from(["npm global 2.1.329", "setting effortLevel"]),
    reason=st.just("a trial"),
    person=st.just("Ada"),
    since=_past,
    until=_around,
)
machines = st.builds(
    MachineFacts,
    enrolled_at=_past,
    last_seen=_past,
    agent=st.sampled_from([None, "0.0.1", "99.0.0"]),
    left=st.sampled_from([False] * 9 + [True]),
    paused_until=st.none() | _around,
    taken_at=st.none() | _past,
    heads_read_at=st.none() | _past,
    unsent_since=st.none() | _past,
    alternations=st.lists(_past, max_size=3, unique=True).map(lambda at: tuple(sorted(at))),
    waivers=st.lists(waivers, max_size=2).map(tuple),
)
