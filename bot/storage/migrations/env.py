"""Run by Alembic: applies revisions on the connection that `bot/storage/migrate.py` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

from bot.storage.migrate import all_tables

UPGRADE_LOCK = 4_720_001
"""PostgreSQL's advisory lock: replicas that start together upgrade one after the other."""


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=all_tables(),
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
        context.run_migrations()


run(context.config.attributes["connection"])
