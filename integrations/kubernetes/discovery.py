"""Which kinds a cluster has, and where their objects stand in its API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.errors import NotFound
from integrations.kubernetes.answers import unknown_kind


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind. `plural` is its name in paths and in RBAC rules: `deployments`."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def full_name(self) -> str:
        """`deployments.apps`, as RBAC refusals call it."""
        group = self.api_version.rpartition("/")[0]
        return f"{self.plural}.{group}" if group else self.plural

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Return the path of an object, or of all in the namespace, or of all there are."""
        where = ["namespaces", namespace] if self.namespaced and namespace else []
        parts = [*where, self.plural, *filter(None, (name, subresource))]
        return group_path(self.api_version) + "".join(f"/{quote(part, safe='')}" for part in parts)


def group_path(api_version: str) -> str:
    root = "/apis" if "/" in api_version else "/api"
    return root + "".join(f"/{quote(part, safe='')}" for part in api_version.split("/"))


Kind = tuple[str, str, bool]
"""Its name, its plural, and whether its objects stand in a namespace."""


class Discovery:
    """Asked once for each `apiVersion`, and again for a kind that it does not know: it may be new."""

    def __init__(self, cluster: str, read: Callable[[str, Callable[[Any], list[Kind]]], Awaitable[list[Kind]]]) -> None:
        self._cluster = cluster
        self._read = read
        self._known: dict[tuple[str, str], Resource] = {}

    async def find(self, api_version: str, kind: str) -> Resource:
        """Raise `NotFound` for a kind that the cluster does not have."""
        found = self._known.get((api_version, kind))
        if found is None:
            await self._ask(api_version)
            found = self._known.get((api_version, kind))
        if found is None:
            raise unknown_kind(self._cluster, f"the kind {kind} ({api_version})")
        return found

    def forget(self, resource: Resource) -> None:
        """Ask again next time: the server knew nothing at the resource's path."""
        self._known.pop((resource.api_version, resource.kind), None)

    async def _ask(self, api_version: str) -> None:
        try:
            kinds = await self._read(group_path(api_version), _kinds)
        except NotFound:
            return
        for kind, plural, namespaced in kinds:
            self._known[(api_version, kind)] = Resource(api_version, kind, plural, namespaced)


def _kinds(document: Any) -> list[Kind]:
    """Read an `APIResourceList`; subresources are left out."""
    return [
        (str(one["kind"]), str(one["name"]), bool(one["namespaced"]))
        for one in document["resources"]
        if "/" not in one["name"]
    ]
