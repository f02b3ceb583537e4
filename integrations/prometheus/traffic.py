"""What Prometheus has counted at the ingress controller.

The client blocks, so it works in a small pool of threads of its own, and every call ends in bounded time: it repeats
nothing, and whoever waits is let go when the time is over.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from math import ceil
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from bot.errors import UpstreamUnavailable
from bot.ports import Clock

if TYPE_CHECKING:
    from prometheus_api_client import PrometheusConnect

THREADS = 2
TIMEOUT_S = 5.0
"""Of one call, in seconds. The server is told the same, so that it does not work on for nobody."""
SHORTEST_S = 300
"""A range below a few scrapes would hold no two samples, in seconds."""
QUERY = Path(__file__).resolve().parents[2] / "manifests" / "queries" / "ingress_requests.promql"


class PrometheusTraffic:
    """Satisfies `bot.ports.Traffic`."""

    def __init__(self, url: str, *, clock: Clock, opened: Callable[[str], PrometheusConnect]) -> None:
        self._url = url
        self._clock = clock
        self._opened = opened
        self._client: PrometheusConnect | None = None
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="prometheus")
        self._query = Template(QUERY.read_text())

    async def requests_since(self, hosts: Collection[str], since: datetime) -> int | None:
        now = self._clock()
        seconds = max(int((now - since).total_seconds()), SHORTEST_S)
        query = self._query.substitute(hosts=matcher(hosts), range=f"{seconds}s")
        work = asyncio.get_running_loop().run_in_executor(self._pool, self._ask, query, now.timestamp())
        try:
            async with asyncio.timeout(TIMEOUT_S * 2):  # the client's own limit is for each read, not for all
                found = await work
        except TimeoutError as error:
            raise UpstreamUnavailable("Prometheus did not answer in time.") from error
        return _sum(found)

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)

    def _ask(self, query: str, at: float) -> Any:
        from prometheus_api_client.exceptions import PrometheusApiClientException  # noqa: PLC0415  # few need it
        from requests import RequestException  # noqa: PLC0415  # nor this, which takes 0.1 s

        if self._client is None:
            self._client = self._opened(self._url)
        params = {"time": f"{at:.3f}", "timeout": f"{TIMEOUT_S:g}s"}
        try:
            return self._client.custom_query(query, params=params, timeout=int(TIMEOUT_S))
        except PrometheusApiClientException as error:  # its text holds the server's whole answer
            raise UpstreamUnavailable("Prometheus could not answer a query.") from error
        except RequestException as error:
            raise UpstreamUnavailable("Prometheus cannot be reached.") from error
        except (KeyError, ValueError) as error:
            raise UpstreamUnavailable("Prometheus answered something that is no result.") from error


def connect(url: str, *, clock: Clock) -> PrometheusTraffic:
    """Return the port for the server at that address. Nothing is sent before the first question."""
    return PrometheusTraffic(url.rstrip("/"), clock=clock, opened=_open)


def matcher(hosts: Collection[str]) -> str:
    """Return a regular expression that fits exactly these names, as PromQL writes a text: nothing can break out."""
    return json.dumps("|".join(re.escape(host) for host in sorted(hosts)))


def _open(url: str) -> PrometheusConnect:
    from prometheus_api_client import PrometheusConnect  # noqa: PLC0415  # few need it, and starting must be quick
    from urllib3 import Retry  # noqa: PLC0415  # as above

    return PrometheusConnect(url=url, retry=Retry(total=0))


def _sum(found: Any) -> int | None:
    """Return the value of the one series there is, rounded up: a part of a request is one."""
    if not isinstance(found, list) or not found:
        return None
    try:
        return ceil(float(found[0]["value"][1]))
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise UpstreamUnavailable("Prometheus answered something that is no result.") from error
