"""Application resources as Argo CD 3.2 writes them."""

from __future__ import annotations

from typing import Any

HEAD = "89abcdef0123456789abcdef0123456789abcdef"
FORMER = "0123456789abcdef0123456789abcdef01234567"
IMAGE = "ghcr.io/acme/orders-api:3f2a1bc0123456789abcdef0123456789abcdef0"


def document(name: str = "orders-api-staging", *, version: int = 100, **status: Any) -> dict[str, Any]:
    """Return one that is Synced and Healthy, but for what is told of its status."""
    service, _, environment = name.rpartition("-")
    source = {"repoURL": "https://forge.example/acme/gitops.git", "path": f"apps/{service}/{environment}"}
    source["targetRevision"] = "main"
    destination = {"server": "https://kubernetes.default.svc", "namespace": name}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": name,
            "namespace": "argocd",
            "uid": f"uid-of-{name}",
            "resourceVersion": str(version),
            "labels": {"causeway.io/service": service},
        },
        "spec": {
            "project": "team-orders",
            "source": source,
            "destination": destination,
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}, "syncOptions": ["CreateNamespace=true"]},
        },
        "status": {
            "sync": {
                "status": "Synced",
                "revision": HEAD,
                "comparedTo": {"source": source, "destination": destination},
            },
            "health": {"status": "Healthy", "lastTransitionTime": "2026-03-02T09:00:00Z"},
            "reconciledAt": "2026-03-02T09:05:00Z",
            "history": [_deployed(0, FORMER, "2026-03-01T09:00:00Z"), _deployed(1, HEAD, "2026-03-02T09:00:00Z")],
            "operationState": operation("Succeeded", "successfully synced (all tasks run)"),
            "resources": [resource("Service"), resource("Deployment", group="apps", health={"status": "Healthy"})],
            "summary": {"images": [IMAGE]},
            "sourceType": "Directory",
            **status,
        },
    }


def operation(phase: str, message: str, *results: dict[str, Any], revision: str = HEAD) -> dict[str, Any]:
    return {
        "phase": phase,
        "message": message,
        "startedAt": "2026-03-02T09:00:00Z",
        **({"finishedAt": "2026-03-02T09:00:05Z"} if phase != "Running" else {}),
        "operation": {"initiatedBy": {"automated": True}, "sync": {"revision": revision, "prune": True}},
        "syncResult": {"revision": revision, "source": {"repoURL": "x"}, "resources": list(results)},
    }


def resource(kind: str, *, group: str = "", status: str = "Synced", **rest: Any) -> dict[str, Any]:
    named = {"version": "v1", "kind": kind, "namespace": "orders-api-staging", "name": "orders-api"}
    return {**({"group": group} if group else {}), **named, "status": status, **rest}


def project(*windows: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "team-orders", "namespace": "argocd"},
        "spec": {"syncWindows": list(windows)},
    }


def _deployed(number: int, revision: str, at: str) -> dict[str, Any]:
    return {"id": number, "revision": revision, "deployedAt": at, "deployStartedAt": at, "source": {"repoURL": "x"}}
