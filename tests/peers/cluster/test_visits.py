"""Letting a person into a database: admitted where only restricted pods are, with one right in one namespace."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import pytest

from bot.databases.rights import VERBS
from bot.databases.visitors import Visitor, visitor_pod
from bot.effects import AdmitVisitor, RemoveObjects, Target
from bot.errors import Refused
from bot.model.effect import Undo
from bot.model.platform import ClusterAccess, Environment, Platform
from bot.model.web_service.parts import Database
from bot.ports import CatalogRegistry, Forge, ObjectRef, Ports
from bot.rendering.stores import store_for
from tests.peers.cluster.houses import Town
from tests.peers.cluster.test_effects import run
from tests.peers.control_plane.fixtures import INSTALL, rights

ACCESS = INSTALL / "components" / "database-access"


def admit(cluster: str, namespace: str) -> AdmitVisitor:
    platform = Platform(
        clusters={cluster: ClusterAccess()},
        environments={"staging": Environment(cluster=cluster, namespace="x-{environment}")},
    )
    store = store_for(
        service="orders-api", team="team-orders", environment="staging", platform=platform, document=Database()
    )
    assert store is not None
    pod = visitor_pod(store, Visitor(user="user:default/author", span=timedelta(hours=1)))
    metadata = pod["metadata"]
    assert isinstance(metadata, dict)
    pod["metadata"] = {**metadata, "namespace": namespace}
    return AdmitVisitor(id="admit", cluster=cluster, pod=(pod,), database=store.name, visitor="author")


def ports(town: Town) -> Ports:
    nobody = cast("Forge", None), cast("CatalogRegistry", None)
    return Ports(forge=nobody[0], catalog=nobody[1], clusters={town.bot.name: town.bot})


@pytest.fixture
async def namespace(town: Town) -> str:
    """One that admits restricted pods only, in which the right is granted."""
    name = await town.namespace()
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    await town.by_another(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}, "platform"
    )
    for obj in rights(ACCESS, namespace=name):
        await town.by_another(obj, "platform")
    return name


async def test_a_visitor_is_admitted_and_removed_with_that_right_alone(town: Town, namespace: str) -> None:
    effect = admit(town.bot.name, namespace)
    outcome = await effect.apply(ports(town), run("op_one"))
    assert "lets author in until" in outcome.seen
    ref = ObjectRef("v1", "Pod", "orders-api-db-visit-author", namespace)
    live = await town.bot.get(ref)
    assert live is not None
    remove = RemoveObjects(id="remove", cluster=town.bot.name, namespace=namespace, refs=(Target.of(live),))
    await remove.apply(ports(town), run("op_two"))
    assert await town.bot.get(ref) is None


async def test_an_undo_leaves_no_pod(town: Town, namespace: str) -> None:
    effect = admit(town.bot.name, namespace)
    outcome = await effect.apply(ports(town), run("op_one"))
    assert (await effect.undo(ports(town), run("op_one"), outcome)).how is Undo.UNDONE


async def test_nobody_is_let_in_elsewhere_and_no_secret_is_read(town: Town, namespace: str) -> None:
    elsewhere = await town.namespace()
    with pytest.raises(Refused, match=f"does not let Causeway patch pods in the namespace `{elsewhere}`"):
        await admit(town.bot.name, elsewhere).apply(ports(town), run("op_one"))
    for verb in VERBS:
        assert await town.bot.may(verb, "v1", "pods", namespace=namespace)
        assert not await town.bot.may(verb, "v1", "pods", namespace=elsewhere)
    for resource in ("secrets", "pods/exec", "pods/ephemeralcontainers"):
        assert not await town.bot.may("get", "v1", resource, namespace=namespace)
        assert not await town.bot.may("create", "v1", resource, namespace=namespace)
