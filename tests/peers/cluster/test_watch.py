"""Watches that break: resumed, lost and found again, begun anew where the server has forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from bot.ports import ObjectRef
from integrations.kubernetes.client import PAGE, Client, Page
from integrations.kubernetes.cluster import KubernetesCluster
from tests.peers.cluster.gate import Gate, gate
from tests.peers.cluster.houses import Town, config_map, name_of, opened, watching

LABELS = {"test": "yes"}


@dataclass(frozen=True)
class Behind:
    """A second adapter for the same cluster, whose connections pass a gate."""

    cluster: KubernetesCluster
    gate: Gate
    lists: list[str]
    """Each time that it read everything."""


@pytest.fixture
async def behind(town: Town, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Behind]:
    lists: list[str] = []

    async with AsyncExitStack() as stack:
        door = await stack.enter_async_context(gate(town.url))
        cluster = opened(stack, town.kubeconfig(door.url), sleep=_short)
        pages = Client.pages

        def counted(client: Client, resource: Any, *arguments: Any) -> Any:
            lists.append(resource.plural)
            return pages(client, resource, *arguments)

        monkeypatch.setattr(Client, "pages", counted)
        yield Behind(cluster, door, lists)


async def _short(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 0.01))


def ref(namespace: str, name: str) -> ObjectRef:
    return ObjectRef("v1", "ConfigMap", name, namespace)


async def test_a_connection_that_breaks_is_resumed_without_a_word(town: Town, behind: Behind) -> None:
    namespace = await town.namespace()
    await town.cluster.apply(config_map(namespace, "one", {"a": "1"}))
    async with watching(behind.cluster, "v1", "ConfigMap", namespace=namespace, name="one") as watch:
        await watch.synced()
        for value in ("2", "3"):
            await behind.gate.slam()
            await town.cluster.apply(config_map(namespace, "one", {"a": value}))
            assert _holds((await watch.next()).object, value)
    assert len(behind.lists) == 1


async def test_what_happened_while_nothing_could_be_seen_is_told_afterwards(town: Town, behind: Behind) -> None:
    namespace = await town.namespace()
    for name in ("kept", "dropped"):
        await town.cluster.apply(config_map(namespace, name, {"a": "1"}, labels=LABELS))
    async with watching(behind.cluster, "v1", "ConfigMap", namespace=namespace, labels=LABELS) as watch:
        assert len(await watch.synced()) == 2
        await behind.gate.slam("shut")
        lost = await watch.next()
        assert lost.what == "lost"
        assert "`contract`" in lost.problem
        await town.cluster.delete(ref(namespace, "dropped"))
        await town.cluster.apply(config_map(namespace, "new", {"a": "1"}, labels=LABELS))
        behind.gate.open()
        told = [(change.what, name_of(change.object)) for change in await watch.synced()]
        assert sorted(told) == [("deleted", "dropped"), ("present", "kept"), ("present", "new")]
        await town.cluster.apply(config_map(namespace, "kept", {"a": "2"}, labels=LABELS))
        assert _holds((await watch.next()).object, "2")


async def test_a_watch_whose_place_was_compacted_away_reads_everything_anew(town: Town, behind: Behind) -> None:
    namespace = await town.namespace()
    for name in ("kept", "changed", "dropped"):
        await town.cluster.apply(config_map(namespace, name, {"a": "1"}, labels=LABELS))
    async with watching(behind.cluster, "v1", "ConfigMap", namespace=namespace, labels=LABELS) as watch:
        assert len(await watch.synced()) == 3
        await behind.gate.slam("hold")
        await town.cluster.delete(ref(namespace, "dropped"))
        await town.cluster.apply(config_map(namespace, "changed", {"a": "2"}, labels=LABELS))
        await town.compact()
        behind.gate.open()
        told = [await watch.next(), await watch.next()]
        assert sorted((one.what, name_of(one.object)) for one in told) == [
            ("deleted", "dropped"),
            ("present", "changed"),
        ]
        assert len(behind.lists) == 2
        await town.cluster.apply(config_map(namespace, "kept", {"a": "3"}, labels=LABELS))
        assert _holds((await watch.next()).object, "3")


async def test_a_list_whose_next_page_was_compacted_away_is_begun_anew(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = await town.namespace()
    names = {f"map-{number:03}" for number in range(PAGE + 10)}
    await asyncio.gather(*(town.cluster.apply(config_map(namespace, name, {}, labels=LABELS)) for name in names))
    pages, begun = Client.pages, 0

    async def interrupted(client: Client, *arguments: Any) -> AsyncIterator[Page]:
        nonlocal begun
        begun += 1
        async for page in pages(client, *arguments):
            yield page
            if begun == 1:
                await town.cluster.apply(config_map(namespace, "late", {}, labels=LABELS))
                await town.compact()

    monkeypatch.setattr(Client, "pages", interrupted)
    found = await town.cluster.list("v1", "ConfigMap", namespace=namespace, labels=LABELS)
    assert {name_of(one) for one in found} == {*names, "late"}
    assert (len(found), begun) == (len(names) + 1, 2)


async def test_all_who_follow_the_same_share_a_connection(town: Town, behind: Behind) -> None:
    namespace = await town.namespace()
    await town.cluster.apply(config_map(namespace, "one", {"a": "1"}))
    async with AsyncExitStack() as stack:
        watches = [
            await stack.enter_async_context(
                watching(behind.cluster, "v1", "ConfigMap", namespace=namespace, name="one")
            )
            for _ in range(20)
        ]
        await asyncio.gather(*(watch.synced() for watch in watches))
        assert behind.lists == ["configmaps"]
        assert behind.gate.passing <= 2  # the watch, and one that is kept for the next request
        await town.cluster.apply(config_map(namespace, "one", {"a": "2"}))
        await asyncio.gather(*(watch.object(lambda obj: _holds(obj, "2")) for watch in watches))
    await behind.gate.until(passing=1)


async def test_what_may_not_be_watched_is_told_with_the_right_that_is_missing(town: Town) -> None:
    async with watching(town.bot, "v1", "Secret") as watch:
        lost = await watch.next()
        assert lost.what == "lost"
        assert "does not let Causeway list secrets in the whole cluster" in lost.problem


def _holds(obj: Any, value: str) -> bool:
    return obj is not None and obj.get("data") == {"a": value}
