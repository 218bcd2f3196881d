"""What history says of a moment is what was said at that moment."""

import secrets
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, text

from agent.wire import Build, Change, FindingView, Override, Profile, Standing
from server.judge import Verdict
from server.policy import GroupPolicy, Policies
from server.store import fleet, history, rings, waivers
from server.store.counts import MINUTE_S, standings
from server.store.engine import upgrade, writing
from server.store.read import machine_view
from server.store.reproduced import reproduce
from server.store.tables import metadata
from server.store.verdicts import write_verdict
from server.waivers import Waiver
from tests.server.databases import NewDatabase
from tests.server.shop import BEHIND, DAY, HEAD, NOW, Laptop, Shop, digest_of, ledger, profile

LOW = Override("setting", "effortLevel", "user", "behaviour", "low")
PROFILES = [
    profile(HEAD),
    profile(BEHIND),
    profile(BEHIND, overrides=(LOW,)),
    profile(),
    profile(Build("d" * 64, 1, "binary", "9.9.9", "linux-x64")),
]
some_profile = st.sampled_from(PROFILES)


@dataclass(frozen=True)
class Told:
    """What the API said of a machine."""

    standing: Standing | None
    findings: tuple[FindingView, ...]
    profile: str | None


class Past(RuleBasedStateMachine):
    """Whatever happens is written down as it was told, and asked for again at the end."""

    laptops = Bundle("laptops")

    def __init__(self, database: str) -> None:
        super().__init__()
        self.shop = Shop(database)
        self.told: dict[tuple[str, int], Told] = {}
        self.counted: dict[int, dict[tuple[str, str], int]] = {}
        self.known: set[str] = set()

    def teardown(self) -> None:
        """Compares what was told with what history says of it."""
        for (machine, at), told in self.told.items():
            then = self.shop.read(lambda conn, a=at, m=machine: history.machine_at(conn, m, a))  # type: ignore[misc]
            assert then is not None
            assert (Told(then.standing, then.findings, then.profile), at) == (told, at)
        for minute, counts in self.counted.items():
            counted = self.shop.read(lambda conn, at=minute: history.share_at(conn, at + 59))  # type: ignore[misc]
            assert (counted.as_of, counted.counts or {}) == (minute, counts)
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
        laptop = self.shop.enrol(secrets.token_hex(4))
        self.known.add(laptop.id)
        return laptop

    @rule(laptop=laptops, now=some_profile, before=st.lists(some_profile, max_size=2))
    def check_in(self, laptop: Laptop, now: Profile, before: list[Profile]) -> None:
        """A machine checks in, perhaps with what it had while it was offline."""
        changes = [Change(digest_of(each), self.shop.now - 5) for each in before]
        ack = laptop.send(laptop.message(now, *changes))
        # One profile is never sent: its place stays empty, and its machine what it was.
        for each in PROFILES[:-1]:
            if digest_of(each) in ack.wanted:
                laptop.upload(each)

    @rule(laptop=laptops, paused_s=st.sampled_from([60, DAY]))
    def pause(self, laptop: Laptop, paused_s: int) -> None:
        """A laptop's user asks to be left alone."""
        message = laptop.message(PROFILES[1])
        laptop.send(msgspec.structs.replace(message, paused_s=paused_s))

    @rule(laptop=laptops, code=st.sampled_from(["build-behind", "config-overridden"]))
    def permit(self, laptop: Laptop, code: str) -> None:
        """A person permits a machine to differ for a while, once."""
        now = self.shop.now
        waiver = Waiver(secrets.token_hex(4), code, None, "a test", "anna", now, now + DAY // 2)
        if not self.shop.read(lambda conn: waivers.waivers_of(conn, laptop.id)):
            self.shop.write(lambda conn: waivers.give(conn, laptop.id, waiver))

    @rule(laptop=laptops, group=st.sampled_from(["default", "pilots"]))
    def move(self, laptop: Laptop, group: str) -> None:
        """A machine is put into another group."""
        shop = self.shop
        shop.write(lambda conn: fleet.move_to_group(conn, shop.current, laptop.id, group, shop.now))

    @rule(fresh_s=st.sampled_from([0, DAY]), grace_s=st.sampled_from([0, DAY]))
    def expect(self, fresh_s: int, grace_s: int) -> None:
        """The operator's policy changes."""
        policy = GroupPolicy(enrolled_grace_s=fresh_s, grace_s=grace_s)
        self.shop.current.policies = Policies(groups={"pilots": policy})
        self.shop.judge_again()
        self.shop.write(rings.ask)
        self.shop.ring()

    @rule(head=st.sampled_from([HEAD, BEHIND]))
    def release(self, head: Build) -> None:
        """The channel's head moves, or is read again."""
        self.shop.current.ledger = ledger(head, self.shop.now - 60, self.shop.now)
        self.shop.judge_again()

    @rule(passed=st.sampled_from([1, 60, DAY // 4, 2 * DAY]))
    def time_passes(self, passed: int) -> None:
        """Nothing else; the jobs look at what is due after every step."""
        self.shop.now += passed

    @rule(laptop=consumes(laptops))
    def leave(self, laptop: Laptop) -> None:
        """A machine goes."""
        assert self.shop.write(lambda conn: fleet.leave(conn, laptop.id, self.shop.now))

    @invariant()
    def write_down(self) -> None:
        """The jobs run, and whatever the API then says of each machine is noted.

        All of it is what the judge says of the same values.
        """
        shop = self.shop
        shop.judge_again(only_due=True)
        shop.write(lambda conn: fleet.stand_due(conn, shop.current, shop.now, 1000))
        made = shop.read(lambda conn: reproduce(conn, shop.current, shop.now))
        assert (made.wrong, made.machines, made.due) == ((), len(self.known), 0)
        for machine in self.known:
            told = shop.read(lambda conn, m=machine: machine_view(conn, shop.current, m, shop.now))  # type: ignore[misc]
            assert told is not None
            said = Told(told.standing, told.findings, told.profile)
            self.told[machine, shop.now] = said
        # What changes until the minute is over is written over this.
        over_at = shop.now - shop.now % MINUTE_S + MINUTE_S
        self.counted[over_at] = dict(shop.read(standings))


SETTINGS = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_history_says_what_was_said(new_database: NewDatabase) -> None:
    """Of every machine at every second, and of the counts at every full minute."""
    machine: Any = lambda: Past(new_database())  # noqa: E731 - its type says a class
    run_state_machine_as_test(machine, settings=SETTINGS)


def test_before_it_was_enrolled_a_machine_has_no_standing(shop: Shop) -> None:
    """From its enrolment on it has one; of a machine that never was nothing is said."""
    laptop = shop.enrol("anna")
    before = shop.read(lambda conn: history.machine_at(conn, laptop.id, NOW - 1))
    assert before is not None
    assert (before.standing, before.enrolled_at) == (None, NOW)
    then = shop.read(lambda conn: history.machine_at(conn, laptop.id, NOW))
    assert then is not None
    assert (then.standing, then.profile, then.group) == ("unknown", None, None)
    assert shop.read(lambda conn: history.machine_at(conn, "nobody", NOW)) is None


def test_what_a_laptop_tells_late_was_not_said_of_it_then(shop: Shop) -> None:
    """What it had while it was offline belongs into its timeline, not into what was told."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD))
    shop.now += 600
    laptop.tell(profile(HEAD, BEHIND))
    message = laptop.message(profile(BEHIND), Change(digest_of(profile(HEAD)), shop.now + 60))
    shop.now += 300
    laptop.send(msgspec.structs.replace(message, clock=shop.now))
    then = shop.read(lambda conn: history.machine_at(conn, laptop.id, shop.now - 100))
    assert then is not None
    assert then.profile == digest_of(profile(HEAD, BEHIND))


def test_one_that_left_is_told_as_such_from_then_on(shop: Shop) -> None:
    """And as what it was before."""
    laptop = shop.enrol("anna")
    laptop.tell(profile(HEAD))
    shop.now += 50
    shop.write(lambda conn: fleet.leave(conn, laptop.id, shop.now))
    shop.now += 50
    stood = [
        shop.read(lambda conn, at=at: history.machine_at(conn, laptop.id, at))  # type: ignore[misc]
        for at in (NOW + 49, NOW + 50, NOW + 100)
    ]
    assert [each and each.standing for each in stood] == ["match", "left", "left"]


def test_of_a_time_before_the_first_count_no_share_is_known(shop: Shop) -> None:
    """Which is not the same as none that match."""
    assert shop.read(lambda conn: history.share_at(conn, NOW)).kept_from is None
    shop.enrol("anna")
    begins = NOW - NOW % MINUTE_S + MINUTE_S
    early = shop.read(lambda conn: history.share_at(conn, begins - 1))
    assert (early.counts, early.kept_from) == (None, begins)
    later = shop.read(lambda conn: history.share_at(conn, begins + 7))
    assert (later.as_of, later.counts) == (begins, {("default", "unknown"): 1})


_FIRST = """
INSERT INTO profiles (id, digest, body, received_at) VALUES (1, 'sha256:1', '{}', 1000);
INSERT INTO machines (id, label, group_name, token_hash, enrol_key_hash, secret_id, enrolled_at,
 profile_id, profile_since, began, standing_since)
 VALUES ('m', 'anna', 'default', 't', 'k', 's', 900, 1, 1000, '{"a b": 950}', 5050);
INSERT INTO presence (machine_id, last_seen) VALUES ('m', 5050);
INSERT INTO assignments (machine_id, number, at, profile_id, group_name)
 VALUES ('m', 0, 1000, 1, 'default');
INSERT INTO transitions (kind, at, group_name, machine_id, before, after, cause, machines)
 VALUES ('machine', 5000, 'default', 'm', 'match', 'silent', 'silent', 1),
 ('machine', 5050, 'default', 'm', 'silent', 'match', 'no-finding', 1);
INSERT INTO counts VALUES ('default', 'match', 1)
"""


@pytest.fixture
def unmigrated(engine: Engine) -> Engine:
    """A database of that kind without any table."""
    with writing(engine) as conn:
        metadata.drop_all(conn)
        conn.execute(text("DROP TABLE alembic_version"))
    return engine


def test_a_database_of_the_first_schema_brings_its_past_along(unmigrated: Engine) -> None:
    """Profiles taken, silence and return; shares are known from the migration on."""
    finding = FindingView("a", "exempt", "b", "It is so.")
    body = write_verdict(Verdict("match", (finding,), 1, None, frozenset(), "0"))
    with writing(unmigrated) as conn:
        upgrade(conn, "0001")
        for statement in _FIRST.split(";"):
            conn.exec_driver_sql(statement)
        said = "INSERT INTO verdict_log (profile_id, group_name, at, standing, body)"
        given = text(f"{said} VALUES (1, 'default', 1000, 'match', :body)")
        conn.execute(given, {"body": body})
        upgrade(conn)
        then = [history.machine_at(conn, "m", at) for at in (950, 1000, 5000, 5050)]
        kept_from = history.share_at(conn, 5050).kept_from
    assert [each and each.standing for each in then] == ["unknown", "match", "silent", "match"]
    assert then[1] is not None
    assert [item.since for item in then[1].findings] == [950]
    assert kept_from is not None
    assert kept_from > NOW
