"""Policies, waivers, references, machine exceptions and their history, sources' conditions."""

import time
from typing import Any

import sqlalchemy as sa
from alembic import op

from server.store.dialect import Words

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Applies this step."""
    _widen()
    _add_history()
    _add_expectations()


def _widen() -> None:
    added: dict[str, tuple[sa.Column[object], ...]] = {
        "machines": (
            sa.Column("stand_tag", Words),
            sa.Column("paused_until", sa.BigInteger()),
            sa.Column("unsent_since", sa.BigInteger()),
            sa.Column("taken_at", sa.BigInteger()),
            _filled("alternations", Words, "''"),
        ),
        "assignments": (
            _filled("told_at", sa.BigInteger(), "0"),
            sa.Column("began", Words),
        ),
        "transitions": (sa.Column("away_s", sa.BigInteger()),),
        "tokens": (_filled("role", Words, "'viewer'"),),
        "releases": (
            sa.Column("harness_schema", sa.Integer()),
            _filled("tested_wrappers", Words, "''"),
            sa.Column("withdrawn_at", sa.BigInteger()),
        ),
        "lookups": (sa.Column("first_asked_at", sa.BigInteger()),),
    }
    for table, columns in added.items():
        for column in columns:
            op.add_column(table, column)
    op.create_index(
        "ix_machines_exception",
        "machines",
        ["profile_id", "group_name"],
        sqlite_where=sa.text("exception IS NOT NULL"),
        postgresql_where=sa.text("exception IS NOT NULL"),
    )
    # What was recorded before was told when it happened, as far as is known.
    op.execute(
        "UPDATE assignments SET told_at = at, began = coalesce("
        "(SELECT began FROM machines WHERE id = machine_id AND profile_since = at"
        " AND machines.profile_id = assignments.profile_id), '{}')"
    )
    op.execute("UPDATE machines SET taken_at = profile_since")
    # A machine with an unsent profile was the only `unknown` exception.
    op.execute("UPDATE machines SET unsent_since = standing_since WHERE exception = 'unknown'")
    # An exception remembers by itself what people heard of it, no longer by its verdict.
    op.execute(
        "UPDATE machines SET told = 'drifted' WHERE exception IS NOT NULL AND EXISTS"
        " (SELECT 1 FROM verdicts WHERE verdicts.profile_id = machines.profile_id"
        " AND verdicts.group_name = machines.group_name AND verdicts.told = 'drifted')"
    )
    # What holds for an exception was not kept: the first look at it writes that down.
    op.execute(
        "UPDATE machines SET due_at = standing_since"
        " WHERE exception IS NOT NULL AND exception <> 'left'"
    )


def _add_history() -> None:
    op.create_table(
        "stands",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("machine_id", Words, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("exception", Words),
        sa.Column("body", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stands")),
    )
    op.create_index("ix_stands_machine_id_at", "stands", ["machine_id", "at"])
    # Silence and leaving were told as transitions; since when one is `unknown` its row tells.
    op.execute(
        "INSERT INTO stands (machine_id, at, exception)"
        " SELECT machine_id, at, CASE WHEN after IN ('silent', 'left') THEN after END"
        " FROM transitions WHERE machine_id IS NOT NULL"
        " AND (before IN ('silent', 'left') OR after IN ('silent', 'left')) ORDER BY id"
    )
    op.execute(
        "INSERT INTO stands (machine_id, at, exception)"
        " SELECT id, standing_since, exception FROM machines WHERE exception IS NOT NULL"
    )
    op.create_table(
        "count_log",
        sa.Column("group_name", Words, nullable=False),
        sa.Column("standing", Words, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("machines", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("group_name", "standing", "at", name=op.f("pk_count_log")),
    )
    # The log begins here: what was counted earlier was not kept.
    minute = int(time.time()) // 60 * 60
    op.execute(
        "INSERT INTO count_log (group_name, standing, at, machines)"  # noqa: S608 - a number
        f" SELECT group_name, standing, {minute}, machines FROM counts"
    )


def _add_expectations() -> None:
    op.create_table(
        "waivers",
        sa.Column("id", Words, nullable=False),
        sa.Column("machine_id", Words, nullable=False),
        sa.Column("code", Words, nullable=False),
        sa.Column("subject", Words),
        sa.Column("reason", Words, nullable=False),
        sa.Column("person", Words, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("taken_back_by", Words),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waivers")),
    )
    op.create_index("ix_waivers_machine_id", "waivers", ["machine_id"])
    op.create_table(
        "reference_machines",
        sa.Column("group_name", Words, nullable=False),
        sa.Column("machine_id", Words, nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint(
            "group_name", "machine_id", "added_at", name=op.f("pk_reference_machines")
        ),
    )
    op.create_table(
        "policy_loads",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("origin", Words, nullable=False),
        sa.Column("digest", Words, nullable=False),
        sa.Column("body", Words, nullable=False),
        sa.Column("error", Words),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_loads")),
    )
    op.create_table(
        "conditions",
        sa.Column("topic", Words, nullable=False),
        sa.Column("kind", Words, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("text", Words, nullable=False),
        sa.Column("told_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_conditions")),
    )


def _filled(name: str, kind: sa.types.TypeEngine[Any], value: str) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False, server_default=sa.text(value))
