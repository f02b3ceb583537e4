"""What a server with schemas and rights refuses, and the sentence that a person reads of it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import Invalid, NotFound, Refused
from bot.ports import ObjectRef
from tests.peers.cluster.houses import REAL, Town, config_map, deployment, watching
from tests.peers.control_plane.fixtures import need_real_crds

GADGETS = "gadgets.example.io"
SPEC = {
    "type": "object",
    "default": {},
    "properties": {"size": {"type": "string", "enum": ["small", "large"], "default": "small"}},
}
GADGET = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": GADGETS},
    "spec": {
        "group": "example.io",
        "scope": "Namespaced",
        "names": {"kind": "Gadget", "listKind": "GadgetList", "plural": "gadgets", "singular": "gadget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC}}},
            }
        ],
    },
}


async def mistakes(town: Town, obj: dict[str, Any], *, dry_run: bool = False) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        await town.cluster.apply(obj, dry_run=dry_run)
    assert "does not take" in str(refused.value)
    return {mistake.path: mistake.message for mistake in refused.value.mistakes}


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_field_that_there_is_not_is_named_with_its_path(town: Town, *, dry_run: bool) -> None:
    wanted = deployment(await town.namespace(), "web", replicaz=2)
    assert await mistakes(town, wanted, dry_run=dry_run) == {"spec.replicaz": "there is no such field"}


async def test_a_wrong_field_of_a_container_is_named_by_the_containers_name(town: Town) -> None:
    wanted = deployment(await town.namespace(), "web")
    wanted["spec"]["template"]["spec"]["containers"][0] |= {"imag": "x"}
    found = await mistakes(town, wanted)
    assert found == {'spec.template.spec.containers[name="web"].imag': "there is no such field"}


async def test_a_value_of_the_wrong_type_is_named(town: Town) -> None:
    wanted = deployment(await town.namespace(), "web", replicas="two", paused="no")
    found = await mistakes(town, wanted)
    # Of several, a real server tells a different part each time.
    assert (
        found.items()
        <= {
            "spec.replicas": "expected numeric (int or float), got string",
            "spec.paused": "expected boolean, got no",
        }.items()
    )
    assert found


async def test_values_that_are_not_allowed_are_named_all_at_once(town: Town) -> None:
    wanted = deployment(await town.namespace(), "web", replicas=-1, minReadySeconds=-2)
    found = await mistakes(town, wanted)
    assert set(found) == {"spec.replicas", "spec.minReadySeconds"}
    assert "must be greater than or equal to 0" in found["spec.replicas"]


async def test_a_field_that_cannot_change_is_named(town: Town) -> None:
    namespace = await town.namespace()
    await town.cluster.apply(deployment(namespace, "web"))
    labels = {"app.kubernetes.io/name": "other"}
    wanted = deployment(namespace, "web", selector={"matchLabels": labels})
    wanted["spec"]["template"]["metadata"]["labels"] = labels
    found = await mistakes(town, wanted)
    assert "immutable" in found["spec.selector"]


async def test_a_quantity_that_is_none_is_told(town: Town) -> None:
    wanted = deployment(await town.namespace(), "web")
    wanted["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "much"}}
    assert "quantity" in " ".join((await mistakes(town, wanted)).values())


async def test_a_name_that_is_none_is_told(town: Town) -> None:
    found = await mistakes(town, config_map(await town.namespace(), "Not_A_Name", {}))
    assert set(found) == {"metadata.name"}


async def test_what_a_secret_holds_is_never_told(town: Town) -> None:
    wanted = config_map(await town.namespace(), "one", {"password": "hunter2 is not base64"}) | {"kind": "Secret"}
    with pytest.raises(Invalid) as refused:
        await town.cluster.apply(wanted)
    assert "hunter2" not in f"{refused.value} {refused.value.mistakes}"


async def test_a_kind_that_is_installed_is_known_at_once_and_checked_as_strictly(town: Town) -> None:
    namespace = await town.namespace()
    gadget: dict[str, Any] = {
        "apiVersion": "example.io/v1",
        "kind": "Gadget",
        "metadata": {"name": "one", "namespace": namespace},
        "spec": {"size": "small", "colour": "red"},
    }
    with pytest.raises(NotFound, match="the kind Gadget"):
        await town.cluster.apply(gadget)
    async with watching(town.cluster, "apiextensions.k8s.io/v1", "CustomResourceDefinition", name=GADGETS) as watch:
        await town.by_another(GADGET, "kubectl")
        await watch.object(lambda crd: ("Established", "True") in _conditions(crd))
    assert await mistakes(town, gadget) == {"spec.colour": "there is no such field"}
    gadget["spec"] = {"size": "huge"}
    assert set(await mistakes(town, gadget)) == {"spec.size"}
    gadget["spec"] = {}
    assert (await town.cluster.apply(gadget))["spec"] == {"size": "small"}
    await town.cluster.delete(ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", GADGETS))


@pytest.mark.parametrize("town", [REAL], indirect=True)
async def test_argo_cds_own_kinds_are_checked_as_strictly(town: Town) -> None:
    """On the real control plane alone: the playground serves what operators bring without a schema."""
    need_real_crds()
    wanted = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "orders-staging", "namespace": await town.namespace()},
        "spec": {"project": "team-orders", "destination": {}, "source": {"repoURL": "x", "pathh": "apps"}},
    }
    assert await mistakes(town, wanted) == {"spec.source.pathh": "there is no such field"}


async def test_a_missing_right_is_named_with_verb_resource_and_namespace(town: Town) -> None:
    namespace = await town.namespace()
    with pytest.raises(Refused, match=f"does not let Causeway patch deployments.apps in the namespace `{namespace}`"):
        await town.bot.apply(deployment(namespace, "web"))
    with pytest.raises(Refused, match="does not let Causeway list secrets in the whole cluster"):
        await town.bot.list("v1", "Secret")
    with pytest.raises(Refused, match="does not let Causeway delete pods"):
        await town.bot.delete(ObjectRef("v1", "Pod", "one", namespace))


async def test_the_bot_reads_what_a_stuck_deploy_is_explained_by(town: Town) -> None:
    namespace = await town.namespace()
    for api_version, kind in [("v1", "Pod"), ("v1", "Event"), ("apps/v1", "Deployment"), ("apps/v1", "ReplicaSet")]:
        await town.bot.list(api_version, kind, namespace=namespace)
    assert await town.bot.get(ObjectRef("v1", "Namespace", namespace)) is not None
    assert await town.bot.may("get", "v1", "pods/log", namespace=namespace)


async def test_the_server_knows_what_the_bot_may_not(town: Town) -> None:
    namespace = await town.namespace()
    assert not await town.bot.may("patch", "apps/v1", "deployments", namespace=namespace)
    assert not await town.bot.may("get", "v1", "secrets", namespace=namespace)
    assert not await town.bot.may("list", "v1", "secrets")
    assert await town.bot.may("list", "v1", "pods")


def _conditions(obj: Any) -> set[tuple[str, str]]:
    return {(one["type"], one["status"]) for one in obj.get("status", {}).get("conditions") or ()}
