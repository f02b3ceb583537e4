"""What a URL of the API server names."""

from __future__ import annotations

from dataclasses import dataclass

from playground.kubernetes.registry import Registry, Resource


@dataclass(frozen=True, slots=True)
class Target:
    """A collection (`name` empty), an object, or a subresource of it. Not all of them exist."""

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def resource(self, registry: Registry) -> Resource | None:
        """Return what serves it, or None where this path leads nowhere."""
        found = registry.find(self.group, self.plural)
        if found is None or found.plural != self.plural or self.version not in found.versions:
            return None
        if self.namespace and not found.namespaced and not found.virtual:
            return None
        if self.name and found.namespaced and not self.namespace:
            return None
        if self.subresource and self.subresource not in found.subresources:
            return None
        return found


def parse(path: str) -> Target | None:
    """Read `/api/v1/namespaces/shop/pods/web-1/log`. Return None for a path that names no resource."""
    parts = [part for part in path.split("/") if part]
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and not (len(rest) == 3 and rest[2] in {"status", "finalize"}):
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = (*rest, "", "")[:3]
    return Target(group, version, plural, namespace, name, "/".join((subresource, *rest[3:])))


def verb_of(method: str, target: Target, *, watch: bool) -> str | None:
    """Return what RBAC calls it; None for a method that the path does not take."""
    if target.name:
        return {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}.get(method)
    return {"GET": "watch" if watch else "list", "POST": "create", "DELETE": "deletecollection"}.get(method)
