"""Tables of what we send to Slack: cards and where they stand, other messages, home tabs, and who is sending.

Times are seconds since 1970 by the machines' clocks: they are about processes and Slack's limits, not about operations.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text, text

from bot.storage.database import metadata

_Id = BigInteger().with_variant(Integer, "sqlite")


def _delivery() -> list[Column[object]]:
    """Columns that every row which is to be sent has."""
    return [
        Column("not_before", Float, nullable=False, default=0.0),
        Column("claimed_by", String(64)),
        Column("claimed_until", Float, nullable=False, default=0.0),
        # Set before a post goes out, cleared when its answer is stored: found set, the outcome is unknown.
        Column("sending_since", Float),
        Column("attempts", Integer, nullable=False, default=0),
        Column("problem", Text, nullable=False, default=""),
    ]


slack_cards = Table(
    "slack_cards",
    metadata,
    Column("operation", String(64), primary_key=True),
    Column("channel", String(64)),
    Column("ts", String(32)),
    Column("wanted", Integer, nullable=False),
    Column("sent", Integer, nullable=False, default=-1),
    # News up to this revision do not wait for the pause between two updates: somebody waits for them.
    Column("urgent", Integer, nullable=False, default=-1),
    Column("sent_at", Float, nullable=False, default=0.0),
    *_delivery(),
    # Cards of one lane are posted in the order of their turns; without a lane in any order.
    Column("lane", String(64)),
    Column("turn", _Id),
    Index(
        "ix_slack_cards_lane",
        "lane",
        "turn",
        sqlite_where=text("ts IS NULL AND lane IS NOT NULL"),
        postgresql_where=text("ts IS NULL AND lane IS NOT NULL"),
    ),
    Index(
        "ix_slack_cards_due", "not_before", sqlite_where=text("wanted > sent"), postgresql_where=text("wanted > sent")
    ),
)
"""One row for each card, kept for ever: the message is found by it. Due while `wanted` is above `sent`."""

slack_outbox = Table(
    "slack_outbox",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("lane", String(300), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("failed", Boolean, nullable=False, default=False),
    *_delivery(),
    Index("ix_slack_outbox_lane", "lane", "id"),
)
"""One row for each other message; deleted once sent. Rows of one lane go out in order. Failed rows stay to be seen."""

slack_homes = Table(
    "slack_homes",
    metadata,
    Column("user", String(64), primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("published_at", Float, nullable=False),
)

slack_senders = Table(
    "slack_senders",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("until", Float, nullable=False),
)
"""One row: which replica sends now. Slack's limits are for the whole app, so one replica at a time does the sending."""
