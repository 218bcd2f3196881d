"""The composition root: one cycle, the whole way of a fact through the agent.

As consecutive calls::

    discover -> fingerprint -> claude_config -> sessions -> profile -> journal -> exchange/transport

``check``, ``show`` and ``run`` take the same steps; ``show`` stops before the last. A
collector that fails is a `Problem` in the profile, and the others go on. What repeats a
cycle is `agent.daemon`'s.
"""

import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TypeVar

import msgspec
import structlog

from agent import answers, digest, exchange, platforms, profile, running, session_traits, sessions
from agent.claude_config import overrides
from agent.claude_config.overrides import ConfigFacts
from agent.claude_config.session_overrides import with_session
from agent.discover import census
from agent.discover.census import Census, LocalInstall
from agent.exchange import Exchange, Pace
from agent.exchange_table import EVENTS, Event, State
from agent.fingerprint import Fingerprints, Progress, reason_of
from agent.host import Host
from agent.identity import Identity, Renewal
from agent.journal import Journal
from agent.pause_file import Pauses
from agent.running import NONE_RUN, LocalSession, Running
from agent.sessions import Told
from agent.settings import Settings
from agent.talk import Talk
from agent.transport import Transport
from agent.wire import Problem, Profile

_log = structlog.stdlib.get_logger("agent.cycle")
_Facts = TypeVar("_Facts")
_NOT_SCANNED = Told(problems=(sessions.TURNED_OFF,))


@dataclass(frozen=True)
class Parts:
    """What a cycle is made of.

    Attributes:
        settings: As read.
        environment: The variables of the process.
        progress: Told how far hashing is.
        running: Knows the processes that were looked at before.
        clock: Epoch seconds.
        chance: A fresh random number from 0 to 1.
    """

    settings: Settings
    environment: Mapping[str, str]
    progress: Progress | None = None
    running: Running = field(default_factory=Running)
    clock: Callable[[], float] = time.time
    chance: Callable[[], float] = random.SystemRandom().random


@dataclass(frozen=True)
class Looked:
    """What one look found.

    Attributes:
        found: The installs, with where they lie.
        config: The configuration; None where none could be examined.
        sessions: The sessions that run now.
        unseen: Why these could not be looked at; empty where they were.
        again_at: When the sessions want another look, epoch seconds; None while there are none.
        made: The profile.
        body: Its canonical bytes.
    """

    found: Census
    config: ConfigFacts | None
    sessions: tuple[LocalSession, ...]
    unseen: tuple[Problem, ...]
    again_at: int | None
    made: Profile
    body: bytes

    @property
    def watch(self) -> frozenset[PurePath]:
        """Every path whose change could change the profile."""
        return frozenset((*self.found.watch, *(self.config.watch if self.config else ())))


class Contact(msgspec.Struct, frozen=True):
    """How the last conversation ended, kept for ``status``.

    Attributes:
        state: Of the exchange.
        reason: Why things are not well; empty when they are.
        advice: What to do about it.
    """

    state: str
    reason: str = ""
    advice: str = ""


def cycle(
    parts: Parts, journal: Journal, who: Identity | None, x: Exchange
) -> tuple[Looked, Exchange]:
    """One full cycle: look, keep, tell.

    Args:
        parts: What it is made of.
        journal: Where the profile is kept before anything is sent.
        who: The enrolment; None to look and keep, and tell nobody.
        x: Where the conversation stands.

    Returns:
        What was found, and where the conversation stands now.

    Raises:
        AgentError: The journal cannot be used, or the system is not known.
    """
    settings = parts.settings
    host = platforms.live(
        home=settings.home,
        system_root=settings.system_root,
        environment=parts.environment,
        process_roots=settings.process_roots,
    )
    now = int(parts.clock())
    fingerprints = Fingerprints(settings.state_dir / "fingerprints.json")
    found, lost = _collected(
        "discover",
        lambda: census.take(
            host, fingerprints, parts.progress, environments=settings.python_environments
        ),
        Census(),
    )
    facts, unread = _collected(
        "claude_config", lambda: overrides.examine(host, share_plan=settings.share_plan), None
    )
    local, unseen = _collected(
        "sessions", lambda: _running(parts, host, fingerprints, found.installs), NONE_RUN
    )
    told = _followed(journal, local, now) if settings.scan_processes else _NOT_SCANNED
    if facts is not None:
        facts = with_session(facts, session_traits.shown(told.overrides))
    made = profile.make(
        system=host.system,
        arch=host.arch,
        census_installs=(each.install for each in found.installs),
        more=found.more,
        config=facts.config if facts else None,
        exposure=facts.exposure if facts else None,
        sessions=told.sessions,
        problems=(
            *found.problems,
            *(facts.problems if facts else ()),
            *told.problems,
            *lost,
            *unread,
            *unseen,
        ),
    )
    body = digest.canonical(made)
    changed = journal.record(body, now)
    _save(fingerprints)
    _log.info("looked", changed=changed, profile=digest.of_bytes(body))
    if who is not None:
        x = _told(parts, journal, who, x)
    return Looked(found, facts, local, unseen, told.again_at, made, body), x


def announce(parts: Parts, journal: Journal, who: Identity, x: Exchange) -> Exchange:
    """Tells the server of the pause that lasts, without a look.

    Args:
        parts: What a cycle is made of.
        journal: What a check-in is made from.
        who: The enrolment.
        x: Where the conversation stands.

    Returns:
        Where it stands now: `State.PAUSED` once the server has acknowledged it. Unchanged
        where nothing was ever looked at, for then there is nothing to check in with.

    Raises:
        AgentError: The journal or the state folder cannot be used.
    """
    if journal.backlog() is None:
        return x
    if (x.state, Event.PAUSED) not in EVENTS:
        # A conversation that was cut short gives way; the journal keeps what it had to say.
        x = replace(x, state=State.REST)
    pace = pace_of(parts.settings)
    x = exchange.happened(x, Event.PAUSED, pace, now=parts.clock(), chance=parts.chance())
    return _told(parts, journal, who, x)


def begin(journal: Journal, who: Identity | None) -> Exchange:
    """Where a conversation stands when a process begins."""
    kept = journal.remembered("view")
    known = answers.view(kept[0]) if kept else None
    mine = known is not None and who is not None and known.machine == who.machine
    return Exchange(tag=known.tag if known and mine else None)


def pace_of(settings: Settings) -> Pace:
    """How fast to go, by the settings."""
    return Pace(
        min_s=settings.cycle_min_s,
        max_s=settings.cycle_max_s,
        base_s=settings.retry_base_s,
        cap_s=settings.retry_max_s,
        spread_s=settings.spread_s,
    )


def _told(parts: Parts, journal: Journal, who: Identity, x: Exchange) -> Exchange:
    settings = parts.settings
    renewal = Renewal(settings.state_dir, who)
    with Transport(settings, who.server_url, renewal.token) as transport:
        talk = Talk(
            journal,
            Pauses(settings.state_dir),
            renewal,
            transport,
            pace_of(settings),
            parts.clock,
            parts.chance,
        )
        x = talk.until_rest(x)
    contact = Contact(x.state.value, x.reason, x.advice)
    journal.remember("contact", msgspec.json.encode(contact), int(parts.clock()))
    _log.info("told", state=x.state.value, reason=x.reason)
    return x


def _running(
    parts: Parts, host: Host, fingerprints: Fingerprints, installs: Iterable[LocalInstall]
) -> tuple[LocalSession, ...]:
    if not parts.settings.scan_processes:
        return ()
    return parts.running.look(host, fingerprints, installs, parts.progress)


def _followed(journal: Journal, local: Iterable[LocalSession], now: int) -> Told:
    kept = journal.remembered("sessions")
    before = sessions.decode(kept[0]) if kept else ()
    told = sessions.follow(before, running.seen_of(local), now)
    if told.keep != before:
        journal.remember("sessions", sessions.encode(told.keep), now)
    return told


def _collected(
    name: str, collect: Callable[[], _Facts], nothing: _Facts
) -> tuple[_Facts, tuple[Problem, ...]]:
    try:
        return collect(), ()
    except OSError as error:
        _log.warning("collector failed", collector=name, errno=error.errno)
        return nothing, (Problem(name, reason_of(error)),)
    # A bug in one collector must not silence the laptop: it is told, and logged whole.
    except Exception as error:  # noqa: BLE001 - the reason is above
        _log.exception("collector failed", collector=name)
        return nothing, (Problem(name, f"it failed with {type(error).__name__}"),)


def _save(fingerprints: Fingerprints) -> None:
    try:
        fingerprints.save()
    except OSError as error:
        # The next cycle hashes again; nothing else is lost.
        _log.warning("fingerprints not kept", errno=error.errno)
