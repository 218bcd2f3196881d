"""Every table, and why it has its shape.

Times are whole seconds since the Unix epoch, UTC. Digests are text as on the wire.
What every check-in touches is one narrow row of ``presence``, by its only key: some sixty
to a page, so that the table stays in memory and its pages are seldom written back. All else
is written only when something changed. ``presence.key`` is the short way: a digest of all
that an unchanged check-in repeats. It is there only while the machine follows its verdict
and nothing is wanted of it; whatever changes a machine takes it away.

``machines.due_at`` is a lazy timer: it says when to *look* whether the machine stands
otherwise, since it fell silent, say, or a waiver ended. It is never later than that, and an
unchanged check-in does not move it on, so that none rewrites an index.

``verdicts`` holds one row per (profile, group). Its ``machines`` counts those that stand as
their verdict says; ``machines.exception`` is the standing of the others, each of which has
something to it that no other machine with that profile has. ``counts`` is the sum of both by
(group, standing), kept in the same transactions, so that the status of any fleet costs the
same. ``verdict_log`` and ``assignments`` are append-only: joined, they are a machine's
timeline. ``stands`` is the same for exceptions: its latest row before a moment says whether the
machine followed its verdict then. ``count_log`` has the counts of every minute in which one
changed. ``build_counts`` says how many machines have which build, ``build_log`` the same of every
day on which one of these changed. ``activity`` sums what machines tell of use by group and names
no machine.

Nothing grows for ever: `server.store.pruning` deletes what is old, and ``horizons`` says from
which moment on each kind is whole. ``restores`` has every backup that this database came from:
what happened between a backup and its restore is not known here. ``rings`` has a row for each
group whose machines are all to be looked at again, until they are.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)

from server.store.dialect import Words

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers only its own INTEGER PRIMARY KEY by itself.
_Serial = BigInteger().with_variant(Integer, "sqlite")

machines = Table(
    "machines",
    metadata,
    Column("id", Words, primary_key=True),
    Column("label", Words, nullable=False),
    Column("owner", Words),
    Column("group_name", Words, nullable=False),
    Column("token_hash", Words, nullable=False),
    Column("next_token_hash", Words),  # of a token that was given out and never used yet
    Column("enrol_key_hash", Words, nullable=False, unique=True),
    Column("secret_id", Words, nullable=False),
    Column("enrolled_at", BigInteger, nullable=False),
    Column("left_at", BigInteger),
    Column("epoch", Words),
    Column("past_epochs", Words, nullable=False, server_default=text("''")),
    Column("agent", Words),
    Column("claimed", Words),  # digest of the latest check-in
    # 1: `claimed` is the profile's digest and nothing is wanted of this machine.
    Column("settled", Integer, nullable=False, server_default=text("0")),
    Column("profile_id", BigInteger, ForeignKey("profiles.id")),
    Column("profile_since", BigInteger),
    Column("began", Words),  # JSON: findings carried over from the previous profile
    # The standing, where something is true of this machine only (`server.standing`).
    Column("exception", Words),
    # Names the findings that hold for an exception: 16 hex digits.
    Column("stand_tag", Words),
    Column("paused_until", BigInteger),
    # Since when the machine names a profile that it does not send for too long.
    Column("unsent_since", BigInteger),
    Column("taken_at", BigInteger),  # when the server heard of its present profile
    Column("alternations", Words, nullable=False, server_default=text("''")),
    # What people heard last of it, where its verdict's row does not tell: of an exception, and
    # while its verdict is unknown and they heard otherwise of that (`server.store.telling`).
    Column("told", Words),
    Column("standing_since", BigInteger),
    Column("due_at", BigInteger),
    Column("numbered", Integer, nullable=False, server_default=text("0")),  # of assignments
    # The one that it is counted by; None before its first profile, and once it left.
    Column("build", Words),
    Index("ix_machines_due_at", "due_at"),
    Index("ix_machines_profile_id_group_name", "profile_id", "group_name"),
    Index(
        "ix_machines_told",
        "profile_id",
        "group_name",
        sqlite_where=text("told IS NOT NULL"),
        postgresql_where=text("told IS NOT NULL"),
    ),
    # A release looks for the exceptions of every pair, and there are few of them.
    Index(
        "ix_machines_exception",
        "profile_id",
        "group_name",
        sqlite_where=text("exception IS NOT NULL"),
        postgresql_where=text("exception IS NOT NULL"),
    ),
    Index(
        "ix_machines_live_secret_id",
        "secret_id",
        sqlite_where=text("left_at IS NULL"),
        postgresql_where=text("left_at IS NULL"),
    ),
    # A label is unique among live machines only.
    Index(
        "uq_machines_live_label",
        "label",
        unique=True,
        sqlite_where=text("left_at IS NULL"),
        postgresql_where=text("left_at IS NULL"),
    ),
)

presence = Table(
    "presence",
    metadata,
    Column("machine_id", Words, primary_key=True),
    Column("last_seen", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False, server_default=text("0")),
    Column("key", Words),
    Column("verdict_id", BigInteger),  # as long as there is a key
    sqlite_with_rowid=False,  # one tree instead of a table and its index
    postgresql_with={"fillfactor": 70},  # a touched row stays in its page, and no index changes
)

profiles = Table(
    "profiles",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("digest", Words, nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("sent_by", Words),  # the machine, whose new profiles of an hour are limited
    Index("ix_profiles_sent_by_received_at", "sent_by", "received_at"),
)

wanted = Table(
    "wanted",
    metadata,
    Column("machine_id", Words, primary_key=True),
    Column("digest", Words, primary_key=True),
    Column("asked_at", BigInteger, nullable=False),
    # The place in the timeline that is kept for it until its bytes arrive:
    Column("taken_at", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("profile_id", BigInteger, ForeignKey("profiles.id"), nullable=False),
    Column("group_name", Words, nullable=False),
    Column("standing", Words, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("told", Words),  # drifted | healed: what people heard last of this pair
    Column("tag", Words, nullable=False),
    Column("body", LargeBinary, nullable=False),  # the judge's Verdict as JSON
    Column("settling", Integer, nullable=False),
    Column("judged_at", BigInteger, nullable=False),
    Column("next_change_at", BigInteger),
    Column("machines", BigInteger, nullable=False, server_default=text("0")),
    UniqueConstraint("profile_id", "group_name"),
    Index("ix_verdicts_next_change_at", "next_change_at"),
)

counts = Table(
    "counts",
    metadata,
    Column("group_name", Words, primary_key=True),
    Column("standing", Words, primary_key=True),
    Column("machines", BigInteger, nullable=False),
)

assignments = Table(
    "assignments",
    metadata,
    Column("machine_id", Words, primary_key=True),
    Column("number", Integer, primary_key=True),  # in the order in which they were told
    Column("at", BigInteger, nullable=False),
    Column("profile_id", BigInteger, nullable=False),
    Column("group_name", Words, nullable=False),
    # When the server heard of it: later than `at` for a laptop that was offline.
    Column("told_at", BigInteger, nullable=False, server_default=text("0")),
    # JSON: findings carried over when it was taken; None if it was over when it was told.
    Column("began", Words),
    Index("ix_assignments_told_at", "told_at"),
    Index("ix_assignments_profile_id", "profile_id"),
)

verdict_log = Table(
    "verdict_log",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("profile_id", BigInteger, nullable=False),
    Column("group_name", Words, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("standing", Words, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_verdict_log_profile_id_group_name_at", "profile_id", "group_name", "at"),
)

stands = Table(
    "stands",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("machine_id", Words, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("exception", Words),  # None: from here on it stands as its verdict says
    Column("body", LargeBinary),  # JSON: the findings of an exception as told then
    Index("ix_stands_machine_id_at", "machine_id", "at"),
)

count_log = Table(
    "count_log",
    metadata,
    Column("group_name", Words, primary_key=True),
    Column("standing", Words, primary_key=True),
    Column("at", BigInteger, primary_key=True),  # a whole minute: as it was at its end
    Column("machines", BigInteger, nullable=False),
)

build_counts = Table(
    "build_counts",
    metadata,
    Column("group_name", Words, primary_key=True),
    Column("build", Words, primary_key=True),  # as `server.in_use` names it
    Column("machines", BigInteger, nullable=False),
)

build_log = Table(
    "build_log",
    metadata,
    Column("day", BigInteger, primary_key=True),  # UTC, counted from the epoch
    Column("group_name", Words, primary_key=True),
    Column("build", Words, primary_key=True),
    Column("before", BigInteger, nullable=False),  # when the day's first change came
    Column("machines", BigInteger, nullable=False),  # as it was at its end
)

activity = Table(
    "activity",
    metadata,
    Column("day", BigInteger, primary_key=True),  # UTC, counted from the epoch
    Column("group_name", Words, primary_key=True),
    Column("surface", Words, primary_key=True),
    Column("build", Words, primary_key=True),  # '' for what was not examined
    Column("seconds", BigInteger, nullable=False),
    Column("starts", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

listened = Table(
    "listened",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("began_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),  # the latest note without a gap before it
)

transitions = Table(
    "transitions",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("kind", Words, nullable=False),  # machine | fleet
    Column("at", BigInteger, nullable=False),
    Column("group_name", Words, nullable=False),
    Column("profile_id", BigInteger),
    Column("machine_id", Words),  # None for fleet
    Column("before", Words),
    Column("after", Words, nullable=False),
    Column("cause", Words, nullable=False),
    Column("machines", BigInteger, nullable=False),
    Column("away_s", BigInteger),  # how long it was silent or paused, where that ends
    Index("ix_transitions_machine_id_at", "machine_id", "at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("topic", Words, nullable=False),  # equal topics not yet taken are one message
    Column("told", Words, nullable=False),  # drifted | healed | unknown | operator
    Column("body", Words, nullable=False),  # JSON: what the message tells
    Column("created_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("lease_until", BigInteger),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("delivered_at", BigInteger),
    Column("dropped_at", BigInteger),  # overtaken or refused for good, with the reason
    Column("reason", Words),
    # Settled rows are kept; neither what is due nor what merges may get slower by them.
    Index(
        "ix_outbox_open_due_at",
        "due_at",
        sqlite_where=text("delivered_at IS NULL AND dropped_at IS NULL"),
        postgresql_where=text("delivered_at IS NULL AND dropped_at IS NULL"),
    ),
    Index("ix_outbox_topic", "topic"),
    Index("ix_outbox_delivered_at", "delivered_at"),
)

enrolment_secrets = Table(
    "enrolment_secrets",
    metadata,
    Column("id", Words, primary_key=True),
    Column("hash", Words, nullable=False, unique=True),
    Column("group_name", Words, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("ends_at", BigInteger),  # None: it holds until it is revoked
    Column("uses_max", BigInteger),  # None: it enrols any number
    Column("uses", BigInteger, nullable=False, server_default=text("0")),
    Column("last_used_at", BigInteger),
    Column("replaces", Words),  # the one label that it enrols, in place of the live machine's
)

server_keys = Table(
    "server_keys",
    metadata,
    Column("name", Words, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Words, primary_key=True),
    Column("hash", Words, nullable=False, unique=True),
    Column("name", Words, nullable=False),
    Column("role", Words, nullable=False, server_default=text("'viewer'")),  # viewer | operator
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

waivers = Table(
    "waivers",
    metadata,
    Column("id", Words, primary_key=True),
    Column("machine_id", Words, nullable=False),
    Column("code", Words, nullable=False),
    Column("subject", Words),  # None covers all of the code
    Column("reason", Words, nullable=False),
    Column("person", Words, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),  # its end, or when it was taken back
    Column("taken_back_by", Words),
    Index("ix_waivers_machine_id", "machine_id"),
)

reference_machines = Table(
    "reference_machines",
    metadata,
    Column("group_name", Words, primary_key=True),
    Column("machine_id", Words, primary_key=True),
    Column("added_at", BigInteger, primary_key=True),
    Column("removed_at", BigInteger),
)

policy_loads = Table(
    "policy_loads",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("origin", Words, nullable=False),  # the file, as the settings name it
    Column("digest", Words, nullable=False),
    Column("body", Words, nullable=False),
    Column("error", Words),  # why it was refused; the one before stays in force
)

readings = Table(
    "readings",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("source", Words, nullable=False),
    Column("channel", Words, nullable=False),
    Column("version", Words, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Index("ix_readings_source_channel_first_seen", "source", "channel", "first_seen"),
)

releases = Table(
    "releases",
    metadata,
    Column("version", Words, primary_key=True),
    Column("source", Words, primary_key=True),
    Column("published_at", BigInteger),
    Column("build_date", BigInteger),
    Column("commit_id", Words),
    Column("harness_schema", Integer),
    Column("tested_wrappers", Words, nullable=False, server_default=text("''")),  # by spaces
    Column("withdrawn_at", BigInteger),  # the source lists it no longer
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("version", Words, primary_key=True),
    Column("platform", Words, primary_key=True),  # '' for js: one file for all
    Column("form", Words, primary_key=True),
    Column("source", Words, primary_key=True),
    Column("sha256", Words, nullable=False),
    Column("size", BigInteger),
    Column("trust", Words, nullable=False),
    Column("learned_at", BigInteger, nullable=False),
    Index("ix_artifacts_sha256", "sha256"),
)

lookups = Table(
    "lookups",
    metadata,
    Column("version", Words, primary_key=True),
    Column("first_asked_at", BigInteger),
    Column("asked_at", BigInteger, nullable=False),
    Column("answered_at", BigInteger),
    Column("outcome", Words, nullable=False),
    Column("reason", Words),
)

source_health = Table(
    "source_health",
    metadata,
    Column("source", Words, primary_key=True),
    Column("state", Words, nullable=False),  # ok | unreachable
    Column("since", BigInteger, nullable=False),
    Column("read_at", BigInteger),  # last success
    Column("error", Words),
    Column("told_at", BigInteger),  # when the operator was told of the present state
)

conditions = Table(
    "conditions",
    metadata,
    Column("topic", Words, primary_key=True),  # `server.releases.health.Condition.topic`
    Column("kind", Words, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("text", Words, nullable=False),
    Column("told_at", BigInteger),  # when the operator was told of it
)

rings = Table(
    "rings",
    metadata,
    Column("group_name", Words, primary_key=True),  # all its timers are to ring
    Column("reached", Words, nullable=False),  # the last machine's whose did; all rows say the same
)

horizons = Table(
    "horizons",
    metadata,
    Column("kind", Words, primary_key=True),  # history | shares | share minutes | ...
    Column("since", BigInteger, nullable=False),  # from here on it is whole
    # How far pruning came, in the order that its kind is walked in.
    Column("reached", BigInteger, nullable=False, server_default=text("0")),
)

current_numbers = Table(
    "current_numbers",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # 1: there is one row
    *(
        Column(part, BigInteger, nullable=False, server_default=text("0"))
        for part in ("term", "ledger", "policies", "references", "listened", "restores")
    ),
)

restores = Table(
    "restores",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("backed_up_at", BigInteger, nullable=False),
    Column("restored_at", BigInteger),  # None in the backup itself
)
