"""Tables of the inbound half of the Slack door: what Slack handed us, who people are, forms being filled in.

Times are seconds since 1970 as floating point numbers: they are compared by the clock that the process was given.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, Table, Text, text

from bot.storage.database import metadata

WAITING, DONE, GIVEN_UP = 0, 1, 2
"""States of an inbox row."""

inbox = Table(
    "slack_inbox",
    metadata,
    Column("key", Text, primary_key=True),  # what makes a delivery the same delivery
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),  # as Slack sent it; emptied once the work is done
    Column("received_at", Float, nullable=False),
    Column("state", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("holder", Text, nullable=False),  # the batch or the recovery that holds the lease
)
Index(
    "ix_slack_inbox_waiting",
    inbox.c.lease_until,
    sqlite_where=text("state = 0"),
    postgresql_where=text("state = 0"),
)

identities = Table(
    "slack_identities",
    metadata,
    Column("team", Text, primary_key=True),
    Column("user", Text, primary_key=True),
    Column("email", Text, nullable=False),  # empty where the person is refused
    Column("name", Text, nullable=False),
    Column("refusal", Text, nullable=False),  # the reason's name; empty where the person is welcome
    Column("checked_at", Float, nullable=False),
)

drafts = Table(
    "slack_drafts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("team", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("channel", Text, nullable=False),  # empty where there was none
    Column("command", Text, nullable=False),
    Column("words", Text, nullable=False),  # JSON list: what was typed after the command
    Column("page", Integer, nullable=False),
    Column("form_values", Text, nullable=False),  # JSON object
    Column("state", Text, nullable=False),
    Column("asked", Text, nullable=False),  # JSON of `Asked` once submitted
    Column("expires_at", Float, nullable=False, index=True),
)
