"""The store as a whole: any sequence of what can happen leaves all of it right."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agent.wire import Build, Change, CheckIn, Override, Profile
from server.judge import judge
from server.store import fleet
from server.store.tables import profiles, verdicts
from server.store.timeline import timeline
from server.store.verdicts import held_of, read_profile
from tests.server.shop import BEHIND, DAY, HEAD, Laptop, Shop, digest_of, ledger, profile

PROFILES = [
    profile(HEAD),
    profile(BEHIND),
    profile(HEAD, BEHIND),
    profile(),
    profile(HEAD, overrides=(Override("setting", "effortLevel", "user", "behaviour", "low"),)),
    profile(Build("c" * 64, 1, "binary", "2.1.330", "linux-x64")),
    profile(Build("d" * 64, 1, "binary", "9.9.9", "linux-x64")),
]

some_profile = st.sampled_from(PROFILES)


class Whole(RuleBasedStateMachine):
    """Laptops come, speak, fall silent and go, while the public truth moves."""

    laptops = Bundle("laptops")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.shop = Shop(self.folder)
        self.acknowledged: dict[str, tuple[int, str]] = {}
        self.sent: dict[str, CheckIn] = {}
        self.names = 0

    def teardown(self) -> None:
        """Ends the example."""
        self.shop.close()
        shutil.rmtree(self.folder)

    @initialize(target=laptops)
    def first(self) -> Laptop:
        """There is always a machine."""
        return self._enrol()

    @rule(target=laptops)
    def enrol(self) -> Laptop:
        """A machine comes."""
        return self._enrol()

    def _enrol(self) -> Laptop:
        self.names += 1
        return self.shop.enrol(f"laptop-{self.names}")

    @rule(laptop=laptops, told=some_profile)
    def check_in(self, laptop: Laptop, told: Profile) -> None:
        """A machine checks in, with whatever profile."""
        self._send(laptop, laptop.message(told))

    @rule(laptop=laptops, told=some_profile, before=st.lists(some_profile, max_size=3))
    def check_in_late(self, laptop: Laptop, told: Profile, before: list[Profile]) -> None:
        """A machine tells what it changed to while it was offline."""
        changes = [Change(digest_of(each), self.shop.now - 9) for each in before]
        self._send(laptop, laptop.message(told, *changes))

    def _send(self, laptop: Laptop, message: CheckIn) -> None:
        ack = laptop.send(message)
        assert not ack.resync
        self.acknowledged[laptop.id] = (message.seq, message.profile)
        self.sent[laptop.id] = message
        for each in PROFILES:
            if digest_of(each) in ack.wanted and each is not PROFILES[2]:
                laptop.upload(each)

    @rule(laptop=laptops)
    def upload_the_late_one(self, laptop: Laptop) -> None:
        """One profile is sent long after it was wanted."""
        wanted = f"SELECT 1 FROM wanted WHERE machine_id = '{laptop.id}' AND digest = '"  # noqa: S608 - our own id
        if self.shop.rows(wanted + digest_of(PROFILES[2]) + "'"):
            laptop.upload(PROFILES[2])

    @precondition(lambda self: self.sent)
    @rule(laptop=laptops)
    def repeat(self, laptop: Laptop) -> None:
        """A check-in comes twice."""
        if laptop.id in self.sent:
            assert not laptop.send(self.sent[laptop.id]).resync

    @rule(laptop=laptops)
    def new_epoch(self, laptop: Laptop) -> None:
        """A journal is lost."""
        self.names += 1
        laptop.epoch, laptop.seq = f"{self.names:016x}", 0
        self.acknowledged.pop(laptop.id, None)

    @rule(head=st.sampled_from([HEAD, BEHIND]))
    def release(self, head: Build) -> None:
        """The channel's head moves, or is read again."""
        self.shop.current.ledger = ledger(head, self.shop.now - 60, self.shop.now)
        self.shop.judge_again()

    @rule(passed=st.sampled_from([60, DAY // 4, DAY, 4 * DAY]))
    def time_passes(self, passed: int) -> None:
        """The jobs look at what is due."""
        self.shop.now += passed
        self.shop.judge_again(only_due=True)
        self.shop.write(
            lambda conn: fleet.stand_due(conn, self.shop.current, self.shop.now, 1000)
        )

    @rule(laptop=consumes(laptops), forget=st.booleans())
    def leave(self, laptop: Laptop, forget: bool) -> None:  # noqa: FBT001 - drawn
        """A machine goes, with its history or without."""
        self.acknowledged.pop(laptop.id, None)
        assert self.shop.write(lambda conn: fleet.leave(conn, laptop.id, self.shop.now))
        if forget:
            assert self.shop.write(lambda conn: fleet.forget(conn, laptop.id, self.shop.now))

    @invariant()
    def counts_equal_a_recount(self) -> None:
        """Of machines by standing, and of verdicts' machines."""
        self.shop.counted()

    @invariant()
    def nothing_acknowledged_is_lost(self) -> None:
        """Each machine's last acknowledged word is stored."""
        rows = self.shop.rows(
            "SELECT id, seq, claimed FROM machines JOIN presence ON machine_id = id"
        )
        stored = {row[0]: row[1:] for row in rows}
        assert all(stored[name] == said for name, said in self.acknowledged.items())

    @invariant()
    def verdicts_are_what_the_judge_says(self) -> None:
        """Whenever the jobs have run: judged on change, and when its time came."""
        with self.shop.engine.connect() as conn:
            held = [held_of(row) for row in conn.execute(verdicts.select())]
            bodies = {row.id: row.body for row in conn.execute(profiles.select())}
        for each in held:
            told = read_profile(bodies[each.profile_id])
            policy = self.shop.current.policy(each.group)
            now = judge(told, policy, self.shop.current.ledger, self.shop.now)
            assert (each.tag, each.standing) == (now.tag, now.standing)

    @invariant()
    def timelines_end_where_machines_are(self) -> None:
        """The last profile of a timeline is the machine's own."""
        for name, digest in self.shop.rows(
            "SELECT m.id, p.digest FROM machines m JOIN profiles p ON p.id = m.profile_id"
        ):
            entries = self.shop.read(lambda conn, name=name: timeline(conn, str(name)))  # type: ignore[misc]
            took = [entry.profile for entry in entries if entry.kind == "profile"]
            assert digest in took


SETTINGS = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_any_sequence_keeps_everything_right() -> None:
    """Counts, verdicts, acknowledgements and timelines, after every step."""
    run_state_machine_as_test(Whole, settings=SETTINGS)
