"""A preview of five services and one database, from the question to the receipt, and its end with proof.

Peers and bot are child processes. The peers add no delay of their own, but for what their controllers take to start
pods and a database.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from tests.bench.children import bot, peers
from tests.bench.figures import Figure, figure
from tests.bench.service_create import People

RUNS = 3
WAIT_S = 60
MADE = ("stock", "mail", "search")
SERVICES = ("orders-api", "checkout-web", *MADE)


async def run() -> list[Figure]:
    up, down = [], []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        async with peers(folder) as ready, bot(ready, folder) as (process, _), aiohttp.ClientSession() as http:
            people = People(http, ready)
            for service in MADE:
                await people.create(service, process.pid)
            await _lived(http, ready, "warm-up")
            for number in range(RUNS):
                took_up, took_down = await _lived(http, ready, f"bench-{number}")
                up.append(took_up)
                down.append(took_down)
    many = f"{len(SERVICES)} services and one database"
    return [
        figure("preview_up_ms", up, "ms", better="lower", against=f"{many}: asked for until all of it is ready"),
        figure("preview_down_ms", down, "ms", better="lower", against=f"{many}: asked for until absence is proved"),
    ]


async def _lived(http: aiohttp.ClientSession, ready: dict[str, Any], name: str) -> tuple[float, float]:
    up = await _asked(http, ready, "preview.up", {"document": document(name)})
    return up, await _asked(http, ready, "preview.down", {"name": name})


async def _asked(http: aiohttp.ClientSession, ready: dict[str, Any], command: str, body: dict[str, Any]) -> float:
    """Return how long it took, in milliseconds. Raise `RuntimeError` when it did not succeed."""
    headers = {"Authorization": f"Bearer {ready['api_tokens']['author']}"}
    url = f"{ready['bot']}/api/v1/requests/{command}?wait_s={WAIT_S}"
    begin = time.perf_counter()
    async with http.post(url, json=body, headers=headers, timeout=aiohttp.ClientTimeout(total=2 * WAIT_S)) as response:
        told = await response.json()
    if told.get("state") != "succeeded":
        raise RuntimeError(f"{command}: {told.get('problem') or told}")
    return (time.perf_counter() - begin) * 1000


def document(name: str) -> str:
    services = "".join(f"    - {{name: {one}}}\n" for one in SERVICES)
    return (
        "apiVersion: environments.platform.io/v1\nkind: Environment\n"
        f"metadata: {{name: {name}}}\nspec:\n  ttl: 1d\n  services:\n{services}"
        "  databases:\n    - {type: postgresql, service: orders-api}\n"
    )
