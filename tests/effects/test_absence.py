"""What proves that something is gone, what is kept, and what is not proved."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.effects import ProveGone, Target
from bot.effects.absence import Check
from bot.effects.absent import (
    Address,
    AddressesAbsent,
    CloudAbsent,
    CloudName,
    HostsAbsent,
    NamespaceAbsent,
    ObjectsAbsent,
    Volume,
    VolumesAbsent,
)
from bot.effects.absent_beside import (
    ApplicationsAbsent,
    BackupsKept,
    BranchesAbsent,
    FoldersAbsent,
    KeptBackup,
    SnapshotsAbsent,
    StoredElsewhere,
)
from bot.errors import Refused, UpstreamUnavailable
from bot.model.effect import Outcome
from bot.ports import File, NewRepository, ObjectRef, Ports
from tests.effects.scenes import OLD, World, kubernetes, run
from tests.effects.scenes import world as with_repository
from tests.effects.test_remove_namespace import Breathing, Told, ports
from tests.fakes.cluster import FakeCluster
from tests.fakes.deployments import FakeDeployments, application

NAME = "preview-pr-7"


def proving(*checks: Check, **more: Any) -> ProveGone:
    return ProveGone(id="prove", cluster="default", namespace=NAME, checks=checks, **more)


async def proof(cluster: FakeCluster, check: Check, happenings: Sequence[Any] = ()) -> tuple[Outcome, Told]:
    told, effect = Told(), proving(check, patience_s=4)
    where = ports(cluster, Breathing(list(happenings)))
    async with asyncio.timeout(20):
        return await effect.apply(where, run(effect).model_copy(update={"report": told})), told


def put(cluster: FakeCluster, api_version: str, kind: str, name: str, namespace: str = "", **parts: Any) -> Any:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **parts.pop("metadata", {})}
    return cluster.put({"apiVersion": api_version, "kind": kind, "metadata": metadata, **parts})


def volume(cluster: FakeCluster, name: str, policy: str, phase: str, namespace: str = NAME) -> ObjectRef:
    claim = {"namespace": namespace, "name": "orders-db-1"}
    spec = {"claimRef": claim, "persistentVolumeReclaimPolicy": policy, "capacity": {"storage": "10Gi"}}
    put(cluster, "v1", "PersistentVolume", name, spec=spec, status={"phase": phase})
    return ObjectRef("v1", "PersistentVolume", name)


async def test_a_namespace_is_gone_when_the_server_knows_none_with_its_uid() -> None:
    cluster = FakeCluster(namespaces=[NAME])
    uid = cluster.find(ObjectRef("v1", "Namespace", NAME))["metadata"]["uid"]
    check = NamespaceAbsent(name=NAME, uid=uid)
    outcome, told = await proof(cluster, check, [lambda: cluster.remove(ObjectRef("v1", "Namespace", NAME))])
    assert told.reports == [(f"namespace {NAME} is not gone yet.", False)]
    assert outcome.seen == f"gone: namespace {NAME} and its workloads (the cluster knows no such namespace)"
    put(cluster, "v1", "Namespace", NAME)
    outcome, _ = await proof(cluster, check)
    assert "only one that somebody has made since, which is left alone" in outcome.seen


async def test_objects_are_gone_when_none_has_their_uid() -> None:
    cluster = FakeCluster(namespaces=[NAME])
    cluster.put(kubernetes("ConfigMap", "a", NAME))
    targets = (Target.of(cluster.find(ObjectRef("v1", "ConfigMap", "a", NAME))),)
    cluster.remove(ObjectRef("v1", "ConfigMap", "a", NAME))
    cluster.put(kubernetes("ConfigMap", "a", NAME))
    gone = Target(api_version="nobody.example/v1", kind="Thing", name="b", uid="1")
    outcome, _ = await proof(cluster, ObjectsAbsent(targets=(*targets, gone)))
    assert outcome.seen == f"gone: ConfigMap a in {NAME}, Thing b (the cluster has none of these any more)"


async def test_a_volume_is_found_by_its_claim_and_a_retained_one_is_kept_and_named() -> None:
    cluster = FakeCluster()
    going = volume(cluster, "pv-1", "Delete", "Released")
    volume(cluster, "pv-2", "Retain", "Released")
    volume(cluster, "pv-3", "Delete", "Bound", "somebody-elses")
    check = VolumesAbsent(namespace=NAME, volumes=(Volume(name="pv-1", claim="orders-db-1"),))
    outcome, told = await proof(cluster, check, [lambda: None, lambda: None, lambda: cluster.remove(going)])
    assert len(told.stalled) == 1
    assert told.stalled[0] == (
        "volume pv-1 of the claim orders-db-1 is not gone yet. Ask the platform team what holds it, or keep it: then "
        "the receipt says that it is left."
    )
    assert outcome.seen == (
        f"gone: volume pv-1 (no PersistentVolume names a claim of {NAME} any more); kept: volume pv-2 "
        "(of orders-db-1, 10Gi: its class retains it until somebody deletes it)"
    )
    assert outcome.outputs["proved"] == "kept"


async def test_volumes_of_other_claims_of_a_namespace_that_stays_are_none_of_its_business() -> None:
    cluster = FakeCluster()
    volume(cluster, "pv-1", "Delete", "Bound")
    outcome, _ = await proof(cluster, VolumesAbsent(namespace=NAME, claims=("cache",)))
    assert outcome.seen == f"there are no volumes of {NAME}"


async def test_a_load_balancer_is_gone_when_nobody_has_its_address() -> None:
    cluster = FakeCluster(namespaces=[NAME, "other"])

    def balancer(namespace: str, *addresses: dict[str, str]) -> None:
        status = {"loadBalancer": {"ingress": list(addresses)}}
        put(cluster, "v1", "Service", "edge", namespace, spec={"type": "LoadBalancer"}, status=status)

    balancer(NAME, {"ip": "203.0.113.7"})
    edge = Address(service="edge", namespace=NAME, addresses=("203.0.113.7", "lb.example.com"))

    def moved() -> None:
        cluster.remove(ObjectRef("v1", "Service", "edge", NAME))
        balancer("other", {"hostname": "lb.example.com"})

    happenings = [moved, lambda: cluster.remove(ObjectRef("v1", "Service", "edge", "other"))]
    outcome, told = await proof(cluster, AddressesAbsent(balancers=(edge,)), happenings)
    assert [text.partition(" is not")[0] for text, _ in told.reports] == [
        "Service edge of type LoadBalancer",
        "address 203.0.113.7, lb.example.com, which Service edge in other has",
    ]
    assert outcome.seen == (
        "gone: load balancer 203.0.113.7, lb.example.com (its Service is gone, and no other one has the address)"
    )


async def test_a_host_is_gone_when_no_ingress_and_no_record_names_it() -> None:
    cluster = FakeCluster(namespaces=[NAME])
    put(cluster, "networking.k8s.io/v1", "Ingress", "web", NAME, spec={"rules": [{"host": "a.example"}, {}]})
    endpoints = [{"dnsName": "b.example.", "recordType": "A"}]
    put(cluster, "externaldns.k8s.io/v1alpha1", "DNSEndpoint", "dns", NAME, spec={"endpoints": endpoints})
    ingress = ObjectRef("networking.k8s.io/v1", "Ingress", "web", NAME)
    record = ObjectRef("externaldns.k8s.io/v1alpha1", "DNSEndpoint", "dns", NAME)
    check = HostsAbsent(hosts=("a.example", "b.example"))
    happenings = [lambda: cluster.remove(ingress), lambda: cluster.remove(record)]
    outcome, told = await proof(cluster, check, happenings)
    assert [text for text, _ in told.reports] == [
        f"a.example (Ingress web in {NAME}), b.example (DNSEndpoint dns in {NAME}) are not gone yet.",
        f"b.example (DNSEndpoint dns in {NAME}) is not gone yet.",
    ]
    assert outcome.seen == (
        "gone: a.example, b.example (no Ingress of the cluster answers there, and external-dns is told of none)"
    )


async def test_a_cloud_resource_is_gone_when_no_managed_resource_has_its_external_name() -> None:
    cluster = FakeCluster()
    kind = ("database.aws.crossplane.io/v1beta1", "RDSInstance")
    named = {"annotations": {"crossplane.io/external-name": "orders-db-x1"}}
    put(cluster, *kind, "renamed", metadata=named)
    resources = (
        CloudName(api_version=kind[0], kind=kind[1], name="orders-db-x1"),
        CloudName(api_version=kind[0], kind=kind[1], name="kept-x2", kept=True),
    )
    happenings = [lambda: cluster.remove(ObjectRef(*kind, "renamed"))]
    outcome, told = await proof(cluster, CloudAbsent(resources=resources), happenings)
    assert told.reports[0][0] == "RDSInstance orders-db-x1 is not gone yet."
    assert outcome.seen == (
        "gone: RDSInstance orders-db-x1 (no managed resource has that name in the cloud any more); kept: "
        "RDSInstance kept-x2 (its deletion policy, Orphan, leaves it in the cloud)"
    )


async def test_of_a_cloud_whose_provider_was_removed_nothing_is_proved() -> None:
    cluster = FakeCluster()
    resources = (CloudName(api_version="gone.example/v1", kind="Bucket", name="b-3"),)
    outcome, _ = await proof(cluster, CloudAbsent(resources=resources))
    assert outcome.seen == (
        "nothing tells any more whether Bucket b-3 is gone from the cloud: the cluster does not know its kind, so it "
        "is not proved"
    )
    assert outcome.outputs["proved"] == "no"


async def test_volumes_of_a_namespace_that_somebody_has_made_anew_are_theirs() -> None:
    cluster = FakeCluster(namespaces=[NAME])
    volume(cluster, "pv-9", "Delete", "Bound")
    check = VolumesAbsent(namespace=NAME, uid="before", volumes=(Volume(name="pv-1", claim="orders-db-1"),))
    outcome, _ = await proof(cluster, check)
    assert outcome.seen == f"gone: volume pv-1 (no PersistentVolume names a claim of {NAME} any more)"
    volume(cluster, "pv-8", "Delete", "Released")
    going = [lambda: cluster.remove(ObjectRef("v1", "PersistentVolume", "pv-8"))]
    _, told = await proof(cluster, check, going)
    assert told.reports[0][0] == "volume pv-8 of the claim orders-db-1 is not gone yet."


async def test_backups_that_remain_are_listed_with_their_end_and_a_lost_one_is_no_proof() -> None:
    cluster = FakeCluster(namespaces=[NAME])
    kind = ("postgresql.cnpg.io/v1", "Backup")
    put(cluster, *kind, "last", NAME, spec={"cluster": {"name": "orders-db"}}, status={"phase": "completed"})
    put(cluster, *kind, "half", NAME, spec={"cluster": {"name": "orders-db"}}, status={"phase": "failed"})
    put(cluster, *kind, "others", NAME, spec={"cluster": {"name": "users-db"}}, status={"phase": "completed"})
    known = (KeptBackup(name="last", until="5 March 2026"), KeptBackup(name="lost"))
    outcome, _ = await proof(cluster, BackupsKept(namespace=NAME, database="orders-db", backups=known))
    assert outcome.seen == (
        "kept: backup half (until somebody deletes it; it says: failed), backup last (until 5 March 2026); "
        "the backup lost is not there any more"
    )
    assert outcome.outputs["proved"] == "no"


async def test_retained_snapshots_and_what_stands_elsewhere_are_named() -> None:
    cluster = FakeCluster()
    kind = ("snapshot.storage.k8s.io/v1", "VolumeSnapshotContent")
    ours = {"volumeSnapshotRef": {"namespace": NAME}}
    put(cluster, *kind, "kept", spec={**ours, "deletionPolicy": "Retain"})
    put(cluster, *kind, "going", spec={**ours, "deletionPolicy": "Delete"})
    put(cluster, *kind, "theirs", spec={"volumeSnapshotRef": {"namespace": "x"}, "deletionPolicy": "Delete"})
    happenings = [lambda: cluster.remove(ObjectRef(*kind, "going"))]
    outcome, told = await proof(cluster, SnapshotsAbsent(namespace=NAME), happenings)
    assert told.reports[0][0] == "snapshot going is not gone yet."
    assert outcome.seen == "kept: snapshot kept (its class retains it until somebody deletes it)"
    outcome, _ = await proof(cluster, StoredElsewhere(what=("backups in s3://b",)))
    assert outcome.seen == "kept: backups in s3://b"


async def test_applications_are_gone_when_argo_cd_says_so() -> None:
    deployments = FakeDeployments(application("orders-pr-7"))
    world = World()
    effect = proving(ApplicationsAbsent(names=("orders-pr-7", "web-pr-7")))
    waiting = Breathing([lambda: deployments.remove("orders-pr-7")])
    where = replace(world.ports, deployments=deployments, waiting=waiting)
    outcome = await effect.apply(where, run(effect))
    assert outcome.seen == "gone: application orders-pr-7, application web-pr-7 (Argo CD has none of that name)"


async def test_without_argo_cd_nothing_is_proved_and_it_is_said() -> None:
    effect = proving(ApplicationsAbsent(names=("orders-pr-7",)))
    outcome = await effect.apply(World().ports, run(effect))
    assert outcome.seen == (
        "the Argo CD application orders-pr-7 could not be looked at, so it is not proved: No Argo CD is connected."
    )
    assert outcome.outputs["proved"] == "no"


async def test_folders_and_branches_are_looked_for_in_git() -> None:
    world = await with_repository()
    head = await world.forge.branch_head(OLD, "main")
    assert head is not None
    theirs = File("apps/preview/pr-8/notes.txt", b"mine\n")
    await world.forge.commit(OLD, "main", [theirs], "Note", parent=head.sha)
    folders = FoldersAbsent(repository=OLD, branch="main", folders=("apps/preview/pr-7", "apps/preview/pr-8"))
    effect = proving(folders, BranchesAbsent(repository=OLD, branches=("preview/pr-7",)))
    outcome = await effect.apply(world.ports, run(effect))
    head = await world.forge.branch_head(OLD, "main")
    assert head is not None
    assert outcome.seen == (
        f"gone: folder apps/preview/pr-7 ({OLD} has nothing there at {head.sha[:7]}); kept: folder apps/preview/pr-8, "
        f"where others have put notes.txt; gone: branch preview/pr-7 ({OLD} has no such branch)"
    )


async def test_what_may_not_be_looked_at_is_said_and_is_no_obstacle() -> None:
    cluster = FakeCluster()
    cluster.refuse("list", Refused("Causeway may not list persistentvolumes.", hint="See docs/guides/rights.md."))
    outcome, _ = await proof(cluster, VolumesAbsent(namespace=NAME))
    assert outcome.seen == (
        f"volumes of {NAME} could not be looked at, so it is not proved: Causeway may not list persistentvolumes. See "
        "docs/guides/rights.md."
    )
    assert outcome.outputs["proved"] == "no"


async def test_a_cluster_that_is_away_is_waited_for() -> None:
    cluster = FakeCluster()
    cluster.refuse("list", UpstreamUnavailable("The cluster `default` cannot be reached."), times=2)
    outcome, told = await proof(cluster, VolumesAbsent(namespace=NAME), [lambda: None, lambda: None])
    assert told.reports[0] == (
        "The cluster `default` cannot be reached. Causeway goes on by itself once it answers.",
        False,
    )
    assert outcome.outputs["proved"] == "yes"


def test_a_person_who_ends_the_wait_leaves_it_unproved() -> None:
    outcome = proving().kept("volume pv-1 is not gone yet.", "Sample Approver")
    assert (outcome.kept, outcome.outputs) == (True, {"proved": "no"})


async def test_two_hundred_proofs_of_one_moment_share_their_looks() -> None:
    cluster = FakeCluster()
    where: Ports = ports(cluster, Breathing())
    effects = [proving(VolumesAbsent(namespace=f"preview-{number}")) for number in range(200)]
    await asyncio.gather(*(effect.apply(where, run(effect)) for effect in effects))
    assert cluster.calls.count("list") <= 2


@pytest.mark.parametrize("repository", ["acme/none"])
async def test_a_repository_that_is_gone_has_no_branch(repository: str) -> None:
    world = World()
    await world.forge.create_repository(NewRepository("acme/orders", "Orders"))
    effect = proving(BranchesAbsent(repository=repository, branches=("a",)))
    outcome = await effect.apply(world.ports, run(effect))
    assert outcome.seen.startswith(("gone: branch a", "the branch a of acme/none could not be looked at"))
