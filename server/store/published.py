"""What the sources said, written down: pointers, versions, files.

Readings are append-only: as long as a pointer says the same, its last row's ``last_seen``
moves; another version is another row. A file republished with other bytes keeps its first
digest, and the difference is handed back to be told; only what was signed takes the place of
what the same source had shown unsigned. Every source's own word is kept beside the others'.

Functions that write take the connection of a writer's transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, case, func, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from server.releases.ledger import TRUSTS, Artifact, Release, Trust
from server.store.dialect import upsert
from server.store.references import is_vouched
from server.store.tables import artifacts, profiles, readings, releases

PROFILES_ASKED_MAX = 2_000
"""Most profiles, newest first, that are asked which platforms a version was seen on."""

_ALL = ""  # the platform of a file for all platforms


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two statements about one file that cannot both be right.

    Attributes:
        known: What was said first.
        stated: What is said now.
    """

    known: Artifact
    stated: Artifact


class _Build(msgspec.Struct, frozen=True):
    form: str
    version: str | None = None
    platform: str | None = None


class _Install(msgspec.Struct, frozen=True):
    build: _Build | None = None


class _Profile(msgspec.Struct, frozen=True):
    installs: tuple[_Install, ...] = ()


def save_heads(conn: Connection, source: str, heads: Mapping[str, str], now: int) -> None:
    """Keeps what a source's pointers say at `now`.

    A run begins after the one before it began and was last read, also where the clock was set
    back or two readings share a second: what was read last is the head.
    """
    for channel, version in sorted(heads.items()):
        query = (
            select(readings)
            .where(readings.c.source == source, readings.c.channel == channel)
            .order_by(readings.c.id.desc())
            .limit(1)
        )
        last = conn.execute(query).first()
        if last is not None and last.version == version:
            # A clock that was set back does not make a reading older.
            later = case((readings.c.last_seen < now, now), else_=readings.c.last_seen)
            conn.execute(update(readings).where(readings.c.id == last.id).values(last_seen=later))
            continue
        seen = max(now, last.first_seen + 1, last.last_seen) if last is not None else now
        row = {"source": source, "channel": channel, "version": version}
        conn.execute(insert(readings).values(**row, first_seen=seen, last_seen=seen))


def save_releases(conn: Connection, source: str, told: Iterable[Release]) -> None:
    """Keeps what a source tells of versions; writes only what is new or has changed.

    A fact that is not told this time keeps what was told before.
    """
    known = _of_source(conn, source)
    _put(
        conn,
        source,
        [
            after
            for release in told
            if (after := _merged(release, known.get(release.version))) != known.get(release.version)
        ],
    )


def save_list(conn: Connection, source: str, listed: Iterable[Release], now: int) -> frozenset[str]:
    """Keeps the whole list of a source that keeps one.

    A version that it listed and lists no longer is withdrawn from now on, until it is listed
    again.

    Returns:
        The versions that it did not list before.
    """
    told = {release.version: release for release in listed}
    known = _of_source(conn, source)
    gone = [
        replace(release, withdrawn_at=now)
        for version, release in known.items()
        if version not in told and release.withdrawn_at is None
    ]
    back = [
        replace(release, withdrawn_at=None)
        for version, release in known.items()
        if version in told and release.withdrawn_at is not None
    ]
    _put(conn, source, [*gone, *back])
    save_releases(conn, source, told.values())
    return frozenset(told.keys() - known.keys()) | {each.version for each in back}


def count_listed(conn: Connection, source: str) -> int:
    """How many versions a source listed when it was last read."""
    query = select(func.count()).where(
        releases.c.source == source, releases.c.withdrawn_at.is_(None)
    )
    return conn.execute(query).scalar_one()


def listed_releases(conn: Connection) -> tuple[Release, ...]:
    """Every version once: what one source does not tell, another may."""
    merged: dict[str, Release] = {}
    for row in conn.execute(select(releases).order_by(releases.c.source)):
        known = merged.get(row.version)
        merged[row.version] = _merged(known, _told(row)) if known else _told(row)
    return tuple(merged.values())


def _of_source(conn: Connection, source: str) -> dict[str, Release]:
    query = select(releases).where(releases.c.source == source)
    return {row.version: _told(row) for row in conn.execute(query)}


def _put(conn: Connection, source: str, told: Sequence[Release]) -> None:
    if not told:
        return
    statement = upsert(releases)
    facts = [column.name for column in releases.c if not column.primary_key]
    statement = statement.on_conflict_do_update(
        index_elements=["version", "source"],
        set_={name: statement.excluded[name] for name in facts},
    )
    conn.execute(
        statement,
        [
            {
                "version": each.version,
                "source": source,
                "published_at": each.published_at,
                "build_date": each.build_date,
                "commit_id": each.commit,
                "harness_schema": each.harness_schema,
                "tested_wrappers": " ".join(each.tested_wrappers),
                "withdrawn_at": each.withdrawn_at,
            }
            for each in told
        ],
    )


def save_artifacts(conn: Connection, stated: Iterable[Artifact], now: int) -> tuple[Conflict, ...]:
    """Keeps files that are not known yet, and a trust that is better than it was.

    Returns:
        Where a source now says something else of a file than it, or another source, said
        before. What the same source said first stays, unless only the later word was signed:
        else whoever once kept a signature back would have the last word.
    """
    conflicts = []
    for artifact in stated:
        before = [
            known
            for known in files(conn, artifacts.c.version == artifact.version, _speaks(artifact))
            if (known.platform, known.form) == (artifact.platform, artifact.form)
        ]
        own = next((known for known in before if known.source == artifact.source), None)
        if own is None:
            conn.execute(insert(artifacts).values(**_row(artifact), learned_at=now))
        elif _is_better(artifact.trust, own.trust) and (
            artifact.sha256 == own.sha256 or artifact.trust == "signed"
        ):
            where = (artifacts.c[name] == value for name, value in _key(artifact).items())
            conn.execute(update(artifacts).where(*where).values(**_row(artifact)))
        other = next((known for known in before if known.sha256 != artifact.sha256), None)
        if other is not None and (own is None or own.sha256 != artifact.sha256):
            conflicts.append(Conflict(own or other, artifact))
    return tuple(conflicts)


def _speaks(artifact: Artifact) -> ColumnElement[bool]:
    # What a reference machine taught that is none any more contradicts nobody.
    return or_(is_vouched(), artifacts.c.source == artifact.source)


def is_undisputed(conn: Connection, artifact: Artifact) -> bool:
    """Whether all that is kept of a file is this one digest."""
    known = files(conn, artifacts.c.version == artifact.version, is_vouched())
    same = [
        each for each in known if (each.platform, each.form) == (artifact.platform, artifact.form)
    ]
    return {each.sha256 for each in same} == {artifact.sha256}


def files(conn: Connection, *where: ColumnElement[bool]) -> tuple[Artifact, ...]:
    """The files that are known, in the order in which they were learned.

    Args:
        conn: Any connection.
        where: Conditions on ``artifacts``; none gives all files.
    """
    query = select(artifacts).where(*where).order_by(artifacts.c.learned_at, artifacts.c.source)
    return tuple(
        Artifact(
            row.version, row.platform or None, row.form, row.sha256, row.size, row.trust, row.source
        )
        for row in conn.execute(query)
    )


def packages_seen(conn: Connection, version: str) -> frozenset[tuple[str, str]]:
    """The (platform, form) of the native builds that laptops reported as a version.

    The newest profiles are asked, which are those that a new look-up comes from.
    """
    query = select(profiles.c.body).order_by(profiles.c.id.desc()).limit(PROFILES_ASKED_MAX)
    found = (
        install.build
        for body in conn.execute(query).scalars()
        for install in msgspec.json.decode(body, type=_Profile).installs
    )
    return frozenset(
        (build.platform, build.form)
        for build in found
        if build and build.platform and build.form != "js" and build.version == version
    )


def _told(row: Row[Any]) -> Release:
    return Release(
        row.version,
        row.published_at,
        row.build_date,
        row.commit_id,
        row.harness_schema,
        tuple(row.tested_wrappers.split()),
        row.withdrawn_at,
    )


def _merged(first: Release, second: Release | None) -> Release:
    """What is told first, completed by what is told second."""
    if second is None:
        return first
    pairs = zip(astuple(first), astuple(second), strict=True)
    return Release(*(then if now in (None, ()) else now for now, then in pairs))


def _is_better(trust: Trust, than: Trust) -> bool:
    return TRUSTS.index(trust) < TRUSTS.index(than)


def _key(artifact: Artifact) -> dict[str, str]:
    return {
        "version": artifact.version,
        "platform": artifact.platform or _ALL,
        "form": artifact.form,
        "source": artifact.source,
    }


def _row(artifact: Artifact) -> dict[str, str | int | None]:
    return {
        **_key(artifact),
        "sha256": artifact.sha256,
        "size": artifact.size,
        "trust": artifact.trust,
    }
