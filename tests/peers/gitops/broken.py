"""Applications and projects as people write them, right and wrong."""

from __future__ import annotations

from typing import Any

from tests.peers.gitops.site import NAMESPACE, SERVER, Site
from tests.scenario.world import Json

ARGOCD = "argoproj.io/v1alpha1"
AUTOMATED: Json = {
    "automated": {"prune": True, "selfHeal": True},
    "retry": {"limit": 0},
    "syncOptions": ["CreateNamespace=true"],
}


def application(name: str, site: Site, *, source: Json | None = None, **spec: Any) -> Json:
    """Return an application of `apps/<name>/` in the namespace of its own name."""
    whole = {"repoURL": site.gitops_url, "path": f"apps/{name}", "targetRevision": "main", **(source or {})}
    place = {"server": SERVER, "namespace": name}
    return {
        "apiVersion": ARGOCD,
        "kind": "Application",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"source": whole, "destination": place, "syncPolicy": AUTOMATED, **spec},
    }


def project(name: str, site: Site, **spec: Any) -> Json:
    """Return a project for namespaces `x-…`, which is there before the applications in it."""
    return {
        "apiVersion": ARGOCD,
        "kind": "AppProject",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "annotations": {"argocd.argoproj.io/sync-wave": "-1"},
        },
        "spec": {
            "sourceRepos": [site.gitops_url],
            "destinations": [{"server": SERVER, "namespace": "x-*"}],
            "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}],
            **spec,
        },
    }
