"""A whole store without HTTP: real database, real writer, a clock that tests set."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, text

from agent.digest import canonical, of_bytes
from agent.wire import (
    Ack,
    Build,
    Change,
    CheckIn,
    Config,
    Enrolment,
    Install,
    MachineView,
    Override,
    Profile,
)
from server import enrolment
from server.current import Current
from server.intake import Intake
from server.releases.ledger import Artifact, Ledger, Reading, Release
from server.store import counts, rings
from server.store.engine import migrate, open_engine
from server.store.rejudge import judge_again
from server.store.writer import Writer

T = TypeVar("T")

NOW = 1_777_000_000
DAY = 86_400
HEAD = Build("a" * 64, 381_121_040, "binary", "2.1.330", "linux-x64")
BEHIND = Build("b" * 64, 381_121_039, "binary", "2.1.329", "linux-x64")
NO_CONFIG = Config(1, "sha256:" + "0" * 64)


def ledger(head: Build = HEAD, since: int = NOW - 3600, read_at: int = NOW) -> Ledger:
    """Two public builds, of which one is the head of `latest`."""
    return Ledger(
        readings=[Reading("npm", "latest", str(head.version), since, read_at)],
        releases=[Release(str(build.version), since) for build in (HEAD, BEHIND)],
        artifacts=[
            Artifact(
                str(build.version),
                build.platform,
                build.form,
                build.sha256,
                build.size,
                "registry",
                "npm",
            )
            for build in (HEAD, BEHIND)
        ],
    )


def profile(*builds: Build, overrides: tuple[Override, ...] = ()) -> Profile:
    """A Linux laptop with these builds started from its terminal."""
    config = Config(1, NO_CONFIG.hash, overrides)
    installs = (Install("npm", "global", build=each, starts=("terminal",)) for each in builds)
    return Profile(1, "linux", "x64", tuple(installs), config=config)


def digest_of(told: Profile) -> str:
    """The digest of a profile."""
    return of_bytes(canonical(told))


@dataclass
class Laptop:
    """One machine's side of the protocol, spoken to the intake itself."""

    shop: "Shop"
    label: str
    id: str
    token: str
    epoch: str = field(default_factory=lambda: secrets.token_hex(8))
    seq: int = 0
    agent: str = "0.1.0"

    def message(self, told: Profile | str, *changes: Change) -> CheckIn:
        """The next check-in of this epoch."""
        self.seq += 1
        name = told if isinstance(told, str) else digest_of(told)
        return CheckIn(1, name, self.agent, self.epoch, self.seq, self.shop.now, changes)

    def send(self, message: CheckIn) -> Ack:
        """Sends a check-in."""
        return asyncio.run(self.shop.intake.check_in(self.token, message))

    def upload(self, told: Profile) -> None:
        """Sends a profile."""
        body = canonical(told)
        asyncio.run(self.shop.intake.put_profile(self.token, of_bytes(body), body))

    def tell(self, told: Profile) -> Ack:
        """Checks in with a profile, uploading it if it is wanted; the last ack."""
        ack = self.send(self.message(told))
        if digest_of(told) in ack.wanted:
            self.upload(told)
            ack = self.send(self.message(told))
        return ack

    def view(self) -> MachineView:
        """What the machine is told of itself."""
        return asyncio.run(self.shop.intake.machine(self.token))


class Shop:
    """A store with its writer and intake.

    Args:
        place: The address of a migrated database, or the folder of a SQLite file to be.
    """

    def __init__(self, place: Path | str) -> None:
        self.now = NOW
        self.url = place if isinstance(place, str) else f"sqlite:///{place / 'server.db'}"
        if isinstance(place, Path):
            migrate(self.url)
        self.engine = open_engine(self.url)
        self.writer = Writer(self.engine)
        self.current = Current(ledger())
        self.intake = Intake(self.engine, self.writer, self.current, self.clock)
        self.secret = self.write(lambda conn: enrolment.create_secret(conn, "default", self.now))

    def clock(self) -> int:
        """The server's clock."""
        return self.now

    def write(self, work: Callable[[Connection], T]) -> T:
        """Runs work in a transaction of its own."""
        return self.writer.run(work).result()

    def read(self, query: Callable[[Connection], T]) -> T:
        """Runs a query on a reading connection."""
        with self.engine.connect() as conn:
            return query(conn)

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        """All rows of a statement."""
        return self.read(lambda conn: [tuple(row) for row in conn.execute(text(statement))])

    def enrol(self, label: str) -> Laptop:
        """A newly enrolled machine."""
        message = Enrolment(1, self.secret, label, secrets.token_hex(16))
        enrolled = asyncio.run(self.intake.enrol(message))
        return Laptop(self, label, enrolled.machine, enrolled.token)

    def judge_again(self, *, only_due: bool = False) -> int:
        """Judges verdicts again."""
        return judge_again(self.engine, self.writer, self.current, self.clock, only_due=only_due)

    def ring(self) -> None:
        """Rings the timers of all machines that are to be looked at again."""
        while self.write(lambda conn: rings.ring(conn, self.now, 2)):
            pass

    def counted(self) -> dict[str, int]:
        """How many machines stand how in the default group, checked by a recount."""
        assert self.read(lambda conn: list(counts.differences(conn))) == []
        return {standing: number for (_, standing), number in self.read(counts.standings).items()}

    def close(self) -> None:
        """Ends the writer and closes the database."""
        self.writer.close()
        self.engine.dispose()
