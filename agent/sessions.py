"""Running sessions: which processes they are, and which of their builds are told. Pure.

A process is a session by the program that it executes (facts 4.1): one that lies where a
method puts Claude Code, or that is the file of a known install. Text in its arguments never
makes it one. What a live registry entry claims is a session too.

A build is told as soon as a session runs it, and for `LEAVES_S` after it was last seen, so that
opening and closing terminals does not change the profile. While it runs, only the present state
of its file is told. The same holds for what a session was started with, of which only the
present value is told, and for what could not be seen of that.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

import msgspec

from agent import wire
from agent.digest import canonical

LEAVES_S = 1_800
"""Seconds unseen after which a build, or what a session was started with, is told no more."""

MARK_S = 300
"""How old, in seconds, the kept time of a running session's last sight may grow."""

# The last sight was up to so much later than the time that is kept of it.
_GONE_S = LEAVES_S + MARK_S

KEPT_MAX = 512
"""Most sightings kept; the longest unseen go first."""

OVERRIDES_MAX = 200
"""Most overrides of sessions told; the longest unseen are left out."""

RUNTIMES = frozenset({"node", "node.exe", "nodejs", "bun", "bun.exe"})
"""Programs that run ``cli.js`` (facts 4.1): their script tells what they are."""

TOO_MANY = wire.Problem("sessions", "more builds run than a profile can hold")
"""That running builds were left out."""

TOO_MANY_OVERRIDES = wire.Problem("sessions", "sessions set more than a profile can hold")
"""That some of what sessions were started with was left out."""

TURNED_OFF = wire.Problem("sessions", "this laptop's user has turned looking at processes off")
"""That nothing is known of running sessions."""

_PROGRAM = r"claude(?:\.exe(?:\.old\.\d+(?:\.\d+)?)?)?"
_IN_BUNDLE = r"claude\.app/Contents/MacOS/claude"
# facts 1.1 and 4.1; a running program of Windows may be renamed by an update (facts 4.3).
_PLACES = re.compile(
    r"/(?:"
    r"claude/versions/\d+\.\d+\.\d+[0-9A-Za-z-]{0,31}"
    rf"|claude/versions/bundles/[^/]+/{_IN_BUNDLE}"
    r"|claude/ClaudeCode\.app/Contents/MacOS/claude"
    rf"|node_modules/@anthropic-ai/claude-(?:code|agent-sdk)[a-z0-9-]{{0,40}}/(?:bin/)?{_PROGRAM}"
    rf"|anthropic\.claude-code-[^/]+/resources/native-binary/{_PROGRAM}"
    rf"|Claude(?:-3p)?/claude-code/[^/]+/(?:{_IN_BUNDLE}|{_PROGRAM})"
    rf"|claude_agent_sdk/_bundled/{_PROGRAM}"
    rf"|Caskroom/claude-code(?:@latest)?/[^/]+/{_PROGRAM}"
    rf"|WinGet/Packages/Anthropic\.ClaudeCode_[^/]*/{_PROGRAM}"
    rf"|nix/store/[0-9a-z]{{32}}-claude-code[^/]*/bin/\.?{_PROGRAM}(?:-wrapped_*)?"
    rf"|(?:opt|usr/lib)/claude-code[a-z-]{{0,40}}/(?:bin/)?{_PROGRAM}"
    r"|\.local/bin/claude\.exe(?:\.old\.\d+(?:\.\d+)?)?"
    r")\Z"
)


Seen = wire.Session | wire.Override | wire.Problem
"""What is told of running sessions: a build, what one was started with, what was not seen."""


class Sighting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that may be told of sessions, and when it was last seen.

    Attributes:
        at: Epoch seconds, by the agent's clock.
        session: It is a build that a session runs.
        override: It is what a session was started with.
        problem: It is what could not be seen of a session.
    """

    at: int
    session: wire.Session | None = None
    override: wire.Override | None = None
    problem: wire.Problem | None = None

    @property
    def seen(self) -> Seen | None:
        """Which of these it is."""
        return self.session or self.override or self.problem


def sighting(seen: Seen, at: int) -> Sighting:
    """What is kept of something that was seen."""
    match seen:
        case wire.Session():
            return Sighting(at, session=seen)
        case wire.Override():
            return Sighting(at, override=seen)
        case wire.Problem():
            return Sighting(at, problem=seen)


@dataclass(frozen=True)
class Told:
    """What a profile tells of running sessions.

    Attributes:
        keep: What is to be kept for the next look.
        again_at: When a look is due for the sessions' sake, epoch seconds: the time kept of a
            running one is to be renewed, an unseen one is to leave. None while there are none.
        sessions: At most `wire.SESSIONS_MAX`; the last seen first, where there are more.
        overrides: At most `OVERRIDES_MAX`, in the same way.
        problems: What could not be seen, and that some were left out.
    """

    keep: tuple[Sighting, ...] = ()
    again_at: int | None = None
    sessions: tuple[wire.Session, ...] = ()
    overrides: tuple[wire.Override, ...] = ()
    problems: tuple[wire.Problem, ...] = ()


def is_place(path: PurePath) -> bool:
    """Whether a program lies where a method puts Claude Code's own."""
    return _PLACES.search(path.as_posix()) is not None


def is_runtime(path: PurePath) -> bool:
    """Whether a program runs scripts, so that its script tells what it is."""
    return path.name.lower() in RUNTIMES


def follow(before: tuple[Sighting, ...], running: Iterable[Seen], now: int) -> Told:
    """What is told, from what was seen before and what runs now.

    Args:
        before: As kept at an earlier look.
        running: What was found just now, in any order and any number of times.
        now: The agent's clock, epoch seconds; it may have been set back.
    """
    present = set(running)
    subjects = {_subject(each) for each in present}
    unseen = {
        each.seen: min(each.at, now)
        for each in before
        if each.seen and _subject(each.seen) not in subjects and now - each.at <= _GONE_S
    }
    marks: dict[Seen, int] = dict.fromkeys(present, now) | unseen
    ordered = sorted(marks, key=lambda each: (-marks[each], canonical(each)))[:KEPT_MAX]
    keep = _to_keep(before, tuple(sighting(each, marks[each]) for each in ordered))
    again_at = (each.at + (MARK_S if each.seen in present else _GONE_S + 1) for each in keep)
    return _told(ordered, keep, min(again_at, default=None))


def _told(ordered: list[Seen], keep: tuple[Sighting, ...], again_at: int | None) -> Told:
    builds = [each for each in ordered if isinstance(each, wire.Session)]
    overrides = [each for each in ordered if isinstance(each, wire.Override)]
    problems = {each for each in ordered if isinstance(each, wire.Problem)}
    problems |= {TOO_MANY} if len(builds) > wire.SESSIONS_MAX else set()
    problems |= {TOO_MANY_OVERRIDES} if len(overrides) > OVERRIDES_MAX else set()
    return Told(
        keep=keep,
        again_at=again_at,
        sessions=tuple(sorted(builds[: wire.SESSIONS_MAX], key=canonical)),
        overrides=tuple(sorted(overrides[:OVERRIDES_MAX], key=canonical)),
        problems=tuple(sorted(problems, key=canonical)),
    )


def encode(sightings: Iterable[Sighting]) -> bytes:
    """Sightings as they are kept."""
    return msgspec.json.encode(tuple(sightings))


def decode(kept: bytes) -> tuple[Sighting, ...]:
    """Sightings that were kept; what cannot be read is none."""
    try:
        return msgspec.json.decode(kept, type=tuple[Sighting, ...])[:KEPT_MAX]
    except msgspec.DecodeError:
        return ()


def _subject(seen: Seen) -> tuple[str, str]:
    # The same while it runs, whatever becomes of a build's file or of an override's value.
    match seen:
        case wire.Session():
            return "", seen.build.sha256 if seen.build else f"{seen.file} {seen.reason}"
        case wire.Override():
            return seen.kind, seen.key
        case wire.Problem():
            return seen.collector, seen.reason


def _to_keep(before: tuple[Sighting, ...], after: tuple[Sighting, ...]) -> tuple[Sighting, ...]:
    # Kept durably: a little time alone is not worth a write.
    old = {each.seen: each.at for each in before}
    new = {each.seen: each.at for each in after}
    moved = any(abs(at - old.get(each, at)) >= MARK_S for each, at in new.items())
    return after if moved or old.keys() != new.keys() else before
