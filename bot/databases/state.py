"""How a database stands now, in a few words and in one sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bot.databases.changes import awaiting
from bot.databases.inventory import Held
from bot.deps import Deps
from bot.errors import PlatformError
from bot.health.databases import is_ready, looks_stuck, progress, read_database_facts, why_not_ready
from bot.rendering.stores import Store

PATIENCE_S = 5.0
"""Longest time for all of a list, in seconds; what is not known by then is said to be so."""
AT_ONCE = 8
READY, STUCK, ON_ITS_WAY, UNKNOWN = "ready", "stuck", "on its way", "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    word: str
    """One of `ready`, `stuck`, `on its way`, `not known`."""
    sentence: str
    """What is so, and what to do; whom to ask is named where somebody has to be."""
    host: str = ""
    external_name: str = ""
    """Its name in the cloud, as the cluster tells it."""


async def read_state(store: Store, deps: Deps) -> State:
    """Raises nothing that a cluster could be to blame for."""
    cluster = deps.clusters.get(store.cluster)
    if cluster is None:
        return State(word=UNKNOWN, sentence=f"Its cluster, {store.cluster}, is not connected.")
    try:
        facts = await read_database_facts(cluster, awaiting(store).database())
    except PlatformError as error:
        return State(word=UNKNOWN, sentence=str(error))
    if is_ready(facts):
        return State(word=READY, sentence="It is ready.", host=facts.host, external_name=facts.external_name)
    reason = why_not_ready(facts) if looks_stuck(facts) else None
    if reason is not None:
        return State(word=STUCK, sentence=str(reason), external_name=facts.external_name)
    return State(word=ON_ITS_WAY, sentence=progress(facts), external_name=facts.external_name)


async def read_states(held: Sequence[Held], deps: Deps) -> list[State]:
    """Return them in the same order, within a bounded time."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(store: Store) -> State:
        async with turn:
            return await read_state(store, deps)

    tasks = [asyncio.create_task(one(each.store)) for each in held]
    if tasks:
        await asyncio.wait(tasks, timeout=PATIENCE_S)
    late = [task for task in tasks if not task.done()]
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    unknown = State(word=UNKNOWN, sentence="Its cluster has not told in time; ask again in a moment.")
    return [unknown if task in late else task.result() for task in tasks]
