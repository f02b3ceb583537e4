"""Effects and reasons on clusters with controllers, read under the rights that `manifests/install/` grants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from bot.effects import ApplyObjects, AwaitHealthy
from bot.effects.objects import mark_of
from bot.errors import Conflict, Invalid, UpstreamUnavailable
from bot.health import Reason, read_stuck_facts, why_stuck
from bot.model.effect import Outcome, Run, Undo
from bot.model.principal import Principal
from bot.ports import CatalogRegistry, Forge, ObjectRef, Ports
from tests.peers.cluster.houses import Town, config_map, deployment, watching

LABELS = {"causeway.io/service": "web", "causeway.io/environment": "staging"}
IMAGE, NEXT = "registry.example/acme/web:1", "registry.example/acme/web:2"


def run(operation: str = "op_one", **more: Any) -> Run:
    person = Principal(user="user:default/author", display_name="Sample Author")
    return Run(operation=operation, effect="apply", principal=person, now=datetime(2026, 3, 2, tzinfo=UTC), **more)


def ports(town: Town) -> Ports:
    nobody = (cast("Forge", None), cast("CatalogRegistry", None))
    return Ports(forge=nobody[0], catalog=nobody[1], clusters={"default": town.cluster})


def web(namespace: str, image: str = IMAGE, *, pod: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    wanted = deployment(namespace, "web", pod=pod or {}, **spec)
    for metadata in (wanted["metadata"], wanted["spec"]["template"]["metadata"]):
        metadata["labels"] = {**metadata.get("labels", {}), **LABELS}
    wanted["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return wanted


def apply_objects(namespace: str, *objects: dict[str, Any], **more: Any) -> ApplyObjects:
    return ApplyObjects(
        id="apply", cluster="default", namespace=namespace, inventory="web.staging", objects=objects, **more
    )


async def reason(town: Town, namespace: str) -> Reason | None:
    """Read as the bot may."""
    facts = await read_stuck_facts(town.bot, service="web", environment="staging", namespace=namespace, labels=LABELS)
    assert facts.unreadable == ()
    return why_stuck(facts)


async def the_reason_of(town: Town, wanted: dict[str, Any], kind: str, seen: Callable[[Any], bool]) -> Reason:
    """Apply it, wait until something of it is seen, and return why it is stuck."""
    namespace = wanted["metadata"]["namespace"]
    version = "v1" if kind == "Pod" else "apps/v1"
    async with watching(town.cluster, version, kind, namespace=namespace) as watch:
        await town.cluster.apply(wanted)
        await watch.object(seen)
    found = await reason(town, namespace)
    assert found is not None
    return found


def has(kind: str, status: str) -> Callable[[Any], bool]:
    def seen(obj: Any) -> bool:
        conditions = obj.get("status", {}).get("conditions") or ()
        return any((one["type"], one["status"]) == (kind, status) for one in conditions)

    return seen


# --- reasons


async def test_a_pod_whose_selector_no_node_fits(town: Town) -> None:
    pod = {"nodeSelector": {"disk": "none-has-this"}}
    namespace = await town.namespace()
    found = await the_reason_of(town, web(namespace, pod=pod), "Pod", has("PodScheduled", "False"))
    nodes = "the only node does" if town.kind == "real" else "all 3 nodes do"
    told = f"its pod has no node: {nodes} not fit its node selector, affinity or spread."
    assert found.sentence == f"web in staging is not healthy: {told}"


async def test_a_pod_that_is_too_large_for_every_node(counting_town: Town) -> None:
    container = {"name": "web", "image": IMAGE, "resources": {"requests": {"cpu": "9000"}}}
    namespace = await counting_town.namespace()
    wanted = web(namespace, pod={"containers": [container]})
    found = await the_reason_of(counting_town, wanted, "Pod", has("PodScheduled", "False"))
    assert found.sentence == "web in staging is not healthy: its pod has no node: the only node lacks cpu."


async def test_a_namespace_whose_quota_is_used_up(counting_town: Town) -> None:
    namespace = await counting_town.namespace()
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none", "namespace": namespace}}
    await counting_town.by_another({**quota, "spec": {"hard": {"pods": "0"}}}, "platform")
    found = await the_reason_of(counting_town, web(namespace), "Deployment", has("ReplicaFailure", "True"))
    assert found.sentence == (
        "web in staging is not healthy: the cluster refuses its pods, because the quota none of the namespace is "
        "used up (asked for pods=1; pods=0 is the limit)."
    )


async def test_a_namespace_that_admits_only_restricted_pods(counting_town: Town) -> None:
    namespace = await counting_town.namespace()
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    await counting_town.by_another(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}, "platform"
    )
    found = await the_reason_of(
        counting_town, web(namespace, pod={"hostNetwork": True}), "Deployment", has("ReplicaFailure", "True")
    )
    assert found.sentence.startswith(
        "web in staging is not healthy: the cluster refuses its pods, because the namespace admits only pods of the "
        "level restricted: "
    )
    assert found.final


async def test_a_namespace_that_is_being_deleted(town: Town) -> None:
    namespace = await town.namespace()
    held = config_map(namespace, "held", {}, finalizers=["example.com/held"])
    await town.by_another(held, "somebody")
    async with watching(town.cluster, "v1", "Namespace", name=namespace) as watch:
        await town.cluster.delete(ObjectRef("v1", "Namespace", namespace))
        await watch.object(lambda obj: obj["status"]["phase"] == "Terminating")
    found = await reason(town, namespace)
    assert found is not None
    assert found.sentence == f"web in staging is not deployed: its namespace {namespace} is being deleted."
    await town.by_another({**held, "metadata": {**held["metadata"], "finalizers": []}}, "somebody")


async def test_nothing_is_wrong_with_what_runs(town: Town) -> None:
    namespace = await town.namespace()
    async with watching(town.cluster, "apps/v1", "Deployment", namespace=namespace) as watch:
        await town.cluster.apply(web(namespace))
        await watch.object(lambda obj: obj.get("status", {}).get("availableReplicas") == 1)
    assert await reason(town, namespace) is None


# --- applying


async def test_objects_are_applied_once_and_taken_back_whole(town: Town) -> None:
    namespace = f"{await town.namespace()}-fresh"
    effect = apply_objects(
        namespace, web(namespace), config_map(namespace, "settings", {"a": "1"}), create_namespace=True
    )
    outcome = await effect.apply(ports(town), run())
    assert outcome.changed
    again = await effect.apply(ports(town), run())
    assert (again.made, again.changed) == (outcome.made, True)
    other = await effect.apply(ports(town), run("op_two"))
    assert (other.changed, other.seen) == (False, f"applied 2 objects to {namespace} on default, none changed")
    undone = await effect.undo(ports(town), run(), outcome)
    assert undone.how is Undo.UNDONE
    assert await gone(effect, town, outcome)


async def gone(effect: ApplyObjects, town: Town, outcome: Outcome) -> bool:
    """Look until the cluster has deleted everything, as the engine does."""
    async with asyncio.timeout(60):
        while True:
            try:
                return (await effect.gone(ports(town), run(), outcome)).absent
            except UpstreamUnavailable as error:
                assert "is still being deleted" in error.message  # noqa: PT017  # what it says is what is tested
                await asyncio.sleep(0.1)


async def test_the_next_release_changes_adds_and_prunes_and_undo_puts_it_back(town: Town) -> None:
    namespace = await town.namespace()
    first = (web(namespace), config_map(namespace, "old", {"a": "1"}))
    await apply_objects(namespace, *first).apply(ports(town), run("op_before"))
    effect = apply_objects(namespace, web(namespace, NEXT), config_map(namespace, "new", {"b": "2"}), before=first)
    outcome = await effect.apply(ports(town), run())
    old, new = (ObjectRef("v1", "ConfigMap", name, namespace) for name in ("old", "new"))
    live = ObjectRef("apps/v1", "Deployment", "web", namespace)
    assert outcome.made["pruned"] == [str(old)]
    assert (await town.cluster.get(old), image(await town.cluster.get(live))) == (None, NEXT)
    assert (await effect.undo(ports(town), run(), outcome)).how is Undo.UNDONE
    assert await gone(effect, town, outcome)
    assert (await town.cluster.get(new), image(await town.cluster.get(live))) == (None, IMAGE)
    assert await town.cluster.get(old) is not None


async def test_what_others_have_changed_since_is_kept(town: Town) -> None:
    namespace = await town.namespace()
    effect = apply_objects(namespace, config_map(namespace, "settings", {"a": "1"}))
    outcome = await effect.apply(ports(town), run())
    await town.by_another(config_map(namespace, "settings", {"a": "2"}), "somebody")
    undone = await effect.undo(ports(town), run(), outcome)
    assert (undone.how, undone.command) == (
        Undo.KEPT,
        f"kubectl --context default --namespace {namespace} delete configmap/settings",
    )


async def test_fields_of_others_and_unknown_fields_are_refused_before_anything_is_changed(town: Town) -> None:
    namespace = await town.namespace()
    await apply_objects(namespace, config_map(namespace, "settings", {"a": "1"})).apply(ports(town), run("op_before"))
    await town.by_another(config_map(namespace, "settings", {"a": "2"}), "somebody")
    wrong = web(namespace)
    wrong["spec"]["replicaz"] = 3
    effect = apply_objects(namespace, config_map(namespace, "settings", {"a": "3"}), wrong)
    with pytest.raises(Invalid) as refused:
        await effect.apply(ports(town), run())
    told = {str(mistake) for mistake in refused.value.mistakes}
    assert any("somebody" in one and "ConfigMap settings" in one for one in told), told
    assert any("replicaz" in one for one in told), told
    assert await town.cluster.get(ObjectRef("apps/v1", "Deployment", "web", namespace)) is None


async def test_what_somebody_else_made_is_not_taken_over(town: Town) -> None:
    namespace = await town.namespace()
    await town.by_another(config_map(namespace, "settings", {"a": "1"}), "somebody")
    with pytest.raises(Conflict, match="is there already and was made by somebody else"):
        await apply_objects(namespace, config_map(namespace, "settings", {"a": "1"})).apply(ports(town), run())
    live = await town.cluster.get(ObjectRef("v1", "ConfigMap", "settings", namespace))
    assert live is not None
    assert mark_of(live) == ""


def image(live: Any) -> str:
    return str(live["spec"]["template"]["spec"]["containers"][0]["image"])


# --- waiting


@asynccontextmanager
async def awaiting(town: Town, namespace: str, **more: Any) -> AsyncIterator[tuple[asyncio.Task[Outcome], Told]]:
    told = Told()
    effect = AwaitHealthy(
        id="await", service="web", environment="staging", cluster="default", namespace=namespace, **more
    )
    task = asyncio.create_task(effect.apply(ports(town), run(report=told)))
    try:
        yield task, told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Told:
    """What was reported, for a test that waits for it."""

    def __init__(self) -> None:
        self._reports: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()

    async def __call__(self, text: str, *, stalled: bool = False) -> None:
        self._reports.put_nowait((text, stalled))

    async def until(self, expected: Callable[[str, bool], bool]) -> str:
        async with asyncio.timeout(60):
            while not expected(*(report := await self._reports.get())):
                pass
            return report[0]


async def test_a_rollout_is_waited_for(town: Town) -> None:
    namespace = await town.namespace()
    await town.cluster.apply(web(namespace))
    async with awaiting(town, namespace, image=NEXT) as (task, told):
        await told.until(lambda _, stalled: not stalled)
        await town.cluster.apply(web(namespace, NEXT))
        async with asyncio.timeout(60):
            outcome = await task
    assert outcome.seen == "web in staging runs 2, 1 pod ready"


async def test_being_stuck_is_told_and_waited_through(town: Town) -> None:
    namespace = await town.namespace()
    await town.cluster.apply(web(namespace, pod={"nodeSelector": {"disk": "none-has-this"}}))
    async with awaiting(town, namespace, patience_s=0) as (task, told):
        text = await told.until(lambda _, stalled: stalled)
        while "has no node" not in text:
            text = await told.until(lambda _, stalled: stalled)
        await town.cluster.apply(web(namespace, pod={}))
        async with asyncio.timeout(60):
            outcome = await task
    assert outcome.seen == "web in staging is healthy, 1 pod ready"
