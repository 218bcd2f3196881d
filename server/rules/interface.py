"""What a rule is, and the case that it looks at. Pure.

A rule complains with findings and says when time alone could change its mind. It never
says "match": a verdict matches when every counted install is identified by its bytes and
no rule complains, which the judge decides.

Most rules look at a profile in a group: machines that share it share the verdict. A few look
at what is true of one machine only.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from agent.wire import Build, FindingView, FixRef, Install, Override, Profile, Session
from server.machine_facts import MachineFacts
from server.policy import MACHINE, GroupPolicy, Surface, surface_of
from server.reference import said
from server.releases.identify import Identity, Public, Unknowable, identify
from server.releases.ledger import Ledger
from server.releases.located import located
from server.releases.position import NOWHERE, Position

CHANNEL_KEY = "autoUpdatesChannel"
"""The setting by which a laptop chooses its channel; users start with ``latest`` (facts 1.4)."""


_CASKS: Mapping[str, str] = MappingProxyType(
    {"claude-code": "stable", "claude-code@latest": "latest"}
)

_SDK_SCRIPT = Unknowable("no public digest is known of the script that an SDK brings along")
"""Up to 0.2.112 its ``cli.js`` was built apart from the CLI's of the same number (facts 2.6)."""


@dataclass(frozen=True)
class Examined:
    """A counted install with what the ledger says of it.

    Attributes:
        index: Position in the profile's installs.
        install: The facts.
        surfaces: Of its starts, those that count in the group; None for one not known here.
        identity: What its bytes are; None where it has none.
        position: Where its public version stands; None unless its bytes are public.
    """

    index: int
    install: Install
    surfaces: frozenset[Surface | None]
    identity: Identity | None = None
    position: Position | None = None

    @property
    def name(self) -> str:
        """How sentences call it: ``the npm install 2.1.329``."""
        version = self.version
        return f"the {self.install.method} install" + (f" {version}" if version else "")

    @property
    def version(self) -> str | None:
        """The public one of its bytes, else the one that they tell, else the one it claims."""
        if isinstance(self.identity, Public):
            return self.identity.artifact.version
        build = self.install.build
        return (build.version if build else None) or self.install.claimed

    @property
    def sha256(self) -> str | None:
        """Of its bytes; None where they could not be examined."""
        return self.install.build.sha256 if self.install.build else None

    @property
    def subject(self) -> str:
        """Stable while it is the same copy at the same version."""
        return f"{self.install.method} {self.install.place} {self.version or 'unknown'}"

    @property
    def lags_by(self) -> tuple[Surface, ...]:
        """The surfaces whose tolerance it has; none if a terminal, or an unknown one, starts it."""
        own = tuple(sorted(each for each in self.surfaces if each is not None))
        return () if self.surfaces & {"terminal", None} else own


@dataclass(frozen=True)
class Running:
    """The build of running sessions with what the ledger says of it.

    Attributes:
        session: The facts.
        identity: What its bytes are; None where they were not examined.
        position: Where its public version stands; None unless its bytes are public.
    """

    session: Session
    identity: Identity | None
    position: Position | None


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
    def channel(self) -> str | None:
        """The channel that copies are judged by; None where the laptop keeps it to itself."""
        return channel_of(self.profile, self.policy)

    @functools.cached_property
    def counted(self) -> tuple[Examined, ...]:
        """The counted installs; those at rest are never in the verdict."""
        return tuple(
            self._examine(index, install)
            for index, install in enumerate(self.profile.installs)
            if is_counted(install, self.policy)
        )

    @functools.cached_property
    def running(self) -> tuple[Running, ...]:
        """The builds of running sessions."""
        return tuple(self._run(session) for session in self.profile.sessions)

    def _examine(self, index: int, install: Install) -> Examined:
        starts = (start for start in install.starts if self.policy.counts(start))
        surfaces = frozenset(surface_of(start) for start in starts)
        if install.build is None:
            return Examined(index, install, surfaces)
        if _is_sdk_script(install) and self.ledger.artifact(install.build.sha256) is None:
            return Examined(index, install, surfaces, _SDK_SCRIPT)
        channel = channel_of(self.profile, self.policy, install)
        placed = self._place(install.build, install.method, channel)
        return Examined(index, install, surfaces, *placed)

    def _run(self, session: Session) -> Running:
        if session.build is None:
            return Running(session, None, None)
        # Which updater a session's build came with is not known; any source's word is taken.
        return Running(session, *self._place(session.build, "", self.channel))

    def _place(
        self, build: Build, method: str, channel: str | None
    ) -> tuple[Identity, Position | None]:
        identity = self.identify(build)
        if not isinstance(identity, Public):
            return identity, None
        return identity, self.locate(identity.artifact.version, method, channel)

    def identify(self, build: Build) -> Identity:
        """What some bytes are, as far as the group's policy takes anybody's word for it."""
        trusted = self.policy.trust_learned
        return identify(build, self.ledger, self.now, trust_learned=trusted)

    def locate(self, version: str, method: str, channel: str | None) -> Position:
        """Where a public version stands in a channel; nowhere in one that is not known.

        Its `changes_at` is when something changes that a finding tells: that another source
        shows the same head from then on is told by none.
        """
        if channel is None:
            return NOWHERE
        max_age_s = self.policy.head_max_age_s
        return located(version, method, channel, max_age_s, self.ledger, self.now)

    def permits(self, override: Override) -> bool:
        """Whether a behaviour override may be there.

        The policy allows its key, or a reference machine has it with the same value, as far
        as that is told: then users run with it.
        """
        is_allowed = self.policy.allows(override.kind, override.key)
        return is_allowed or said(override) in self.policy.reference.some

    @property
    def not_public_yet(self) -> Literal["drift", "exempt"]:
        """Severity of having what users do not have yet."""
        return "exempt" if self.policy.lane == "ahead" else "drift"

    def fix(self, action: str, method: str) -> FixRef | None:
        """The fix that brings a copy to the head that its own updater follows, if it is known."""
        if self.channel is None:
            return None
        heads = self.ledger.heads_for(method, self.channel, self.now)
        return FixRef(action, method, heads[0].version) if heads else None


@dataclass(frozen=True)
class Ruling:
    """What one rule says of one case.

    Attributes:
        findings: Its complaints; none is not yet a match.
        changes_at: When time alone could change them.
        lookups: Versions that must be looked up before it can say more.
        outdated: Subjects of findings that a release would explain which was not read yet.
    """

    findings: tuple[FindingView, ...] = ()
    changes_at: int | None = None
    lookups: frozenset[str] = frozenset()
    outdated: frozenset[str] = frozenset()


@dataclass(frozen=True)
class MachineCase:
    """One machine at one moment.

    Attributes:
        machine: What is true of it only.
        policy: Its group's.
        now: The moment, in whole seconds since the epoch.
    """

    machine: MachineFacts
    policy: GroupPolicy
    now: int


def _silent(_: Case | MachineCase) -> Ruling:
    """Never complains: a rule that looks at profiles only, or at machines only."""
    return Ruling()


@dataclass(frozen=True)
class Rule:
    """One check.

    Attributes:
        code: The module's name with dashes: ``build-behind``.
        says: What a finding means, in one sentence for people.
        mend: What to do about it, in one sentence for people.
        examine: The check of a profile in a group: pure and total.
        examine_machine: The check of what is true of one machine only: pure and total; it
            looks no version up.
    """

    code: str
    says: str
    mend: str
    examine: Callable[[Case], Ruling] = _silent
    examine_machine: Callable[[MachineCase], Ruling] = _silent


def _is_sdk_script(install: Install) -> bool:
    return (
        install.method == "agent_sdk" and install.build is not None and install.build.form == "js"
    )


def is_counted(install: Install, policy: GroupPolicy) -> bool:
    """Whether a surface that counts in this group starts the copy."""
    return any(policy.counts(start) for start in install.starts)


def channel_of(profile: Profile, policy: GroupPolicy, install: Install | None = None) -> str | None:
    """The channel that a profile's copies are judged by; None if the laptop does not tell.

    Args:
        profile: Of the laptop.
        policy: Of its group.
        install: The copy asked about: a Homebrew cask is its own channel (facts 1.4).
    """
    if policy.channel != MACHINE:
        return policy.channel
    if install is not None and install.method == "homebrew" and install.place in _CASKS:
        return _CASKS[install.place]
    if profile.config is None:
        return None
    effective = (item for item in profile.config.overrides if not item.shadowed)
    settings = (item for item in effective if item.kind == "setting")
    chosen = next((item for item in settings if item.key == CHANNEL_KEY), None)
    if chosen is None:
        return "latest"
    return chosen.value if isinstance(chosen.value, str) else None


def earliest(*moments: int | None) -> int | None:
    """The first of some moments, ignoring those that never come."""
    return min((moment for moment in moments if moment is not None), default=None)
