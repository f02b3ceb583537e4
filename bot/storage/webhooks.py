"""Deliveries of webhooks: stored before they are answered, worked on afterwards, each once."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text, text

from bot.storage.database import metadata

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("source", String(32), primary_key=True, comment="github"),
    Column("delivery", String(100), primary_key=True, comment="the sender's id; a redelivery carries the same"),
    Column("event", Text, nullable=False, comment="the typed event as JSON, with its class name"),
    Column("received_at", Float, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("done_at", Float),
)
Index(
    "ix_webhook_deliveries_waiting",
    webhook_deliveries.c.received_at,
    sqlite_where=text("done_at IS NULL"),
    postgresql_where=text("done_at IS NULL"),
)
