"""What the sample company's cluster holds before anybody has done anything.

Nodes, namespaces, Argo CD's root application, and for the bot exactly the rights and the root that the platform team
would apply from `manifests/install/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from playground import sample
from playground.kubernetes.store import Store

INSTALL = Path(__file__).parent.parent / "manifests" / "install"
RIGHTS = (
    "account/rbac-read.yaml",
    "base/rbac-argocd-read.yaml",
    "components/direct-delivery/rbac.yaml",
    "components/direct-delivery-anywhere/rbac.yaml",
    "components/direct-delivery-crossplane/rbac.yaml",
    "components/databases-and-previews/rbac.yaml",
    "components/previews/rbac.yaml",
    "components/database-access/rbac.yaml",
)
ROOT = "argocd/root.yaml"
SAMPLE_URL = "https://github.com/acme/gitops.git"
"""The address in `ROOT` that everybody puts their own in place of."""
ARGOCD = "argocd"
NAMESPACES = (ARGOCD, "causeway", "ingress-nginx", "monitoring")
BOT = ("causeway", "causeway")
"""Namespace and name of the service account that the bot's token belongs to."""
RBAC = "rbac.authorization.k8s.io/v1"
COMPOSED = "cache.aws.crossplane.io"
"""What the company's claims for caches are composed of."""
NODES = 3
INSTALLER = "platform-team"
Object = dict[str, Any]


def furnish(store: Store, gitops_url: str) -> None:
    """Put in what is missing; what is there stays as people left it."""
    for wanted in [*nodes(store.clock().strftime("%Y-%m-%dT%H:%M:%SZ")), *namespaces(), *installed(gitops_url)]:
        group, _, _ = str(wanted["apiVersion"]).rpartition("/")
        place = wanted["metadata"].get("namespace", ""), wanted["metadata"]["name"]
        if store.get(group, wanted["kind"], *place) is None:
            store.create(wanted, manager=INSTALLER)


def nodes(now: str) -> Iterator[Object]:
    for number in range(1, NODES + 1):
        name = f"node-{number}"
        size = {"cpu": "4", "memory": "16Gi", "pods": "110", "ephemeral-storage": "100Gi"}
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "message": "kubelet is posting ready status",
        }
        yield {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
            "status": {
                "capacity": size,
                "allocatable": size,
                "conditions": [{**ready, "lastHeartbeatTime": now, "lastTransitionTime": now}],
                "addresses": [{"type": "Hostname", "address": name}],
            },
        }


def namespaces() -> Iterator[Object]:
    for name in NAMESPACES:
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    namespace, name = BOT
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}
    yield {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": "nginx"},
        "spec": {"controller": "k8s.io/ingress-nginx"},
    }


def installed(gitops_url: str) -> Iterator[Object]:
    """Yield what `manifests/install/` says, with the playground's GitOps repository."""
    for file in RIGHTS:
        yield from yaml.safe_load_all((INSTALL / file).read_text())
    yield from claims()
    yield from ways_in()
    text = (INSTALL / ROOT).read_text().replace(SAMPLE_URL, gitops_url)
    for obj in yaml.safe_load_all(text):
        yield {**obj, "metadata": {**obj["metadata"], "namespace": ARGOCD}}
    everywhere = [{"server": "*", "namespace": "*"}]
    spec = {"sourceRepos": ["*"], "destinations": everywhere, "clusterResourceWhitelist": [{"group": "*", "kind": "*"}]}
    metadata = {"name": "default", "namespace": ARGOCD}
    yield {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": metadata, "spec": spec}


def claims() -> Iterator[Object]:
    """Yield the rights to the company's own composite types, which no shipped file can name."""
    name = "causeway-claims"
    verbs = ["get", "list", "watch", "create", "patch", "delete"]
    rules = [
        {"apiGroups": [sample.COMPOSITES], "resources": ["*"], "verbs": verbs},
        {"apiGroups": [COMPOSED], "resources": ["*"], "verbs": ["get", "list"]},
    ]
    yield {"apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}
    group, _, _ = RBAC.partition("/")
    role = {"apiGroup": group, "kind": "ClusterRole", "name": name}
    account = {"kind": "ServiceAccount", "namespace": BOT[0], "name": BOT[1]}
    yield {
        "apiVersion": RBAC,
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": role,
        "subjects": [account],
    }


def ways_in() -> Iterator[Object]:
    """Yield the right to let people into databases: everywhere, as nobody knows which namespaces people will make."""
    name, (group, _, _) = "causeway-database-access", RBAC.partition("/")
    role = {"apiGroup": group, "kind": "ClusterRole", "name": name}
    account = {"kind": "ServiceAccount", "namespace": BOT[0], "name": BOT[1]}
    metadata = {"name": name}
    yield {
        "apiVersion": RBAC,
        "kind": "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": role,
        "subjects": [account],
    }
