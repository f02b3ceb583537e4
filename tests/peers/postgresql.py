"""A private PostgreSQL cluster for tests: a Unix socket in a temporary folder, no network, gone with its parent."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

START_S = 60.0
PR_SET_PDEATHSIG = 1


class Cluster:
    """A running server. `database()` makes an empty database and returns its URL."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._numbers = count(1)

    def database(self) -> str:
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        with psycopg.connect(host=str(self._socket), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return f"postgresql://postgres@/{name}?host={self._socket}"


@contextmanager
def cluster(binaries: Path) -> Iterator[Cluster]:
    """Start a server from `binaries` (the folder with `initdb`) and stop it at the end.

    The kernel stops it as well when this process dies without an end.
    """
    folder = Path(tempfile.mkdtemp(prefix="causeway-pg-"))
    server: subprocess.Popen[bytes] | None = None
    try:
        user = _unprivileged(folder)
        initdb = [str(binaries / "initdb"), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "--no-sync"]
        subprocess.run(
            [*initdb, "--locale=C.UTF-8", "-E", "UTF8"], user=user, cwd=folder, check=True, capture_output=True
        )
        server = _serve(binaries, folder, user)
        _await_ready(folder, server)
        yield Cluster(folder)
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)
            server.wait(START_S)
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged(folder: Path) -> str | None:
    """PostgreSQL refuses to run as root: return the user to become, and give them the folder."""
    if os.geteuid() != 0:
        return None
    name = next(name for name in ("postgres", "nobody") if _known(name))
    shutil.chown(folder, name)
    return name


def _known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _serve(binaries: Path, folder: Path, user: str | None) -> subprocess.Popen[bytes]:
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "fsync": "off",
        "full_page_writes": "off",
        "shared_buffers": "16MB",
        "max_connections": "60",
        "logging_collector": "off",
    }
    settings = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
    with (folder / "log").open("wb") as output:
        return subprocess.Popen(
            [str(binaries / "postgres"), "-D", str(folder / "data"), *settings],
            user=user,
            cwd=folder,
            stdout=output,
            stderr=output,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  # tests start it before any thread of their own
        )


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def _await_ready(folder: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((folder / "log").read_text(errors="replace")) from None
            time.sleep(0.05)  # the server says nowhere that it is ready, except by answering
        else:
            return
