"""What the sources said, written down: pointers, versions, files.

Readings are append-only: as long as a pointer says the same, its last row's ``last_seen``
moves; another version is another row. An artifact is never overwritten: a file republished
with other bytes keeps its first digest, and the difference is handed back to be told. Every
source's own word is kept beside the others'.

Functions that write take the connection of a writer's transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, Row, case, insert, select, update
from sqlalchemy.sql.elements import ColumnElement

from server.releases.ledger import Artifact, Release
from server.store.dialect import upsert
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
    """Keeps what a source's pointers say at `now`."""
    for channel, version in sorted(heads.items()):
        query = (
            select(readings.c.id, readings.c.version)
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
        row = {"source": source, "channel": channel, "version": version}
        conn.execute(insert(readings).values(**row, first_seen=now, last_seen=now))


def save_releases(conn: Connection, source: str, listed: Iterable[Release]) -> None:
    """Keeps the versions that a source lists; writes only what is new or has changed.

    A fact that is not told this time keeps what was told before.
    """
    query = select(releases).where(releases.c.source == source)
    known = {row.version: _told(row) for row in conn.execute(query)}
    rows = []
    for release in listed:
        before = known.get(release.version)
        after = _merged(release, before or Release(release.version))
        if after != before:
            rows.append(
                {
                    "version": after.version,
                    "source": source,
                    "published_at": after.published_at,
                    "build_date": after.build_date,
                    "commit_id": after.commit,
                }
            )
    if rows:
        statement = upsert(releases)
        facts = ("published_at", "build_date", "commit_id")
        statement = statement.on_conflict_do_update(
            index_elements=["version", "source"],
            set_={name: statement.excluded[name] for name in facts},
        )
        conn.execute(statement, rows)


def listed_releases(conn: Connection) -> tuple[Release, ...]:
    """Every version once: what one source does not tell, another may."""
    merged: dict[str, Release] = {}
    for row in conn.execute(select(releases).order_by(releases.c.source)):
        known = merged.get(row.version)
        merged[row.version] = _merged(known, _told(row)) if known else _told(row)
    return tuple(merged.values())


def save_artifacts(conn: Connection, stated: Iterable[Artifact], now: int) -> tuple[Conflict, ...]:
    """Keeps files that are not known yet.

    Returns:
        Where a source now says something else of a file than it, or another source, said
        before. What the same source said first stays.
    """
    conflicts = []
    for artifact in stated:
        before = [
            known
            for known in files(conn, artifacts.c.version == artifact.version)
            if (known.platform, known.form) == (artifact.platform, artifact.form)
        ]
        own = next((known for known in before if known.source == artifact.source), None)
        if own is None:
            conn.execute(insert(artifacts).values(**_row(artifact), learned_at=now))
        other = next((known for known in before if known.sha256 != artifact.sha256), None)
        if other is not None and (own is None or own.sha256 != artifact.sha256):
            conflicts.append(Conflict(own or other, artifact))
    return tuple(conflicts)


def files(conn: Connection, *where: ColumnElement[bool]) -> tuple[Artifact, ...]:
    """The files that are known, the best established first.

    Args:
        conn: Any connection.
        where: Conditions on ``artifacts``; none gives all files.
    """
    rank = case((artifacts.c.trust == "signed", 0), (artifacts.c.trust == "registry", 1), else_=2)
    query = select(artifacts).where(*where).order_by(rank, artifacts.c.learned_at)
    return tuple(
        Artifact(
            row.version, row.platform or None, row.form, row.sha256, row.size, row.trust, row.source
        )
        for row in conn.execute(query)
    )


def platforms_seen(conn: Connection, version: str) -> frozenset[str]:
    """The platforms of the native binaries that laptops reported as a version.

    The newest profiles are asked, which are those that a new look-up comes from.
    """
    query = select(profiles.c.body).order_by(profiles.c.id.desc()).limit(PROFILES_ASKED_MAX)
    found = (
        install.build
        for body in conn.execute(query).scalars()
        for install in msgspec.json.decode(body, type=_Profile).installs
    )
    return frozenset(
        build.platform
        for build in found
        if build and build.platform and (build.form, build.version) == ("binary", version)
    )


def _told(row: Row[tuple[str, str, int | None, int | None, str | None]]) -> Release:
    return Release(row.version, row.published_at, row.build_date, row.commit_id)


def _merged(first: Release, second: Release) -> Release:
    return Release(
        first.version,
        second.published_at if first.published_at is None else first.published_at,
        second.build_date if first.build_date is None else first.build_date,
        second.commit if first.commit is None else first.commit,
    )


def _row(artifact: Artifact) -> dict[str, str | int | None]:
    return {
        "version": artifact.version,
        "platform": artifact.platform or _ALL,
        "form": artifact.form,
        "source": artifact.source,
        "sha256": artifact.sha256,
        "size": artifact.size,
        "trust": artifact.trust,
    }
