"""A namespace is deleted as it was planned, waited for, and never one of somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.effects import RemoveNamespace
from bot.effects.objects import INVENTORY
from bot.errors import Conflict, Refused, UpstreamUnavailable
from bot.model.effect import Outcome
from bot.ports import ObjectRef, Ports
from tests.effects.scenes import kubernetes, run
from tests.fakes.catalog import FakeCatalog
from tests.fakes.cluster import FakeCluster
from tests.fakes.forge import FakeForge
from tests.fakes.waiting import FakeWaiting

NAME = "preview-pr-7"
OURS = "preview.pr-7"
HERE = ObjectRef("v1", "Namespace", NAME)
HELD = ObjectRef("v1", "ConfigMap", "held", NAME)
MANAGED = {"app.kubernetes.io/managed-by": "causeway"}


def namespace(**labels: str) -> dict[str, Any]:
    named = {"name": NAME, "labels": {INVENTORY: OURS, **MANAGED, **labels}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": named}


def world(*objects: dict[str, Any]) -> FakeCluster:
    cluster = FakeCluster()
    for obj in (namespace(), *objects):
        cluster.put(obj)
    cluster.calls.clear()
    return cluster


def removing(cluster: FakeCluster, **more: Any) -> RemoveNamespace:
    uid = cluster.find(HERE)["metadata"]["uid"]
    return RemoveNamespace(id="remove", cluster="default", namespace=NAME, uid=uid, inventory=OURS, **more)


def ports(cluster: FakeCluster, waiting: FakeWaiting | None = None) -> Ports:
    return Ports(
        forge=FakeForge(), catalog=FakeCatalog(), clusters={"default": cluster}, waiting=waiting or FakeWaiting()
    )


class Breathing(FakeWaiting):
    """Lets everybody else come to rest before the next thing happens: fakes never wait for anything outside."""

    async def _pause(self, seconds: float) -> None:
        for _ in range(50):
            await asyncio.sleep(0)
        await super()._pause(seconds)


class Told:
    def __init__(self) -> None:
        self.reports: list[tuple[str, bool]] = []
        self.news = asyncio.Event()

    async def __call__(self, text: str, *, stalled: bool = False) -> None:
        if not self.reports or self.reports[-1] != (text, stalled):
            self.reports.append((text, stalled))
        self.news.set()

    async def until(self, wanted: str) -> str:
        async with asyncio.timeout(20):
            while not (found := [text for text, _ in self.reports if wanted in text]):
                self.news.clear()
                await self.news.wait()
            return found[-1]

    @property
    def stalled(self) -> list[str]:
        return [text for text, stalled in self.reports if stalled]


@asynccontextmanager
async def going(
    effect: RemoveNamespace, cluster: FakeCluster, happenings: Sequence[Callable[[], object]] = ()
) -> AsyncIterator[tuple[asyncio.Task[Outcome], Told]]:
    told = Told()
    where = ports(cluster, Breathing(list(happenings)))
    task = asyncio.create_task(effect.apply(where, run(effect).model_copy(update={"report": told})))
    try:
        yield task, told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def conditions(cluster: FakeCluster, **said: str) -> None:
    live = cluster.find(HERE)
    found: Any = [{"type": kind, "status": "True", "message": message} for kind, message in said.items()]
    cluster.put({**live, "status": {"phase": "Terminating", "conditions": found}})


# --- what is deleted, and what is not


async def test_it_is_deleted_with_everything_in_it() -> None:
    cluster = world(kubernetes("ConfigMap", "a", NAME), kubernetes("Service", "b", NAME))
    effect = removing(cluster)
    outcome = await effect.apply(ports(cluster), run(effect))
    assert outcome.seen == f"the namespace {NAME} is gone, with everything that was in it"
    assert cluster.refs() == []
    again = await effect.apply(ports(cluster), run(effect, attempt=2))
    assert (again.seen, again.changed) == (outcome.seen, outcome.changed)


async def test_one_that_somebody_has_made_anew_is_told_and_left() -> None:
    cluster = world()
    effect = removing(cluster)
    cluster.remove(HERE)
    cluster.put(namespace())
    outcome = await effect.apply(ports(cluster), run(effect))
    assert outcome.seen == f"a namespace {NAME} that somebody has made since is left alone"
    assert (outcome.outputs, "delete" in cluster.calls) == ({"state": "left"}, False)


async def test_one_that_is_made_anew_between_look_and_deletion_is_left_too() -> None:
    class Racing(FakeCluster):
        async def delete(self, ref: ObjectRef, *, uid: str | None = None) -> bool:
            self.remove(ref)
            self.put(namespace())
            return await super().delete(ref, uid=uid)

    cluster = Racing()
    cluster.put(namespace())
    effect = removing(cluster)
    outcome = await effect.apply(ports(cluster), run(effect))
    assert outcome.outputs == {"state": "left"}
    assert cluster.find(HERE) is not None


async def test_one_that_is_made_anew_while_it_is_waited_for_ends_the_wait() -> None:
    cluster = world()
    cluster.held.add(HERE)
    effect = removing(cluster)

    def anew() -> None:
        cluster.release(HERE)
        cluster.put(namespace())

    async with going(effect, cluster, [anew]) as (task, _), asyncio.timeout(20):
        assert (await task).outputs == {"state": "left"}


async def test_without_our_label_nothing_is_deleted() -> None:
    cluster = world()
    effect = removing(cluster)
    cluster.put(namespace(**{INVENTORY: "somebody-else"}))
    with pytest.raises(Conflict, match=r"does not carry the label causeway.io/inventory=preview.pr-7 any more"):
        await effect.apply(ports(cluster), run(effect))
    assert cluster.find(HERE) is not None


async def test_what_somebody_else_deletes_is_only_waited_for() -> None:
    cluster = world()
    effect = removing(cluster, by_others=True)
    async with going(effect, cluster, [lambda: cluster.remove(HERE)]) as (task, _), asyncio.timeout(20):
        assert (await task).outputs == {"state": "gone"}
    assert "delete" not in cluster.calls


async def test_a_refusal_is_told() -> None:
    cluster = world()
    cluster.refuse("delete", Refused("Causeway may not delete namespaces."))
    effect = removing(cluster)
    with pytest.raises(Refused):
        await effect.apply(ports(cluster), run(effect))


# --- waiting


async def test_it_counts_what_is_left_by_what_the_namespace_says_itself() -> None:
    cluster = world(kubernetes("ConfigMap", "held", NAME))
    cluster.held.add(HELD)
    effect = removing(cluster, holds=40)
    async with going(effect, cluster) as (task, told):
        await told.until("is being deleted")
        message = "Some resources are remaining: pods. has 11 resource instances, jobs.batch has 1 resource instances"
        conditions(cluster, NamespaceContentRemaining=message)
        await told.until(f"12 of 40 objects are left in the namespace {NAME}.")
        before = len(cluster.calls)
        cluster.release(HELD)
        async with asyncio.timeout(20):
            assert (await task).outputs == {"state": "gone"}
        assert len(cluster.calls) - before <= 1, "the watch tells it; one look makes sure"


async def test_a_stuck_finalizer_is_told_with_its_object_and_never_taken_off() -> None:
    held = kubernetes("ConfigMap", "held", NAME)
    held["metadata"] = {**held["metadata"], "finalizers": ["example.com/held"]}  # type: ignore[dict-item]  # it is a map
    cluster = world(held)
    effect = removing(cluster, patience_s=5, contact="#platform")

    def say() -> None:  # later than patience has lasted: then it is looked into at once, and not a minute later
        conditions(
            cluster, NamespaceContentRemaining="Some resources are remaining: configmaps. has 1 resource instances"
        )

    async with going(effect, cluster, [lambda: None, say, lambda: None, lambda: None]) as (_, told):
        text = await told.until("example.com/held")
    assert text == (
        f"ConfigMap held in {NAME} is not gone: it is held by the finalizer example.com/held. Ask #platform why it "
        "does not finish. Causeway takes off no finalizer: what it guards might be lost."
    )
    assert told.stalled == [text]
    assert cluster.find(HELD)["metadata"]["finalizers"] == ["example.com/held"]


async def test_a_cluster_that_is_away_is_waited_for() -> None:
    cluster = world()
    cluster.held.add(HERE)
    effect = removing(cluster)

    def away() -> None:
        cluster.lose_watches()
        cluster.refuse("get", UpstreamUnavailable("The cluster `default` cannot be reached."), times=1)

    def back() -> None:
        cluster.release(HERE)
        cluster.mend_watches()

    async with going(effect, cluster, [away, lambda: None, back, lambda: None]) as (task, told), asyncio.timeout(20):
        assert (await task).outputs == {"state": "gone"}
    assert any("goes on by itself once it answers" in text for text, _ in told.reports)


async def test_without_the_right_to_watch_it_looks_at_each_tick() -> None:
    cluster = world()
    cluster.held.add(HERE)
    cluster.lose_watches("Causeway may not watch namespaces.")
    effect = removing(cluster)
    happenings = [lambda: None, lambda: None, lambda: cluster.release(HERE)]
    async with going(effect, cluster, happenings) as (task, _), asyncio.timeout(20):
        assert (await task).outputs == {"state": "gone"}
    assert cluster.calls.count("get") <= 6


async def test_many_departures_follow_one_watch() -> None:
    followed: list[Any] = []
    all_follow = asyncio.Event()

    class Counting(FakeCluster):
        async def watch(self, *kind: Any, **scope: Any) -> Any:
            followed.append((kind, tuple(sorted((scope.get("labels") or {}).items())), scope.get("name")))
            if len(followed) == len(names):
                all_follow.set()
            async for change in super().watch(*kind, **scope):
                yield change

    cluster = Counting()
    names = [f"{NAME}{number}" for number in range(3)]
    for name in names:
        labels: Any = {INVENTORY: OURS, **MANAGED}
        cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        cluster.held.add(ObjectRef("v1", "Namespace", name))
    effects = [
        RemoveNamespace(
            id=name,
            cluster="default",
            namespace=name,
            uid=cluster.find(ObjectRef("v1", "Namespace", name))["metadata"]["uid"],
            inventory=OURS,
        )
        for name in names
    ]
    tasks = [asyncio.create_task(effect.apply(ports(cluster), run(effect))) for effect in effects]
    async with asyncio.timeout(20):
        await all_follow.wait()
        for name in names:
            cluster.release(ObjectRef("v1", "Namespace", name))
        await asyncio.gather(*tasks)
    assert len(set(followed)) == 1, "the adapter has one connection for all who follow the same"
