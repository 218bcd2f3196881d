"""A fleet that grows: one test for each promise about size, load and faults.

The sizes here are small; the large ones are measured by ``python -m tests.benchmarks``.
"""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from agent.wire import Build, Config, Override, Profile
from server.store.engine import open_engine, reading
from tests.conftest import missing
from tests.e2e import kept
from tests.e2e.crowd import Balancer, Crowd, Member
from tests.e2e.fleet import Machine, leftover, profile_of
from tests.e2e.harness import Server
from tests.e2e.replicas import Replicas
from tests.e2e.slack import Slack
from tests.e2e.small_disk import SmallDisk
from tests.e2e.waiting import wait_until
from tests.postgres import NOBODY, Postgres

REPLICAS = 3
MACHINES = 40
PROFILES = 150
THREADS = 4
DISK_MB = 160

STEP = 15
"""Check-ins by which it is seen that a server answers, or that all refuse."""

TAKEN_OVER_S = 30
"""Seconds in which another server takes over from a leader that is gone."""

CLUSTER = {
    "fsync": "on",
    "synchronous_commit": "off",
    "wal_writer_delay": "10s",
    "max_wal_size": "32MB",
    "min_wal_size": "32MB",
}
"""Of PostgreSQL: a crash takes the last seconds of whoever does not insist that it waits for the
disk; and there is little room for what is written ahead."""

SERVERS = {
    "database_connect_timeout_s": 2,
    "database_lock_timeout_s": 2,
    "database_statement_timeout_s": 5,
}
"""Of the servers: what one that is cut off holds is free again within this."""

BUILD = Build(sha256="b" * 64, size=1_000, form="binary", version="2.1.300", platform="linux-x64")

STORE_TESTS = 200
"""There are more than so many of them on each database."""

COMMAND_S = 300
"""How long a measurement may take on a machine with other work, in seconds."""

ROOT = Path(__file__).resolve().parents[2]


def python(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs one of the checkout's own modules to its end, whatever its exit code."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )


def told(*words: str) -> dict[str, Any]:
    """What a measurement tells; it fails if anything was lost."""
    done = python(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def test_the_intake_is_measured_beside_a_bare_one_and_its_database() -> None:
    """On both databases: each figure is there, and every acknowledged check-in was kept."""
    if shutil.which("wrk") is None:
        missing("wrk is not installed: apt-get install wrk")
    small = "--machines 300 --profiles 10 --rounds 1 --seconds 1"
    report = told("tests.benchmarks", "--only", "intake", *small.split())["intake"]
    assert set(report) == {"sqlite", "postgresql"}
    for measured in report.values():
        for connections in (64, 256):
            found = measured[f"{connections} connections"]
            assert found["ratio"] > 0
            assert found["noop per s"] > 0
            assert found["server cpu ms"] > 0
            assert found["database alone"]["per s"] > 0


def test_a_fleet_comes_back_after_an_outage_and_makes_no_second_wave() -> None:
    """Steady, two intervals without a server, and back: none is lost, and they stay spread."""
    small = "--machines 300 --interval 4 --steady 4 --outage 8"
    report = told("tests.benchmarks.simulator", "outage", *small.split())
    held = report["held"]
    # How long a look takes is for a quiet machine to say.
    assert [name for name in held if name != "status in time" and not held[name]] == []
    assert report["figures"]["audit"]["lost"] == report["figures"]["audit"]["doubled"] == 0
    assert report["return"]["came back"] == 300
    assert "no second wave" in held


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    """A disk that can be filled in a moment."""
    with SmallDisk(DISK_MB, NOBODY) as mounted:
        yield mounted


@pytest.fixture
def cluster(disk: SmallDisk) -> Iterator[Postgres]:
    """A PostgreSQL on that disk."""
    made = Postgres(disk.folder)
    try:
        made.configure(**CLUSTER)
        yield made.start()
    finally:
        made.remove()


@dataclass(frozen=True)
class Site:
    """All that a fault can befall.

    Attributes:
        cluster: The database's PostgreSQL.
        disk: What its data lies on.
        slack: Where messages go.
        replicas: The servers.
        balancer: How machines reach them.
    """

    cluster: Postgres
    disk: SmallDisk
    slack: Slack
    replicas: Replicas
    balancer: Balancer

    @property
    def servers(self) -> Sequence[Server]:
        """All servers."""
        return self.replicas.servers

    def leader(self) -> Server:
        """Who does the jobs, once somebody does."""
        wait_until(self.replicas.leader)
        found = self.replicas.leader()
        assert found is not None
        return found

    def others(self, server: Server) -> list[Server]:
        """All servers but one."""
        return [each for each in self.servers if each is not server]

    def go_on(self, servers: Sequence[Server]) -> None:
        """Returns when each of them has answered some more check-ins."""
        before = Counter(self.balancer.answered)
        wait_until(
            lambda: all(
                self.balancer.answered[each.url] >= before[each.url] + STEP for each in servers
            )
        )

    def refuse(self) -> None:
        """Returns when they have refused some more check-ins."""
        before = self.balancer.unavailable.total()
        wait_until(lambda: self.balancer.unavailable.total() >= before + STEP)

    def hand_over(self, server: Server) -> None:
        """Returns when another one does the jobs, in the time that it has for that."""
        others = self.others(server)
        wait_until(lambda: self.replicas.leader() in others, timeout_s=TAKEN_OVER_S)


def drifted(profile: Profile) -> Profile:
    """The same with a setting that no user has."""
    low = Override("setting", "effortLevel", "user", "behaviour", "low")
    config = Config(revision=1, hash="sha256:" + "d" * 64, overrides=(low,))
    return msgspec.structs.replace(profile, config=config)


def kill_a_follower(site: Site) -> None:
    """One that only answers dies, and is started again."""
    victim = site.others(site.leader())[0]
    victim.kill()
    site.go_on(site.others(victim))
    victim.start()


def kill_the_leader(site: Site) -> None:
    """The one that does the jobs dies while nobody takes its messages; another one takes over."""
    victim = site.leader()
    refusals = site.slack.refusals
    refusals += [(500, {})] * STEP
    wait_until(lambda: len(refusals) < STEP)
    victim.kill()
    refusals.clear()
    site.hand_over(victim)
    site.go_on(site.others(victim))
    victim.start()


def crash_the_database(site: Site) -> None:
    """PostgreSQL dies under all of them, and recovers."""
    site.cluster.stop("immediate")
    site.refuse()
    site.cluster.start()


def fill_the_disk(site: Site) -> None:
    """There is no room for rows, and at last none for what PostgreSQL writes ahead."""
    site.disk.fill()
    site.refuse()
    write_ahead(site.replicas.database)
    site.refuse()
    site.disk.empty()
    # By itself it comes back or not: a recovery that found no room ends in several ways.
    if site.cluster.runs:
        site.cluster.stop("immediate")
    site.cluster.start()


def write_ahead(database: str) -> None:
    """Takes the room that PostgreSQL has set aside, until it has none and crashes."""
    with (
        contextlib.suppress(psycopg.OperationalError),
        psycopg.connect(database, autocommit=True) as conn,
    ):
        while True:
            conn.execute("SELECT pg_logical_emit_message(true, 'test', 'x'), pg_switch_wal()")


def cut_the_leader_off(site: Site) -> None:
    """The one that does the jobs hears no more of the database; another one takes over."""
    victim = site.leader()
    cable = site.replicas.cable(victim)
    cable.cut()
    site.go_on(site.others(victim))
    cable.drop()
    site.hand_over(victim)
    site.go_on(site.others(victim))
    cable.mend()


FAULTS: Sequence[Callable[[Site], None]] = (
    kill_a_follower,
    kill_the_leader,
    crash_the_database,
    fill_the_disk,
    cut_the_leader_off,
)


def befall(site: Site, fault: Callable[[Site], None], drifting: Sequence[Member]) -> None:
    """Lets a fault happen under load, with a drift before and after it."""
    before, after = drifting
    before.wish = drifted(profile_of(BUILD))
    fault(site)
    after.wish = drifted(profile_of(BUILD))
    site.go_on(site.servers)


def enrolled(server: Server, numbers: range, profiles: Sequence[Profile]) -> list[Member]:
    """Machines that are known to the servers."""
    return [
        Member(Machine.enrol(server, f"laptop-{number}"), number, profiles) for number in numbers
    ]


def unsent(database: str) -> int:
    """How many drifts nobody was told of yet, or is told of just now."""
    query = "SELECT count(*) FROM outbox WHERE told = 'drifted' AND delivered_at IS NULL"
    with psycopg.connect(database) as conn:
        (count,) = conn.execute(query).fetchone() or (0,)
    return int(count)


def wrong(database: str, members: Sequence[Member]) -> list[str]:
    """What the database does not hold as it was acknowledged."""
    engine = open_engine(database)
    try:
        with reading(engine) as conn:
            return kept.wrong(conn, members)
    finally:
        engine.dispose()


def well(server: Server) -> None:
    """Fails unless the doctor finds a database that is right in all."""
    said = server.command("doctor", "--recount").stdout
    assert "ok   database: is sound" in said, said
    assert "equal to a recount of all machines" in said, said
    assert "are what the judge says now" in said, said


def test_three_servers_and_their_database_lose_and_double_nothing(
    tmp_path: Path, cluster: Postgres, disk: SmallDisk
) -> None:
    """Killed, crashed, filled, cut: what was acknowledged is there once, as are the messages."""
    profiles = [profile_of(BUILD, at_rest=[leftover(number)]) for number in range(1, PROFILES + 1)]
    with (
        Slack() as slack,
        Replicas(tmp_path, cluster, REPLICAS, slack_webhook_url=slack.url, **SERVERS) as replicas,
    ):
        balancer = Balancer(replicas.servers)
        site = Site(cluster, disk, slack, replicas, balancer)
        first, last = MACHINES + 1, MACHINES + 2 * len(FAULTS)
        roaming = enrolled(replicas.servers[0], range(1, first), profiles)
        drifting = enrolled(replicas.servers[0], range(first, last + 1), profiles[:1])
        with Crowd([*roaming, *drifting], balancer, THREADS) as crowd:
            site.go_on(replicas.servers)
            for number, fault in enumerate(FAULTS):
                befall(site, fault, drifting[2 * number : 2 * number + 2])
            assert crowd.settle(timeout_s=60), crowd.faults
        assert not crowd.faults
        wait_until(lambda: unsent(replicas.database) == 0)
        well(replicas.servers[0])
        assert wrong(replicas.database, crowd.members) == []
    titles = Counter(message["text"].partition(":")[0] for message in slack.messages)
    assert titles == {f"{each.machine.label} drifted": 1 for each in drifting}


def test_every_test_of_the_store_runs_on_both_databases() -> None:
    """What the store does is asked of SQLite and of a real PostgreSQL by the same tests."""
    done = python("pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests/server/store")
    assert done.returncode == 0, done.stdout
    on = {kind: asked_of(kind, done.stdout) for kind in ("sqlite", "postgresql")}
    assert on["sqlite"] == on["postgresql"]
    assert len(on["sqlite"]) > STORE_TESTS
    # Which tests a whole run has.
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["pytest"]["ini_options"]["testpaths"] == ["tests"]


def asked_of(kind: str, collected: str) -> frozenset[tuple[str, ...]]:
    """The tests that run on a kind of database, by their names without it."""
    found = re.findall(r"^(\S+)\[(\S+)\]$", collected, re.MULTILINE)
    named = ((name, parameters.split("-")) for name, parameters in found)
    return frozenset(
        (name, *(each for each in parameters if each != kind))
        for name, parameters in named
        if kind in parameters
    )
