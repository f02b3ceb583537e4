"""Tables of the operations room: operations, their buttons, the ledger, and who does the duties that one does for all.

Times are seconds since 1970 as floating point numbers. JSON is stored as text: it is written and read whole.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, Table, Text, text

from bot.storage.database import metadata

operations = Table(
    "operations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("command", Text, nullable=False),
    Column("user", Text, nullable=False, index=True),  # full entity reference of who asked
    Column("asked", Text, nullable=False),  # JSON of `Asked`
    Column("state", Text, nullable=False, index=True),
    Column("stage", Text, nullable=False),  # what a run has to do next
    Column("reason", Text),
    Column("cause", Text, nullable=False),  # why it did not succeed, before what that led to
    Column("problem", Text, nullable=False),
    Column("plan", Text),  # JSON of `Plan`
    Column("digest", Text),
    Column("need", Text),  # JSON of `Need`
    Column("approvals", Text, nullable=False),  # JSON list of `Approval`
    Column("voided", Text, nullable=False),  # JSON list of `Voided`
    Column("steps", Text, nullable=False),  # JSON list of `StepRecord`
    Column("buttons", Text, nullable=False),  # JSON object: action → id
    Column("undo_by", Text),  # JSON of `Principal`: who asked a running operation to stop and undo
    Column("created_at", Float, nullable=False, index=True),
    Column("updated_at", Float, nullable=False),
    Column("due_at", Float),  # expiry of the approval, or next try of a stuck undo
    Column("revision", Integer, nullable=False),
    # The lease. Only the holder of the current token may write what a run writes; null expiry: no run is wanted.
    Column("lease_token", Integer, nullable=False),
    Column("lease_holder", Text, nullable=False),
    Column("lease_until", Float),
    Column("keep_by", Text),  # JSON of `Principal`: who ended the wait for a step that is stuck
    Column("patience", Text),  # JSON of `Patience`
    Column("lane", Text),  # operations of one lane run one after the other
    Column("behind", Text),  # JSON of `Behind`: which of them has to end first
)
Index(
    "ix_operations_due",
    operations.c.due_at,
    sqlite_where=text("due_at IS NOT NULL"),
    postgresql_where=text("due_at IS NOT NULL"),
)
Index(
    "ix_operations_lease",
    operations.c.lease_until,
    sqlite_where=text("lease_until IS NOT NULL"),
    postgresql_where=text("lease_until IS NOT NULL"),
)

Index(
    "ix_operations_lane",
    operations.c.lane,
    sqlite_where=text("lane IS NOT NULL"),
    postgresql_where=text("lane IS NOT NULL"),
)

agenda = Table(
    "agenda",
    metadata,
    Column("id", Text, primary_key=True),
    Column("due_at", Float, nullable=False, index=True),
    Column("command", Text, nullable=False),
    Column("request", Text, nullable=False),  # JSON of the request
    Column("principal", Text, nullable=False),  # JSON of `Principal`: in whose name it is asked
)

buttons = Table(
    "operation_buttons",
    metadata,
    Column("id", Text, primary_key=True),
    Column("operation", Text, nullable=False, index=True),
    Column("action", Text, nullable=False),
    Column("digest", Text, nullable=False),  # of the plan that stood beside the button
    Column("created_at", Float, nullable=False),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    # SQLite counts up by itself only in a column that is called INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("door", Text, nullable=False),
    Column("operation", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),  # canonical JSON
    # Filled by the sealer, once: the place in the chain and the hash of everything up to here.
    Column("number", BigInteger, unique=True),
    Column("hash", Text),
    sqlite_autoincrement=True,  # the id of a deleted entry is never given again
)
Index(
    "ix_ledger_entries_unsealed",
    ledger_entries.c.id,
    sqlite_where=text("number IS NULL"),
    postgresql_where=text("number IS NULL"),
)

ledger_heads = Table(
    "ledger_heads",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("head", Text, nullable=False),  # JSON of `Head`, signed
    Column("published_at", Float),
)

duties = Table(
    "duties",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", Float, nullable=False),
)
