"""An Argo CD beside a simulated cluster, with repositories that tests write to."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import yaml

from playground.argocd.controller import ApplicationController
from playground.argocd.peer import ArgoCDPeer
from playground.argocd.sources import CommitInfo, SourceError
from tests.playground.kubernetes.cluster import GOOD, LABELS, Clock, Cluster, running

T = TypeVar("T")
GITOPS = "http://127.0.0.1/acme/gitops.git"
TOKEN = "sample-argocd-token"
SERVER = "https://kubernetes.default.svc"
NAME, SPACE = "orders-api-staging", "orders-api-staging"
FOLDER = "apps/orders-api/staging"
AUTOMATED = {
    "automated": {"prune": True, "selfHeal": True},
    "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"],
    "retry": {"limit": 2, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "1m"}},
}


class Folders:
    """Repositories in memory: each commit is a whole set of files."""

    def __init__(self) -> None:
        self._commits: dict[str, dict[str, bytes]] = {}
        self.head = ""

    def commit_files(self, files: Mapping[str, str]) -> str:
        text = repr(sorted(files.items())) + self.head
        self.head = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        self._commits[self.head] = {path: content.encode() for path, content in files.items()}
        return self.head

    async def resolve(self, url: str, revision: str) -> str:
        if url != GITOPS:
            raise SourceError("rpc error: code = Unknown desc = failed to list refs: repository not found")
        if revision in self._commits:
            return revision
        if revision not in {"HEAD", "main"}:
            raise SourceError(f"rpc error: code = Unknown desc = unable to resolve '{revision}' to a commit SHA")
        return self.head

    async def files(self, url: str, commit: str) -> Mapping[str, bytes]:
        return self._commits[commit]

    async def commit(self, url: str, commit: str) -> CommitInfo:
        return CommitInfo("Sample Author <author@acme.example>", "2026-03-02T09:00:00Z", "Change")


@dataclass
class Delivery:
    cluster: Cluster
    peer: ArgoCDPeer
    folders: Folders
    files: dict[str, str] = field(default_factory=dict)

    @property
    def controller(self) -> ApplicationController:
        return self.peer.controller

    def push(self, files: Mapping[str, Any]) -> str:
        """Commit objects (or text, or None to delete) by path, and tell Argo CD of it."""
        for path, content in files.items():
            if content is None:
                self.files.pop(path)
            else:
                self.files[path] = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
        sha = self.folders.commit_files(self.files)
        self.controller.pushed(lambda url: url == GITOPS)
        return sha

    def application(self, name: str = NAME) -> dict[str, Any]:
        found = self.controller.application(name)
        assert found is not None
        return found

    def status(self, name: str = NAME) -> dict[str, Any]:
        found: dict[str, Any] = self.application(name).get("status", {})
        return found

    async def until(self, look: Callable[[], T | None]) -> T:
        return await self.cluster.until(look)

    async def settled(
        self, sha: str, sync: str = "Synced", health: str = "Healthy", name: str = NAME
    ) -> dict[str, Any]:
        """Wait until a commit is compared with this result, and nothing goes on any more."""

        def look() -> dict[str, Any] | None:
            application = self.application(name)
            status = application.get("status", {})
            compared = status.get("sync", {})
            found = (compared.get("revision"), compared.get("status"), status.get("health", {}).get("status"))
            return status if found == (sha, sync, health) and "operation" not in application else None

        return await self.until(look)

    async def condition(self, kind: str, name: str = NAME) -> str:
        """Wait for a condition of this type and return its message."""

        def look() -> str | None:
            found = self.status(name).get("conditions", [])
            return next((str(one["message"]) for one in found if one["type"] == kind), None)

        return await self.until(look)


def application(name: str = NAME, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd", "finalizers": ["resources-finalizer.argocd.argoproj.io"]},
        "spec": {
            "project": "team-orders",
            "source": {"repoURL": GITOPS, "path": FOLDER, "targetRevision": "main"},
            "destination": {"server": SERVER, "namespace": SPACE},
            "syncPolicy": AUTOMATED,
            **spec,
        },
    }


def project(name: str = "team-orders", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "sourceRepos": [GITOPS],
            "destinations": [{"server": SERVER, "namespace": "orders-api-*"}],
            "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}],
            **spec,
        },
    }


def web(image: str = GOOD, **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "orders-api"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": LABELS},
            "template": {
                "metadata": {"labels": LABELS},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
            **more,
        },
    }


def config(value: str = "info", name: str = "orders-api") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"LEVEL": value}}


@asynccontextmanager
async def delivering(clock: Clock | None = None) -> AsyncIterator[Delivery]:
    async with running(clock=clock) as cluster:
        folders = Folders()
        cluster.store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}})
        peer = ArgoCDPeer(store=cluster.store, clock=cluster.clock, repositories=folders, token=TOKEN)
        await peer.start()
        try:
            yield Delivery(cluster, peer, folders)
        finally:
            await peer.close()
