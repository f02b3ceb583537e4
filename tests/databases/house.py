"""The company of `tests/releases/house.py` with databases: who makes them, what they cost, a cluster to look into."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from bot.command import Answer, Query
from bot.deps import Deps
from bot.intake import request_of
from bot.model.effect import Effect, Run
from bot.model.plan import Plan
from bot.model.platform import Platform
from bot.model.principal import Door, Principal
from bot.model.release import Release
from bot.ports import Ports
from bot.rendering.delivery.reading import parsed
from commands import COMMANDS
from tests.effects.scenes import RehearsedCluster
from tests.fakes.environments import FakeEnvironments
from tests.releases.house import CATALOG, GITOPS, House, effects

PLATFORM = Platform.model_validate(
    {
        "clusters": {"main": {}},
        "environments": {
            "staging": {
                "cluster": "main",
                "domain": "staging.acme.example",
                "database": {"backups": {"method": "volume-snapshot"}, "contact": "#databases"},
                "databases": {"mysql": {"provider": "crossplane"}},
                "budget": {"databases": 2},
            },
            "production": {"cluster": "main", "database": {"provider": "crossplane"}, "approve": "owner"},
        },
        "budgets": {"team-orders": {"monthly_cost": 200}},
        "image_owner": "acme",
        "gitops": {"repository": GITOPS},
    }
)
GROUP = """
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team-checkout}
spec: {type: team, children: []}
"""
CNPG = "postgresql.cnpg.io/v1"


@dataclass
class DatabaseHouse(House):
    platform: Platform = PLATFORM
    catalog: str = CATALOG + GROUP
    cluster: RehearsedCluster = field(default_factory=lambda: RehearsedCluster("main"))
    book: FakeEnvironments = field(default_factory=FakeEnvironments)

    @property
    def deps(self) -> Deps:
        return replace(super().deps, clusters={"main": self.cluster}, environments=self.book)

    async def ask(self, name: str, /, *, user: str = "author", channel: str | None = None, **request: Any) -> Answer:
        query = next(one for one in COMMANDS if one.name == name)
        assert isinstance(query, Query)
        return await query.answer(request_of(query, request), self.context(user, channel), self.deps)

    async def due(self, name: str, /, **request: Any) -> Plan:
        """Plan what the agenda asks when its time has come."""
        command = next(one for one in COMMANDS if one.name == name)
        typed = request_of(command, request)
        context = replace(self.context(), door=Door.AGENDA)
        return command.plan(typed, await command.facts(typed, context, self.deps))  # type: ignore[union-attr]  # no query

    @property
    def ports_with_cluster(self) -> Ports:
        return replace(self.ports, clusters={"main": self.cluster}, environments=self.book)

    def run_of(self, effect: Effect) -> Run:
        return self._run(effect, "author")

    def told(self, name: str = "orders-api", environment: str = "staging") -> Release:
        found = parsed(self.files()[f"apps/{name}/{environment}/.causeway/release.yaml"], "release")
        assert found is not None
        return found

    def made(self, file: str, environment: str = "staging", service: str = "orders-api") -> Any:
        """Return an object as it stands in Git; None where it does not."""
        text = self.files().get(f"apps/{service}/{environment}/{file}.yaml")
        return yaml.safe_load(text) if text is not None else None

    def apply_git(self, service: str = "orders-api", environment: str = "staging") -> None:
        """Let Argo CD have applied what stands in Git."""
        namespace = f"{service}-{environment}"
        self.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        for path, text in self.files(f"apps/{service}/{environment}/").items():
            obj = yaml.safe_load(text)
            if "/.causeway/" not in path and obj["kind"] in ("Cluster", "RDSInstance"):
                self.cluster.put(obj)


def found(plan: Plan, kind: type[Effect]) -> Any:
    """Return the only effect of a kind in a plan."""
    (one,) = (effect for effect in effects(plan) if isinstance(effect, kind))
    return one


def person(user: str) -> Principal:
    return Principal(user=f"user:default/{user}", display_name=user)
