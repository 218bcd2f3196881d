"""The migrations lead to the schema that the code uses."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text

from server.errors import StoreError
from server.store import schema as known_schema
from server.store.engine import migrate, reading
from server.store.tables import metadata
from tests.postgres import Postgres

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
