"""The cluster of the waiting benchmarks, in a process of its own: `python -m tests.bench.cluster_server FOLDER`.

It holds 2,000 Applications, 200 of them with a service that is rolled out over and over, one minute each, a tenth of
those with containers that crash. Argo CD reconciles each of the others every three minutes, as it does by default.
Prints as JSON how it is reached, the commit that is rolled out and how much happens in a minute; then it plays. Each
line that it is told it answers with how much has happened; it ends when its standard input is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import json
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from playground.kubernetes.objects import Object, Objects
from playground.kubernetes.peer import KubernetesPeer, kubeconfig
from tests.bench.rollout import Recording, Step, recorded

APPLICATIONS = 2000
AWAITED = 200
CRASHES_EACH = 10
"""Every tenth service crashes."""
ROLLOUT_S = 60.0
RECONCILED_EACH_S = 180.0
"""Argo CD's `timeout.reconciliation` until version 3; the jitter of later ones spreads it."""
KEY = ("argoproj.io", "applications")
TOKEN = "sample-token-of-the-bench"
CONTEXT = "main"


class Service:
    """One service that is rolled out again and again."""

    def __init__(self, objects: Objects, recording: Recording) -> None:
        self._objects = objects
        self._before = recording.before
        self._steps = recording.steps
        self._next = 0
        self.pause_s = ROLLOUT_S / len(recording.steps)
        for step in self._before:
            self._take(step)

    def step(self) -> None:
        """Let the next thing happen; after the last one everything is as it was before."""
        if self._next == len(self._steps):
            self._begin_again()
        self._take(self._steps[self._next])
        self._next += 1

    def forward(self, share: float) -> None:
        """Let that share of the rollout have happened."""
        for _ in range(int(share * len(self._steps))):
            self.step()

    def _begin_again(self) -> None:
        first = {_place(step): step for step in self._before}
        for step in {_place(one): one for one in self._steps}.values():
            if _place(step) not in first:
                self._take(Step(step.key, is_gone=True, text=step.text))
            else:
                self._take(first[_place(step)])
        self._next = 0

    def _take(self, step: Step) -> None:
        obj = json.loads(step.text)
        if not step.is_gone:
            self._objects.put(step.key, obj)
        elif self._objects.get(step.key, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]):
            self._objects.remove(step.key, obj)


def _place(step: Step) -> tuple[object, ...]:
    metadata = json.loads(step.text)["metadata"]
    return step.key, metadata.get("namespace", ""), metadata["name"]


class Others:
    """Applications that nobody waits for; Argo CD compares one after the other."""

    pause_s = RECONCILED_EACH_S / (APPLICATIONS - AWAITED)

    def __init__(self, objects: Objects, recording: Recording) -> None:
        self._objects = objects
        (template,) = [step for step in recording.before if step.key == KEY]
        only = Recording((template,), (), recording.commit)
        self._kept = [json.loads(only.of(number).before[0].text) for number in range(AWAITED, APPLICATIONS)]
        self._next = 0
        for obj in self._kept:
            objects.put(KEY, obj)

    def step(self) -> None:
        obj = self._kept[self._next]
        self._next = (self._next + 1) % len(self._kept)
        self._objects.put(KEY, _reconciled(obj))


def _reconciled(obj: Object) -> Object:
    return {**obj, "status": {**obj["status"], "reconciledAt": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}}


class Traffic:
    """Lets everything happen at its time; on a machine with too much to do it falls behind, and can tell."""

    def __init__(self, acting: Sequence[Service | Others]) -> None:
        self._acting = acting
        self.happened = 0

    @property
    def each_minute(self) -> float:
        return sum(60 / one.pause_s for one in self._acting)

    async def play(self) -> None:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        due = [(begin + one.pause_s * number / len(self._acting), number) for number, one in enumerate(self._acting)]
        heapq.heapify(due)
        while True:
            at, number = due[0]
            await asyncio.sleep(max(at - loop.time(), 0))
            self._acting[number].step()
            self.happened += 1
            heapq.heapreplace(due, (at + self._acting[number].pause_s, number))


async def peopled(objects: Objects) -> tuple[Traffic, str]:
    """Fill the cluster; the services stand at all places of their rollouts, so that each second is like any other."""
    usual, crashing = await recorded(), await recorded(crashes=True)
    services = [
        Service(objects, (usual if number % CRASHES_EACH else crashing).of(number)) for number in range(AWAITED)
    ]
    for number, service in enumerate(services):
        service.forward(number / len(services))
    return Traffic([*services, Others(objects, usual)]), usual.commit


async def serve(folder: Path) -> None:
    peer = KubernetesPeer(
        data_dir=folder,
        base_url="http://127.0.0.1",
        clock=lambda: datetime.now(UTC),
        admin_token=TOKEN,
        bot_token=secrets.token_hex(),
    )
    await peer.start()
    traffic, commit = await peopled(peer.store.objects)
    runner = web.AppRunner(peer.application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    (folder / "kubeconfig.json").write_text(kubeconfig(url, TOKEN, context=CONTEXT))
    told = {"kubeconfig": str(folder / "kubeconfig.json"), "commit": commit, "each_minute": traffic.each_minute}
    print(json.dumps(told), flush=True)
    playing = asyncio.create_task(traffic.play())
    while await asyncio.to_thread(sys.stdin.readline):
        print(traffic.happened, flush=True)
        if playing.done():
            break
    playing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await playing
    await runner.cleanup()
    await peer.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
