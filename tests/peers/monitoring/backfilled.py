"""A real Prometheus that holds the samples of the playground's formulas: written as OpenMetrics, turned into blocks."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from playground.monitoring.prometheus.labels import NAME, quoted, value_of
from playground.monitoring.prometheus.promql.numbers import plain
from playground.monitoring.prometheus.storage import Storage
from tests.peers.tools import need

START_S = 30.0


def write(storage: Storage, begin: int, end: int, to: TextIO) -> int:
    """Write every sample from `begin` to `end`, in milliseconds; return how many that were."""
    count = 0
    for series in sorted(storage.everything(), key=lambda one: one.labels):
        inner = ",".join(f"{name}={quoted(value)}" for name, value in series.labels if name != NAME)
        head = f"{value_of(series.labels, NAME)}{{{inner}}}"
        for at, value in zip(*series.window(begin, end), strict=True):
            to.write(f"{head} {plain(value)} {at / 1000:.3f}\n")
            count += 1
    to.write("# EOF\n")
    return count


class Real:
    """Asks over HTTP. An error is answered too: its status."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, **given: str) -> tuple[int, Any]:
        body = urllib.parse.urlencode(given).encode()
        try:
            url = f"{self.url}/api/v1/{path}"
            with urllib.request.urlopen(url, body, timeout=60) as answer:  # noqa: S310  # of the server on loopback
                return answer.status, json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


@contextmanager
def prometheus(samples: Path, folder: Path) -> Iterator[Real]:
    """Start one on these samples, and stop it at the end."""
    data = folder / "tsdb"
    command: list[str | Path] = [need("promtool"), "tsdb", "create-blocks-from", "openmetrics", samples, data]
    subprocess.run(command, check=True, capture_output=True)
    configuration = folder / "prometheus.yml"
    configuration.write_text("scrape_configs: []\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [
            need("prometheus"),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=10y",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ]
    )
    try:
        real = Real(f"http://127.0.0.1:{port}")
        _await_ready(real, server)
        yield real
    finally:
        server.terminate()
        server.wait(START_S)


def _await_ready(real: Real, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert server.poll() is None, "it ended"
        try:
            with urllib.request.urlopen(f"{real.url}/-/ready", timeout=5):  # noqa: S310  # as above
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)  # it tells nobody when it is ready
    raise AssertionError("it does not become ready")
