"""Tables of the catalog: what was read where, so that a start needs no network, and what operations registered."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, String, Table, Text

from bot.storage.database import metadata

catalog_documents = Table(
    "catalog_documents",
    metadata,
    Column("source", String(500), primary_key=True, comment="folder:PATH or github:OWNER/NAME"),
    Column("revision", String(100), nullable=False, comment="hash of the file or tree as it was read"),
    Column("text", Text, nullable=False),
    Column("web_url", String(1000), nullable=False, default=""),
    Column("read_at", DateTime(timezone=True), nullable=False),
)

catalog_locations = Table(
    "catalog_locations",
    metadata,
    Column("location", String(1000), primary_key=True, comment="URL of a catalog-info.yaml"),
    Column("source", String(500), nullable=False, index=True),
    Column("operation", String(64), nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False),
)

catalog_holders = Table(
    "catalog_holders",
    metadata,
    Column("ref", String(400), primary_key=True, comment="full reference of an entity"),
    Column("source", String(500), nullable=False, comment="the file that declared it first, and so stands"),
    Column("since", DateTime(timezone=True), nullable=False),
)
