"""Table of the book: what was made for a while, and when its absence was proved.

Times are seconds since 1970 as floating point numbers. A line is never deleted.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Table, Text, text

from bot.storage.database import metadata

environments = Table(
    "environments",
    metadata,
    Column("kind", Text, primary_key=True),  # preview, database
    Column("cluster", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("operation", Text, primary_key=True),  # that made it: the same name may be made again
    Column("namespace", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("owner", Text, nullable=False),  # full reference of the person whose it is
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("ended_at", Float),
    Column("holds", Text, nullable=False),  # JSON object
)
Index(
    "ix_environments_standing",
    environments.c.created_at,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)
