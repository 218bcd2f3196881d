"""The store as a whole: any sequence of what can happen leaves all of it right."""

from typing import Any

import msgspec
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
from sqlalchemy import Connection

from agent.wire import Build, Change, CheckIn, FindingView, Override, Profile
from server.errors import RequestRefused
from server.in_use import build_in_use
from server.judge import judge
from server.keeper import Keeper
from server.policy import GroupPolicy, Policies
from server.releases.ledger import Ledger, Lookup
from server.retention import Keep
from server.standing import READ_AGAIN_S, stand
from server.store import fleet, read, rings, waivers
from server.store.facts import facts_of, profile_of
from server.store.machines import MACHINES, Machine, machine_of
from server.store.moves import held_by
from server.store.stands import dated_for
from server.store.tables import machines, profiles, verdicts
from server.store.timeline import timeline
from server.store.verdicts import held_of, read_profile
from server.waivers import Waiver
from tests.server.databases import NewDatabase
from tests.server.shop import BEHIND, DAY, HEAD, NOW, Laptop, Shop, digest_of, ledger, profile

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

POLICIES = [
    Policies(),
    Policies(GroupPolicy(grace_s=0), {"pilots": GroupPolicy(enrolled_grace_s=2 * DAY)}),
    Policies(GroupPolicy(silent_after_s=DAY, enrolled_grace_s=DAY // 4)),
    Policies(groups={"pilots": GroupPolicy(allowed_overrides=("effort*",), lane="ahead")}),
]

some_time = st.sampled_from([60, DAY // 4, DAY, 4 * DAY])


def truth(head: Build, read_at: int) -> Ledger:
    """What is public once the newer build was looked up."""
    known = ledger(head, read_at - 60, read_at)
    lookups = [Lookup("2.1.330", NOW - DAY, NOW - DAY, "found")]
    return Ledger(known.heads(), known.releases(), known.files(), lookups)


class Whole(RuleBasedStateMachine):
    """Laptops come, speak, pause, fall silent and go, while truth and expectations move."""

    laptops = Bundle("laptops")

    def __init__(self, database: str) -> None:
        super().__init__()
        self.shop = Shop(database)
        self.acknowledged: dict[str, tuple[int, str]] = {}
        self.sent: dict[str, CheckIn] = {}
        self.epochs: dict[str, list[str]] = {}
        self.waivers: list[str] = []
        self.names = 0

    def teardown(self) -> None:
        """Ends the example."""
        self.shop.close()

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

    @rule(laptop=laptops, told=some_profile, paused_s=st.sampled_from([60, DAY, 7 * DAY]))
    def pause(self, laptop: Laptop, told: Profile, paused_s: int) -> None:
        """A user asks to be left alone."""
        self._send(laptop, msgspec.structs.replace(laptop.message(told), paused_s=paused_s))

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
        known = self.epochs.setdefault(laptop.id, [])
        if message.epoch not in known:
            known.append(message.epoch)
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

    @rule(laptop=laptops, told=some_profile)
    def speak_of_the_past(self, laptop: Laptop, told: Profile) -> None:
        """Another laptop goes on where this one was copied."""
        if laptop.id in self.acknowledged and len(self.epochs[laptop.id]) > 1:
            past = self.epochs[laptop.id][-2]
            message = CheckIn(1, digest_of(told), laptop.agent, past, 10**6, self.shop.now)
            assert laptop.send(message).resync

    @rule(head=st.sampled_from([HEAD, BEHIND]))
    def release(self, head: Build) -> None:
        """The channel's head moves, or is read again."""
        self.shop.current.ledger = truth(head, self.shop.now)
        # Who waits for this reading looks for it now and then.
        self.shop.now += READ_AGAIN_S
        self.shop.judge_again()
        self._stand()

    @rule(policies=st.sampled_from(POLICIES))
    def expect(self, policies: Policies) -> None:
        """Another policy file is loaded."""
        self.shop.current.policies = policies
        self.shop.write(rings.ask)
        self.shop.ring()
        self.shop.judge_again()
        self._stand()

    @rule(
        laptop=laptops,
        code=st.sampled_from(["build-behind", "build-ahead", "config-overridden"]),
        lasts_s=some_time,
    )
    def permit(self, laptop: Laptop, code: str, lasts_s: int) -> None:
        """A person lets a machine differ."""
        self.names += 1
        now = self.shop.now
        waiver = Waiver(f"{self.names:08x}", code, None, "a trial", "ada", now, now + lasts_s)
        try:
            self.shop.write(lambda conn: waivers.give(conn, laptop.id, waiver))
        except RequestRefused:
            return  # one of the same holds still
        self.waivers.append(waiver.id)
        self.shop.write(lambda conn: fleet.restand(conn, self.shop.current, laptop.id, now))

    @precondition(lambda self: self.waivers)
    @rule()
    def permit_no_longer(self) -> None:
        """And takes that back, beside the server."""
        name = self.waivers.pop()
        try:
            self.shop.write(lambda conn: waivers.take_back(conn, name, "ada", self.shop.now))
        except RequestRefused:
            return  # it has ended, or its machine was forgotten
        self._stand()

    @rule(laptop=laptops, group=st.sampled_from(["default", "pilots"]))
    def regroup(self, laptop: Laptop, group: str) -> None:
        """A machine is put into a group."""
        now = self.shop.now
        assert self.shop.write(
            lambda conn: fleet.move_to_group(conn, self.shop.current, laptop.id, group, now)
        )

    @rule(passed=some_time)
    def time_passes(self, passed: int) -> None:
        """The jobs look at what is due."""
        self.shop.now += passed
        self.shop.judge_again(only_due=True)
        self._stand()

    def _stand(self) -> None:
        while self.shop.write(
            lambda conn: fleet.stand_due(conn, self.shop.current, self.shop.now, 2)
        ):
            pass

    @rule(days=st.sampled_from([1, 3]))
    def let_go(self, days: int) -> None:
        """What is over goes; machines that left stay, for a recount's sake."""
        keep = Keep(days, 0, days, days, days, days, days, days)
        Keeper(self.shop.engine, self.shop.writer, self.shop.clock, keep).sweep()

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
    def machines_are_counted_by_the_build_of_their_profile(self) -> None:
        """From their first profile until they leave."""
        with self.shop.engine.connect() as conn:
            for machine in map(machine_of, conn.execute(MACHINES).all()):
                told = profile_of(conn, machine) if machine.left_at is None else None
                assert machine.build == (build_in_use(told) if told else None)

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
    def machines_stand_as_a_fresh_computation_says(self) -> None:
        """From their profile, their facts and what is true now; and are looked at in time."""
        with self.shop.engine.connect() as conn:
            rows = conn.execute(MACHINES.where(machines.c.left_at.is_(None))).all()
            for machine in map(machine_of, rows):
                self._stands_as_it_should(conn, machine)

    def _stands_as_it_should(self, conn: Connection, machine: Machine) -> None:
        current, now = self.shop.current, self.shop.now
        told, policy = profile_of(conn, machine), current.policy(machine.group)
        verdict = judge(told, policy, current.ledger, now) if told else None
        fresh = stand(verdict, facts_of(conn, current, machine, now), policy, now)
        held = held_by(conn, machine)
        assert machine.standing(held) == fresh.standing
        assert (machine.exception is not None) == fresh.is_exception
        assert machine.due_at is None or machine.due_at > now
        assert fresh.next_change_at is None or (machine.due_at or 0) <= fresh.next_change_at
        view = read.machine_view(conn, current, machine.id, now)
        assert view is not None
        assert view.standing == fresh.standing
        assert _said(view.findings) == _said(dated_for(machine, fresh.findings))

    @invariant()
    def exceptions_are_kept_with_their_history(self) -> None:
        """The latest row of each machine's own says what the machine's row says."""
        rows = self.shop.rows("SELECT machine_id, exception FROM stands ORDER BY id")
        latest = {row[0]: row[1] for row in rows}
        for name, exception in self.shop.rows("SELECT id, exception FROM machines"):
            assert latest.get(name) == exception

    @invariant()
    def timelines_end_where_machines_are(self) -> None:
        """The last profile of a timeline is the machine's own."""
        for name, digest in self.shop.rows(
            "SELECT m.id, p.digest FROM machines m JOIN profiles p ON p.id = m.profile_id"
        ):
            entries = self.shop.read(lambda conn, name=name: timeline(conn, str(name)))  # type: ignore[misc]
            took = [entry.profile for entry in entries if entry.kind == "profile"]
            assert digest in took


def _said(findings: tuple[FindingView, ...]) -> list[tuple[object, ...]]:
    return [(item.code, item.severity, item.subject, item.waived_until) for item in findings]


SETTINGS = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_any_sequence_keeps_everything_right(new_database: NewDatabase) -> None:
    """Counts, verdicts, acknowledgements and timelines, after every step."""
    machine: Any = lambda: Whole(new_database())  # noqa: E731 - its type says a class
    run_state_machine_as_test(machine, settings=SETTINGS)
