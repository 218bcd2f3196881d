"""Tokens that take turns; ends, quotas and places of enrolment secrets."""

import sqlalchemy as sa
from alembic import op

from server.store.dialect import Words

revision = "0005"
down_revision = "0004"

_USED = """UPDATE enrolment_secrets SET
    uses = (SELECT count(*) FROM machines WHERE machines.secret_id = enrolment_secrets.id),
    last_used_at =
        (SELECT max(enrolled_at) FROM machines WHERE machines.secret_id = enrolment_secrets.id)"""


def upgrade() -> None:
    """Applies this step."""
    op.add_column("machines", sa.Column("next_token_hash", Words))
    op.create_index(
        "ix_machines_live_secret_id",
        "machines",
        ["secret_id"],
        sqlite_where=sa.text("left_at IS NULL"),
        postgresql_where=sa.text("left_at IS NULL"),
    )
    op.add_column("enrolment_secrets", sa.Column("ends_at", sa.BigInteger()))
    op.add_column("enrolment_secrets", sa.Column("uses_max", sa.BigInteger()))
    uses = sa.Column("uses", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("enrolment_secrets", uses)
    op.add_column("enrolment_secrets", sa.Column("last_used_at", sa.BigInteger()))
    op.add_column("enrolment_secrets", sa.Column("replaces", Words))
    op.execute(_USED)
