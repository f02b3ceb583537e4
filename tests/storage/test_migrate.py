from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from bot.errors import PlatformError
from bot.storage.database import async_url
from bot.storage.migrate import all_tables, head, upgrade
from tests.peers.postgresql import Cluster


def engine(url: str) -> Engine:
    parsed = async_url(url)
    return create_engine(parsed.set(drivername="sqlite") if parsed.get_backend_name() == "sqlite" else parsed)


def schema(url: str) -> dict[str, Any]:
    """Return what the database says of its own tables."""
    connected = engine(url)
    seen = inspect(connected)
    tables = {
        name: {
            "columns": [(column["name"], str(column["type"]), column["nullable"]) for column in seen.get_columns(name)],
            "primary key": seen.get_pk_constraint(name),
            "unique": sorted(str(one) for one in seen.get_unique_constraints(name)),
            "indexes": sorted(_index(one) for one in seen.get_indexes(name)),
            "foreign keys": sorted(str(one) for one in seen.get_foreign_keys(name)),
        }
        for name in seen.get_table_names()
        if name != "alembic_version"
    }
    connected.dispose()
    return tables


def _index(index: Any) -> str:
    options = {key: str(value) for key, value in index.get("dialect_options", {}).items()}
    return str({**index, "dialect_options": options})


@pytest.fixture
def declared(request: pytest.FixtureRequest, url: str) -> dict[str, Any]:
    """The schema of a database of the same kind that was made from the declarations."""
    other = request.getfixturevalue("postgresql").database() if url.startswith("postgresql") else url + ".declared"
    connected = engine(other)
    all_tables().create_all(connected)
    connected.dispose()
    return schema(other)


def test_a_migrated_database_is_as_declared(url: str, declared: dict[str, Any]) -> None:
    assert upgrade(url)
    assert schema(url) == declared
    assert "operations" in declared


def test_a_second_start_has_nothing_to_do(url: str) -> None:
    upgrade(url)
    assert not upgrade(url)


def test_a_start_with_nothing_to_do_does_not_import_alembic(sqlite_url: str) -> None:
    upgrade(sqlite_url)
    code = (
        "import sys; from bot.storage.migrate import upgrade; "
        "assert not upgrade(sys.argv[1]); assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, sqlite_url], check=True)


def test_replicas_that_start_together_upgrade_once(postgresql: Cluster) -> None:
    url = postgresql.database()
    code = "import sys; from bot.storage.migrate import upgrade; print(upgrade(sys.argv[1]))"
    replicas = [
        subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = [replica.communicate()[0] for replica in replicas]
    assert [replica.returncode for replica in replicas] == [0, 0, 0], said
    assert "operations" in schema(url)


def test_an_older_release_refuses_a_newer_database(sqlite_url: str) -> None:
    upgrade(sqlite_url)
    connected = engine(sqlite_url)
    with connected.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    connected.dispose()
    with pytest.raises(PlatformError, match="revision 9999, which this release"):
        upgrade(sqlite_url)


def test_the_head_is_the_newest_file() -> None:
    assert head().isdecimal()
