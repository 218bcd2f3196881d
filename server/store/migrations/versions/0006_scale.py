"""Several servers on one database, counts by release, and room for rows that change often."""

import time

import sqlalchemy as sa
from alembic import op

from server.store.dialect import Words

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Applies this step."""
    _count_builds()
    _number_what_is_true()
    _leave_room()
    _ring_timers()


def _ring_timers() -> None:
    op.create_table(
        "rings",
        sa.Column("group_name", Words, nullable=False),
        sa.Column("reached", Words, nullable=False),
        sa.PrimaryKeyConstraint("group_name", name=op.f("pk_rings")),
    )


def _leave_room() -> None:
    # A row that changes within its page rewrites no index. In use the pages that are there make
    # room by themselves: this holds for new ones, and no server has to wait for it.
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE presence SET (fillfactor = 70)")


def _number_what_is_true() -> None:
    parts = ("term", "ledger", "policies", "references", "listened", "restores")
    op.create_table(
        "current_numbers",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        *(
            sa.Column(part, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
            for part in parts
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_current_numbers")),
    )


def _count_builds() -> None:
    op.add_column("machines", sa.Column("build", Words, nullable=True))
    op.create_table(
        "build_counts",
        sa.Column("group_name", Words, nullable=False),
        sa.Column("build", Words, nullable=False),
        sa.Column("machines", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("group_name", "build", name=op.f("pk_build_counts")),
    )
    op.create_table(
        "build_log",
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("group_name", Words, nullable=False),
        sa.Column("build", Words, nullable=False),
        sa.Column("before", sa.BigInteger(), nullable=False),
        sa.Column("machines", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "group_name", "build", name=op.f("pk_build_log")),
    )
    op.execute(_BUILD_IN_USE[op.get_bind().dialect.name])
    op.execute(
        "INSERT INTO build_counts (group_name, build, machines)"
        " SELECT group_name, build, count(*) FROM machines WHERE build IS NOT NULL"
        " GROUP BY group_name, build"
    )
    # The log begins today: what machines had earlier was not counted.
    day = int(time.time()) // 86_400
    op.execute(
        "INSERT INTO build_log (day, group_name, build, before, machines)"  # noqa: S608 - a number
        f" SELECT {day}, group_name, build, machines, machines FROM build_counts"
    )


# As `server.in_use` says: of the copies that something starts the first that a terminal does.
_BUILD_IN_USE = {
    "sqlite": """
        UPDATE machines SET build = (
            SELECT coalesce((
                SELECT coalesce(json_extract(copy.value, '$.build.sha256'), '')
                FROM json_each(CAST(profiles.body AS TEXT), '$.installs') AS copy
                WHERE json_array_length(copy.value, '$.starts') > 0
                ORDER BY NOT EXISTS (
                    SELECT 1 FROM json_each(copy.value, '$.starts') AS start
                    WHERE start.value = 'terminal'
                ), copy.key
                LIMIT 1
            ), 'none')
            FROM profiles WHERE profiles.id = machines.profile_id
        )
        WHERE profile_id IS NOT NULL AND left_at IS NULL
    """,
    "postgresql": """
        UPDATE machines SET build = coalesce((
            SELECT coalesce(copy.value -> 'build' ->> 'sha256', '')
            FROM json_array_elements(coalesce(
                CAST(convert_from(profiles.body, 'UTF8') AS json) -> 'installs', '[]'
            )) WITH ORDINALITY AS copy (value, place)
            WHERE json_array_length(coalesce(copy.value -> 'starts', '[]')) > 0
            ORDER BY NOT EXISTS (
                SELECT 1 FROM json_array_elements_text(copy.value -> 'starts') AS start (value)
                WHERE start.value = 'terminal'
            ), copy.place
            LIMIT 1
        ), 'none')
        FROM profiles
        WHERE profiles.id = machines.profile_id AND left_at IS NULL
    """,
}
