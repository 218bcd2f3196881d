"""The messages between agent and server, wire version 1. Pure: msgspec only.

What a laptop sends refuses unknown fields (``forbid_unknown_fields``): a newer agent
cannot quietly collect more than an older server's operator agreed to. What the server
answers may grow: the agent skips fields that it does not know.

A field at its default is left out, so one fact has one canonical form. All times are
whole seconds since the Unix epoch, UTC. Every list and string has a bound, and a number
stays below 2**53 (RFC 8785 section 3.1, RFC 7493 section 2.2).

A `Profile` holds nothing peculiar to one machine or person: no names, paths, pids,
times or counts of use. Field by field, the README's privacy section is this module.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

WIRE_VERSION = 1
"""The version that this code speaks."""

WIRE_VERSIONS = (1,)
"""The versions that this code reads, newest first."""

PROFILE_MAX_BYTES = 65_536
"""Largest canonical profile, in bytes."""

INSTALLS_MAX = 32
"""Most installs told in one profile; further ones are counted in `Profile.more_installs`."""

WANTED_MAX = 16
"""Most profile digests that one ack asks for."""

CHANGES_MAX = 64
"""Most profile changes told in one check-in."""

SESSIONS_MAX = 8
"""Most builds of running sessions told in one profile."""

ACTIVITY_MAX = 64
"""Most counts of activity told in one check-in; further ones wait for the next."""

ACTIVE_MAX_S = 8_640_000
"""Most seconds told in one count of activity: a hundred sessions that run all day."""

PAUSE_MAX_S = 7 * 86_400
"""Longest pause that a laptop's user can ask for at a time, in seconds."""

Digest = Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$(?!\n)")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@:+-]{0,63}$(?!\n)")]
Version = Annotated[str, Meta(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$(?!\n)")]
Package = Annotated[str, Meta(pattern=r"^[@A-Za-z0-9][@A-Za-z0-9/._-]{0,99}$(?!\n)")]
Key = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,79}$(?!\n)")]
Value = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$(?!\n)")]
Reason = Annotated[str, Meta(min_length=1, max_length=200)]
Instant = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Label = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]

Form = Literal["binary", "js", "bundle"]
InstallState = Literal["ok", "stub", "not-examined"]
SessionFile = Literal["present", "deleted", "replaced"]
OverrideClass = Literal["behaviour", "personal", "secret"]
OverrideKind = Literal["setting", "variable", "flag", "file"]
Standing = Literal[
    "match", "pending", "drift", "exempt", "unknown", "silent", "paused", "absent", "left"
]


class Sent(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of everything that leaves a laptop."""


class Answer(Struct, frozen=True, omit_defaults=True):
    """Base of everything that a server answers."""


class Build(Sent, frozen=True):
    """Exact bytes, and what those bytes say of themselves.

    Attributes:
        sha256: Of the whole program file, 64 hex digits.
        size: Bytes.
        form: ``binary`` (one native file), ``js`` (``cli.js``), ``bundle`` (macOS app).
        version: Read out of the bytes, not of a file name; None where none was found.
        platform: ``linux-x64`` and so on, read out of the bytes; None for ``js``.
        commit: The 40 hex digits of the commit, from 2.1.114 to 2.1.116 on (facts 1.2).
        package: The package name in the bytes; public builds say ``@anthropic-ai/claude-code``.
    """

    sha256: Sha256
    size: Count
    form: Form
    version: Version | None = None
    platform: Name | None = None
    commit: Annotated[str, Meta(pattern=r"^[0-9a-f]{40}$(?!\n)")] | None = None
    package: Package | None = None


class Install(Sent, frozen=True):
    """One copy of Claude Code on disk.

    Attributes:
        method: How it got there: ``native``, ``npm``, ... An open string.
        place: A coarse class of place (``versions``, ``global``, ``nvm``, ...); never a path.
        state: ``ok``; ``stub`` (npm's unfilled placeholder); ``not-examined``.
        claimed: The version that its package or file name claims.
        build: The bytes; None where they could not be examined.
        starts: The surfaces that start this copy (``terminal``, ...); none means at rest.
        reason: Why it was not examined, without a path.
    """

    method: Name
    place: Name
    state: InstallState = "ok"
    claimed: Version | None = None
    build: Build | None = None
    starts: Annotated[tuple[Name, ...], Meta(max_length=8)] = ()
    reason: Reason | None = None

    @property
    def counted(self) -> bool:
        """Whether something starts this copy; only then does the verdict depend on it."""
        return bool(self.starts)


class Override(Sent, frozen=True):
    """One setting, variable, flag or kind of file that differs from Claude Code's default.

    Attributes:
        kind: ``setting``, ``variable``, ``flag`` (of a running session's command line) or
            ``file`` (files of one kind are there: memory, agents, skills, ...).
        key: Its name: one of a list that ships with the agent, or a Claude Code variable, known by
            its prefix.
        layer: Where it is set: ``managed``, ``user``, ``environment``, ``session`` (with which a
            running session was started), ...
        override_class: ``behaviour`` (drift unless the policy allows it), ``personal`` (users
            have these too: told as present) or ``secret`` (presence only).
        value: Told only of a choice from a list, yes or no, or a number; else it is left out, and
            that says only that something is set.
        is_default: The value equals the documented default: listed, not hashed.
        shadowed: A higher layer sets the same key: listed, not effective, not hashed.
    """

    kind: OverrideKind
    key: Key
    layer: Name
    override_class: OverrideClass = msgspec.field(name="class")
    value: bool | int | float | Value | None = None
    is_default: bool = False
    shadowed: bool = False


class Session(Sent, frozen=True):
    """One build that running sessions execute.

    Attributes:
        file: ``present`` (the file that they were started from still has these bytes),
            ``deleted`` or ``replaced``.
        build: The bytes in memory; None where they could not be examined.
        reason: Why they were not examined, without a path.
    """

    file: SessionFile
    build: Build | None = None
    reason: Reason | None = None


class Exposure(Sent, frozen=True):
    """What the product was told remotely, in classes that many laptops share (facts 3.6).

    Attributes:
        flags: Whether feature flags are fetched; ``off`` leaves every flag at its default.
        flags_off_by: The variable that turns them off.
        model_catalog: Version of the model catalog in use.
        first_start: Class of the version that Claude Code was first started with here.
        plan: Class of the subscription; only where the laptop's user shares it.
    """

    flags: Literal["on", "off"]
    flags_off_by: Key | None = None
    model_catalog: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None = None
    first_start: Value | None = None
    plan: Value | None = None


class Unnamed(Sent, frozen=True):
    """How many keys of a layer have names that are not told.

    Attributes:
        layer: The layer in which they are set.
        count: How many; each counts as a behaviour override.
    """

    layer: Name
    count: Annotated[int, Meta(ge=1, le=100_000)]


class Config(Sent, frozen=True):
    """The effective overrides and their hash.

    Attributes:
        revision: Of ``keys.toml``, by which the keys were classed.
        hash: The config hash, by `agent.claude_config.overrides.config_hash`.
        overrides: All that differ from a default, ordered by (kind, key, layer).
        unnamed: Further ones, whose names are not told, ordered by layer.
    """

    revision: Annotated[int, Meta(ge=1, le=1_000_000)]
    hash: Digest
    overrides: Annotated[tuple[Override, ...], Meta(max_length=400)] = ()
    unnamed: Annotated[tuple[Unnamed, ...], Meta(max_length=16)] = ()


class Problem(Sent, frozen=True):
    """A collector that failed, or could see only a part.

    Attributes:
        collector: Its name: ``native``, ``search_path``, ``claude_config``, ...
        reason: Why, in words that hold no path, name or value.
    """

    collector: Name
    reason: Reason


class Profile(Sent, frozen=True):
    """All facts of a machine that a verdict needs, and nothing peculiar to it.

    Attributes:
        wire: The wire version of this shape.
        os: ``darwin``, ``linux`` or ``win32``.
        arch: ``arm64`` or ``x64`` (or what the system calls it).
        installs: The copies on disk, at most `INSTALLS_MAX`: counted ones first, then by method
            and place.
        more_installs: How many did not fit.
        config: What its settings override; None when none could be examined at all.
        exposure: What it was told remotely; None where nothing of that was examined.
        sessions: The builds that run, at most `SESSIONS_MAX`, each told once, in an
            order that says nothing of when they began.
        problems: What could not be examined, ordered by collector, then reason.
    """

    wire: Annotated[int, Meta(ge=1, le=1_000)]
    os: Name
    arch: Name
    installs: Annotated[tuple[Install, ...], Meta(max_length=INSTALLS_MAX)] = ()
    more_installs: Annotated[int, Meta(ge=0, le=100_000)] = 0
    config: Config | None = None
    exposure: Exposure | None = None
    sessions: Annotated[tuple[Session, ...], Meta(max_length=SESSIONS_MAX)] = ()
    problems: Annotated[tuple[Problem, ...], Meta(max_length=64)] = ()


class Enrolment(Sent, frozen=True):
    """The body of ``POST /v1/enrolments``.

    Attributes:
        wire: The wire version.
        secret: The enrolment secret, from the operator.
        label: The machine's name, typed by a person, or made of the owner, the system and
            chance; unique among live machines.
        key: Random; repeating it returns the same machine, so a lost answer costs nothing.
        owner: Typed by a person; who to ask about this machine.
        group: Wished for; the secret decides.
    """

    wire: Annotated[int, Meta(ge=1, le=1_000)]
    secret: Annotated[str, Meta(min_length=8, max_length=200)]
    label: Label
    key: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
    owner: Label | None = None
    group: Name | None = None


class Enrolled(Answer, frozen=True, omit_defaults=False):
    """The answer to an enrolment: 201. Every field is there, also at its default.

    Attributes:
        machine: The random machine id.
        token: Sent with every later request; shown once, stored hashed by the server.
        group: The group that the machine is in.
        wires: Wire versions that the server reads, newest first.
    """

    machine: str
    token: str
    group: str
    wires: tuple[int, ...] = WIRE_VERSIONS


class Renewal(Sent, frozen=True):
    """The body of ``POST /v1/machines/me/token``: asks for the machine's next token.

    Attributes:
        wire: The wire version.
        key: The random key of its enrolment, which is sent for nothing else.
    """

    wire: Annotated[int, Meta(ge=1, le=1_000)]
    key: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]


class Renewed(Answer, frozen=True, omit_defaults=False):
    """The answer to a renewal: 201. Every field is there, also at its default.

    Attributes:
        token: Takes the turn of the one before with its first use, which ends that.
        wires: Wire versions that the server reads, newest first.
    """

    token: str
    wires: tuple[int, ...] = WIRE_VERSIONS


class Change(Sent, frozen=True):
    """An earlier change of profile that the server has not acknowledged yet.

    Attributes:
        profile: The digest that the machine changed to.
        at: When, by the laptop's clock; the server believes no moment before its last answer, nor
            one that has not come.
    """

    profile: Digest
    at: Instant


class Activity(Sent, frozen=True):
    """How much one build was used from one surface on one day.

    Days, not hours: at which time of the day somebody works is nobody's business.

    Attributes:
        day: UTC day, counted from the epoch.
        surface: From where: ``terminal``, ``editor``, ``desktop``, ``sdk``, ...
        build: SHA-256 of the bytes executed; None where they could not be examined.
        seconds: That sessions ran, since it was last told; sessions side by side add up.
        starts: Sessions that began, since it was last told.
    """

    day: Annotated[int, Meta(ge=0, le=1_000_000)]
    surface: Name
    build: Sha256 | None = None
    seconds: Annotated[int, Meta(ge=0, le=ACTIVE_MAX_S)] = 0
    starts: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class CheckIn(Sent, frozen=True):
    """The body of ``POST /v1/check-ins``: "I am here, this is my profile's digest".

    Attributes:
        wire: The wire version.
        profile: The digest of the present profile.
        agent: The agent's version.
        epoch: Random, one per journal: 16 hex digits.
        seq: Grows by one with every new check-in of the epoch; repeated when one is resent.
        clock: The agent's clock.
        changes: Earlier profiles since the last acknowledged seq, oldest first, at most
            `CHANGES_MAX`; the present one is not repeated here.
        dropped: How many earlier changes and counts of activity the bounded journal let go.
        paused_s: The laptop's user asked to be left alone for so many more seconds; 0 if not.
        activity: Use of builds that was not told yet, the oldest day first.
    """

    wire: Annotated[int, Meta(ge=1, le=1_000)]
    profile: Digest
    agent: Version
    epoch: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$(?!\n)")]
    seq: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    clock: Instant
    changes: Annotated[tuple[Change, ...], Meta(max_length=CHANGES_MAX)] = ()
    dropped: Count = 0
    paused_s: Annotated[int, Meta(ge=0, le=PAUSE_MAX_S)] = 0
    activity: Annotated[tuple[Activity, ...], Meta(max_length=ACTIVITY_MAX)] = ()


class Ack(Answer, frozen=True, omit_defaults=False):
    """The answer to a check-in, given after its transaction was committed and synced.

    Every field but `rotate` is there, also at its default: `wires` tells an agent what the
    server reads, not what the agent itself would.

    Attributes:
        state: The machine's standing.
        tag: Changes whenever findings or standing do: then ask ``GET /v1/machines/me``.
        next_s: Seconds until the next check-in, spread by the server.
        wanted: Digests whose profile bytes the server lacks.
        resync: The (epoch, seq) cannot be followed: draw a new epoch and check in again.
        rotate: The token is old: ask for the next one. Left out while it is not, so that
            the usual ack stays as small as it was.
        wires: Wire versions that the server reads, newest first.
    """

    state: Standing
    tag: str
    next_s: int
    wanted: tuple[str, ...] = ()
    resync: bool = False
    rotate: bool | UnsetType = UNSET
    wires: tuple[int, ...] = WIRE_VERSIONS


class FixRef(Answer, frozen=True):
    """A fix: never a command line; `agent.fix.render` makes one from the closed table.

    Attributes:
        action: ``install``, ``reinstall``, ``unset``, ``set``, ``unshadow``, ``restart``,
            ``upgrade`` or ``enrol``.
        method: The install method; for ``unset`` and ``set`` the layer; else what it is about.
        target: The version to reach; for ``unset`` and ``set`` the key.
    """

    action: str
    method: str
    target: str


class FindingView(Answer, frozen=True):
    """One finding as told to people and programs.

    Attributes:
        code: The rule code.
        severity: ``drift``, ``unknown``, ``pending``, ``exempt`` (it differs with permission)
            or ``note`` (told for information: it changes no state).
        subject: What it is about (an install, a key), stable while the finding lasts.
        sentence: One plain sentence.
        since: When it began for this machine.
        deadline: When it gets worse by itself; None if it does not.
        estimated: `since` lies before the first reading of what was public: an estimate.
        fix: How to mend it; None where only waiting or an operator helps.
        install: Position in the profile's installs, where it is about one.
        waived_until: When the waiver ends that makes it ``exempt``, where there is one.
    """

    code: str
    severity: str
    subject: str
    sentence: str
    since: int | None = None
    deadline: int | None = None
    estimated: bool = False
    fix: FixRef | None = None
    install: int | None = None
    waived_until: int | None = None


class InstallView(Answer, frozen=True):
    """One install with what is public about its bytes.

    Attributes:
        install: The facts as reported.
        counted: Whether the verdict depends on it.
        public: The public version whose exact bytes these are; None if none is known.
        trust: How that digest was established: ``signed`` (a verified signature),
            ``registry`` (a package whose integrity was checked), ``stated`` (by TLS alone) or
            ``learned`` (from a reference machine).
    """

    install: Install
    counted: bool
    public: str | None = None
    trust: str | None = None


class HeadView(Answer, frozen=True):
    """What a channel points to.

    Attributes:
        channel: ``latest``, ``stable``, ...
        source: Which source said so: ``npm`` or ``bucket``.
        version: The head.
        since: When the ledger first read it there.
        read_at: When it was last read there.
    """

    channel: str
    source: str
    version: str
    since: int
    read_at: int


class WaiverView(Answer, frozen=True):
    """A person's dated permission to differ.

    Attributes:
        id: Names it in commands.
        code: The rule code whose findings it covers.
        reason: Why, as its giver wrote it.
        person: Who gave it.
        since: Since when.
        until: When it ends by itself.
        subject: The one subject that it covers; None covers all of the code.
    """

    id: str
    code: str
    reason: str
    person: str
    since: int
    until: int
    subject: str | None = None


class MachineView(Answer, frozen=True):
    """The answer of ``GET /v1/machines/me`` and ``GET /v1/machines/{id}``.

    Attributes:
        machine: The machine id.
        label: Its name.
        group: Its group.
        standing: The verdict as it holds for this machine.
        since: Since when it has this standing.
        tag: As in the ack.
        judged_at: The server's clock when this was answered.
        profile: Digest of the profile judged; None before the first one.
        settling: A look-up that this verdict waits for is under way: ask again soon.
        owner: Who to ask about it; None where nobody was named.
        agent: The agent's version at the last check-in.
        last_seen: The last acknowledged check-in.
        findings: Worst first.
        installs: As in the profile.
        config: As in the profile.
        heads: The heads that the verdict rests on.
        channel: The channel that its copies are judged by.
        waivers: Those that hold now.
        paused_until: Until when its user asked to be left alone; None if it is not paused.
        is_reference: It stands for what users run.
    """

    machine: str
    label: str
    group: str
    standing: Standing
    since: int
    tag: str
    judged_at: int
    profile: str | None = None
    settling: bool = False
    owner: str | None = None
    agent: str | None = None
    last_seen: int | None = None
    findings: tuple[FindingView, ...] = ()
    installs: tuple[InstallView, ...] = ()
    config: Config | None = None
    heads: tuple[HeadView, ...] = ()
    channel: str | None = None
    waivers: tuple[WaiverView, ...] = ()
    paused_until: int | None = None
    is_reference: bool = False


class Meaning(Answer, frozen=True):
    """What one word of a verdict means.

    Attributes:
        word: As it is told in verdicts: ``drift``, ``build-behind``, ``signed``.
        kind: What the word is of: ``standing``, ``finding``, ``severity`` or ``trust``.
        says: What it means, in a sentence or two.
        mend: What to do about it.
    """

    word: str
    kind: str
    says: str
    mend: str


class Meanings(Answer, frozen=True):
    """The answer of ``GET /v1/meanings``.

    Attributes:
        standings: All that a machine can have.
        findings: By code.
        severities: Worst first.
        trusts: Strongest first.
    """

    standings: tuple[Meaning, ...]
    findings: tuple[Meaning, ...]
    severities: tuple[Meaning, ...]
    trusts: tuple[Meaning, ...]

    @property
    def all(self) -> tuple[Meaning, ...]:
        """Every meaning; a word may have two, as a standing and as a severity."""
        return (*self.standings, *self.findings, *self.severities, *self.trusts)

    def of(self, word: str) -> tuple[Meaning, ...]:
        """What one word means; none if it is not one of ours."""
        return tuple(each for each in self.all if each.word == word)


class Refusal(Answer, frozen=True):
    """The body of every 4xx and 5xx answer.

    Attributes:
        error: What is wrong, in one sentence.
        advice: What to do about it.
        path: The offending place in the body, where there is one.
        wires: Wire versions that the server reads, newest first.
    """

    error: str
    advice: str
    path: str | None = None
    wires: tuple[int, ...] = WIRE_VERSIONS
