"""The same watches with nothing behind them: `python -m tests.bench.bare_watches KUBECONFIG COUNT`.

It opens what the waits of COUNT services open, reads every line and parses it, which nobody can do without who follows
a cluster in Python. Prints `going` once every watch is open; ends when its standard input is closed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp

from integrations.kubernetes.feed import ROUND_S
from tests.bench.rollout import ENVIRONMENT, name_of


def paths(count: int) -> Iterator[str]:
    yield "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
    for number in range(count):
        namespace = f"{name_of(number)}-{ENVIRONMENT}"
        yield f"/apis/apps/v1/namespaces/{namespace}/deployments"
        yield f"/api/v1/namespaces/{namespace}/pods"


async def read(http: aiohttp.ClientSession, path: str, is_open: asyncio.Event) -> None:
    version = ""
    while True:
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(ROUND_S),
            "resourceVersion": version,
        }
        async with http.get(path, params=query) as answer:
            is_open.set()
            async for line in answer.content:
                version = json.loads(line)["object"]["metadata"]["resourceVersion"]


async def main(url: str, token: str, count: int) -> None:
    async with aiohttp.ClientSession(
        url,
        headers={"Authorization": f"Bearer {token}"},
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=None),
        read_bufsize=2**21,
    ) as http:
        watches = [(path, asyncio.Event()) for path in paths(count)]
        tasks = [asyncio.create_task(read(http, *watch)) for watch in watches]
        for _, is_open in watches:
            await is_open.wait()
        print("going", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        if ended := next((task for task in tasks if task.done()), None):
            raise RuntimeError("A watch has ended by itself.") from ended.exception()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    access = json.loads(Path(sys.argv[1]).read_text())
    asyncio.run(main(access["clusters"][0]["cluster"]["server"], access["users"][0]["user"]["token"], int(sys.argv[2])))
