"""The migrations lead to the schema that the code uses."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from server.store.engine import migrate, open_engine
from server.store.tables import metadata


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


def test_alembic_finds_nothing_left_to_do(tmp_path: Path) -> None:
    """As an author of the next step would ask it."""
    url = f"sqlite:///{tmp_path / 'server.db'}"
    migrate(url)
    engine = open_engine(url)
    with engine.connect() as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []
    engine.dispose()
