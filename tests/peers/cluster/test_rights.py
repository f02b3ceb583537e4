"""What the account of `manifests/install/` may do, and nothing else: asked of the server, and done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from bot.effects import ApplyObjects
from bot.errors import Refused, UpstreamUnavailable
from bot.model.effect import Effect, Outcome, Undo
from bot.model.platform import ClusterAccess, Environment, Platform
from bot.model.release import Version
from bot.ports import CatalogRegistry, Forge, ObjectRef, Ports
from bot.releases.changes import Asker, change_to, deployed
from bot.rendering.delivery import Place, deliver, read_standing, refuse_without_rights
from bot.rendering.documents import read
from tests.peers.cluster.houses import Town, config_map, watching
from tests.peers.cluster.test_effects import run
from tests.peers.control_plane.fixtures import INSTALL, bot_rights, rights

VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
RESOURCES: dict[str, tuple[str, ...]] = {
    "v1": (
        *("pods", "pods/log", "pods/exec", "pods/eviction", "pods/ephemeralcontainers", "services", "configmaps"),
        *("secrets", "serviceaccounts", "serviceaccounts/token", "namespaces", "nodes", "nodes/proxy", "events"),
        *("persistentvolumeclaims", "persistentvolumes", "endpoints"),
    ),
    "apps/v1": ("deployments", "deployments/scale", "statefulsets", "replicasets", "daemonsets"),
    "batch/v1": ("jobs", "cronjobs"),
    "autoscaling/v2": ("horizontalpodautoscalers",),
    "networking.k8s.io/v1": ("ingresses", "networkpolicies"),
    "policy/v1": ("poddisruptionbudgets",),
    "rbac.authorization.k8s.io/v1": ("roles", "rolebindings", "clusterroles", "clusterrolebindings"),
    "apiextensions.k8s.io/v1": ("customresourcedefinitions",),
    "argoproj.io/v1alpha1": ("applications", "appprojects"),
    "platform.company.io/v1": ("webservices",),
}
"""What there is to be had in a cluster, and what would be worth having for somebody who took the account over."""
DIRECT = INSTALL / "components" / "direct-delivery"
DOCUMENT = """\
apiVersion: platform.company.io/v1
kind: WebService
metadata: {name: web}
spec: {replicas: 1, ingress: {enabled: INGRESS, host: HOST}}
"""
Right = tuple[str, str, str]
"""Verb, API group and resource."""


def granted(namespace: str) -> set[Right]:
    """Read from the files which rights the bot has in a namespace."""
    objects = bot_rights()
    rules = {(one["kind"], _place(one), one["metadata"]["name"]): one["rules"] for one in objects if "rules" in one}
    found: set[Right] = set()
    for one in objects:
        reach = _place(one)
        if "roleRef" in one and reach in ("", namespace):
            role = one["roleRef"]
            found |= set(_rights(rules[role["kind"], "" if role["kind"] == "ClusterRole" else reach, role["name"]]))
    return found


def _place(obj: Any) -> str:
    return str(obj["metadata"].get("namespace", ""))


def _rights(rules: Iterable[Any]) -> Iterator[Right]:
    for rule in rules:
        assert "resourceNames" not in rule, "this test does not know of names"
        yield from (
            (v, group, what) for v in rule["verbs"] for group in rule["apiGroups"] for what in rule["resources"]
        )


@pytest.mark.parametrize("place", ["argocd", "any"])
async def test_the_bot_may_what_its_rights_say_and_nothing_else(town: Town, place: str) -> None:
    namespace = place if place == "argocd" else await town.namespace()
    wanted = granted(namespace)
    asked = [(verb, version, one) for version, found in RESOURCES.items() for one in found for verb in VERBS]
    answers = await asyncio.gather(
        *(town.bot.may(verb, version, one, namespace=namespace) for verb, version, one in asked)
    )
    allowed = {
        (verb, version.rpartition("/")[0], one) for (verb, version, one), may in zip(asked, answers, strict=True) if may
    }
    assert allowed == wanted
    assert ("list", "argoproj.io", "applications") in (granted("argocd") - granted("other"))


async def test_the_bot_follows_what_it_waits_for_and_no_applications_elsewhere(town: Town) -> None:
    namespace = await town.namespace()
    for api_version, kind in (("v1", "Pod"), ("apps/v1", "Deployment"), ("apps/v1", "StatefulSet")):
        async with watching(town.bot, api_version, kind, namespace=namespace) as watch:
            assert await watch.synced() == []
    async with watching(town.bot, "v1", "Service", namespace=namespace) as watch:
        assert "list services in the namespace" in (await watch.next()).problem


# --- direct delivery


class Delivery:
    """One service that is delivered straight to a namespace, as the bot."""

    def __init__(self, town: Town, namespace: str) -> None:
        platform = Platform(
            clusters={"default": ClusterAccess()},
            environments={namespace: Environment(namespace="{environment}", delivery="direct")},
            image_owner="acme",
        )
        self.place = Place(platform=platform, service="web", environment=namespace, team="team-orders")
        self._town = town
        nobody = (cast("Forge", None), cast("CatalogRegistry", None))
        self.ports = Ports(forge=nobody[0], catalog=nobody[1], clusters={"default": town.bot})

    async def planned(self, operation: str, *, ingress: bool) -> Effect:
        standing = await read_standing(self.place, self.ports.forge, self.ports.clusters)
        host = f"{self.place.environment}.example.com"
        (document,) = read(DOCUMENT.replace("INGRESS", str(ingress).lower()).replace("HOST", host))
        commit = operation.encode().hex().ljust(40, "0")[:40]
        version = Version(name=commit[:7], commit=commit, image=f"registry.example/acme/web:{commit}")
        asker = Asker(user="user:default/author", operation=operation, now=datetime(2026, 3, 2, tzinfo=UTC))
        release = deployed(standing.release, self.place, "acme/web", (version, document), asker)
        (effect,) = deliver(change_to(self.place, release, f"Deploy {operation}"), standing, "")
        assert isinstance(effect, ApplyObjects)
        return effect

    async def done(self, operation: str, *, ingress: bool) -> tuple[Effect, Outcome]:
        effect = await self.planned(operation, ingress=ingress)
        return effect, await effect.apply(self.ports, run(operation))

    async def undone(self, effect: Effect, outcome: Outcome, operation: str) -> None:
        assert (await effect.undo(self.ports, run(operation), outcome)).how is Undo.UNDONE
        async with asyncio.timeout(60):
            while True:
                try:
                    assert (await effect.gone(self.ports, run(operation), outcome)).absent
                except UpstreamUnavailable:
                    await asyncio.sleep(0.1)  # as the engine does while the cluster still deletes
                else:
                    return

    async def has_ingress(self) -> bool:
        ref = ObjectRef("networking.k8s.io/v1", "Ingress", "web", self.place.namespace)
        return await self._town.cluster.get(ref) is not None


@pytest.fixture
async def delivery(town: Town) -> Delivery:
    """In a namespace that direct delivery is granted in."""
    namespace = await town.namespace()
    for obj in rights(DIRECT, namespace=namespace):
        await town.by_another(obj, "platform")
    return Delivery(town, namespace)


async def test_the_right_for_one_namespace_is_all_that_a_delivery_there_needs(delivery: Delivery) -> None:
    await refuse_without_rights(delivery.place, delivery.ports.clusters)
    first, made = await delivery.done("op_one", ingress=True)
    assert await delivery.has_ingress()
    second, pruned = await delivery.done("op_two", ingress=False)
    assert not await delivery.has_ingress()
    await delivery.undone(second, pruned, "op_two")
    assert await delivery.has_ingress()
    await delivery.undone(first, made, "op_one")
    assert not await delivery.has_ingress()


async def test_the_right_for_one_namespace_is_of_no_use_in_another(town: Town, delivery: Delivery) -> None:
    elsewhere = Delivery(town, await town.namespace())
    where = f"in the namespace `{elsewhere.place.namespace}`"
    with pytest.raises(Refused, match=f"does not let Causeway write anything {where}"):
        await refuse_without_rights(elsewhere.place, elsewhere.ports.clusters)
    with pytest.raises(Refused, match=f"does not let Causeway get configmaps {where}"):
        await elsewhere.planned("op_one", ingress=True)
    with pytest.raises(Refused, match=f"does not let Causeway patch configmaps {where}"):
        await town.bot.apply(config_map(elsewhere.place.namespace, "one", {}))
    assert await town.bot.may("patch", "v1", "configmaps", namespace=delivery.place.namespace)
    for verb in VERBS:
        assert not await town.bot.may(verb, "v1", "secrets", namespace=delivery.place.namespace)
