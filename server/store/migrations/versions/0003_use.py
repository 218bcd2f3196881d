"""Use of builds by day, group and surface; when the server listened."""

import sqlalchemy as sa
from alembic import op

from server.store.dialect import Words

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Applies this step."""
    op.create_table(
        "activity",
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("group_name", Words, nullable=False),
        sa.Column("surface", Words, nullable=False),
        sa.Column("build", Words, nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "group_name", "surface", "build", name=op.f("pk_activity")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "listened",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listened")),
    )
