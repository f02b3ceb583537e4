"""The cluster of the teardown benchmarks, in a process of its own: `python -m tests.bench.preview_cluster FOLDER
PREVIEWS OBJECTS`.

It holds so many previews, each a namespace with a service, and so many objects of ours beside them. Prints as JSON how
it is reached; each line that it is told it answers with how many requests it has had, and how many in its busiest
second. It ends when its standard input is closed.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.ports import Cluster, Object
from integrations.kubernetes import connect
from playground.kubernetes.peer import KubernetesPeer, kubeconfig
from playground.kubernetes.store import Store

TOKEN = "sample-token-of-the-bench"
CONTEXT = "main"
MANAGED = {"app.kubernetes.io/managed-by": "causeway"}
RELEASE_TEXT = "x" * 2000
"""What a release holds; a sweep that read it would need the memory for it."""


def preview(number: int) -> str:
    return f"pr-{number}"


async def bring_up(cluster: Cluster, previews: int) -> None:
    """Make them as anybody would, through the API."""
    for number in range(previews):
        for obj in parts(preview(number)):
            await cluster.apply(obj)


def parts(name: str) -> Iterator[Object]:
    namespace = name  # as the namespace of a preview is called
    labels = {**MANAGED, "causeway.io/preview": name, "causeway.io/inventory": f"preview.{name}"}
    path: Any = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}
    rules: Any = [{"host": f"web.{name}.example.com", "http": {"paths": [path]}}]
    yield obj("v1", "Namespace", namespace, labels)
    yield obj("v1", "ConfigMap", "causeway-release-preview", MANAGED, namespace, data={"release.yaml": RELEASE_TEXT})
    yield obj("v1", "Service", "web", MANAGED, namespace, spec={"ports": [{"port": 80}]})
    yield obj("networking.k8s.io/v1", "Ingress", "web", MANAGED, namespace, spec={"rules": rules})


def crowd(store: Store, objects: int) -> None:
    """Put so many objects of ours into one namespace: releases of previews, and databases of services."""
    store.create(dict(obj("v1", "Namespace", "services", MANAGED)))
    for number in range(objects):
        name, data = f"one-{number}", {"release.yaml": RELEASE_TEXT}
        if number % 2:
            labels = {**MANAGED, "causeway.io/service": "orders-api", "causeway.io/environment": "staging"}
            spec: Any = {"instances": 1, "storage": {"size": "1Gi"}}
            made = obj("postgresql.cnpg.io/v1", "Cluster", name, labels, "services", spec=spec)
        else:
            labels = {**MANAGED, "causeway.io/service": "preview", "causeway.io/environment": preview(number % 2000)}
            made = obj("v1", "ConfigMap", name, labels, "services", data=data)
        store.create(dict(made))


def obj(
    api_version: str, kind: str, name: str, labels: Mapping[str, str], namespace: str = "", **content: Any
) -> Object:
    metadata: Any = {"name": name, "labels": dict(labels), **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


class Counting:
    """Counts requests, and those of each second."""

    def __init__(self) -> None:
        self.total = 0
        self._seconds: Counter[int] = Counter()

    @web.middleware
    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.total += 1
        self._seconds[int(asyncio.get_running_loop().time())] += 1
        return await handler(request)

    def told(self) -> str:
        return json.dumps({"requests": self.total, "busiest": max(self._seconds.values(), default=0)})


async def serve(folder: Path, previews: int, objects: int) -> None:
    peer = KubernetesPeer(
        data_dir=folder,
        base_url="http://127.0.0.1",
        clock=lambda: datetime.now(UTC),
        admin_token=TOKEN,
        bot_token=secrets.token_hex(),
        # Its controllers delete what is in a namespace; a sweep needs none.
        pullable=(lambda _image: True) if previews else None,
    )
    await peer.start()
    if objects:
        crowd(peer.store, objects)
    counting = Counting()
    application = peer.application()
    application.middlewares.append(counting.__call__)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    (folder / "kubeconfig.json").write_text(kubeconfig(url, TOKEN, context=CONTEXT))
    cluster = connect(str(folder / "kubeconfig.json"), {"default": CONTEXT})["default"]
    await bring_up(cluster, previews)
    await cluster.close()
    print(json.dumps({"kubeconfig": str(folder / "kubeconfig.json")}), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(counting.told(), flush=True)
    await runner.cleanup()
    await peer.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
