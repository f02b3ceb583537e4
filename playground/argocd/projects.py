"""What an AppProject permits: sources, destinations, kinds. The sentences are Argo CD's."""

from __future__ import annotations

import re
from collections.abc import Sequence

from playground.kubernetes.controllers.objects import Object, name_of, spec_of

IN_CLUSTER = "https://kubernetes.default.svc"
IN_CLUSTER_NAME = "in-cluster"
"""The one cluster that this Argo CD knows, by address and by name."""
NO_SOURCE = "spec.source.repoURL and either spec.source.path or spec.source.chart are required"


def spec_errors(application: Object, project: Object | None) -> list[str]:
    """Return why an application's spec is invalid, in the words of its `InvalidSpecError` conditions."""
    spec = spec_of(application)
    named = spec.get("project") or "default"
    if project is None:
        return [f"Application referencing project {named} which does not exist"]
    source, destination = spec.get("source") or {}, spec["destination"]
    if not source.get("repoURL") or not (source.get("path") or source.get("chart")):
        return [NO_SOURCE]
    found = []
    if not source_permitted(project, source["repoURL"]):
        found.append(f"application repo {source['repoURL']} is not permitted in project '{named}'")
    return [*found, *_destination_errors(project, destination, named)]


def _destination_errors(project: Object, destination: Object, named: str) -> list[str]:
    server, name = destination.get("server", ""), destination.get("name", "")
    if server and name:
        return [f"application destination can't have both name and server defined: {name} {server}"]
    if not (server or name):
        return ["Destination server missing from app spec"]
    if name and name != IN_CLUSTER_NAME:
        return [f"there are no clusters with this name: {name}"]
    if server and server.rstrip("/") != IN_CLUSTER:
        return [f'error getting cluster by server "{server}": cluster "{server}" not found']
    namespace = destination.get("namespace", "")
    if destination_permitted(project, namespace):
        return []
    text = (
        f"application destination server '{name or server}' and namespace '{namespace}' do not match any of the "
        f"allowed destinations in project '{named}'"
    )
    return [text]


def source_permitted(project: Object, url: str) -> bool:
    wanted, matched = normalized(url), False  # a deny that does not fit permits, as in Argo CD
    for pattern in spec_of(project).get("sourceRepos") or []:
        deny = pattern.startswith("!")
        hit = glob(normalized(pattern.removeprefix("!")), wanted, separator="/")
        if deny and hit:
            return False
        matched = matched or (not deny and hit) or (deny and not hit)
    return matched


def destination_permitted(project: Object, namespace: str) -> bool:
    """Say whether objects may go to a namespace of the one cluster there is."""
    permitted = False
    for item in spec_of(project).get("destinations") or []:
        here = _fits(item.get("server", ""), IN_CLUSTER) or _fits(item.get("name", ""), IN_CLUSTER_NAME)
        fits = _fits(item.get("namespace", ""), namespace)
        if here and fits:
            permitted = True
        elif here and item.get("namespace", "").startswith("!"):
            return False
    return permitted


def kind_permitted(project: Object, group: str, kind: str, *, namespaced: bool) -> bool:
    """Nothing said permits every kind within namespaces, and none outside of them."""
    spec = spec_of(project)
    if namespaced:
        white, black = spec.get("namespaceResourceWhitelist"), spec.get("namespaceResourceBlacklist") or []
        return (white is None or _listed(white, group, kind)) and not _listed(black, group, kind)
    white, black = spec.get("clusterResourceWhitelist") or [], spec.get("clusterResourceBlacklist") or []
    return _listed(white, group, kind) and not _listed(black, group, kind)


def task_error(project: Object, group: str, kind: str, namespace: str) -> str:
    """Return why an object may not be synced; empty where it may. `namespace` is empty for what stands in none."""
    if not kind_permitted(project, group, kind, namespaced=bool(namespace)):
        return f"resource {group}:{kind} is not permitted in project {name_of(project)}"
    if namespace and not destination_permitted(project, namespace):
        return f"namespace {namespace} is not permitted in project '{name_of(project)}'"
    return ""


def normalized(url: str) -> str:
    """Return a repository's address as Argo CD compares it."""
    return url.strip().lower().removesuffix("/").removesuffix(".git")


def glob(pattern: str, text: str, *, separator: str = "") -> bool:
    """Match with `*`, which does not go past `separator`, `**`, which does, and `?`."""
    inner = f"[^{re.escape(separator)}]" if separator else "."
    translated = {"**": ".*", "*": f"{inner}*", "?": inner}
    pieces = re.split(r"(\*\*|\*|\?)", pattern)
    if pattern == "*":
        return True
    return re.fullmatch("".join(translated.get(piece, re.escape(piece)) for piece in pieces), text) is not None


def _fits(pattern: str, text: str) -> bool:
    return not glob(pattern[1:], text) if pattern.startswith("!") else glob(pattern, text)


def _listed(entries: Sequence[Object], group: str, kind: str) -> bool:
    return any(glob(entry.get("group", ""), group) and glob(entry.get("kind", ""), kind) for entry in entries)
