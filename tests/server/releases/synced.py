"""A syncer with its writer and a clock set by the test, and questions to what it keeps."""

from collections.abc import Iterable

from sqlalchemy import Connection, insert, select

from agent.digest import canonical, of_value
from agent.wire import Build, Form, Install, Profile
from server.current import Current
from server.releases.health import Condition, Kind, SourceHealth
from server.releases.ledger import Ledger
from server.releases.sources.interface import Source
from server.releases.syncer import Syncer
from server.store import conditions, public
from server.store.tables import outbox, profiles
from server.store.writer import Writer

START = 1_795_320_000
"""2026-11-22 04:00 UTC: two days after the newest recorded release."""


class Synced:
    """As much of a server as a syncer needs.

    Args:
        writer: Of a new database.
        sources: The sources, the most telling first.
    """

    def __init__(self, writer: Writer, sources: Iterable[Source]) -> None:
        self.now = START
        self.writer = writer
        self.current = Current(Ledger())
        self.syncer = Syncer(tuple(sources), writer, self.current, lambda: self.now)

    def ask(self, *versions: str) -> None:
        """Wants versions looked up."""
        self.writer.run(lambda conn: public.ask(conn, versions, self.now)).result()

    def outcome(self, version: str) -> str | None:
        """What a look-up found; None before its answer."""
        lookup = self.current.ledger.lookup(version)
        return None if lookup is None or lookup.answered_at is None else lookup.outcome

    def health(self) -> dict[str, SourceHealth]:
        """How every source does."""
        return {item.source: item for item in self.writer.run(public.health).result()}

    def told(self) -> list[str]:
        """The topic of every message, in order."""

        def topics(conn: Connection) -> list[str]:
            return list(conn.execute(select(outbox.c.topic).order_by(outbox.c.id)).scalars())

        return self.writer.run(topics).result()

    def told_at(self) -> list[int]:
        """When each message was written."""

        def times(conn: Connection) -> list[int]:
            return list(conn.execute(select(outbox.c.created_at).order_by(outbox.c.id)).scalars())

        return self.writer.run(times).result()

    def held(self) -> dict[str, Condition]:
        """The conditions that hold, by topic."""
        return {item.topic: item for item in self.writer.run(conditions.load).result()}

    def kinds(self) -> list[Kind]:
        """The kinds of the conditions that hold, the oldest first."""
        return [item.kind for item in self.held().values()]

    def pass_time(self, seconds: int, every: int = 300) -> None:
        """Reads the heads again and again, and looks how the sources do."""
        for _ in range(seconds // every):
            self.now += every
            self.syncer.read_heads()

    def report(self, version: str, platform: str, form: Form = "binary") -> None:
        """A laptop's profile with a native build."""
        build = Build(sha256="0" * 64, size=1, form=form, version=version, platform=platform)
        install = Install(method="npm", place="global", build=build, starts=("terminal",))
        profile = Profile(wire=1, os="linux", arch="x64", installs=(install,))
        row = {"digest": of_value(profile), "body": canonical(profile), "received_at": self.now}
        self.writer.run(lambda conn: conn.execute(insert(profiles).values(**row))).result()
