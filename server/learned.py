"""What a reference machine teaches: bytes of a release of which no source has a digest. Pure.

Some files are covered by no manifest (a system package that was packed anew, an application
bundle). A machine that is known to have what users have can vouch for them. It is believed
only after the sources were asked and had no digest of that version, platform and form: where
one is known, other bytes are altered, and then it is the reference machine that drifts.
"""

from collections import Counter

from agent.wire import Build, Profile
from server.policy import GroupPolicy
from server.releases.identify import PUBLIC_PACKAGE, has_digest
from server.releases.ledger import Artifact, Ledger
from server.rules.interface import is_counted

SOURCE = "reference"
"""The source of what was learned."""


def learn(profile: Profile, policy: GroupPolicy, ledger: Ledger) -> tuple[Artifact, ...]:
    """The artifacts for which a reference machine's counted installs vouch.

    Of two files that say the same of themselves neither is learned.

    Args:
        profile: Of the reference machine.
        policy: Its group's: which copies count.
        ledger: What is known already.
    """
    installs = (each for each in profile.installs if is_counted(each, policy))
    builds = {each.build for each in installs if each.state == "ok" and each.build is not None}
    found = {_artifact(build.version, build) for build in builds if _is_lacking(build, ledger)}
    kinds = Counter(_kind(artifact) for artifact in found)
    return tuple(sorted((each for each in found if kinds[_kind(each)] == 1), key=_kind))


def _is_lacking(build: Build, ledger: Ledger) -> bool:
    if build.version is None or build.package != PUBLIC_PACKAGE:
        return False
    release, lookup = ledger.release(build.version), ledger.lookup(build.version)
    is_released = release is not None and release.withdrawn_at is None
    was_asked = lookup is not None and lookup.outcome == "found"
    return is_released and was_asked and not _has_any(build, build.version, ledger)


def _has_any(build: Build, version: str, ledger: Ledger) -> bool:
    return has_digest(build, version, ledger, trust_learned=True)


def _artifact(version: str | None, build: Build) -> Artifact:
    assert version is not None  # noqa: S101 - a release has a number
    return Artifact(
        version, build.platform, build.form, build.sha256, build.size, "learned", SOURCE
    )


def _kind(artifact: Artifact) -> tuple[str, str, str]:
    return artifact.version, artifact.platform or "", artifact.form
