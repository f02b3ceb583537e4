"""Brings the database to the schema of this release.

`upgrade(url)` is called at every start and costs one query when there is nothing to do. A developer who has changed a
table in `bot/storage/` writes the revision with `python -m bot.storage.migrate "What changed"`; it is generated from
the tables as they are declared. A revision that has landed is never edited: databases made with it count as current.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, inspect, text
from sqlalchemy.engine import URL

import bot.storage
from bot.errors import PlatformError
from bot.storage.database import async_url, metadata

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).with_name("migrations")


def head() -> str:
    """Return the number of the newest revision, `0001` and up. Read from the file names: Alembic is slow to import."""
    revisions = sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))
    return revisions[-1] if revisions else ""


def upgrade(url: str) -> bool:
    """Bring the database at `url` to the newest revision; return whether anything had to be done.

    Raise `PlatformError` when a newer release has already changed the database.
    """
    with _connected(async_url(url)) as connection:
        stored, newest = _stored(connection), head()
        if stored == newest:
            return False
        if stored > newest:
            raise PlatformError(
                f"The database is at revision {stored}, which this release (revision {newest}) does not know.",
                hint="Start the newer release, or restore the backup that was made before the upgrade.",
            )
        from alembic import command  # noqa: PLC0415  # a fifth of a second that most starts can do without

        command.upgrade(_config(connection), "head")
        return True


def all_tables() -> MetaData:
    """Return the metadata with the tables of every room declared on it."""
    for module in pkgutil.iter_modules(bot.storage.__path__):
        if module.name not in ("migrate", "migrations"):
            importlib.import_module(f"bot.storage.{module.name}")
    return metadata


def write_revision(message: str) -> Path:
    """Write the revision that leads from the last one to the tables as they are declared now; return its file."""
    from alembic import command  # noqa: PLC0415  # as above

    with _connected(URL.create("sqlite")) as connection:
        config = _config(connection)
        if head():
            command.upgrade(config, "head")
        number = f"{int(head() or 0) + 1:04}"
        script: Any = command.revision(config, message, autogenerate=True, rev_id=number)
    file = Path(script.path)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.lstrip().startswith("# ###")))  # Alembic's own remarks
    return file


def _stored(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none() or ""


def _config(connection: Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415  # as above

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _connected(url: URL) -> Iterator[Connection]:
    """One transaction on a blocking connection. On SQLite it holds the write lock from the start."""
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url.set(drivername="sqlite") if sqlite else url)
    if sqlite:
        _let_us_begin(engine)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _let_us_begin(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout=10000")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


if __name__ == "__main__":
    sys.stdout.write(f"{write_revision(' '.join(sys.argv[1:]) or 'Initial tables')}\n")
