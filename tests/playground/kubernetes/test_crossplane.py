"""Crossplane in the playground: a database in the cloud, and the company's own claim for a cache."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from playground.kubernetes.store import Deletion
from tests.playground.kubernetes.cluster import Cluster, running
from tests.playground.kubernetes.databases import ACME, AWS, CACHE, NAME, got, put, rds, told, warnings

FINALIZER = "finalizer.managedresource.crossplane.io"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with running() as found:
        yield found


def instance(cluster: Cluster) -> dict[str, object]:
    return got(cluster, AWS, "RDSInstance", NAME, "")


async def available(cluster: Cluster) -> None:
    await cluster.until(lambda: told(instance(cluster), "Ready").get("status") == "True")


def refused(cluster: Cluster) -> str:
    found = told(instance(cluster), "Synced")
    return str(found["message"]) if found.get("status") == "False" else ""


async def test_a_database_becomes_available_and_writes_its_connection(cluster: Cluster) -> None:
    rds(cluster)
    await available(cluster)
    found = got(cluster, AWS, "RDSInstance", NAME, "")
    assert found["metadata"]["finalizers"] == [FINALIZER]
    assert found["metadata"]["annotations"]["crossplane.io/external-name"] == NAME
    at = found["status"]["atProvider"]
    assert at["dbInstanceStatus"] == "available"
    assert at["endpoint"] == {"address": f"{NAME}.playground.eu-central-1.rds.amazonaws.com", "port": 5432}
    assert set(got(cluster, "", "Secret")["data"]) == {"username", "password", "endpoint", "port"}


async def test_what_the_cloud_refuses_is_told_in_its_words(cluster: Cluster) -> None:
    rds(cluster, user="admin")
    why = await cluster.until(lambda: refused(cluster))
    assert "api error InvalidParameterValue: MasterUsername admin cannot be used as it is a reserved word" in why
    assert warnings(cluster, "CannotCreateExternalResource") == [why]
    assert not cluster.store.list("", "Secret")


async def test_a_storage_too_small_is_refused(cluster: Cluster) -> None:
    rds(cluster, storageType="gp3", allocatedStorage=5)
    assert "Invalid storage size for engine name postgres" in await cluster.until(lambda: refused(cluster))


async def test_a_missing_provider_config_is_named_until_it_is_there(cluster: Cluster) -> None:
    rds(cluster, config="other")
    why = await cluster.until(lambda: refused(cluster))
    assert why.endswith('ProviderConfig.aws.crossplane.io "other" not found')
    put(cluster, "aws.crossplane.io/v1beta1", "ProviderConfig", "other", {}, namespace="")
    await available(cluster)


async def test_a_missing_namespace_keeps_the_connection_from_being_written(cluster: Cluster) -> None:
    made = rds(cluster)
    made["spec"]["writeConnectionSecretToRef"]["namespace"] = "later"
    cluster.store.update(made)
    assert (await cluster.until(lambda: refused(cluster))).endswith('namespaces "later" not found')
    cluster.store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "later"}})
    await available(cluster)


async def test_deleted_it_goes_when_the_cloud_has_let_go_and_its_secret_with_it(cluster: Cluster) -> None:
    rds(cluster)
    await available(cluster)
    _, gone = cluster.store.delete(AWS, "RDSInstance", "", NAME, Deletion(propagation="Background"))
    assert not gone
    at = await cluster.until(lambda: got(cluster, AWS, "RDSInstance", NAME, "").get("status", {}).get("atProvider"))
    await cluster.until(lambda: not instance(cluster))
    assert at["dbInstanceStatus"] in {"available", "deleting"}
    await cluster.until(lambda: not cluster.store.list("", "Secret"))


async def test_a_protected_one_is_not_deleted_whatever_is_said_afterwards(cluster: Cluster) -> None:
    rds(cluster, deletionProtection=True)
    await available(cluster)
    cluster.store.delete(AWS, "RDSInstance", "", NAME)
    why = await cluster.until(lambda: refused(cluster))
    assert why.endswith("Cannot delete protected DB Instance, please disable deletion protection and try again.")
    found = got(cluster, AWS, "RDSInstance", NAME, "")
    found["spec"]["forProvider"]["deletionProtection"] = False
    cluster.store.update(found)
    await cluster.until(lambda: len(cluster.told("CannotDeleteExternalResource")) == 1)
    assert instance(cluster), "the provider tells the cloud nothing more of what is being deleted"


async def test_protection_that_is_lifted_before_lets_it_go(cluster: Cluster) -> None:
    rds(cluster, deletionProtection=True)
    await available(cluster)
    found = got(cluster, AWS, "RDSInstance", NAME, "")
    found["spec"]["forProvider"]["deletionProtection"] = False
    wanted = cluster.store.update(found)["metadata"]["generation"]
    await cluster.until(lambda: told(instance(cluster), "Synced")["observedGeneration"] == wanted)
    cluster.store.delete(AWS, "RDSInstance", "", NAME)
    await cluster.until(lambda: not instance(cluster))


async def test_what_is_to_be_kept_in_the_cloud_goes_from_the_cluster_at_once(cluster: Cluster) -> None:
    made = rds(cluster, deletionProtection=True)
    made["spec"]["deletionPolicy"] = "Orphan"
    cluster.store.update(made)
    await available(cluster)
    cluster.store.delete(AWS, "RDSInstance", "", NAME)
    await cluster.until(lambda: not instance(cluster))


async def test_a_claim_leads_to_a_composite_and_that_to_a_cache_in_the_cloud(cluster: Cluster) -> None:
    spec = {"parameters": {"engine": "valkey"}, "writeConnectionSecretToRef": {"name": "cart"}}
    put(cluster, f"{ACME}/v1alpha1", "CacheInstance", "cart", spec)
    await cluster.until(lambda: told(got(cluster, ACME, "CacheInstance", "cart"), "Ready").get("status") == "True")
    claim = got(cluster, ACME, "CacheInstance", "cart")
    composite = got(cluster, ACME, "XCacheInstance", claim["spec"]["resourceRef"]["name"], "")
    (below,) = composite["spec"]["resourceRefs"]
    managed = got(cluster, CACHE, "ReplicationGroup", below["name"], "")
    assert managed["metadata"]["labels"]["crossplane.io/claim-name"] == "cart"
    assert claim["metadata"]["finalizers"] == ["finalizer.apiextensions.crossplane.io"]
    assert composite["metadata"]["finalizers"] == ["composite.apiextensions.crossplane.io"]
    assert claim["status"]["connectionDetails"]["lastPublishedTime"]
    assert {"endpoint", "port", "password", "username", "url"} <= set(got(cluster, "", "Secret", "cart")["data"])
    cluster.store.delete(ACME, "CacheInstance", "default", "cart", Deletion(propagation="Background"))
    await cluster.until(lambda: not cluster.store.list(CACHE, "ReplicationGroup"))
    assert not cluster.store.list(ACME, "XCacheInstance")
    assert not cluster.store.list(ACME, "CacheInstance")


async def test_a_claim_that_is_made_to_fail_is_refused_in_the_cloud(cluster: Cluster) -> None:
    cluster.controllers.force_database("default", "cart", "failed", "")
    put(cluster, f"{ACME}/v1alpha1", "CacheInstance", "cart", {"writeConnectionSecretToRef": {"name": "cart"}})

    def why() -> str:
        found = cluster.store.list(CACHE, "ReplicationGroup")
        return str(told(found[0], "Synced").get("message", "")) if found else ""

    assert "InstanceQuotaExceeded" in await cluster.until(why)
    assert told(got(cluster, ACME, "CacheInstance", "cart"), "Ready")["reason"] == "Waiting"
    cluster.controllers.force_database("default", "cart", "ready", "")
    await cluster.until(lambda: told(got(cluster, ACME, "CacheInstance", "cart"), "Ready").get("status") == "True")
