"""The migrations lead to the schema that the code uses."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from server.errors import StoreError
from server.store import schema as known_schema
from server.store.engine import migrate, reading, upgrade, writable
from server.store.tables import metadata
from tests.postgres import Postgres

LAST_THAT_CHANGED = "0005"
"""The last step that a server had to be stopped for."""

_OF_POSTGRES = {
    "columns": "SELECT table_name, column_name, data_type, collation_name, is_nullable,"
    " column_default FROM information_schema.columns WHERE table_schema = 'public'",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
    " FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
}


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[str]:
    """The address of a PostgreSQL database without any table."""
    url = postgres.empty()
    yield url
    postgres.drop(url)


def clauses(sql: str) -> list[str]:
    """The clauses of a statement, without spaces; their order means nothing."""
    head, _, rest = "".join(sql.split()).partition("(")
    body, _, tail = rest.rpartition(")")
    return [head, tail, *body.split(",")]


def schema(url: str) -> list[tuple[str, list[str]]]:
    """Every table and index as SQLite itself describes them, clause by clause."""
    engine = create_engine(url)
    with engine.connect() as conn:
        rows = conn.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        found = sorted((row.name, sorted(clauses(row.sql))) for row in rows)
    engine.dispose()
    return [item for item in found if item[0] != "alembic_version"]


def test_the_migrated_schema_equals_the_metadata(tmp_path: Path) -> None:
    """To the letter: columns, keys, partial indexes and tables without a row id."""
    migrated, made = (f"sqlite:///{tmp_path / name}" for name in ("migrated.db", "made.db"))
    migrate(migrated)
    engine = create_engine(made)
    metadata.create_all(engine)
    engine.dispose()
    assert schema(migrated) == schema(made)


def test_on_postgresql_as_well(postgres: Postgres, empty: str) -> None:
    """As it describes itself: kinds of columns, order of words, indexes and constraints."""
    migrate(empty)
    migrated = _described(empty)
    assert len(migrated) > 200
    other = postgres.empty()
    engine = create_engine(other.replace("postgresql:", "postgresql+psycopg:"))
    metadata.create_all(engine)
    engine.dispose()
    assert migrated == _described(other)
    postgres.drop(other)


def _described(url: str) -> set[tuple[object, ...]]:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as conn:
        found = {
            (name, *row)
            for name, question in _OF_POSTGRES.items()
            for row in conn.execute(text(question.replace("::", "\\:\\:")))
        }
    engine.dispose()
    return {each for each in found if "alembic_version" not in each}


def test_the_steps_are_those_that_alembic_takes() -> None:
    """Their files' names tell them, so that opening a database need not load it."""
    steps = ScriptDirectory(str(known_schema.MIGRATIONS))
    assert [step.revision for step in steps.walk_revisions()] == list(known_schema.known())[::-1]
    assert steps.get_current_head() == known_schema.newest()


def test_alembic_finds_nothing_left_to_do(engine: Engine) -> None:
    """As an author of the next step would ask it."""
    with reading(engine) as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []


def test_a_step_that_fails_leaves_the_schema_as_it_was(empty: str) -> None:
    """Tables that were made before the failure are gone again."""
    engine = create_engine(empty.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE activity (day int)"))
    with pytest.raises(StoreError, match="already exists"):
        migrate(empty)
    with engine.connect() as conn:
        tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        assert list(conn.execute(text(tables)).scalars()) == ["activity"]
    engine.dispose()


def test_a_step_only_adds(engine: Engine) -> None:
    """A server of the version before goes on working on what is there, unchanged."""
    kind = engine.url.get_backend_name()
    with writable(engine) as conn, conn.begin():
        for table in reversed(metadata.sorted_tables):
            table.drop(conn)
        conn.execute(text("DELETE FROM alembic_version"))
        upgrade(conn, LAST_THAT_CHANGED)
        before = _shape(conn)
        for step in known_schema.known()[known_schema.known().index(LAST_THAT_CHANGED) + 1 :]:
            upgrade(conn, step)
            after = _shape(conn)
            assert _taken_away(before, after) == [], (kind, step)
            before = after


def _shape(conn: Connection) -> dict[str, dict[str, object]]:
    """Of each table the columns, and whatever rows may be refused by."""
    seen = inspect(conn)
    shape: dict[str, dict[str, object]] = {}
    for table in seen.get_table_names():
        columns = {
            each["name"]: (str(each["type"]), each["nullable"], each["default"])
            for each in seen.get_columns(table)
        }
        unique = [
            tuple(str(name) for name in each["column_names"])
            for each in seen.get_indexes(table)
            if each["unique"]
        ]
        bounds = {
            "unique": sorted(unique),
            "references": sorted(str(each) for each in seen.get_foreign_keys(table)),
            "checks": sorted(str(each) for each in seen.get_check_constraints(table)),
            "key": seen.get_pk_constraint(table)["constrained_columns"],
        }
        shape[table] = {**columns, **{f"({name})": bound for name, bound in bounds.items()}}
    return shape


def _taken_away(
    before: dict[str, dict[str, object]], after: dict[str, dict[str, object]]
) -> list[str]:
    """What is not as it was, and new columns that an older server would have to know."""
    found = [
        f"{table}.{name}"
        for table, parts in before.items()
        for name, part in parts.items()
        if after.get(table, {}).get(name) != part
    ]
    new = (
        (table, name, part)
        for table in before
        for name, part in after.get(table, {}).items()
        if name not in before[table]
    )
    return found + [
        f"{table}.{name}"
        for table, name, part in new
        if isinstance(part, tuple) and not part[1] and part[2] is None
    ]
