"""What a run stands on: a database with a fleet in it, a registry, and a server of its own.

The fleet's database is seeded (`tests.benchmarks.fleets`): a million enrolments over HTTP would
take longer than anything that is measured here. From then on all goes over HTTP, against
``parity-server serve`` as it is installed, which reads its releases from a made-up registry.
Only loopback, only processes and folders of its own; all ends with the run.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from sqlalchemy import Connection, select

from server.store.tables import profiles, verdicts
from tests.benchmarks import fleets
from tests.benchmarks.simulator import database, scenario
from tests.benchmarks.simulator.database import Database
from tests.benchmarks.simulator.machines import Fleet
from tests.benchmarks.simulator.profiles import Profiles
from tests.benchmarks.simulator.registry import Releases
from tests.benchmarks.simulator.report import Doctor, Options
from tests.e2e.harness import Server

HEADS_PER_INTERVAL = 3
"""How often the server reads the registry while a machine checks in once, as by its defaults."""

DOCTOR_TRIES = 10
"""How often the doctor is asked until the server has judged all by the last release."""

DOCTOR_EVERY_S = 1.0
DOCTOR_TIMEOUT_S = 3_600

_DAY_S = 86_400


@dataclass(frozen=True)
class Stage:
    """All that a run drives.

    Attributes:
        server: It is not started.
        releases: The registry that it reads.
        opened: Its database.
        url: Of that.
        made_s: How long the fleet took to be made, in seconds.
    """

    server: Server
    releases: Releases
    opened: Database
    url: str
    made_s: float


@contextmanager
def set_up(folder: Path, wanted: Options) -> Iterator[Stage]:
    """Makes the fleet and all around it; gone afterwards.

    Args:
        folder: Of the run's own; it may be big in the end.
        wanted: What is asked.
    """
    with database.opened(wanted.database) as opened, Releases(_a_day_ago()) as releases:
        begin = time.monotonic()
        made = fleets.make(
            folder / "data",
            wanted.machines,
            wanted.mix.profile_count(wanted.machines),
            opened.url,
        )
        server = Server(folder / "server", data_dir=made.folder, **_settings(wanted, opened))
        server.settings["npm_registry_url"] = releases.origin
        yield Stage(server, releases, opened, made.url, time.monotonic() - begin)


def fleet_of(conn: Connection, wanted: Options, random: Random) -> Fleet:
    """The laptops of a made fleet, none of them enrolled yet."""
    mix = wanted.mix
    rows = select(profiles.c.digest, verdicts.c.tag).join_from(
        profiles, verdicts, verdicts.c.profile_id == profiles.c.id
    )
    found = conn.execute(rows.order_by(profiles.c.id)).all()
    known = Profiles((row.digest for row in found), (row.tag for row in found))
    clones = sorted(random.sample(range(wanted.machines), int(wanted.machines * mix.clones)))
    return Fleet(wanted.machines, clones, known, scenario.pace(mix.interval_s), mix.used)


def doctor(server: Server) -> Doctor:
    """The doctor's word, once the server has had the time to judge all by the release."""
    for tries in range(1, DOCTOR_TRIES):
        said = _ask_doctor(server, tries)
        if said.exit_code == 0:
            return said
        time.sleep(DOCTOR_EVERY_S)
    return _ask_doctor(server, DOCTOR_TRIES)


def _ask_doctor(server: Server, tries: int) -> Doctor:
    # Also whether all is counted as it is.
    done = server.command("doctor", "--recount", timeout_s=DOCTOR_TIMEOUT_S)
    return Doctor(done.returncode, tries, tuple(done.stdout.strip().splitlines()))


def _settings(wanted: Options, opened: Database) -> dict[str, str | int | Path]:
    told: dict[str, str | int | Path] = {
        "check_in_interval_s": wanted.mix.interval_s,
        "heads_every_s": max(1, wanted.mix.interval_s // HEADS_PER_INTERVAL),
        "connections_max": max(1_024, 2 * wanted.connections),
    }
    return told | ({"database_url": opened.url} if opened.url else {})


def _a_day_ago() -> int:
    return int(time.time()) - _DAY_S
