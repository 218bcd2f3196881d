"""What a build is: public bytes, altered bytes, a number never public, or not yet known. Pure.

Bytes decide. Only where no public file has these bytes does the number that they claim
say which question to ask next, and the answer is never a guess: an unanswered look-up is
`Waiting`, one that failed is `Unknowable`.

What only a reference machine vouches for (trust `learned`) is public only if the policy takes
its word, and never against a digest that a source has.
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


def identify(build: Build, ledger: Ledger, now: int, *, trust_learned: bool = False) -> Identity:
    """What these bytes are, by everything read so far.

    Args:
        build: The bytes.
        ledger: What was public.
        now: Whole seconds since the epoch.
        trust_learned: Bytes for which only a reference machine vouches count as public.
    """
    artifact = ledger.artifact(build.sha256)
    if artifact is not None:
        return _known(artifact, ledger, trust_learned=trust_learned)
    if build.package is not None and build.package != PUBLIC_PACKAGE:
        return Unpublished(None, f"its package name {build.package} is not the public one")
    if build.version is None:
        return Unknowable("its bytes carry no version")
    if has_digest(build, build.version, ledger, trust_learned=trust_learned):
        return Altered(build.version)
    lookup = ledger.lookup(build.version)
    if lookup is not None and lookup.outcome == "absent" and _is_outdated(lookup, ledger, now):
        return Waiting(build.version)
    return _by_lookup(build, build.version, lookup)


def _known(artifact: Artifact, ledger: Ledger, *, trust_learned: bool) -> Identity:
    if artifact.trust != "learned":
        return Public(artifact)
    if has_digest(artifact, artifact.version, ledger):
        return Altered(artifact.version)
    if trust_learned:
        return Public(artifact)
    return Unknowable(
        "only a reference machine vouches for these bytes, and the policy does not take"
        " its word (trust_learned)"
    )


def has_digest(
    file: Build | Artifact, version: str, ledger: Ledger, *, trust_learned: bool = False
) -> bool:
    """Whether a digest of a version is known for a file's platform and form.

    Args:
        file: Whose platform and form.
        version: Of the release.
        ledger: What is known.
        trust_learned: A digest that only a reference machine vouches for is one, too.
    """
    return any(
        (known.form, known.platform) == (file.form, file.platform)
        for known in ledger.artifacts(version)
        if trust_learned or known.trust != "learned"
    )


def questions(identity: Identity | None, now: int) -> tuple[frozenset[str], int | None]:
    """The versions to look up now before more can be said, and when to ask again.

    Args:
        identity: As told; None asks nothing.
        now: Whole seconds since the epoch.
    """
    if isinstance(identity, Waiting):
        return frozenset({identity.version}), None
    if not isinstance(identity, Unpublished | Unknowable):
        return frozenset(), None
    again = identity.asked_again_at
    if again is None or identity.version is None:
        return frozenset(), None
    if now < again:
        return frozenset(), again
    # A negative answer is let go where no new one comes for as long again.
    until = again + ABSENT_KEPT_S if isinstance(identity, Unpublished) else None
    return frozenset({identity.version}), until


def _is_outdated(absent: Lookup, ledger: Ledger, now: int) -> bool:
    """Whether a number that no source knew may be known to one by now."""
    release = ledger.release(absent.version)
    is_listed = release is not None and release.withdrawn_at is None
    return is_listed or now >= (absent.answered_at or 0) + 2 * ABSENT_KEPT_S


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
