"""From what a place holds to what is deleted and proved, for both ways of delivering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import yaml

from bot.effects import EndInBook, ProveGone, RemoveFiles, RemoveNamespace, RemoveObjects
from bot.effects.objects import INVENTORY
from bot.errors import Refused
from bot.model.effect import Effect, Outcome
from bot.model.plan import Revision
from bot.model.platform import Platform
from bot.ports import ObjectRef
from bot.rendering.delivery import Place, Standing
from bot.teardown import Contents, proofs_of, read_contents, teardown_effects
from tests.effects.scenes import LINE, OLD, World, run
from tests.effects.test_absence import put, volume
from tests.fakes.cluster import FakeCluster

NAME = "preview-pr-7"
OURS = "preview.pr-7"
MANAGED = {"app.kubernetes.io/managed-by": "causeway"}
PREVIEW = {"causeway.io/preview": "pr-7"}
PLATFORM = Platform.model_validate(
    {
        "environments": {"pr-7": {"delivery": "direct", "namespace": "preview-{environment}"}},
        "gitops": {"repository": OLD},
    }
)
PLACE = Place(platform=PLATFORM, service="preview", environment="pr-7", team="team-orders")
BY_GIT = replace(
    PLACE,
    platform=PLATFORM.model_copy(
        update={
            "environments": {"pr-7": PLATFORM.environments["pr-7"].model_copy(update={"delivery": "gitops"})},
        }
    ),
)
STANDING = Standing(release=None, files={}, revision=Revision(of="x", at="y"))
RDS = ("database.aws.crossplane.io/v1beta1", "RDSInstance")
SQL = ("platform.company.io/v1", "WebService")
"""Stands for a company's claim."""


def settled(cluster: FakeCluster, **labels: str) -> FakeCluster:
    """Let everything stand that a preview may hold."""
    put(cluster, "v1", "Namespace", NAME, metadata={"labels": labels or {INVENTORY: OURS, **MANAGED}})
    volume(cluster, "pv-1", "Delete", "Bound")
    put(cluster, "v1", "PersistentVolumeClaim", "orders-db-1", NAME, spec={"volumeName": "pv-1"})
    put(cluster, "v1", "PersistentVolumeClaim", "pending", NAME, spec={})
    status = {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}
    put(cluster, "v1", "Service", "edge", NAME, spec={"type": "LoadBalancer"}, status=status)
    put(cluster, "v1", "Service", "web", NAME, spec={"type": "ClusterIP"})
    put(cluster, "networking.k8s.io/v1", "Ingress", "web", NAME, spec={"rules": [{"host": "web.example"}]})
    records = [{"dnsName": "dns.example"}]
    put(cluster, "externaldns.k8s.io/v1alpha1", "DNSEndpoint", "dns", NAME, spec={"endpoints": records})
    archive = {"name": "barman-cloud.cloudnative-pg.io", "isWALArchiver": True, "parameters": {"barmanObjectName": "s"}}
    spec = {"plugins": [archive], "backup": {"retentionPolicy": "7d"}}
    put(cluster, "postgresql.cnpg.io/v1", "Cluster", "orders-db", NAME, spec=spec)
    put(cluster, "snapshot.storage.k8s.io/v1", "VolumeSnapshot", "s", NAME)
    external = {"annotations": {"crossplane.io/external-name": "orders-x1"}, "labels": {INVENTORY: OURS}}
    put(cluster, *RDS, "cloud-db", metadata=external, spec={"deletionPolicy": "Delete"})
    put(cluster, *RDS, "composed", metadata={"annotations": {"crossplane.io/external-name": "claimed-x2"}})
    above = {"apiVersion": RDS[0], "kind": RDS[1], "name": "composite"}
    put(cluster, *RDS, "composite", spec={"resourceRefs": [{**above, "name": "composed"}]})
    put(cluster, *SQL, "claim", NAME, metadata={"labels": {INVENTORY: OURS}}, spec={"resourceRef": above})
    return cluster


def delivered(cluster: FakeCluster) -> list[dict[str, Any]]:
    refs = [ObjectRef(*RDS, "cloud-db"), ObjectRef(*SQL, "claim", NAME)]
    missing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "missing", "namespace": NAME}}
    return [*(cluster.find(ref) for ref in refs), missing]


async def contents(cluster: FakeCluster, **more: Any) -> Contents:
    return await read_contents(cluster, NAME, OURS, delivered(cluster), preview="pr-7", **more)


def effects(found: Contents | None, place: Place = PLACE, standing: Standing = STANDING) -> Sequence[Effect]:
    return teardown_effects(
        found, place, standing, what="preview", name="pr-7", summary="Delete the preview pr-7", made_by="op_before"
    )


def ids(found: Sequence[Effect]) -> list[str]:
    return [effect.id for effect in found]


async def test_everything_that_a_place_holds_is_read() -> None:
    found = await contents(settled(FakeCluster()))
    assert (found.label, found.mark, found.unread) == (INVENTORY, OURS, ())
    assert [(one.kind, one.name) for one in found.delivered] == [("RDSInstance", "cloud-db"), ("WebService", "claim")]
    assert [(one.name, one.claim, one.size, one.retained) for one in found.volumes] == [
        ("pv-1", "orders-db-1", "10Gi", False)
    ]
    assert [(one.service, one.addresses) for one in found.balancers] == [("edge", ("203.0.113.7",))]
    assert found.hosts == ("web.example", "dns.example")
    assert [(one.name, one.kept) for one in found.cloud] == [("orders-x1", False), ("claimed-x2", False)]
    assert (found.databases, found.snapshots) == (("orders-db",), True)
    assert found.stored_elsewhere == ("backups of orders-db in the object store s, for 7d by their retention policy",)


async def test_of_one_database_only_its_own_is_read() -> None:
    cluster = settled(FakeCluster())
    labels = {"labels": {"cnpg.io/cluster": "orders-db"}}
    put(cluster, "v1", "PersistentVolumeClaim", "orders-db-1", NAME, metadata=labels, spec={"volumeName": "pv-1"})
    volume(cluster, "pv-2", "Delete", "Bound")
    put(cluster, "v1", "PersistentVolumeClaim", "uploads", NAME, spec={"volumeName": "pv-2"})
    found = await contents(cluster, database="orders-db")
    assert [one.claim for one in found.volumes] == ["orders-db-1"]
    assert (found.hosts, found.balancers, found.may_delete_namespace) == ((), (), False)
    assert ids(proofs_of(found, namespace=False)) == ["prove-objects", "prove-volumes", "prove-cloud", "prove-stored"]


async def test_what_may_not_be_read_is_noted_and_told() -> None:
    cluster = settled(FakeCluster())
    cluster.refuse("list", Refused("Causeway may not list services."), skip=1)
    found = await contents(cluster)
    assert found.unread == ("the load balancers could not be looked at: Causeway may not list services.",)
    (note,) = [one for one in effects(found) if one.id == "not-proved"]
    assert note.describe().startswith("Note: Not everything could be proved: The load balancers could not be looked at")


async def test_an_empty_place_has_nothing_to_delete() -> None:
    found = await read_contents(FakeCluster(), NAME, OURS)
    assert found.is_empty
    assert ids(effects(found)) == ["end-in-book"]


async def test_the_approval_is_bound_to_what_goes_and_not_to_how_it_is_at_the_moment() -> None:
    cluster = settled(FakeCluster())
    before = (await contents(cluster)).revision
    put(cluster, *RDS, "cloud-db", status={"conditions": []})
    assert (await contents(cluster)).revision == before
    cluster.remove(ObjectRef("v1", "Namespace", NAME))
    settled(cluster)
    assert (await contents(cluster)).revision != before


async def test_straight_delivery_deletes_the_namespace_and_what_stands_in_none_and_proves_each_kind() -> None:
    planned = effects(await contents(settled(FakeCluster())))
    assert ids(planned) == [
        *("remove-namespace", "remove-objects"),
        *("prove-namespace", "prove-objects", "prove-volumes", "prove-addresses", "prove-hosts", "prove-cloud"),
        *("prove-snapshots", "prove-stored", "end-in-book"),
    ]
    objects = next(one for one in planned if isinstance(one, RemoveObjects))
    assert [one.name for one in objects.refs] == ["cloud-db"]


async def carried_out(planned: Sequence[Effect], world: World) -> Sequence[str]:
    """Return what each step has seen."""
    seen: dict[str, Outcome] = {}
    for effect in planned:
        outputs = {name: outcome.outputs for name, outcome in seen.items()}
        seen[effect.id] = await effect.bound(outputs).apply(world.ports, run(effect))
    return [outcome.seen for outcome in seen.values()]


async def test_what_is_not_proved_to_be_gone_stays_in_the_sweeps_sight() -> None:
    world = World()
    world.book.put(LINE)
    put(world.cluster, "v1", "Namespace", NAME, metadata={"labels": {INVENTORY: OURS}})
    planned = effects(await read_contents(world.cluster, NAME, OURS, preview="pr-7"))
    world.cluster.refuse("list", Refused("Causeway may not list volumes."))
    assert "could not be looked at" in str(await carried_out(planned, world))
    assert world.cluster.refs() == []
    assert len(world.book.open) == 1
    again = effects(await read_contents(world.cluster, NAME, OURS, preview="pr-7"))
    await carried_out(again, world)
    assert world.book.open == {}, "a person who has looked strikes it out"


async def test_what_nobody_could_look_at_stays_in_the_book() -> None:
    (end,) = [one for one in effects(None, BY_GIT) if isinstance(one, EndInBook)]
    assert end.unseen


async def test_the_whole_teardown_leaves_nothing_and_its_receipt_says_how_that_was_seen() -> None:
    world = World()
    cluster = settled(world.cluster)
    world.book.put(LINE)
    planned = effects(await contents(cluster))
    for claimed in ("pv-1", "composed", "composite"):  # what controllers delete, and the fake has none
        kind = ("v1", "PersistentVolume") if claimed == "pv-1" else RDS
        cluster.remove(ObjectRef(*kind, claimed))
    receipt = await carried_out(planned, world)
    assert cluster.refs() == []
    assert world.book.open == {}
    assert receipt[2:] == [
        "gone: namespace preview-pr-7 and its workloads (the cluster knows no such namespace)",
        "gone: RDSInstance cloud-db (the cluster has none of these any more)",
        "gone: volume pv-1 (no PersistentVolume names a claim of preview-pr-7 any more)",
        "gone: load balancer 203.0.113.7 (its Service is gone, and no other one has the address)",
        "gone: web.example, dns.example (no Ingress of the cluster answers there, and external-dns is told of none)",
        "gone: RDSInstance orders-x1, RDSInstance claimed-x2 (no managed resource has that name in the cloud any more)",
        "gone: volume snapshots of preview-pr-7 (the cluster has none of that namespace any more)",
        "kept: backups of orders-db in the object store s, for 7d by their retention policy",
        "the end of the preview pr-7 is written down",
    ]


@pytest.mark.parametrize(
    "labels",
    [{"team": "theirs"}, MANAGED, {"causeway.io/preview": "pr-8"}, {INVENTORY: "orders-api.staging"}],
    ids=["unknown", "a service's, by Git", "another preview's", "a service's"],
)
async def test_a_namespace_of_somebody_else_stays_and_what_was_delivered_goes(labels: dict[str, str]) -> None:
    planned = effects(await contents(settled(FakeCluster(), **labels)))
    assert ids(planned)[:3] == ["remove-objects", "namespace-stays", "prove-objects"]
    assert not any(isinstance(one, RemoveNamespace) for one in planned)
    assert planned[1].describe() == (
        "Note: The namespace preview-pr-7 stays: it is not Causeway's, and others may have something in it. Where "
        "nothing is in it, `kubectl --context default delete namespace preview-pr-7` deletes it."
    )


async def test_with_what_was_delivered_goes_where_its_release_is_kept() -> None:
    cluster = settled(FakeCluster(), team="theirs")
    put(cluster, "v1", "ConfigMap", "causeway-release-preview", NAME, metadata={"labels": {INVENTORY: OURS}})
    put(cluster, "v1", "ConfigMap", "theirs", NAME)
    (removing,) = [one for one in effects(await contents(cluster)) if isinstance(one, RemoveObjects)]
    assert [one.name for one in removing.refs] == ["causeway-release-preview", "claim", "cloud-db"]


async def test_without_the_right_the_namespace_stays_and_the_receipt_says_what_grants_it() -> None:
    cluster = settled(FakeCluster())
    cluster.denied.add(("delete", "namespaces"))
    planned = effects(await contents(cluster))
    assert ids(planned)[:2] == ["remove-objects", "namespace-stays"]
    assert "manifests/install/components/previews grants that" in planned[1].describe()


async def by_git(cluster: FakeCluster, **files: str) -> Sequence[Effect]:
    standing = replace(STANDING, files=files, application="kind: Application\n")
    return effects(await contents(cluster), BY_GIT, standing)


async def test_by_git_a_commit_deletes_and_argo_cd_is_waited_for_before_the_project_forgets() -> None:
    planned = await by_git(settled(FakeCluster()), **{"web.yaml": "kind: Service\n"})
    assert ids(planned)[:7] == [
        *("delete", "refresh-root", "await-application", "remove-namespace", "leave-project"),
        *("prove-applications", "prove-folders"),
    ]
    commit = next(one for one in planned if isinstance(one, RemoveFiles))
    assert commit.deleted == (
        "argocd/applications/preview-pr-7.yaml",
        "apps/preview/pr-7/web.yaml",
        "apps/preview/pr-7/.causeway/release.yaml",
    )


async def test_a_namespace_that_argo_cd_applies_it_deletes_as_well() -> None:
    text = yaml.safe_dump({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME}})
    planned = await by_git(settled(FakeCluster(), **MANAGED, **PREVIEW), **{"namespace.yaml": text})
    (removing,) = [one for one in planned if isinstance(one, RemoveNamespace)]
    assert removing.by_others
    assert "prove-namespace" in ids(planned)


async def test_a_namespace_that_argo_cd_has_made_for_the_application_nobody_else_deletes() -> None:
    planned = await by_git(settled(FakeCluster(), **MANAGED, **PREVIEW))
    (removing,) = [one for one in planned if isinstance(one, RemoveNamespace)]
    assert (removing.by_others, removing.label, removing.inventory) == (False, *next(iter(PREVIEW.items())))
    cluster = settled(FakeCluster(), **MANAGED, **PREVIEW)
    cluster.denied.add(("delete", "namespaces"))
    planned = await by_git(cluster)
    assert "namespace-stays" in ids(planned)
    assert "prove-namespace" not in ids(planned)


async def test_without_the_cluster_argo_cd_and_git_are_asked_and_the_rest_is_said() -> None:
    planned = effects(None, BY_GIT)
    assert ids(planned) == [
        *("delete", "refresh-root", "await-application", "leave-project"),
        *("prove-applications", "prove-folders", "not-looked", "end-in-book"),
    ]
    assert "is not connected, so nobody has looked there" in planned[-2].describe()


async def test_branches_that_were_made_for_it_are_looked_for_by_repository() -> None:
    branches = [("acme/web", "a"), ("acme/orders", "b"), ("acme/web", "c")]
    planned = teardown_effects(None, PLACE, STANDING, what="preview", name="pr-7", summary="Delete", branches=branches)
    proofs = [one for one in planned if isinstance(one, ProveGone)]
    assert [one.describe() for one in proofs] == [
        "Look until it is gone: the branch b of acme/orders",
        "Look until it is gone: the branches a, c of acme/web",
    ]
    assert len(set(ids(planned))) == len(planned)
