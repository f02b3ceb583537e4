"""Previews whose databases begin as copies of real ones: masked before anybody sees them, or not made at all."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.scenario.test_day_two import card_of
from tests.scenario.test_previews import ENDED, NAME, SERVICE, deployment, left, state
from tests.scenario.world import Json, World, spoken, world

BACKUPS = {"method": "plugin", "parameters": {"barmanObjectName": "backups"}}
SEEDING = {"database": {"seeding": {"method": "backup"}, "backups": BACKUPS}}
MASKING = {"image": "ghcr.io/acme/mask:4", "version": "rules-4"}

TOO_SMALL = (
    f"`small` has room for 10Gi, and the database of {SERVICE} in staging has 50Gi; write `medium`, or leave it out"
)


async def served(folder: Path, previews: Mapping[str, Any], **staging: Any) -> AsyncIterator[World]:
    config = folder / "given.yaml"
    platform = {"environments": {"staging": SEEDING | staging}, "previews": previews}
    config.write_text(json.dumps({"platform": platform}))
    async with world(folder / "playground", config=config) as found:
        yield found


@pytest.fixture
async def masking(tmp_path: Path) -> AsyncIterator[World]:
    """Staging holds personal data, and the platform team has said what masks it."""
    async for found in served(tmp_path, {"masking": MASKING}, personal_data=True):
        yield found


@pytest.fixture
async def bare(tmp_path: Path) -> AsyncIterator[World]:
    """Staging holds personal data, and nothing masks it."""
    async for found in served(tmp_path, {}, personal_data=True):
        yield found


async def staging_has_one(here: World, size: str = "small") -> None:
    """Let the service have a database in staging, which there is something to copy from."""
    await here.slack.command("author", f"/database request {SERVICE} {size} in staging")
    card = await card_of(here, "database.request", *ENDED)
    assert state(card) == "succeeded", spoken(card)


async def with_a_database(here: World, **spec: Any) -> str:
    """Push a commit to a branch in which the service asks for a database; return the branch."""
    repo, branch = f"/repos/acme/{SERVICE}", "with-a-database"
    _, main = await here.github("GET", f"{repo}/git/ref/heads/main")
    await here.github("POST", f"{repo}/git/refs", {"ref": f"refs/heads/{branch}", "sha": main["object"]["sha"]})
    _, there = await here.github("GET", f"{repo}/contents/platform.yaml")
    document = yaml.safe_load(base64.b64decode(there["content"]))
    document["spec"] |= {"database": {"type": "postgresql", "size": "small"}, **spec}
    content = base64.b64encode(yaml.safe_dump(document).encode()).decode()
    body = {"message": "Keep orders", "content": content, "sha": there["sha"], "branch": branch}
    status, made = await here.github("PUT", f"{repo}/contents/platform.yaml", body)
    assert status == 200, made
    return branch


async def in_preview(here: World, api: str, plural: str) -> dict[str, Json]:
    found = await here.kubernetes("GET", f"/{api}/namespaces/{NAME}/{plural}")
    return {one["metadata"]["name"]: one for one in found["items"]}


async def test_a_copy_is_masked_before_its_service_starts(masking: World) -> None:
    here = masking
    await staging_has_one(here)
    branch = await with_a_database(here)
    await here.slack.command("author", f"/preview up {NAME} {SERVICE}@{branch} seeded from staging")
    card = await card_of(here, "preview.up", *ENDED)
    assert state(card) == "succeeded", spoken(card)
    assert "rules-4" in spoken(card), "whoever looks at it knows by which rules it is masked"

    (database,) = (await in_preview(here, "apis/postgresql.cnpg.io/v1", "clusters")).values()
    assert "recovery" in database["spec"]["bootstrap"]
    source = database["spec"]["externalClusters"][0]["plugin"]["parameters"]
    assert source == {"barmanObjectName": "backups", "serverName": f"{SERVICE}-db"}
    (job,) = [one for name, one in (await in_preview(here, "apis/batch/v1", "jobs")).items() if "-prepare-" in name]
    work = job["spec"]["template"]["spec"]
    assert [one["image"] for one in work["initContainers"]][1:] == ["ghcr.io/acme/mask:4"]
    pod = (await deployment(here))["spec"]["template"]["spec"]
    assert [one["name"] for one in pod["initContainers"]] == ["await-database"]

    await here.slack.command("author", f"/preview sleep {NAME}")
    assert state(await card_of(here, "preview.sleep", *ENDED)) == "succeeded"
    (database,) = (await in_preview(here, "apis/postgresql.cnpg.io/v1", "clusters")).values()
    assert database["metadata"]["annotations"]["cnpg.io/hibernation"] == "on"
    assert (await deployment(here))["spec"]["replicas"] == 0
    await here.slack.command("author", f"/preview show {NAME}")
    assert "stopped, its data stays" in spoken(await here.slack.told("author", "Asleep"))

    await here.slack.command("author", f"/preview down {NAME}")
    receipt = await card_of(here, "preview.down", *ENDED)
    assert state(receipt) == "succeeded", spoken(receipt)
    assert await left(here) == {}


async def test_nothing_is_copied_unmasked(bare: World) -> None:
    await staging_has_one(bare)
    branch = await with_a_database(bare)
    await bare.slack.command("author", f"/preview up {NAME} {SERVICE}@{branch} seeded from staging")
    told = spoken(await bare.slack.told("author", "no preview is filled unmasked"))
    assert "staging holds personal data, and nothing masks it" in told
    assert "platform.previews.masking" in told
    assert await left(bare) == {}


async def test_a_seed_that_does_not_exist_is_told_with_those_there_are(masking: World) -> None:
    branch = await with_a_database(masking)
    await masking.slack.command("author", f"/preview up {NAME} {SERVICE}@{branch} seeded from stging")
    assert "did you mean `staging`?" in spoken(await masking.slack.told("author", "spec.databases[0].seedFrom"))
    assert await left(masking) == {}


async def test_what_has_no_database_there_is_not_filled_from_there(masking: World) -> None:
    branch = await with_a_database(masking)
    await masking.slack.command("author", f"/preview up {NAME} {SERVICE}@{branch} seeded from staging")
    assert "has no database in staging" in spoken(await masking.slack.told("author", "spec.databases[0].seedFrom"))
    await masking.slack.command("author", f"/preview up {NAME} {SERVICE}@{branch}")
    card = await card_of(masking, "preview.up", *ENDED)
    assert state(card) == "succeeded", spoken(card)
    (database,) = (await in_preview(masking, "apis/postgresql.cnpg.io/v1", "clusters")).values()
    assert "initdb" in database["spec"]["bootstrap"], "where nothing is to be copied, it begins empty"


async def test_a_seed_larger_than_its_target_is_told_before_anything_is_made(masking: World) -> None:
    await staging_has_one(masking, "medium")
    document = (
        "apiVersion: environments.platform.io/v1\nkind: Environment\n"
        f"metadata: {{name: {NAME}}}\nspec:\n  services: [{{name: {SERVICE}}}]\n"
        "  databases: [{size: small, seedFrom: staging}]\n"
    )
    body = {"document": document}
    status, answer = await masking.api("POST", "/requests/preview.up?dry_run=true", by="author", body=body)
    assert status == 422, answer
    told = {"path": "spec.databases[0].size", "message": TOO_SMALL}
    assert answer["mistakes"] == [told]


async def test_what_fails_with_a_database_leaves_nothing(masking: World) -> None:
    here = masking
    await staging_has_one(here)
    await here.workflows(SERVICE, "failure")
    branch = await with_a_database(here)
    await here.slack.command("author", f"/preview up {NAME} {SERVICE}@{branch} seeded from staging")
    stuck = await card_of(here, "preview.up", "running", told="Stuck")
    await here.slack.click("author", "team-orders", stuck, "undo")
    undone = await card_of(here, "preview.up", "undone", "failed")
    assert state(undone) == "undone", spoken(undone)
    assert await left(here) == {}


async def test_a_service_that_crashes_on_its_copy_is_undone_to_nothing(masking: World) -> None:
    here = masking
    await staging_has_one(here)
    branch = await with_a_database(here, env={"PLAYGROUND_POD": "crashloop"})
    await here.slack.command("author", f"/preview up {NAME} {SERVICE}@{branch} seeded from staging")
    stuck = await card_of(here, "preview.up", "running", told="Stuck")
    assert len(await in_preview(here, "apis/postgresql.cnpg.io/v1", "clusters")) == 1
    await here.slack.click("author", "team-orders", stuck, "undo")
    undone = await card_of(here, "preview.up", "undone", "failed")
    assert state(undone) == "undone", spoken(undone)
    assert await left(here) == {}
