"""A small company in memory: what commands read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from bot.catalog.documents import Document, read
from bot.catalog.index import Index
from bot.command import Context
from bot.deps import Deps
from bot.errors import Mistake, NotFound
from bot.golden_paths.library import GoldenPath
from bot.golden_paths.sources import TemplateLibrary
from bot.golden_paths.steps import Runner
from bot.model.principal import Door, Principal
from tests.fakes.forge import FakeForge
from tests.golden_paths.helpers import TEXTBOOK, path_of

CATALOG = """
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team-orders, annotations: {causeway.io/slack-channel: team-orders}}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team-checkout}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: author}
spec: {profile: {displayName: Sample Author, email: author@acme.example}, memberOf: [team-orders]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: orders-api
  description: "Takes <orders> & keeps them"
  links: [{url: "https://runbooks.acme.example/orders", title: Runbook}]
spec: {type: service, lifecycle: production, owner: team-orders}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout-web}
spec: {type: website, lifecycle: experimental, owner: team-checkout}
"""
PYTHON = path_of(TEXTBOOK)
NODE = path_of(TEXTBOOK.replace("python-service", "node-service").replace("Python", "Node"))
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Library:
    """Golden paths by name."""

    def __init__(self, paths: Sequence[GoldenPath]) -> None:
        self._paths = {path.id: path for path in paths}

    def list(self) -> tuple[GoldenPath, ...]:
        return tuple(self._paths.values())

    def get(self, name: str) -> GoldenPath:
        if name not in self._paths:
            raise NotFound(f"There is no golden path `{name}`.")
        return self._paths[name]


def known(text: str = CATALOG) -> Index:
    return Index([read(Document("github:acme/catalog", "1", text, "https://github.example/acme/catalog/blob/main/c"))])


def deps(paths: Sequence[GoldenPath] = (PYTHON,), *, catalog: str = CATALOG, broken: tuple[Mistake, ...] = ()) -> Deps:
    index = known(catalog)
    return Deps(
        forge=FakeForge(),
        catalog=lambda: index,
        templates=cast("TemplateLibrary", Library(paths)),
        runner=cast("Runner", None),
        broken=lambda: broken,
    )


def person(*groups: str, user: str = "author") -> Principal:
    return Principal(
        user=f"user:default/{user}", display_name=user, groups=frozenset(f"group:default/{name}" for name in groups)
    )


def context(*groups: str) -> Context:
    return Context(operation="op-1", principal=person(*groups), door=Door.HTTP, now=MONDAY)
