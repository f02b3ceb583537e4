"""A requested database is part of a release: it is laid over the document, and stays until somebody deletes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.effects import AwaitHealthy, CommitFiles, RetireApplication
from bot.errors import Conflict, Invalid
from bot.model.databases import RequestedDatabase
from bot.model.effect import Effect
from bot.model.platform import Platform
from bot.model.release import Release
from bot.releases.changes import change_to, delivery, undeployed
from bot.rendering.delivery import Change, Place, Standing, read_standing
from bot.rendering.stores import stands_alone, store_of
from tests.releases.house import DONE_BY_GIT, GITOPS, MONDAY, PLATFORM, SOURCE, House, effects, ids

REPO_URL = "https://git.acme.example/acme/gitops.git"
ASKED = RequestedDatabase(size="small", by="user:default/author", at=MONDAY)
FILE = "databases/team-orders/orders-api-staging.tf"


def place(house: House, service: str = "orders-api") -> Place:
    return Place(platform=house.platform, service=service, environment="staging", team="team-orders")


async def change(
    house: House, asked: RequestedDatabase | None, service: str = "orders-api", repository: str = SOURCE
) -> tuple[Change, Standing, tuple[Effect, ...]]:
    """Return what becomes of a release when a person asks for this database, or for none."""
    where = place(house, service)
    standing = await read_standing(where, house.forge, {})
    release = (standing.release or undeployed(where, repository)).model_copy(update={"database": asked})
    changed = change_to(where, release, f"Database of {service}")
    return changed, standing, delivery(changed, standing, REPO_URL)


async def carry_out(house: House, found: tuple[Effect, ...]) -> None:
    house.asked += 1  # another operation
    for effect in found:
        if isinstance(effect, DONE_BY_GIT):
            await effect.apply(house.ports, house._run(effect, "author"))


def with_file(template: str, folder: Path) -> Platform:
    (folder / "database.tf.j2").write_text(template)
    told = PLATFORM.model_dump(mode="json", exclude_unset=True)
    told["environments"]["staging"]["database"] = {"provider": "git", "file": {"template": "database.tf.j2"}}
    return Platform.model_validate({**told, "templates": [str(folder)]})


async def test_a_database_comes_in_one_commit_with_the_variables_that_bind_it(house: House) -> None:
    await house.do("service.deploy", service="orders-api")
    _, standing, found = await change(house, ASKED)
    (commit,) = [effect for effect in found if isinstance(effect, CommitFiles)]
    paths = {file.path.rpartition("/")[2] for file in commit.files}
    assert {"cluster-orders-api-db.yaml", "networkpolicy-orders-api-db.yaml", "deployment-orders-api.yaml"} <= paths
    await carry_out(house, found)
    env = house.object("Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [one["name"] for one in env][:2] == ["DATABASE_HOST", "DATABASE_PORT"]
    assert house.release().database == ASKED
    assert standing.release is not None


async def test_deploying_keeps_it_and_it_wins_over_the_document(house: House) -> None:
    await house.do("service.deploy", service="orders-api")
    _, _, found = await change(house, ASKED.model_copy(update={"size": "medium"}))
    await carry_out(house, found)
    house.push("Say it in the document", replicas=2, database={"size": "small"})
    plan = await house.do("service.deploy", service="orders-api")
    cluster = yaml.safe_load(house.files()["apps/orders-api/staging/cluster-orders-api-db.yaml"])
    assert cluster["spec"]["instances"] == 2, "medium"
    assert "deliver" in ids(plan)
    store = store_of(house.release(), place(house))
    assert store is not None
    assert (store.size_name, store.in_document, store.requested) == ("medium", True, house.release().database)


async def test_without_the_request_the_document_counts_again(house: House) -> None:
    house.push("With a database", replicas=2, database={"size": "small"})
    await house.do("service.deploy", service="orders-api")
    _, _, found = await change(house, ASKED.model_copy(update={"size": "medium"}))
    await carry_out(house, found)
    _, _, found = await change(house, None)
    await carry_out(house, found)
    cluster = yaml.safe_load(house.files()["apps/orders-api/staging/cluster-orders-api-db.yaml"])
    assert cluster["spec"]["instances"] == 1


async def test_a_database_that_stands_alone_is_a_release_without_a_version(house: House) -> None:
    changed, _, found = await change(house, ASKED, "my-db", repository="")
    assert stands_alone(changed.release)
    assert {obj["kind"] for obj in changed.objects} == {"Cluster", "NetworkPolicy", "Database"}
    assert [effect.id for effect in found] == ["join-project", "retire", "deliver", "refresh-root", "refresh"]
    assert not any(isinstance(effect, AwaitHealthy) for effect in found)
    await carry_out(house, found)
    files = house.files()
    assert "argocd/applications/my-db-staging.yaml" in files
    assert "apps/my-db/staging/cluster-my-db-db.yaml" in files
    standing = await read_standing(place(house, "my-db"), house.forge, {})
    assert standing.release == changed.release


async def test_a_database_that_is_asked_for_before_the_first_deploy_keeps_its_name(house: House) -> None:
    changed, _, found = await change(house, ASKED)
    assert not stands_alone(changed.release), "it has a repository"
    await carry_out(house, found)
    await house.do("service.deploy", service="orders-api")
    clusters = [path for path in house.files("apps/orders-api/staging") if "cluster-" in path]
    assert clusters == ["apps/orders-api/staging/cluster-orders-api-db.yaml"]
    assert house.release().database == ASKED


async def test_freezing_and_scaling_leave_it_alone(house: House) -> None:
    await house.do("service.deploy", service="orders-api")
    _, _, found = await change(house, ASKED)
    await carry_out(house, found)
    before = house.files()["apps/orders-api/staging/cluster-orders-api-db.yaml"]
    await house.do("service.scale", service="orders-api", replicas=4)
    await house.do("service.restart", service="orders-api")
    assert house.files()["apps/orders-api/staging/cluster-orders-api-db.yaml"] == before


async def test_what_the_platform_has_not_is_refused_before_anything_happens(house: House) -> None:
    before = house.files()
    with pytest.raises(Invalid) as refused:
        await change(house, ASKED.model_copy(update={"engine": "mysql"}), "my-db", repository="")
    assert [mistake.path for mistake in refused.value.mistakes] == ["database.engine"]
    assert house.files() == before


async def test_a_file_is_written_in_the_same_commit_and_stays_when_its_line_goes(house: House, tmp_path: Path) -> None:
    house.platform = with_file('# Causeway\nname = "{{ name }}"\nsize = "{{ size }}"\n', tmp_path)
    house.push("With a database", replicas=2, database={"size": "small"})
    plan = await house.do("service.deploy", service="orders-api")
    assert house.files()[FILE] == '# Causeway\nname = "orders-api"\nsize = "small"\n'
    assert FILE in [detail.title for detail in plan.details], "whoever approves sees it"
    house.push("Without", replicas=2)
    await house.do("service.deploy", service="orders-api")
    assert FILE in house.files(), "it stands for data"
    changed, standing, _ = await change(house, None)
    gone = delivery(replace(changed, removed=(FILE,)), standing, REPO_URL)
    await carry_out(house, gone)
    assert FILE not in house.files()


async def test_a_file_of_somebody_else_is_never_written_over(house: House, tmp_path: Path) -> None:
    house.platform = with_file("# Causeway\n", tmp_path)
    house.forge.push(GITOPS, {FILE: b"# by hand\n"})
    with pytest.raises(Conflict, match="was not written by Causeway"):
        await change(house, ASKED)


async def test_whoever_changes_the_file_meanwhile_voids_the_approval(house: House, tmp_path: Path) -> None:
    house.platform = with_file("# Causeway\n", tmp_path)
    await house.do("service.deploy", service="orders-api")
    _, before, found = await change(house, ASKED)
    await carry_out(house, found)
    _, standing, _ = await change(house, ASKED)
    assert standing.revision != before.revision
    house.forge.push(GITOPS, {FILE: b"# Causeway, and by hand\n"})
    _, later, _ = await change(house, ASKED)
    assert later.revision != standing.revision


async def test_a_file_alone_needs_no_application(house: House, tmp_path: Path) -> None:
    house.platform = with_file("# Causeway\n", tmp_path)
    _, _, found = await change(house, ASKED, "my-db", repository="")
    assert [effect.id for effect in found] == ["deliver"]
    assert not any(isinstance(effect, RetireApplication) for effect in found)
    await carry_out(house, found)
    assert "databases/team-orders/my-db-staging.tf" in house.files()


def test_a_preview_s_release_has_several_databases_and_so_none_of_its_own() -> None:
    told: dict[str, Any] = {"by": "user:default/ada", "created_at": MONDAY, "expires_at": MONDAY}
    release = Release.model_validate(
        {"service": "preview", "environment": "pr-1", "team": "t", "repository": "", "preview": told}
    )
    where = Place(platform=PLATFORM, service="preview", environment="staging", team="t")
    assert store_of(release, where) is None


async def test_a_plan_names_every_effect_of_a_deploy_with_a_database(house: House) -> None:
    house.push("With a database", replicas=2, database={"size": "small"})
    plan = await house.plan("service.deploy", service="orders-api")
    assert sum(isinstance(effect, CommitFiles) for effect in effects(plan)) == 1
