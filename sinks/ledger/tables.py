"""The tables of the ledger, for SQLite and PostgreSQL alike. Times are epoch milliseconds, structures are JSON text."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    false,
)

metadata = MetaData()
_SERIAL = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER

# One row per command: claimed before its first request, settled with its result.
effects = Table(
    "effects",
    metadata,
    Column("command_id", String(64), primary_key=True),
    Column("merchant", String(64), nullable=False),
    Column("system", String(32), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # claimed, settled
    Column("epoch", Integer, nullable=False),
    Column("idempotency_key", String(64), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_sent_ms", BigInteger),  # not null: from here on a request may have gone out
    Column("failing_since_ms", BigInteger),
    Column("notes", Text, nullable=False),
    Column("outcome", String(32)),
    Column("external_ids", Text, nullable=False),
    Column("result", LargeBinary),
    Column("claimed_by", String(64)),
    Column("claim_until_ms", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("batch_id", String(64)),  # it goes out with others, in this batch and in no other way
    Column("alone", Boolean, nullable=False, server_default=false()),  # its batch was refused: no second one
    Index("effects_by_state", "system", "state", "updated_ms"),
    Index("effects_by_batch", "batch_id"),
)

# The command that a unit's money moves with: another one that names the unit is refused.
paid_units = Table(
    "paid_units",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("command_id", String(64), nullable=False),
)

# One request for the effects that are bound to it, written down before it is sent: whoever repeats it sends this body.
# Its id is also the key by which the system recognises the repeat.
batches = Table(
    "batches",
    metadata,
    Column("batch_id", String(64), primary_key=True),
    Column("merchant", String(64), nullable=False),
    Column("system", String(32), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("reference", Text, nullable=False),  # how the system names it to people
    Column("members", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # open, applied, refused, unsent
    Column("external_ids", Text, nullable=False),
    Column("moved", Text, nullable=False),  # targets that the answer lists
    Column("held_by", String(64)),
    Column("held_until_ms", BigInteger, nullable=False),
    Column("sends", Integer, nullable=False),
    Column("first_sent_ms", BigInteger),  # not null: from here on a request may have gone out
    Column("updated_ms", BigInteger, nullable=False),
)

# A key that cannot go on; its commands wait in parked_commands, in order.
parked_lanes = Table(
    "parked_lanes",
    metadata,
    Column("system", String(32), nullable=False),
    Column("key", Text, nullable=False),
    Column("merchant", String(64), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("held_by", String(64)),
    Column("held_until_ms", BigInteger, nullable=False),  # of one that nobody holds: when it was let go
    PrimaryKeyConstraint("system", "key"),
    Index("parked_lanes_by_due", "system", "merchant", "due_ms"),
)

parked_commands = Table(
    "parked_commands",
    metadata,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("system", String(32), nullable=False),
    Column("key", Text, nullable=False),
    Column("merchant", String(64), nullable=False),
    Column("command_id", String(64), nullable=False),
    Column("topic", String(249), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("timestamp_ms", BigInteger, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("headers", Text, nullable=False),
    Column("parked_ms", BigInteger, nullable=False),
    Index("parked_commands_by_key", "system", "key", "seq"),
    Index("parked_commands_by_command", "command_id"),
    sqlite_autoincrement=True,
)

# A merchant's system ("*": every merchant's) to which nothing is sent until a probe or a person clears it.
paused = Table(
    "paused",
    metadata,
    Column("system", String(32), nullable=False),
    Column("merchant", String(64), nullable=False),
    Column("code", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("probe_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("system", "merchant"),
)

# What a person has paused ("*": every system, every merchant); nothing but a person's word ends it.
held = Table(
    "held",
    metadata,
    Column("system", String(32), nullable=False),
    Column("merchant", String(64), nullable=False),
    Column("why", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("system", "merchant"),
)

quotas = Table(
    "quotas",
    metadata,
    Column("merchant", String(64), nullable=False),
    Column("system", String(32), nullable=False),
    Column("name", String(32), nullable=False),
    Column("tokens", Float, nullable=False),
    Column("capacity", Float, nullable=False),
    Column("per_second", Float, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("blocked_until_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("merchant", "system", "name"),
)

# What each process has leased and not yet reported as spent; forgotten when it stops reporting.
quota_leases = Table(
    "quota_leases",
    metadata,
    Column("merchant", String(64), nullable=False),
    Column("system", String(32), nullable=False),
    Column("name", String(32), nullable=False),
    Column("holder", String(80), nullable=False),
    Column("tokens", Float, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("merchant", "system", "name", "holder"),
)

# What was used of a quota that is granted for a period, by hour since the epoch and by what it was used for.
quota_uses = Table(
    "quota_uses",
    metadata,
    Column("merchant", String(64), nullable=False),
    Column("system", String(32), nullable=False),
    Column("name", String(32), nullable=False),
    Column("hour", BigInteger, nullable=False),
    Column("priority", String(16), nullable=False),
    Column("calls", Float, nullable=False),
    PrimaryKeyConstraint("merchant", "system", "name", "hour", "priority"),
)

# How far a source has read, and what it has seen already (streams/sources).
source_cursors = Table(
    "source_cursors",
    metadata,
    Column("merchant", String(64), nullable=False),
    Column("system", String(32), nullable=False),
    Column("name", String(64), nullable=False),
    Column("position", Text, nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("merchant", "system", "name"),
)

source_seen = Table(
    "source_seen",
    metadata,
    Column("merchant", String(64), nullable=False),
    Column("system", String(32), nullable=False),
    Column("resource", String(200), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("seen_at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("merchant", "system", "resource"),
    Index("source_seen_by_age", "seen_at_ms"),
)
