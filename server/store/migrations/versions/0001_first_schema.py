"""The first schema, as `server.store.tables` explains it."""

import sqlalchemy as sa
from alembic import op

from server.store.dialect import Words

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Applies this step."""
    op.create_table(
        "artifacts",
        sa.Column("version", Words, nullable=False),
        sa.Column("platform", Words, nullable=False),
        sa.Column("form", Words, nullable=False),
        sa.Column("source", Words, nullable=False),
        sa.Column("sha256", Words, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("trust", Words, nullable=False),
        sa.Column("learned_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version", "platform", "form", "source", name=op.f("pk_artifacts")),
    )
    op.create_index("ix_artifacts_sha256", "artifacts", ["sha256"], unique=False)
    op.create_table(
        "assignments",
        sa.Column("machine_id", Words, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("profile_id", sa.BigInteger(), nullable=False),
        sa.Column("group_name", Words, nullable=False),
        sa.PrimaryKeyConstraint("machine_id", "number", name=op.f("pk_assignments")),
    )
    op.create_table(
        "counts",
        sa.Column("group_name", Words, nullable=False),
        sa.Column("standing", Words, nullable=False),
        sa.Column("machines", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("group_name", "standing", name=op.f("pk_counts")),
    )
    op.create_table(
        "enrolment_secrets",
        sa.Column("id", Words, nullable=False),
        sa.Column("hash", Words, nullable=False),
        sa.Column("group_name", Words, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_secrets")),
        sa.UniqueConstraint("hash", name=op.f("uq_enrolment_secrets_hash")),
    )
    op.create_table(
        "lookups",
        sa.Column("version", Words, nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", Words, nullable=False),
        sa.Column("reason", Words, nullable=True),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_lookups")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("topic", Words, nullable=False),
        sa.Column("told", Words, nullable=False),
        sa.Column("body", Words, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("dropped_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", Words, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index("ix_outbox_delivered_at", "outbox", ["delivered_at"], unique=False)
    op.create_index(
        "ix_outbox_open_due_at",
        "outbox",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("delivered_at IS NULL AND dropped_at IS NULL"),
        postgresql_where=sa.text("delivered_at IS NULL AND dropped_at IS NULL"),
    )
    op.create_index("ix_outbox_topic", "outbox", ["topic"], unique=False)
    op.create_table(
        "presence",
        sa.Column("machine_id", Words, nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("key", Words, nullable=True),
        sa.Column("verdict_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("machine_id", name=op.f("pk_presence")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "profiles",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", Words, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_by", Words, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profiles")),
        sa.UniqueConstraint("digest", name=op.f("uq_profiles_digest")),
    )
    op.create_index(
        "ix_profiles_sent_by_received_at", "profiles", ["sent_by", "received_at"], unique=False
    )
    op.create_table(
        "readings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", Words, nullable=False),
        sa.Column("channel", Words, nullable=False),
        sa.Column("version", Words, nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readings")),
    )
    op.create_index(
        "ix_readings_source_channel_first_seen",
        "readings",
        ["source", "channel", "first_seen"],
        unique=False,
    )
    op.create_table(
        "releases",
        sa.Column("version", Words, nullable=False),
        sa.Column("source", Words, nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=True),
        sa.Column("build_date", sa.BigInteger(), nullable=True),
        sa.Column("commit_id", Words, nullable=True),
        sa.PrimaryKeyConstraint("version", "source", name=op.f("pk_releases")),
    )
    op.create_table(
        "server_keys",
        sa.Column("name", Words, nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_server_keys")),
    )
    op.create_table(
        "source_health",
        sa.Column("source", Words, nullable=False),
        sa.Column("state", Words, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("error", Words, nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_source_health")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", Words, nullable=False),
        sa.Column("hash", Words, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("hash", name=op.f("uq_tokens_hash")),
    )
    op.create_table(
        "transitions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", Words, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("group_name", Words, nullable=False),
        sa.Column("profile_id", sa.BigInteger(), nullable=True),
        sa.Column("machine_id", Words, nullable=True),
        sa.Column("before", Words, nullable=True),
        sa.Column("after", Words, nullable=False),
        sa.Column("cause", Words, nullable=False),
        sa.Column("machines", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transitions")),
    )
    op.create_index(
        "ix_transitions_machine_id_at", "transitions", ["machine_id", "at"], unique=False
    )
    op.create_table(
        "verdict_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("profile_id", sa.BigInteger(), nullable=False),
        sa.Column("group_name", Words, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("standing", Words, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdict_log")),
    )
    op.create_index(
        "ix_verdict_log_profile_id_group_name_at",
        "verdict_log",
        ["profile_id", "group_name", "at"],
        unique=False,
    )
    op.create_table(
        "wanted",
        sa.Column("machine_id", Words, nullable=False),
        sa.Column("digest", Words, nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("machine_id", "digest", name=op.f("pk_wanted")),
    )
    op.create_table(
        "machines",
        sa.Column("id", Words, nullable=False),
        sa.Column("label", Words, nullable=False),
        sa.Column("owner", Words, nullable=True),
        sa.Column("group_name", Words, nullable=False),
        sa.Column("token_hash", Words, nullable=False),
        sa.Column("enrol_key_hash", Words, nullable=False),
        sa.Column("secret_id", Words, nullable=False),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=False),
        sa.Column("left_at", sa.BigInteger(), nullable=True),
        sa.Column("epoch", Words, nullable=True),
        sa.Column("past_epochs", Words, server_default=sa.text("''"), nullable=False),
        sa.Column("agent", Words, nullable=True),
        sa.Column("claimed", Words, nullable=True),
        sa.Column("settled", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("profile_id", sa.BigInteger(), nullable=True),
        sa.Column("profile_since", sa.BigInteger(), nullable=True),
        sa.Column("began", Words, nullable=True),
        sa.Column("exception", Words, nullable=True),
        sa.Column("told", Words, nullable=True),
        sa.Column("standing_since", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("numbered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name=op.f("fk_machines_profile_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_machines")),
        sa.UniqueConstraint("enrol_key_hash", name=op.f("uq_machines_enrol_key_hash")),
    )
    op.create_index("ix_machines_due_at", "machines", ["due_at"], unique=False)
    op.create_index(
        "ix_machines_profile_id_group_name", "machines", ["profile_id", "group_name"], unique=False
    )
    op.create_index(
        "ix_machines_told",
        "machines",
        ["profile_id", "group_name"],
        unique=False,
        sqlite_where=sa.text("told IS NOT NULL"),
        postgresql_where=sa.text("told IS NOT NULL"),
    )
    op.create_index(
        "uq_machines_live_label",
        "machines",
        ["label"],
        unique=True,
        sqlite_where=sa.text("left_at IS NULL"),
        postgresql_where=sa.text("left_at IS NULL"),
    )
    op.create_table(
        "verdicts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("profile_id", sa.BigInteger(), nullable=False),
        sa.Column("group_name", Words, nullable=False),
        sa.Column("standing", Words, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("told", Words, nullable=True),
        sa.Column("tag", Words, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("settling", sa.Integer(), nullable=False),
        sa.Column("judged_at", sa.BigInteger(), nullable=False),
        sa.Column("next_change_at", sa.BigInteger(), nullable=True),
        sa.Column("machines", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name=op.f("fk_verdicts_profile_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdicts")),
        sa.UniqueConstraint(
            "profile_id", "group_name", name=op.f("uq_verdicts_profile_id_group_name")
        ),
    )
    op.create_index("ix_verdicts_next_change_at", "verdicts", ["next_change_at"], unique=False)
