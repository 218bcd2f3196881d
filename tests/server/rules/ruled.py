"""One rule on one laptop: what it says."""

from agent.wire import Build, Config, FindingView, Install, Profile
from server.policy import GroupPolicy
from server.releases.ledger import Artifact, Ledger, Lookup, Reading, Release
from server.rules.interface import Case, Rule, Ruling

NOW = 1_777_000_000
BEHIND = Build("b" * 64, 10, "binary", "2.1.329", "linux-x64")
HEAD = Build("a" * 64, 10, "binary", "2.1.330", "linux-x64")
OTHER_BYTES = Build("c" * 64, 10, "binary", "2.1.330", "linux-x64")
NEWER = Build("d" * 64, 10, "binary", "2.1.331", "linux-x64")
CLEAN = Config(1, "sha256:" + "0" * 64)


def install(build: Build | None, **also: object) -> Install:
    """An npm install that the terminal starts."""
    given = {"method": "npm", "place": "global", "build": build, "starts": ("terminal",)}
    return Install(**(given | also))  # type: ignore[arg-type]


def ledger(*lookups: Lookup, newer_is_public: bool = False, read_at: int = NOW) -> Ledger:
    """2.1.330 is the head of `latest` on npm."""
    public = [HEAD, NEWER] if newer_is_public else [HEAD]
    return Ledger(
        [Reading("npm", "latest", "2.1.330", NOW - 9_000, read_at)],
        [Release(str(build.version), NOW - 9_000) for build in public],
        [_artifact(each) for each in public],
        lookups,
    )


def moved(
    *moves: tuple[str, int], read_at: int = NOW, releases: tuple[Release, ...] = ()
) -> Ledger:
    """`latest` of npm pointed to these versions, each from its time on; all three are public."""
    ends = [*(at - 1 for _, at in moves[1:]), read_at]
    runs = zip(moves, ends, strict=True)
    return Ledger(
        [Reading("npm", "latest", version, at, end) for (version, at), end in runs],
        releases,
        [_artifact(build) for build in (BEHIND, HEAD, NEWER)],
    )


def _artifact(build: Build) -> Artifact:
    version = str(build.version)
    return Artifact(version, build.platform, build.form, build.sha256, 10, "registry", "npm")


def rule(
    by: Rule,
    *installs: Install,
    known: Ledger | None = None,
    policy: GroupPolicy | None = None,
    now: int = NOW,
    profile: Profile | None = None,
) -> Ruling:
    """What a rule says."""
    told = profile or Profile(1, "linux", "x64", installs, config=CLEAN)
    return by.examine(Case(told, policy or GroupPolicy(), known or ledger(), now))


def only(ruling: Ruling) -> FindingView:
    """Its one finding."""
    (finding,) = ruling.findings
    return finding
