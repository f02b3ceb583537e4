"""What containers have written. On the real control plane kwok plays the kubelet, and tells the same of every one."""

from __future__ import annotations

import pytest

from bot.errors import NotFound
from tests.peers.cluster.houses import Town, deployment, meta, watching

LABELS = {"app.kubernetes.io/name": "web"}


async def pod(town: Town, namespace: str, condition: tuple[str, str]) -> str:
    """Return the name of the Deployment's pod once its condition is so."""
    async with watching(town.cluster, "v1", "Pod", namespace=namespace, labels=LABELS) as pods:
        found = await pods.object(
            lambda obj: condition in {(one["type"], one["status"]) for one in obj["status"].get("conditions", [])}
        )
    return str(meta(found)["name"])


async def test_the_last_lines_are_read(town: Town) -> None:
    namespace = await town.namespace()
    await town.cluster.apply(deployment(namespace, "web"))
    name = await pod(town, namespace, ("Ready", "True"))
    lines = await town.cluster.log_tail(namespace, name, lines=2)
    assert lines
    assert len(lines) <= 2
    assert await town.cluster.log_tail(namespace, name, "web", lines=2) == lines
    assert await town.bot.log_tail(namespace, name, lines=2) == lines
    assert (await town.cluster.log_tail(namespace, name, lines=50))[-len(lines) :] == lines


async def test_of_several_containers_the_first_is_read(town: Town) -> None:
    namespace = await town.namespace()
    containers = [{"name": name, "image": "registry.example/acme/web:1"} for name in ("web", "sidecar")]
    await town.cluster.apply(deployment(namespace, "web", pod={"containers": containers}))
    name = await pod(town, namespace, ("Ready", "True"))
    assert await town.cluster.log_tail(namespace, name) == await town.cluster.log_tail(namespace, name, "web")


async def test_a_pod_that_found_no_node_has_written_nothing(town: Town) -> None:
    namespace = await town.namespace()
    await town.cluster.apply(deployment(namespace, "web", pod={"nodeSelector": {"disk": "none-has-this"}}))
    name = await pod(town, namespace, ("PodScheduled", "False"))
    assert await town.cluster.log_tail(namespace, name) == ()


async def test_a_pod_that_is_not_there_is_not_found(town: Town) -> None:
    with pytest.raises(NotFound, match="the log of Pod nobody"):
        await town.cluster.log_tail(await town.namespace(), "nobody")
