"""What the worker does, job by job: looks for work, and hands it to the part whose it is.

Looking is cheap (one indexed query on a reading connection), so it happens often, and
nobody has to tell a job that there is work: a deadline takes effect within about a second,
also one that was written by a request a moment ago.

Of several servers on one database the leading one does what changes the database (see
`server.leader`): two of them would read the sources twice, and judge, stand and sweep the same
rows. Its heartbeat is everybody's: while any server works, one leads within half a minute, and
less than `server.uptime.GAP_S` is no gap. What each does for itself is to follow what the
others changed, and to tell the refusals that it counted itself. What the leader knows is in
the database but for one mark, that all is to be judged again: it is set by whatever is
followed too, so that a server which begins to lead judges what the one before it had not.

Alerts need no term: their rows are taken by a lease, whoever sends, and one that was sent is
to be marked as sent even by who has ceased to lead.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, Engine, func, select

from server.alerts.sender import Sender
from server.current import Current
from server.following import Following
from server.heartbeat import Heartbeat
from server.keeper import SWEPT_EVERY_S, Keeper
from server.leader import Leader
from server.logs import REFUSALS_TOLD_EVERY_S, Refusals
from server.policy_watch import PolicyWatch
from server.reference_watch import ReferenceWatch
from server.releases.syncer import Syncer
from server.store import fleet, public, rings
from server.store.engine import reading
from server.store.rejudge import judge_again
from server.store.tables import machines, verdicts
from server.store.writer import Writer
from server.worker import Job, Mark

T = TypeVar("T")

LOOK_EVERY_S = 1
"""Seconds between two looks for deadlines and look-ups."""

WATCH_EVERY_S = 60
"""Seconds between two looks at how the sources do, and two steps of learning from them."""

SEND_EVERY_S = 2
"""Seconds between two looks at the outbox."""

STAND_MAX = 32
"""Most machines stood anew in one transaction: some 40 ms where all fall silent."""


RING_MAX = 500
"""Most machines whose timers ring in one transaction: some 10 ms."""


@dataclass(frozen=True)
class Jobs:
    """The parts that jobs put to work.

    Attributes:
        engine: For reading.
        writer: For writing; its transactions begin with `Following.keep_up`.
        led: The same, for what the leader alone writes: each looks whether it still leads.
        leader: Whether this server leads.
        following: Follows what other servers change.
        current: What is true now.
        clock: The server's clock, in whole seconds since the epoch.
        syncer: Reads the release sources.
        sender: Sends alerts.
        refusals: Counts refused requests.
        references: Looks at the reference machines.
        policies: Looks at the policy file.
        heartbeat: Notes that the server listens.
        keeper: Lets go of what is old.
        news: Set when everything is to be judged again.
    """

    engine: Engine
    writer: Writer
    led: Writer
    leader: Leader
    following: Following
    current: Current
    clock: Callable[[], int]
    syncer: Syncer
    sender: Sender
    refusals: Refusals
    references: ReferenceWatch
    policies: PolicyWatch
    heartbeat: Heartbeat
    keeper: Keeper
    news: Mark

    def all(self, heads_every_s: int) -> tuple[Job, ...]:
        """Every job of the server."""
        # Verdicts from before the start may rest on a ledger that has changed since.
        self.news.set()
        return (
            self._led("read heads", heads_every_s, self.read_heads),
            self._led("look up", LOOK_EVERY_S, self.look_up),
            self._led("learn releases", WATCH_EVERY_S, self.learn),
            self._led("watch sources", WATCH_EVERY_S, self.syncer.watch),
            self._led("look at references", LOOK_EVERY_S, self.look_at_references),
            self._led("judge", LOOK_EVERY_S, self.judge),
            self._led("stand", LOOK_EVERY_S, self.stand),
            self._led("send alerts", SEND_EVERY_S, self.send_alerts),
            self._led("let go", SWEPT_EVERY_S, self.keeper.sweep),
            Job("lead", LOOK_EVERY_S, self.leader.look),
            Job("look at policy", LOOK_EVERY_S, self.look_at_policy),
            Job("follow", LOOK_EVERY_S, self.follow),
            Job("tell refusals", REFUSALS_TOLD_EVERY_S, self.refusals.tell),
        )

    def follow(self) -> None:
        """Takes in what other servers changed."""
        self.following.look(self.engine, self.writer)

    def read_heads(self) -> None:
        """Reads every source; has all judged again if that changed anything."""
        if self.syncer.read_heads():
            self.news.set()

    def look_up(self) -> None:
        """Answers the look-ups that wait, if any do."""
        if self._read(lambda conn: bool(public.waiting(conn))) and self.syncer.look_up():
            self.news.set()

    def learn(self) -> None:
        """Learns a little of what was published lately; has all judged again if that matters."""
        if self.syncer.learn():
            self.news.set()

    def look_at_references(self) -> None:
        """Takes in what reference machines show now; has all judged again if it differs."""
        if self.references.look():
            self.news.set()

    def look_at_policy(self) -> None:
        """Loads the policy file if this server leads and it changed, and has all judged by it."""
        if not self.leader.leads():
            self.policies.compare(self.engine)
        elif self.policies.look():
            self.news.set()

    def judge(self) -> None:
        """Judges all again after news, else the verdicts whose time has come."""
        if self.news.do(lambda: self._judge(only_due=False)):
            return
        now = self.clock()
        due_at = self._read(lambda conn: conn.scalar(select(func.min(verdicts.c.next_change_at))))
        if due_at is not None and due_at <= now:
            self._judge(only_due=True)

    def stand(self) -> None:
        """Stands the machines anew whose time has come, in slices."""
        if self.heartbeat.beat():
            self.news.set()
        if self._read(rings.are_asked):
            while self.led.run(lambda conn: rings.ring(conn, self.clock(), RING_MAX)).result():
                pass
        now = self.clock()
        due_at = self._read(lambda conn: conn.scalar(select(func.min(machines.c.due_at))))
        while due_at is not None and due_at <= now:
            # Each slice has its own moment: what is written is dated by it.
            looked_at = self.led.run(
                lambda conn: fleet.stand_due(conn, self.current, self.clock(), STAND_MAX)
            ).result()
            if looked_at < STAND_MAX:
                return

    def send_alerts(self) -> None:
        """Sends what is due."""
        self.sender.send_due(self.clock())

    def _led(self, name: str, every_s: float, run: Callable[[], object]) -> Job:
        def led() -> None:
            if self.leader.leads():
                run()

        return Job(name, every_s, led)

    def _judge(self, *, only_due: bool) -> None:
        judge_again(self.engine, self.led, self.current, self.clock, only_due=only_due)

    def _read(self, query: Callable[[Connection], T]) -> T:
        with reading(self.engine) as conn:
            return query(conn)
