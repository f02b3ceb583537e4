"""Starts Prometheus, Alertmanager and VictoriaMetrics on loopback ports. Each ends with the run, however that ends."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.peers.control_plane.programs import await_ready, free_ports, running
from tests.peers.tools import need

MONITORING = pytest.mark.xdist_group("monitoring")
"""Everything that uses the shared servers is in one group, so that one worker starts them."""


@contextmanager
def prometheus(folder: Path, configuration: Mapping[str, Any], *, samples: Path | None = None) -> Iterator[str]:
    """Start a Prometheus with its data in `folder`, filled with a file of OpenMetrics; yield its address."""
    program, data = need("prometheus"), folder / "tsdb"
    if samples is not None:
        fill: list[str | Path] = [need("promtool"), "tsdb", "create-blocks-from", "openmetrics", samples, data]
        subprocess.run(fill, check=True, capture_output=True)
    file, (port,) = folder / "prometheus.yml", free_ports(1)
    file.write_text(json.dumps(configuration))  # JSON is YAML
    words: list[str | Path] = [
        *(program, f"--config.file={file}", f"--storage.tsdb.path={data}", "--storage.tsdb.retention.time=10y"),
        *(f"--web.listen-address=127.0.0.1:{port}", "--rules.alert.resend-delay=1s", "--log.level=warn"),
    ]
    with _served(words, folder / "prometheus.log", f"http://127.0.0.1:{port}", "/-/ready") as url:
        yield url


@contextmanager
def alertmanager(folder: Path, configuration: Mapping[str, Any]) -> Iterator[str]:
    """Start an Alertmanager that belongs to no cluster; yield its address."""
    program, file, (port,) = need("alertmanager"), folder / "alertmanager.yml", free_ports(1)
    file.write_text(json.dumps(configuration))
    words: list[str | Path] = [
        *(program, f"--config.file={file}", f"--storage.path={folder / 'alertmanager'}"),
        *(f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=warn"),
    ]
    with _served(words, folder / "alertmanager.log", f"http://127.0.0.1:{port}", "/-/ready") as url:
        yield url


@contextmanager
def victoria_metrics(folder: Path) -> Iterator[str]:
    """Start an empty VictoriaMetrics; yield its address."""
    program, (port,) = need("victoria-metrics"), free_ports(1)
    words: list[str | Path] = [
        *(program, f"-storageDataPath={folder / 'victoria'}", f"-httpListenAddr=127.0.0.1:{port}"),
        *("-retentionPeriod=100y", "-loggerLevel=WARN", "-memory.allowedBytes=64MB"),
    ]
    with _served(words, folder / "victoria-metrics.log", f"http://127.0.0.1:{port}", "/health") as url:
        yield url


def receiver(url: str, token: str) -> dict[str, Any]:
    """Return a configuration of Alertmanager that calls this webhook for everything, as quickly as it can."""
    access = {"authorization": {"type": "Bearer", "credentials": token}}
    hook = {"url": url, "send_resolved": True, "http_config": access}
    route = {
        "receiver": "causeway",
        "group_by": ["alertname", "service"],
        "group_wait": "0s",
        "group_interval": "1s",
        "repeat_interval": "1h",
    }
    return {"route": route, "receivers": [{"name": "causeway", "webhook_configs": [hook]}]}


def call(url: str, body: bytes | None = None, *, kind: str = "application/json") -> bytes:
    """Make one request as a tool other than ours would. Raise `HTTPError` for a refusal."""
    request = urllib.request.Request(url, body, {"Content-Type": kind})  # noqa: S310  # the rig's own address
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  # the same
        content: bytes = answer.read()
        return content


@contextmanager
def _served(words: Sequence[str | Path], log: Path, url: str, path: str) -> Iterator[str]:
    with running(words, log) as process:
        await_ready(process, log, lambda: _answers(url + path))
        yield url


def _answers(url: str) -> bool:
    try:
        call(url)
    except (OSError, urllib.error.URLError):
        return False
    return True
