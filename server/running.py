"""The one place where the server's parts are put together, started and stopped.

Starting ends early with one of our errors, whose text is one line: nothing has been
changed then, except that a SQLite file that was not there has been made, that builds which a
server of an older schema moved are counted anew, and that a policy which was read has been
recorded. Stopping answers what is under way, then starts no further job, then lets the writer
finish what it was given; what a laptop was acknowledged is on the disk long before.
"""

import asyncio
import gc
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine

from agent.wire import Enrolled, Enrolment
from server import logs, serving
from server.alerts import destinations
from server.alerts.sender import Sender
from server.app import make_app
from server.current import Current
from server.following import Following
from server.front import Front, Limits
from server.heartbeat import Heartbeat
from server.intake import Intake
from server.jobs import Jobs
from server.keeper import Keeper
from server.leader import Leader
from server.policy_watch import PolicyWatch
from server.reference_watch import ReferenceWatch
from server.releases import sources
from server.releases.syncer import Syncer
from server.settings import Settings
from server.store import builds_before, public, references, restores, uptime
from server.store.engine import migrate, open_engine
from server.store.signing_keys import SigningKeys
from server.store.writer import Writer
from server.surroundings import clock, make_data_dir, open_sources
from server.views.api.reading import Enrol, Reads
from server.views.api.writing import Writes
from server.views.pages.laptop import Here
from server.worker import Mark, Worker

_log = structlog.stdlib.get_logger("server.running")


def run(
    settings: Settings, listening: Callable[[str], None], warned: Callable[[str], None]
) -> None:
    """Serves until SIGTERM or SIGINT.

    Args:
        settings: What to serve, and where.
        listening: Told the server's address once it answers there.
        warned: Told before what is lacking, though it serves.

    Raises:
        ServerError: It cannot start: the text says why and what to do.
    """
    with ExitStack() as stack:
        engine = _open_database(settings)
        stack.callback(engine.dispose)
        writer = Writer(engine)
        stack.callback(writer.close)
        parts = _assemble(settings, engine, writer)
        stack.callback(parts.leader.close)
        stack.callback(parts.refusals.tell)
        sockets = stack.enter_context(serving.listen(settings.host, settings.port))
        address = serving.address_of(sockets, tls=settings.tls_cert is not None)

        def ready() -> None:
            _log.info("started", address=address, sources=parts.sources)
            if parts.lack is not None:
                warned(parts.lack)
            listening(address)
            parts.worker.start()
            stack.callback(parts.worker.stop)

        # What was loaded so far stays: no collection need look at it again.
        gc.freeze()
        asyncio.run(serving.serve(parts.front, sockets, settings, ready))
        _log.info("stopping")


@dataclass(frozen=True)
class _Parts:
    front: Front
    worker: Worker
    leader: Leader
    refusals: logs.Refusals
    sources: list[str]
    lack: str | None


def _open_database(settings: Settings) -> Engine:
    # An older schema is the operator's to change; where there is none, nothing can be lost.
    is_new = settings.database_url is None and not (settings.data_dir / "server.db").exists()
    if is_new:
        make_data_dir(settings)
        migrate(settings.database)
    return open_engine(settings.database, settings.database_limits)


def _assemble(settings: Settings, engine: Engine, writer: Writer) -> _Parts:
    writer.run(lambda conn: builds_before.count_anew(conn, clock())).result()
    current, news = _current(engine), Mark()
    following = Following(current, news)
    leader = Leader(engine, writer)
    leads = leader.leads()
    # Both without following: what was recorded last may be what this version does not take.
    watch = PolicyWatch(settings.policy_file, writer.beginning_with(leader.check), current, clock)
    watch.start(engine, leads=leads)
    writer = writer.beginning_with(following.keep_up)
    led = writer.beginning_with(leader.check)
    opened = open_sources(settings, SigningKeys(engine, writer))
    names = [source.name for source in opened]
    counted = logs.Refusals()
    hook = settings.slack_webhook_url
    jobs = Jobs(
        engine=engine,
        writer=writer,
        led=led,
        leader=leader,
        following=following,
        current=current,
        clock=clock,
        syncer=Syncer(opened, led, current, clock),
        sender=Sender(
            engine,
            writer,
            destinations.open_destination("slack", hook) if hook else None,
            time.monotonic,
        ),
        refusals=counted,
        references=ReferenceWatch(engine, led, current, clock),
        policies=watch,
        heartbeat=Heartbeat(led, current, clock),
        keeper=Keeper(engine, led, clock, settings.keep),
        news=news,
    )
    intake = Intake(
        engine,
        writer,
        current,
        clock,
        interval_s=settings.check_in_interval_s,
        waiting_max=settings.check_ins_waiting_max,
        token_max_age_s=settings.token_max_age_s,
    )
    reads = Reads(engine, current, clock, tuple(names))
    here = Here(settings.check_in_interval_s, settings.keep, sends_alerts=hook is not None)
    app = make_app(intake, _enroller(intake), reads, Writes(writer, current, clock), here)
    limits = Limits(
        settings.check_in_max_bytes, settings.request_max_bytes, settings.body_timeout_s
    )
    front = Front(intake.check_in, app, limits, counted)
    worker = Worker(jobs.all(settings.heads_every_s))
    return _Parts(front, worker, leader, counted, names, sources.lack(opened))


def _current(engine: Engine) -> Current:
    with engine.connect() as conn:
        return Current(
            public.load_ledger(conn),
            references=references.load(conn),
            listened=uptime.load(conn),
            restored_at=restores.restored_at(conn),
        )


def _enroller(intake: Intake) -> Enrol:
    async def enrol(message: Enrolment) -> Enrolled:
        enrolled = await intake.enrol(message)
        _log.info("enrolled", machine=enrolled.machine, group=enrolled.group)
        return enrolled

    return enrol
