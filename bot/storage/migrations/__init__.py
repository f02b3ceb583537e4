"""Alembic's revisions of the database, and what Alembic needs to run them (see `bot/storage/migrate.py`)."""
