"""What ``parity-server doctor`` looks at: each check says that all is well, or what to do.

A check that cannot be made is a check that failed, with its reason; the others go on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select

from server import policy_file
from server.commands.known import current_of
from server.errors import ServerError, SourceError
from server.policy_watch import read_bytes
from server.releases.sources.interface import Source
from server.settings import Settings, is_loopback
from server.shown import moment
from server.store import counts, engine, restores
from server.store.reproduced import reproduce
from server.store.tables import listened, readings

CLOCK_SKEW_S = 120
"""How far the database may be ahead of the clock before the clock is doubted, in seconds."""

_MISCOUNTED = (
    "report this mistake of the server's; no verdict, and nothing told a laptop, rests on it"
)


@dataclass(frozen=True)
class Check:
    """One thing looked at.

    Attributes:
        name: What it is about.
        said: What was found.
        advice: What to do about it; None where all is well.
        is_warning: The server does its work in spite of it.
    """

    name: str
    said: str
    advice: str | None = None
    is_warning: bool = False

    @property
    def is_well(self) -> bool:
        """Whether nothing needs doing."""
        return self.advice is None


def examine(
    settings: Settings, sources: tuple[Source, ...], now: int, *, recount: bool = False
) -> Iterator[Check]:
    """Every check in turn, as it is made: reading a source can take a while.

    Args:
        settings: As loaded, hence usable in themselves.
        sources: As the settings name them.
        now: The machine's clock, in whole seconds since the epoch.
        recount: Also compare all that is counted with a recount: that reads every machine.
    """
    yield _settings(settings)
    if settings.policy_file is not None:
        yield _policy(settings.policy_file)
    yield from _database(settings, now, recount=recount)
    if not sources:
        yield Check("sources", "none is configured", "set npm_registry_url or bucket_url")
    yield from _sources(sources)


def _settings(settings: Settings) -> Check:
    if settings.slack_webhook_url is None:
        return Check("settings", "usable; no alert destination, so nobody is alerted")
    if not is_loopback(settings.host) and settings.tls_cert is None:
        return Check("settings", "usable; plain HTTP behind a proxy")
    return Check("settings", "usable")


def _policy(path: Path) -> Check:
    """With a mistake, a server keeps to the policy before it; one that has none does not start."""
    try:
        policy_file.read(read_bytes(path), str(path))
    except ServerError as error:
        return Check("policy", str(error), error.advice)
    return Check("policy", f"{path} is usable")


def _database(settings: Settings, now: int, *, recount: bool) -> Iterator[Check]:
    try:
        # A recount of a large fleet takes its time.
        patient = replace(settings.database_limits, statement_s=0)
        opened = engine.open_engine(settings.database, patient)
    except ServerError as error:
        yield Check("database", str(error), error.advice)
        return
    try:
        yield _asked("database", opened, _integrity)
        if recount:
            yield from _recounted(opened)
        yield _asked("verdicts", opened, lambda conn: _verdicts(conn, now))
        yield _asked("clock", opened, lambda conn: _clock(conn, now))
        yield _asked("backup", opened, _restored)
    finally:
        opened.dispose()


def _asked(name: str, opened: Engine, ask: Callable[[Connection], Check]) -> Check:
    try:
        with opened.connect() as conn:
            return ask(conn)
    except Exception as error:  # noqa: BLE001 - whatever a damaged file does to SQLite
        return Check(name, f"cannot be read: {error}", "put a backup in its place")


def _integrity(conn: Connection) -> Check:
    found = engine.kind_of(conn.engine).troubles(conn)
    if not found:
        return Check("database", "is sound")
    told, advice = found[0]
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return Check("database", f"{told}{more}", advice)


def _recounted(opened: Engine) -> Iterator[Check]:
    """Every number that is kept wrong, in a line of its own."""
    found: list[str] = []

    def compare(conn: Connection) -> Check:
        found.extend(counts.differences(conn))
        return Check("counts", "equal to a recount of all machines")

    compared = _asked("counts", opened, compare)
    if not found:
        yield compared
    for each in found:
        yield Check("counts", each, _MISCOUNTED)


def _verdicts(conn: Connection, now: int) -> Check:
    try:
        current = current_of(conn)
    except ServerError as error:
        return Check("verdicts", str(error), error.advice)
    made = reproduce(conn, current, now)
    if made.wrong:
        more = f", and {len(made.wrong) - 1} more" if len(made.wrong) > 1 else ""
        return Check(
            "verdicts",
            f"{made.wrong[0]}{more}",
            "start the server, or give it a minute; if that does not mend it, report this"
            " mistake of the server's",
        )
    looked_at = (
        f"{made.verdicts} of {made.all_verdicts} verdicts and {made.machines} of"
        f" {made.all_machines} machines are what the judge says now"
    )
    return Check("verdicts", looked_at + (f"; {made.due} are due" if made.due else ""))


def _clock(conn: Connection, now: int) -> Check:
    newest = [
        conn.execute(select(func.max(column))).scalar_one() or 0
        for column in (listened.c.last_at, readings.c.last_seen)
    ]
    ahead_s = max(newest) - now
    if ahead_s > CLOCK_SKEW_S:
        said = f"is {ahead_s} s behind what the database has seen"
        return Check("clock", said, "set this machine's clock, by NTP")
    return Check("clock", "not behind the database")


def _restored(conn: Connection) -> Check:
    found = restores.last(conn)
    if found is None:
        return Check("backup", "this database was never put back from one")
    said = (
        f"this database was put back at {moment(found.restored_at)} as it was at"
        f" {moment(found.backed_up_at)}"
    )
    if not found.unheard:
        return Check("backup", f"{said}; every machine has spoken since")
    return Check("backup", f"{said}; machines that count as they stood then: {found.unheard}")


def _sources(sources: tuple[Source, ...]) -> Iterator[Check]:
    """One that answers is enough: the others are worth a warning."""
    checks = [_source(source) for source in sources]
    is_enough = any(check.is_well for check in checks)
    for check in checks:
        if check.advice is None or not is_enough:
            yield check
            continue
        off = "; a site that cannot reach it sets an empty bucket_url"
        advice = check.advice + (off if check.name == "source bucket" else "")
        yield replace(check, advice=advice, is_warning=True)


def _source(source: Source) -> Check:
    name = f"source {source.name}"
    try:
        heads = source.read().heads
    except SourceError as error:
        return Check(name, str(error), error.advice)
    told = ", ".join(f"{channel} {version}" for channel, version in sorted(heads.items()))
    return Check(name, told)
