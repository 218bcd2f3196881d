"""What a rule is, and the case that it looks at. Pure.

A rule complains with findings and says when time alone could change its mind. It never
says "match": a verdict matches when every counted install is identified by its bytes and
no rule complains, which the judge decides.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

from agent.wire import FindingView, FixRef, Install, Profile
from server.policy import GroupPolicy
from server.releases.identify import Identity, Public, identify
from server.releases.ledger import Ledger
from server.releases.position import Position, locate


@dataclass(frozen=True)
class Examined:
    """A counted install with what the ledger says of it.

    Attributes:
        index: Position in the profile's installs.
        install: The facts.
        identity: What its bytes are; None where it has none.
        position: Where its public version stands; None unless its bytes are public.
    """

    index: int
    install: Install
    identity: Identity | None
    position: Position | None

    @property
    def name(self) -> str:
        """How sentences call it: ``the npm install 2.1.329``."""
        version = self.version
        return f"the {self.install.method} install" + (f" {version}" if version else "")

    @property
    def version(self) -> str | None:
        """The version in its bytes, else the one that it claims."""
        build = self.install.build
        return (build.version if build else None) or self.install.claimed

    @property
    def subject(self) -> str:
        """Stable while it is the same copy at the same version."""
        return f"{self.install.method} {self.install.place} {self.version or 'unknown'}"


@dataclass(frozen=True)
class Case:
    """One profile in one group, with the public truth at one moment.

    Attributes:
        profile: The facts.
        policy: What the group is expected to run.
        ledger: What was public.
        now: The moment, in whole seconds since the epoch.
    """

    profile: Profile
    policy: GroupPolicy
    ledger: Ledger
    now: int

    @functools.cached_property
    def counted(self) -> tuple[Examined, ...]:
        """The counted installs; those at rest are never in the verdict."""
        return tuple(
            self._examine(index, install)
            for index, install in enumerate(self.profile.installs)
            if install.counted
        )

    def _examine(self, index: int, install: Install) -> Examined:
        if install.build is None:
            return Examined(index, install, None, None)
        identity = identify(install.build, self.ledger)
        position = None
        if isinstance(identity, Public):
            version = identity.artifact.version
            position = locate(version, install.method, self.policy, self.ledger, self.now)
        return Examined(index, install, identity, position)

    def head_version(self, method: str) -> str | None:
        """The version that a method's copies are expected to have."""
        heads = self.ledger.heads_for(method, self.policy.channel, self.now)
        return heads[0].version if heads else None

    def fix(self, action: str, method: str) -> FixRef | None:
        """The fix that brings a copy to the head, where a head is known."""
        version = self.head_version(method)
        return FixRef(action, method, version) if version else None


@dataclass(frozen=True)
class Ruling:
    """What one rule says of one case.

    Attributes:
        findings: Its complaints; none is not yet a match.
        changes_at: When time alone could change them.
        lookups: Versions that must be looked up before it can say more.
    """

    findings: tuple[FindingView, ...] = ()
    changes_at: int | None = None
    lookups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Rule:
    """One check.

    Attributes:
        code: The module's name with dashes: ``build-behind``.
        says: What a finding means, in one sentence for people.
        mend: What to do about it, in one sentence for people.
        examine: The check itself: pure and total.
    """

    code: str
    says: str
    mend: str
    examine: Callable[[Case], Ruling]


def earliest(*moments: int | None) -> int | None:
    """The first of some moments, ignoring those that never come."""
    return min((moment for moment in moments if moment is not None), default=None)
