"""A database with a fleet in it, made without a million requests.

Rows are what enrolments, uploads and check-ins would have left: verdicts by the server's
own judge, one token per machine. ``parity-server doctor`` finds nothing wrong with it.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, insert, update

from agent import __version__, digest
from agent.wire import Build, CheckIn, Install, Profile
from server.current import Current
from server.policy import DEFAULT_GROUP, GroupPolicy
from server.store import counts, public
from server.store.checkins import key_of
from server.store.engine import migrate, open_engine, writing
from server.store.tables import (
    artifacts,
    machines,
    presence,
    profiles,
    readings,
    releases,
    verdicts,
)
from server.store.verdicts import hold
from server.tokens import hash_token, machine_token
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

ROWS_MAX = 10_000
"""Most rows inserted at a time."""


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
    engine = open_engine(fleet.url)
    now = int(time.time())
    with writing(engine) as conn:
        _publish(conn, now)
        known = list(_upload(conn, profile_count, now))
        with fleet.tokens.open("w", encoding="ascii") as tokens:
            for begin in range(0, machine_count, ROWS_MAX):
                end = min(machine_count, begin + ROWS_MAX)
                members = [_member(number, known) for number in range(begin, end)]
                conn.execute(insert(machines), [each.machine(now) for each in members])
                conn.execute(insert(presence), [each.presence(now) for each in members])
                tokens.writelines(f"{each.token} {each.digest}\n" for each in members)
        _count(conn, now)
    engine.dispose()
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


def _upload(conn: Connection, count: int, now: int) -> Iterator[tuple[int, int, str]]:
    current = Current(public.load_ledger(conn))
    for number in range(count):
        body = digest.canonical(profile(number))
        name = digest.of_bytes(body)
        row = {"digest": name, "body": body, "received_at": now}
        made = conn.execute(insert(profiles).values(row)).inserted_primary_key
        assert made is not None
        yield made[0], hold(conn, current, made[0], DEFAULT_GROUP, now).id, name


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


def _member(number: int, known: list[tuple[int, int, str]]) -> "_Member":
    profile_id, verdict_id, name = known[number % len(known)]
    return _Member(number, machine_id(number), profile_id, verdict_id, name)


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

    def machine(self, now: int) -> dict[str, object]:
        return {
            "id": self.id,
            "label": f"laptop-{self.number:07}",
            "group_name": DEFAULT_GROUP,
            "token_hash": hash_token(self.token),
            "enrol_key_hash": f"{self.number:064x}",
            "secret_id": "benchmark",
            "enrolled_at": now,
            "epoch": EPOCH,
            "agent": __version__,
            "claimed": self.digest,
            "settled": 1,
            "profile_id": self.profile_id,
            "profile_since": now,
            "standing_since": now,
            "due_at": now + GroupPolicy().silent_after_s,
        }

    def presence(self, now: int) -> dict[str, object]:
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


def _count(conn: Connection, now: int) -> None:
    sums = counts.recount(conn)
    for (profile_id, group), number in sums.pairs.items():
        conn.execute(
            update(verdicts)
            .where(verdicts.c.profile_id == profile_id, verdicts.c.group_name == group)
            .values(machines=number)
        )
        counts.count(conn, group, "match", number, now)
    assert not list(counts.differences(conn)), "the fleet's counts are wrong"
