"""What the server says about itself: version, groups, resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from playground.kubernetes.registry import Registry, Resource

VERSION = {
    "major": "1",
    "minor": "37",
    "emulationMajor": "1",
    "emulationMinor": "37",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "36",
    "gitVersion": "v1.37.2",
    "gitCommit": "playground",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "none",
    "compiler": "none",
    "platform": "linux/amd64",
}
SCALE = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
SUB_VERBS = {"log": ["get"], "finalize": ["update"]}
AGGREGATED = "as=APIGroupDiscoveryList"
AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def document(registry: Registry, path: str, *, aggregated: bool) -> Mapping[str, Any] | None:
    """Return the discovery document of a path, or None where there is none."""
    parts = [part for part in path.split("/") if part]
    match parts:
        case ["version"]:
            return VERSION
        case ["openapi", "v3"]:
            return {"paths": {}}
        case ["api"] | ["apis"] if aggregated:
            return _aggregated(registry, core=parts == ["api"])
        case ["api"]:
            client = {"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443"}
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [client]}
        case ["apis"]:
            groups = [_group(name, versions) for name, versions in registry.groups().items() if name]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        case ["apis", group] if group in registry.groups():
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, registry.groups()[group])}
        case ["api", version]:
            return _resources(registry, "", version)
        case ["apis", group, version]:
            return _resources(registry, group, version)
    return None


def _group(name: str, versions: list[str]) -> dict[str, Any]:
    rows = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": rows, "preferredVersion": rows[0]}


def _resources(registry: Registry, group: str, version: str) -> dict[str, Any] | None:
    served = registry.served(group, version)
    if not served:
        return None
    rows = [row for resource in sorted(served, key=lambda found: found.plural) for row in _rows(resource)]
    name = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": rows}


def _rows(resource: Resource) -> Iterator[dict[str, Any]]:
    row: dict[str, Any] = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": _verbs(resource),
    }
    if resource.short_names:
        row["shortNames"] = list(resource.short_names)
    if resource.categories:
        row["categories"] = list(resource.categories)
    yield row
    for name in sorted(resource.subresources):
        kind = SCALE if name == "scale" else {"kind": resource.kind}
        yield {
            "name": f"{resource.plural}/{name}",
            "singularName": "",
            "namespaced": resource.namespaced,
            **kind,
            "verbs": SUB_VERBS.get(name, ["get", "patch", "update"]),
        }


def _verbs(resource: Resource) -> list[str]:
    return [verb for verb in resource.verbs if resource.kind != "Namespace" or verb != "deletecollection"]


def _aggregated(registry: Registry, *, core: bool) -> dict[str, Any]:
    items = [
        {"metadata": {"name": group} if group else {}, "versions": [_version(registry, group, v) for v in versions]}
        for group, versions in registry.groups().items()
        if (group == "") == core
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _version(registry: Registry, group: str, version: str) -> dict[str, Any]:
    served = sorted(registry.served(group, version), key=lambda found: found.plural)
    return {"version": version, "resources": [_described(resource) for resource in served], "freshness": "Current"}


def _described(resource: Resource) -> dict[str, Any]:
    own = {"group": "", "version": "", "kind": resource.kind}
    row: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": own,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.kind.lower(),
        "verbs": _verbs(resource),
    }
    if resource.short_names:
        row["shortNames"] = list(resource.short_names)
    if resource.categories:
        row["categories"] = list(resource.categories)
    if resource.subresources:
        row["subresources"] = [
            {
                "subresource": name,
                "responseKind": SCALE if name == "scale" else own,
                "verbs": SUB_VERBS.get(name, ["get", "patch", "update"]),
            }
            for name in sorted(resource.subresources)
        ]
    return row
