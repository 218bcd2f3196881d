"""A database with a fleet in it, made without a million requests.

Rows are what enrolments, uploads and check-ins would have left: verdicts by the server's
own judge, one token per machine, the term of a server that led. ``parity-server doctor`` finds
nothing wrong with it. A million machines with a million profiles take some minutes.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, insert, select, update

from agent import __version__, digest
from agent.wire import Build, CheckIn, Install, Profile
from server.current import Current
from server.policy import DEFAULT_GROUP, GroupPolicy
from server.store import build_counts, counts, public
from server.store.checkins import key_of
from server.store.engine import migrate, open_engine, writing
from server.store.following import renumber
from server.store.interface import Limits
from server.store.machines import write_taken
from server.store.tables import (
    artifacts,
    assignments,
    machines,
    presence,
    profiles,
    readings,
    releases,
    transitions,
    verdict_log,
    verdicts,
)
from server.store.verdicts import hold, judged
from server.tokens import hash_token, machine_token
from tests.benchmarks import bulk
from tests.e2e.fleet import leftover, profile_of

EPOCH = "0123456789abcdef"
"""Of every machine's journal."""

SEQ = 1
"""Of every machine's last check-in."""

HEAD = Build(
    sha256="1" * 64, size=381_121_040, form="binary", version="2.1.330", platform="linux-x64"
)
"""What is public, and what every machine runs."""

NEXT = Build(
    sha256="2" * 64, size=381_121_041, form="binary", version="2.1.331", platform="linux-x64"
)
"""What is released next."""

NUMBER_OF_LABEL = slice(len("laptop-"), None)
"""Where a machine's label has its number."""

_NEVER_OLD = 2**32 - 1  # a token's latest moment: none of them takes its turn here


@dataclass(frozen=True)
class Fleet:
    """A fleet's database.

    Attributes:
        url: Of the database.
        folder: The server's data folder.
        tokens: A file with ``token digest`` of each machine, one a line.
        machines: How many there are.
    """

    url: str
    folder: Path
    tokens: Path
    machines: int


def make(folder: Path, machine_count: int, profile_count: int, url: str | None = None) -> Fleet:
    """Makes a fleet of machines that share some profiles evenly.

    Args:
        folder: Of the server's data; it is made.
        machine_count: How many machines.
        profile_count: How many profiles, which they have in turn.
        url: Of an empty database; without one, of a SQLite file in the folder.
    """
    folder.mkdir(parents=True)
    url = url or f"sqlite:///{folder / 'server.db'}"
    fleet = Fleet(url, folder, folder.with_suffix(".tokens"), machine_count)
    migrate(fleet.url)
    # Statements of a million rows take their time.
    engine = open_engine(fleet.url, Limits(statement_s=0))
    now = int(time.time())
    with writing(engine) as conn:
        _publish(conn, now)
        names = _upload(conn, machine_count, profile_count, now)
        _enrol(conn, fleet, names, now)
        _count(conn, machine_count, now)
        renumber(conn, "term")  # else the first start counts all builds anew, profile by profile
    engine.dispose()
    bulk.settle(fleet.url)
    return fleet


def _publish(conn: Connection, now: int) -> None:
    conn.execute(
        insert(readings).values(
            source="npm",
            channel="latest",
            version=HEAD.version,
            first_seen=now - 86_400,
            last_seen=now,
        )
    )
    conn.execute(
        insert(releases).values(version=HEAD.version, source="npm", published_at=now - 86_400)
    )
    conn.execute(
        insert(artifacts).values(
            version=HEAD.version,
            platform=HEAD.platform,
            form=HEAD.form,
            source="npm",
            sha256=HEAD.sha256,
            size=HEAD.size,
            trust="registry",
            learned_at=now,
        )
    )


def _upload(conn: Connection, machine_count: int, profile_count: int, now: int) -> Sequence[str]:
    """Every profile with its verdict; their digests, by number.

    Their numbers in the database are one more, since they are the first there.
    """
    names = []

    def uploads() -> Iterator[bulk.Record]:
        for number in range(profile_count):
            body = digest.canonical(profile(number))
            names.append(digest.of_bytes(body))
            sender = machine_id(number)
            yield {"digest": names[-1], "body": body, "received_at": now, "sent_by": sender}

    bulk.fill(conn, profiles, uploads())
    _judge(conn, machine_count, profile_count, now)
    return names


def _judge(conn: Connection, machine_count: int, profile_count: int, now: int) -> None:
    """Gives every profile the verdict of the first: they differ in what is at rest only."""
    current = Current(public.load_ledger(conn))
    first = hold(conn, current, 1, DEFAULT_GROUP, now)
    last = judged(
        digest.canonical(profile(profile_count - 1)),
        current.policy(DEFAULT_GROUP),
        current.ledger,
        now,
    )
    assert last == first.verdict, "what is at rest is in the verdict"
    said = dict(conn.execute(select(verdicts)).one()._mapping)
    logged = dict(conn.execute(select(verdict_log)).one()._mapping)
    del said["id"], logged["id"]
    others = range(1, profile_count)
    bulk.fill(
        conn,
        verdicts,
        (
            said
            | {"profile_id": number + 1, "machines": _have(number, machine_count, profile_count)}
            for number in others
        ),
    )
    bulk.fill(conn, verdict_log, (logged | {"profile_id": number + 1} for number in others))
    conn.execute(
        update(verdicts)
        .where(verdicts.c.profile_id == 1)
        .values(machines=_have(0, machine_count, profile_count))
    )


def _have(number: int, machine_count: int, profile_count: int) -> int:
    return machine_count // profile_count + (number < machine_count % profile_count)


def _enrol(conn: Connection, fleet: Fleet, names: Sequence[str], now: int) -> None:
    def members() -> Iterator[_Member]:
        for number in range(fleet.machines):
            at = number % len(names)
            # A verdict was made for each profile, in their order.
            yield _Member(number, machine_id(number), at + 1, at + 1, names[at])

    bulk.fill(conn, machines, (each.machine(now) for each in members()))
    bulk.fill(conn, presence, (each.presence(now) for each in members()))
    bulk.fill(conn, assignments, (each.assignment(now) for each in members()))
    bulk.fill(conn, transitions, (each.transition(now) for each in members()))
    with fleet.tokens.open("w", encoding="ascii") as tokens:
        tokens.writelines(f"{each.token} {each.digest}\n" for each in members())


def profile(number: int, build: Build = HEAD) -> Profile:
    """The fleet's profile of this number, with a build of Claude Code."""
    at_rest: list[Install] = [leftover(number)] if number else []
    return profile_of(build, at_rest=at_rest)


def machine_id(number: int) -> str:
    """The id of the fleet's machine of this number."""
    # Random ids are spread over the whole key space, as these are.
    return f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}"


def token_of(machine: str) -> str:
    """The token of a machine of the fleet."""
    return machine_token(machine, machine * 4, _NEVER_OLD)


@dataclass(frozen=True)
class _Member:
    number: int
    id: str
    profile_id: int
    verdict_id: int
    digest: str

    @property
    def token(self) -> str:
        return token_of(self.id)

    def machine(self, now: int) -> bulk.Record:
        return {
            "id": self.id,
            "label": f"laptop-{self.number:07}",
            "group_name": DEFAULT_GROUP,
            "token_hash": hash_token(self.token),
            "enrol_key_hash": hash_token(f"key {self.number}"),
            "secret_id": "benchmark",
            "enrolled_at": now,
            "epoch": EPOCH,
            "agent": __version__,
            "claimed": self.digest,
            "settled": 1,
            "profile_id": self.profile_id,
            "profile_since": now,
            "taken_at": now,
            "numbered": 1,
            "standing_since": now,
            "due_at": now + GroupPolicy().silent_after_s,
            "build": HEAD.sha256,
        }

    def presence(self, now: int) -> bulk.Record:
        said = CheckIn(
            wire=1, profile=self.digest, agent=__version__, epoch=EPOCH, seq=SEQ, clock=now
        )
        return {
            "machine_id": self.id,
            "last_seen": now,
            "seq": said.seq,
            "key": key_of(self.token, said),
            "verdict_id": self.verdict_id,
        }

    def assignment(self, now: int) -> bulk.Record:
        return {
            "machine_id": self.id,
            "number": 0,
            "at": now,
            "profile_id": self.profile_id,
            "group_name": DEFAULT_GROUP,
            "told_at": now,
            "began": write_taken({}),
        }

    def transition(self, now: int) -> bulk.Record:
        return {
            "kind": "machine",
            "at": now,
            "group_name": DEFAULT_GROUP,
            "profile_id": self.profile_id,
            "machine_id": self.id,
            "after": "match",
            "cause": "no-finding",
            "machines": 1,
        }


def _count(conn: Connection, machine_count: int, now: int) -> None:
    counts.count(conn, DEFAULT_GROUP, "match", machine_count, now)
    build_counts.count(conn, {(DEFAULT_GROUP, HEAD.sha256): machine_count}, now)
    assert not list(counts.differences(conn)), "the fleet's counts are wrong"
