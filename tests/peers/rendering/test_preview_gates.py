"""The scripts that hold a service back until its data is masked, run by a real `psql` against a real PostgreSQL."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from bot.rendering.environments import read_environment
from bot.rendering.previews import render_preview
from tests.peers.postgresql import Cluster, cluster
from tests.peers.tools import need
from tests.rendering.test_preview_databases import BOTH, HEAD, MASKING, PERSONAL, platform

GENEROUS_S = 120


def path() -> str:
    """Where `psql` is found: beside the server."""
    return f"{need('postgresql')}:{os.environ['PATH']}"


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Cluster]:
    with cluster(need("postgresql")) as found:
        yield found


@pytest.fixture
def database(postgresql: Cluster) -> str:
    """A database whose owner is nobody special, as CloudNativePG makes it."""
    url = postgresql.database()
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname
        if connection.execute("select from pg_roles where rolname = 'app'").fetchone() is None:
            connection.execute("create role app login")
        connection.execute(f"alter database {name} owner to app")
    return url.replace("postgres@", "app@")


def scripts() -> dict[str, Any]:
    """Return the containers of ours: who waits for the server, who marks, and who waits for the mark."""
    text = f"{HEAD}spec: {{services: [{{name: a}}], databases: [{{seedFrom: staging}}]}}\n"
    objects: Any = render_preview(read_environment(text), BOTH, platform(PERSONAL, masking=MASKING))
    found = {(obj["kind"], obj["metadata"]["name"].partition("-")[0]): obj for obj in objects}
    job = found["Job", "a"]["spec"]["template"]["spec"]
    return {
        "server": job["initContainers"][0],
        "mark": job["containers"][0],
        "gate": found["Deployment", "a"]["spec"]["template"]["spec"]["initContainers"][0],
    }


def started(container: Any, url: str) -> subprocess.Popen[bytes]:
    token = next(one["value"] for one in container["env"] if one["name"] == "TOKEN")
    env = {"PATH": path(), "DATABASE_URL": url, "TOKEN": token}
    return subprocess.Popen(container["command"], env=env)


def test_a_service_waits_until_the_job_has_marked_the_database(database: str) -> None:
    ours = scripts()
    gate = started(ours["gate"], database)
    try:
        assert started(ours["server"], database).wait(GENEROUS_S) == 0
        assert gate.poll() is None, "nothing has marked it yet"
        for _ in range(2):  # a pod of the job may run again
            assert started(ours["mark"], database).wait(GENEROUS_S) == 0
        assert gate.wait(GENEROUS_S) == 0
    finally:
        gate.kill()
        gate.wait()
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from causeway.prepared").fetchone() == (1,)


def test_another_mark_is_not_enough(database: str) -> None:
    ours = scripts()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create schema causeway")
        connection.execute("create table causeway.prepared (token text primary key)")
        connection.execute("insert into causeway.prepared values ('of other rules')")
    looked = subprocess.run(
        ["sh", "-c", ours["gate"]["command"][2].replace("sleep 2", "exit 3")],
        env={"PATH": path(), "DATABASE_URL": database, "TOKEN": "of these"},
        check=False,
        timeout=GENEROUS_S,
    )
    assert looked.returncode == 3


def test_a_job_that_cannot_mark_fails(database: str) -> None:
    gone = database.replace("app@", "nobody@")
    assert started(scripts()["mark"], gone).wait(GENEROUS_S) != 0
