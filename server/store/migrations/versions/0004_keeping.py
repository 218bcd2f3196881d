"""For how long things are kept, and which backups a database came from."""

import sqlalchemy as sa
from alembic import op

from server.store.dialect import Words

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Applies this step."""
    op.create_table(
        "horizons",
        sa.Column("kind", Words, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("reached", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_horizons")),
    )
    op.create_table(
        "restores",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("backed_up_at", sa.BigInteger(), nullable=False),
        sa.Column("restored_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restores")),
    )
    op.create_index("ix_assignments_told_at", "assignments", ["told_at"])
    op.create_index("ix_assignments_profile_id", "assignments", ["profile_id"])
