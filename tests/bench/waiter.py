"""Who waits, in a process of its own: `python -m tests.bench.waiter KUBECONFIG COMMIT COUNT`.

With a COUNT, so many deploys wait until their service is healthy, with the adapters of production; with 0, one
Application is followed. Prints `ready` before anything is opened and begins when it is told a line; prints `going` once
it has been told how things are; ends when its standard input is closed.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

from bot.effects import AwaitHealthy
from bot.model.effect import Run
from bot.model.principal import Principal
from bot.ports import Ports
from bot.terminal.serve import stay
from bot.waiting import LocalWaiting
from integrations.argocd import ApplicationResources
from integrations.kubernetes import connect
from tests.bench.cluster_server import CONTEXT
from tests.bench.rollout import AFTER, ENVIRONMENT, image, name_of
from tests.fakes.catalog import FakeCatalog
from tests.fakes.forge import FakeForge

CLUSTER = "main"
PERSON = Principal(user="user:default/author", display_name="Author")


class Card:
    """Hears how one wait gets on."""

    def __init__(self) -> None:
        self.told = asyncio.Event()

    async def __call__(self, text: str, *, stalled: bool = False) -> None:
        self.told.set()


def waiting(number: int, commit: str) -> AwaitHealthy:
    service = name_of(number)
    return AwaitHealthy(
        id="await",
        service=service,
        environment=ENVIRONMENT,
        cluster=CLUSTER,
        namespace=f"{service}-{ENVIRONMENT}",
        application=f"{service}-{ENVIRONMENT}",
        revision=commit,
        image=image(AFTER, service),
    )


async def wait_for_all(ports: Ports, count: int, commit: str) -> list[asyncio.Task[object]]:
    """Begin to wait; return once each has told how far its service is."""
    cards = [Card() for _ in range(count)]
    tasks: list[asyncio.Task[object]] = []
    for number, card in enumerate(cards):
        run = Run(operation=f"op-{number}", effect="await", principal=PERSON, now=datetime.now(UTC), report=card)
        tasks.append(asyncio.create_task(waiting(number, commit).apply(ports, run)))
    for card in cards:
        await card.told.wait()
    return tasks


async def follow_one(deployments: ApplicationResources) -> list[asyncio.Task[object]]:
    """Follow one Application: the watch is of all of them. Return once it was told."""
    told = asyncio.Event()

    async def follow() -> None:
        async for _ in deployments.follow(f"{name_of(0)}-{ENVIRONMENT}"):
            told.set()

    task: asyncio.Task[object] = asyncio.create_task(follow())
    await told.wait()
    return [task]


async def main(kubeconfig: str, commit: str, count: int) -> None:
    clusters = connect(kubeconfig, {CLUSTER: CONTEXT})
    deployments = ApplicationResources(clusters[CLUSTER])
    ports = Ports(
        forge=FakeForge(), catalog=FakeCatalog(), clusters=clusters, deployments=deployments, waiting=LocalWaiting()
    )
    stay()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    tasks = await (wait_for_all(ports, count, commit) if count else follow_one(deployments))
    print("going", flush=True)
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    done, _ = await asyncio.wait([*tasks, asyncio.ensure_future(ended)], return_when=asyncio.FIRST_COMPLETED)
    over = [str(task.exception() or task.result()) for task in tasks if task in done]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await deployments.close()
    await clusters[CLUSTER].close()
    if over:
        raise RuntimeError(f"A wait has ended by itself: {over[0]}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
