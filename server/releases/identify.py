"""What a build is: public bytes, altered bytes, a number never public, or not yet known. Pure.

Bytes decide. Only where no public file has these bytes does the number that they claim
say which question to ask next, and the answer is never a guess: an unanswered look-up is
`Waiting`, one that failed is `Unknowable`.
"""

from dataclasses import dataclass

from agent.wire import Build
from server.releases.ledger import Artifact, Ledger, Lookup

PUBLIC_PACKAGE = "@anthropic-ai/claude-code"
"""The package name in every public build (facts 1.2)."""

ABSENT_KEPT_S = 3600
"""How long a negative answer is kept before the version is looked up again, in seconds."""

RETRY_S = 300
"""How long after a failed look-up the next one is asked for, in seconds."""


@dataclass(frozen=True)
class Public:
    """Exactly the bytes of a public file."""

    artifact: Artifact


@dataclass(frozen=True)
class Altered:
    """A public number with other bytes."""

    version: str


@dataclass(frozen=True)
class Unpublished:
    """A number, or a package name, that was never public.

    Attributes:
        version: The number; None where it is the name that is foreign.
        reason: Which of the two, and who says so.
        asked_again_at: When the answer is too old to be kept.
    """

    version: str | None
    reason: str
    asked_again_at: int | None = None


@dataclass(frozen=True)
class Waiting:
    """The version is being looked up."""

    version: str


@dataclass(frozen=True)
class Unknowable:
    """The bytes cannot be checked (yet).

    Attributes:
        reason: Why.
        asked_again_at: When a new look-up is due.
        version: The number that they claim.
    """

    reason: str
    asked_again_at: int | None = None
    version: str | None = None


Identity = Public | Altered | Unpublished | Waiting | Unknowable


def identify(build: Build, ledger: Ledger, *, trust_learned: bool = False) -> Identity:
    """What these bytes are, by everything read so far.

    Args:
        build: The bytes.
        ledger: What was public.
        trust_learned: Bytes for which only a reference machine vouches count as public.
    """
    artifact = ledger.artifact(build.sha256)
    if artifact is not None:
        if artifact.trust == "learned" and not trust_learned:
            return Unknowable(
                "only a reference machine vouches for these bytes, and the policy does not take"
                " its word (trust_learned)"
            )
        return Public(artifact)
    if build.package is not None and build.package != PUBLIC_PACKAGE:
        return Unpublished(None, f"its package name {build.package} is not the public one")
    if build.version is None:
        return Unknowable("its bytes carry no version")
    if any(_same_kind(build, known) for known in ledger.artifacts(build.version)):
        return Altered(build.version)
    return _by_lookup(build, build.version, ledger.lookup(build.version))


def _same_kind(build: Build, artifact: Artifact) -> bool:
    return artifact.form == build.form and artifact.platform == build.platform


def _by_lookup(build: Build, version: str, lookup: Lookup | None) -> Identity:
    if lookup is None or lookup.answered_at is None:
        return Waiting(version)
    if lookup.outcome == "absent":
        reason = lookup.reason or "no source lists it"
        return Unpublished(version, reason, lookup.answered_at + ABSENT_KEPT_S)
    if lookup.outcome == "found":
        platform = build.platform or "its platform"
        return Unknowable(
            f"no public digest of {version} is known for {platform} as {build.form}",
            lookup.answered_at + ABSENT_KEPT_S,
            version,
        )
    reason = lookup.reason or "the look-up failed"
    return Unknowable(reason, lookup.answered_at + RETRY_S, version)
