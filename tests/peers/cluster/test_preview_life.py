"""A preview's life on clusters with controllers: made, asleep, awake, changed; under the rights of direct delivery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from bot.effects import ApplyObjects
from bot.model.effect import Outcome
from bot.model.platform import Platform
from bot.model.previews import PreviewTerms
from bot.model.release import Release
from bot.ports import CatalogRegistry, Forge, ObjectRef, Ports
from bot.rendering.delivery import deliver, read_standing, refuse_without_rights
from bot.rendering.environments import read_environment
from bot.rendering.previews import place_of, preview_change
from tests.peers.cluster.houses import Town, watching
from tests.peers.cluster.test_effects import run
from tests.peers.cluster.test_rights import DIRECT
from tests.peers.control_plane.fixtures import need_real_crds, rights
from tests.rendering.environment_examples import documents

NOW = datetime(2026, 3, 2, tzinfo=UTC)
BACKEND = """\
apiVersion: platform.company.io/v1
kind: WebService
metadata: {name: backend}
spec: {egress: [{service: payments}], database: {}}
"""
ENVIRONMENT = """\
apiVersion: environments.platform.io/v1
kind: Environment
metadata: {name: NAME}
spec:
  services:
    - {name: backend, image: "registry.example/acme/backend:1"}
    - {name: web, image: "registry.example/acme/web:1"}
  databases: [{seedFrom: staging}]
"""


class Preview:
    """One preview that is delivered straight to a namespace, as the bot."""

    def __init__(self, town: Town, name: str) -> None:
        self._town, self.name = town, name
        nobody = (cast("Forge", None), cast("CatalogRegistry", None))
        self.ports = Ports(forge=nobody[0], catalog=nobody[1], clusters={"default": town.bot})

    def place(self, masking: str) -> Any:
        seeding = {"method": "import", "secret": "reader"}
        written = {
            "environments": {"staging": {"personal_data": True, "database": {"seeding": seeding}}},
            "previews": {
                "base": "staging",
                "domain": f"{self.name}.example.com",
                "masking": {"image": "registry.example/acme/mask:1", "version": masking},
            },
        }
        return place_of(Platform.model_validate(written), self.name, "team-shop")

    async def is_to_be(self, operation: str, *, asleep: bool = False, masking: str = "1") -> Outcome:
        """Deliver it as it is to be from now on."""
        place = self.place(masking)
        standing = await read_standing(place, self.ports.forge, self.ports.clusters)
        terms = PreviewTerms(
            by="user:default/author",
            created_at=NOW,
            expires_at=NOW + timedelta(days=3),
            asleep_since=NOW if asleep else None,
        )
        release = Release(
            service="preview",
            environment=self.name,
            team="team-shop",
            repository="",
            document=read_environment(ENVIRONMENT.replace("NAME", self.name)).written(),
            preview=terms,
        )
        change = preview_change(place, release, documents(BACKEND), summary=f"Deliver {operation}")
        (effect,) = deliver(change, standing, "")
        assert isinstance(effect, ApplyObjects)
        return await effect.apply(self.ports, run(operation))

    async def live(self, api_version: str, kind: str) -> dict[str, Any]:
        found = await self._town.cluster.list(api_version, kind, namespace=self.name)
        return {str(cast("Any", one)["metadata"]["name"]): one for one in found}

    async def jobs(self) -> dict[str, Any]:
        """Those that work on a database for us; its operator has others."""
        return {name: job for name, job in (await self.live("batch/v1", "Job")).items() if "-prepare-" in name}


@pytest.fixture
async def preview(town: Town) -> Preview:
    """In a namespace that direct delivery is granted in."""
    need_real_crds()
    name = await town.namespace()
    for obj in rights(DIRECT, namespace=name):
        await town.by_another(obj, "platform")
    return Preview(town, name)


def ready(number: int) -> Any:
    return lambda obj: obj.get("status", {}).get("readyReplicas", 0) == number


async def test_it_is_made_sleeps_wakes_and_changes(town: Town, preview: Preview) -> None:
    await refuse_without_rights(preview.place("1"), preview.ports.clusters)
    async with watching(town.cluster, "apps/v1", "Deployment", namespace=preview.name, name="backend") as watch:
        assert (await preview.is_to_be("op_one")).changed
        await watch.object(ready(1))
        (job,) = await preview.jobs()
        assert not (await preview.is_to_be("op_one_again")).changed, "nothing has changed"

        await preview.is_to_be("op_sleep", asleep=True)
        await watch.object(ready(0))
        assert all(one["spec"]["replicas"] == 0 for one in (await preview.live("apps/v1", "Deployment")).values())
        (slept,) = (await preview.jobs()).values()
        assert (slept["metadata"]["name"], slept["spec"]["suspend"]) == (job, True)
        (database,) = (await preview.live("postgresql.cnpg.io/v1", "Cluster")).values()
        assert database["metadata"]["annotations"]["cnpg.io/hibernation"] == "on"

        await preview.is_to_be("op_wake")
        await watch.object(ready(1))
        (woken,) = (await preview.jobs()).values()
        assert not woken["spec"].get("suspend")
        (database,) = (await preview.live("postgresql.cnpg.io/v1", "Cluster")).values()
        assert "cnpg.io/hibernation" not in database["metadata"].get("annotations", {})

        outcome = await preview.is_to_be("op_mask", masking="2")
        (other,) = await preview.jobs()
        assert other != job, "other rules are another job, and the old one is pruned"
        assert f"Job {job}" in str(outcome.made["pruned"])
        await watch.object(lambda obj: ready(1)(obj) and obj["status"].get("updatedReplicas") == 1)


async def test_a_service_that_it_has_not_is_another_name_of_the_base_s(town: Town, preview: Preview) -> None:
    await preview.is_to_be("op_one")
    service: Any = await town.cluster.get(ObjectRef("v1", "Service", "payments", preview.name))
    assert service["spec"]["externalName"] == "payments.payments-staging.svc.cluster.local"
