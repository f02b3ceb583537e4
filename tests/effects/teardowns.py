"""A preview that is torn down: effects, and the world in which it stands."""

from __future__ import annotations

from typing import Any

from bot.effects import (
    AwaitApplicationGone,
    LeaveProject,
    ProveGone,
    RemoveFiles,
    RemoveNamespace,
    RemoveObjects,
    Target,
)
from bot.effects.absent import CloudAbsent, CloudName, HostsAbsent, NamespaceAbsent, ObjectsAbsent, VolumesAbsent
from bot.effects.absent_beside import ApplicationsAbsent, FoldersAbsent
from bot.effects.objects import INVENTORY
from bot.ports import ObjectRef
from tests.effects.scenes import END, OLD, PROJECT, kubernetes
from tests.fakes.cluster import FakeCluster

NAMESPACE = "preview-pr-7"
OURS = "preview.pr-7"
CLOUD = ObjectRef("database.aws.crossplane.io/v1beta1", "RDSInstance", "pr-7-db")
APPLICATION = "preview-pr-7"
PROJECT_FILE = "argocd/projects/team-orders.yaml"


def put_preview(cluster: FakeCluster) -> None:
    """Let it stand in an empty cluster: there its uids are known beforehand."""
    labels: Any = {INVENTORY: OURS}
    cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})
    named: dict[str, Any] = {"name": CLOUD.name, "labels": labels, "annotations": {"crossplane.io/external-name": "x1"}}
    cluster.put({"apiVersion": CLOUD.api_version, "kind": CLOUD.kind, "metadata": named})
    cluster.put(kubernetes("ConfigMap", "release", NAMESPACE))
    cluster.put(kubernetes("Ingress", "web", NAMESPACE, spec={"rules": [{"host": "web.pr-7.example.com"}]}))


def _uid(ref: ObjectRef) -> str:
    cluster = FakeCluster()
    put_preview(cluster)
    return str(cluster.find(ref)["metadata"]["uid"])


UID = _uid(ObjectRef("v1", "Namespace", NAMESPACE))
TARGET = Target(api_version=CLOUD.api_version, kind=CLOUD.kind, name=CLOUD.name, uid=_uid(CLOUD))
REMOVE_NAMESPACE = RemoveNamespace(
    id="remove-namespace", cluster="default", namespace=NAMESPACE, uid=UID, inventory=OURS
)
REMOVE_OBJECTS = RemoveObjects(
    id="remove-objects", cluster="default", namespace=NAMESPACE, inventory=OURS, refs=(TARGET,)
)
PROVE = ProveGone(
    id="prove",
    cluster="default",
    namespace=NAMESPACE,
    checks=(
        NamespaceAbsent(name=NAMESPACE, uid=UID),
        ObjectsAbsent(targets=(TARGET,)),
        VolumesAbsent(namespace=NAMESPACE),
        HostsAbsent(hosts=("web.pr-7.example.com",)),
        CloudAbsent(resources=(CloudName(api_version=CLOUD.api_version, kind=CLOUD.kind, name="x1"),)),
    ),
)
STRAIGHT = (REMOVE_NAMESPACE, REMOVE_OBJECTS, PROVE, END)

REMOVE_FILES = RemoveFiles(
    id="remove-files",
    repository=OLD,
    deleted=("apps/preview/pr-7/image.txt", f"argocd/applications/{APPLICATION}.yaml"),
    message="Delete the preview pr-7",
    as_requester=True,
)
AWAIT_GONE = AwaitApplicationGone(id="await-gone", application=APPLICATION, root="root")
LEAVE = LeaveProject(id="leave", repository=OLD, branch="main", path=PROJECT_FILE, project=PROJECT)
PROVE_IN_GIT = ProveGone(
    id="prove-in-git",
    cluster="default",
    checks=(
        ApplicationsAbsent(names=(APPLICATION,)),
        FoldersAbsent(repository=OLD, branch="main", folders=("apps/preview/pr-7",)),
    ),
)
BY_GIT = (REMOVE_FILES, AWAIT_GONE, LEAVE, PROVE_IN_GIT)
