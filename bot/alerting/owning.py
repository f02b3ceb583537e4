"""Whose an alert is, by the catalog: no routing rules of our own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bot.catalog.index import Index, owner_of
from bot.errors import PlatformError
from bot.model.entities import Group, full_ref
from bot.model.platform import Platform

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
NAMESPACES = ("namespace", "exported_namespace", "kubernetes_namespace")
"""Labels that name a namespace of Kubernetes, the first that is there counts."""


@dataclass(frozen=True, slots=True)
class Owned:
    """What an alert is about, as far as its labels tell."""

    service: str = ""
    """A service of the catalog."""
    environment: str = ""
    owner: str | None = None
    """Full reference of a group."""


class Owners:
    """Answers from memory, by the index of now."""

    def __init__(self, index: Callable[[], Index], platform: Platform) -> None:
        self._index = index
        self._platform = platform
        self._namespaces: tuple[Index, Mapping[str, tuple[str, str]]] | None = None

    def of(self, labels: Mapping[str, str]) -> Owned:
        """Return it for one alert: by its service, else by its namespace, else by its team."""
        index = self._index()
        service, environment = self._by_namespace(index, labels)
        environment = self._environment(labels) or environment
        if named := self._service(index, labels.get("service", "")):
            service = named
        if service:
            found = index.service(service)
            owner = owner_of(found.entity) if found else None
            return Owned(service, environment, owner or self._team(index, labels))
        return Owned("", environment, self._team(index, labels))

    def of_all(self, alerts: Iterable[Mapping[str, str]]) -> Owned:
        """Return it for alerts that are told together: what they share, and the owner of most of them."""
        every = [self.of(labels) for labels in alerts]
        owners = Counter(one.owner for one in every if one.owner)
        most = min(owners, key=lambda owner: (-owners[owner], owner), default=None)
        return Owned(_shared(one.service for one in every), _shared(one.environment for one in every), most)

    def _service(self, index: Index, name: str) -> str:
        found = index.service(name) if _NAME.fullmatch(name) else None
        return found.entity.metadata.name if found is not None else ""

    def _environment(self, labels: Mapping[str, str]) -> str:
        named = (labels.get("environment") or labels.get("env") or "").strip().lower()
        return named if _NAME.fullmatch(named) else ""

    def _team(self, index: Index, labels: Mapping[str, str]) -> str | None:
        name = labels.get("team", "").strip()
        if not _NAME.fullmatch(name.removeprefix("group:")):
            return None
        found = index.get(full_ref(name, kind="group"))
        return found.ref if found is not None and isinstance(found.entity, Group) else None

    def _by_namespace(self, index: Index, labels: Mapping[str, str]) -> tuple[str, str]:
        namespace = next((labels[name] for name in NAMESPACES if labels.get(name)), "")
        return self._places(index).get(namespace, ("", "")) if namespace else ("", "")

    def _places(self, index: Index) -> Mapping[str, tuple[str, str]]:
        """Return namespace → service and environment. One that several services share names no service."""
        if self._namespaces is not None and self._namespaces[0] is index:
            return self._namespaces[1]
        places: dict[str, tuple[str, str]] = {}
        for found in index.components():
            name = found.entity.metadata.name
            team = (owner_of(found.entity) or "").rpartition("/")[2]
            for environment in self._platform.environments:
                try:
                    namespace = self._platform.namespace(name, team, environment)
                except PlatformError:
                    continue
                taken = namespace in places
                places[namespace] = ("", environment) if taken else (name, environment)
        self._namespaces = (index, places)
        return places


def _shared(values: Iterable[str]) -> str:
    found = set(values)
    return found.pop() if len(found) == 1 else ""
