"""One rule on one laptop: what it says."""

from agent.wire import Build, Config, FindingView, Install, Profile
from server.policy import GroupPolicy
from server.releases.ledger import Artifact, Ledger, Lookup, Reading, Release
from server.rules.interface import Case, Rule, Ruling

NOW = 1_777_000_000
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
        [
            Artifact(
                str(each.version), each.platform, each.form, each.sha256, 10, "registry", "npm"
            )
            for each in public
        ],
        lookups,
    )


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
