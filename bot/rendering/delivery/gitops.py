"""Delivery by Git: one commit holds the objects, the release, and the Application and AppProject that point at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import yaml

from bot.effects import CommitFiles, FileBody, JoinProject, RefreshApplication
from bot.effects.project import joined
from bot.model.canonical import JSON
from bot.model.effect import Effect
from bot.model.platform import Platform
from bot.ports import Object
from bot.rendering.delivery.change import (
    NAMESPACE_LABELS,
    Change,
    Place,
    Standing,
    folder_of,
    release_file,
    release_text,
)

API_VERSION = "argoproj.io/v1alpha1"
FINALIZER = "resources-finalizer.argocd.argoproj.io"
"""With it, deleting an Application deletes what it has applied."""
FIRST = {"argocd.argoproj.io/sync-wave": "-1"}
"""A project is there before the Applications in it, and goes after them: Argo CD looks again at one whose project was
missing only minutes later, and deletes nothing for one whose project is gone."""
MANAGED = {"app.kubernetes.io/managed-by": "causeway"}
RBAC = "rbac.authorization.k8s.io"


def effects(change: Change, standing: Standing, repo_url: str) -> tuple[Effect, ...]:
    """Return one atomic commit, then the hint to Argo CD that there is something new.

    The team's project is shared by all its services, so it is joined by an effect of its own, where it must be.
    """
    place = change.place
    runs = bool(change.files)  # else there is only something to remember, such as a freeze
    join = _join(change, standing, repo_url) if runs else ()
    application = written(application_of(place, repo_url, change.namespace_labels))
    is_new = runs and standing.application != application
    folder = folder_of(place)
    texts = {f"{folder}/{name}": text for name, text in change.files.items()}
    texts[release_file(place)] = release_text(change.release)
    if is_new:
        texts[application_file(place)] = application
    texts |= change.beside
    gitops = place.platform.gitops
    commit = CommitFiles(
        id="deliver",
        repository=gitops.repository,
        branch=gitops.branch,
        files=tuple(FileBody(path=path, text=text) for path, text in sorted(texts.items())),
        deleted=(
            *(f"{folder}/{name}" for name in sorted(set(standing.files) - set(change.files))),
            *sorted(set(change.removed) - set(texts)),
        ),
        message=change.summary,
        as_requester=True,
    )
    root = RefreshApplication(id="refresh-root", application=place.platform.argocd.root_application)
    refresh = RefreshApplication(id="refresh", application=place.application)
    return (*join, commit, *([root] if is_new or join else []), *([refresh] if runs else []))


def _join(change: Change, standing: Standing, repo_url: str) -> tuple[Effect, ...]:
    place = change.place
    project = project_of(place, repo_url, change.objects)
    if standing.project is not None and joined(standing.project, project) == standing.project:
        return ()
    gitops = place.platform.gitops
    return (
        JoinProject(
            id="join-project",
            repository=gitops.repository,
            branch=gitops.branch,
            path=project_file(place),
            project=project,
        ),
    )


def application_file(place: Place) -> str:
    return f"{place.platform.gitops.root}/applications/{place.application}.yaml"


def project_file(place: Place) -> str:
    return f"{place.platform.gitops.root}/projects/{place.team}.yaml"


def application_of(place: Place, repo_url: str, namespace_labels: Mapping[str, str] = NAMESPACE_LABELS) -> Object:
    """Return the Argo CD Application of a place. Argo CD makes the namespace, with these labels."""
    platform = place.platform
    return {
        "apiVersion": API_VERSION,
        "kind": "Application",
        "metadata": {
            "name": place.application,
            "namespace": platform.argocd.namespace,
            "labels": {
                **MANAGED,
                "causeway.io/service": place.service,
                "causeway.io/environment": place.environment,
                "causeway.io/team": place.team,
            },
            "finalizers": [FINALIZER],
        },
        "spec": {
            "project": place.team,
            "source": {
                "repoURL": repo_url,
                "path": folder_of(place),
                "targetRevision": platform.gitops.branch,
            },
            "destination": {"server": _server(place), "namespace": place.namespace},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "retry": {"limit": 5, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m"}},
                "syncOptions": ["CreateNamespace=true"],
                "managedNamespaceMetadata": {"labels": dict(namespace_labels)},
            },
        },
    }


def project_of(place: Place, repo_url: str, objects: Iterable[Object]) -> dict[str, JSON]:
    """Return the team's AppProject as it is when this place is the only one in it."""
    cluster_wide = {("", "Namespace"), *_cluster_wide(objects)}
    return {
        "apiVersion": API_VERSION,
        "kind": "AppProject",
        "metadata": {
            "name": place.team,
            "namespace": place.platform.argocd.namespace,
            "labels": {**MANAGED, "causeway.io/team": place.team},
            "annotations": dict(FIRST),
        },
        "spec": {
            "description": f"What {place.team} runs",
            "sourceRepos": [repo_url],
            "destinations": [{"namespace": place.namespace, "server": _server(place)}],
            "clusterResourceWhitelist": [{"group": group, "kind": kind} for group, kind in sorted(cluster_wide)],
            # A repository that many can write to must hand out no rights in the cluster.
            "namespaceResourceBlacklist": [
                {"group": RBAC, "kind": "Role"},
                {"group": RBAC, "kind": "RoleBinding"},
            ],
        },
    }


def written(obj: Object) -> str:
    return yaml.safe_dump(dict(obj), sort_keys=False, allow_unicode=True, width=120)


def repository_url(platform: Platform, clone_url: str) -> str:
    """Return the address that Argo CD uses: the configured one, else the forge's."""
    return platform.gitops.repo_url or clone_url


def _server(place: Place) -> str:
    return place.platform.clusters[place.settings.cluster].argocd_server


def _cluster_wide(objects: Iterable[Object]) -> Iterable[tuple[str, str]]:
    """Kinds that stand in no namespace, such as a cloud's managed resources: the project must name them."""
    for obj in objects:
        metadata = obj.get("metadata")
        if isinstance(metadata, dict) and not metadata.get("namespace"):
            yield str(obj["apiVersion"]).rpartition("/")[0], str(obj["kind"])
