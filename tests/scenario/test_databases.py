"""Databases on request: asked for in Slack, ready, stuck and why, resized, looked into, deleted with proof."""

from __future__ import annotations

import base64
from typing import Any

import yaml

from tests.scenario.test_day_two import NAME, card_of, changed, created, live
from tests.scenario.world import Json, World, spoken

SERVICE = "orders-api"
STAGING = f"{SERVICE}-staging"
CNPG = "/apis/postgresql.cnpg.io/v1"
POD = f"/api/v1/namespaces/{STAGING}/pods/{SERVICE}-db-visit-author"
CLUSTER = f"{CNPG}/namespaces/{STAGING}/clusters/{SERVICE}-db"


async def requested(here: World, **answers: Any) -> Json:
    """Fill in the form of `/database request` as the author, and submit it; return the modal as it was filled in."""
    await here.slack.command("author", "/database request")
    view = await here.slack.opened("author", "database.request")
    values = {"service": f"component:default/{SERVICE}", **answers}
    assert (await here.slack.submit("author", view, values))["status"] == 200
    return view


async def git(here: World, path: str) -> Any:
    """Return a YAML file of the GitOps repository; None where there is none."""
    status, found = await here.github("GET", f"/repos/acme/gitops/contents/{path}")
    return yaml.safe_load(base64.b64decode(found["content"])) if status == 200 else None


async def test_a_database_is_asked_for_in_slack_and_becomes_ready(here: World) -> None:
    view = await requested(here, size="small")
    assert "10Gi, 512Mi, one instance, 20 EUR a month" in str(view["blocks"]), "the cost stands there before"
    card = await card_of(here, "database.request", "succeeded")
    told = spoken(card)
    assert "Make a PostgreSQL database for orders-api in staging" in told
    assert "small: 10Gi, 512Mi, one instance, 20 EUR a month." in told
    assert "the database orders-api-db is ready" in told
    cluster = await here.kubernetes("GET", CLUSTER)
    assert cluster["status"]["phase"] == "Cluster in healthy state"
    release = await git(here, f"apps/{SERVICE}/staging/.causeway/release.yaml")
    assert release["database"]["by"] == "user:default/author"
    assert "password" not in str(await git(here, f"apps/{SERVICE}/staging/cluster-{SERVICE}-db.yaml")).lower()


async def test_a_broken_volume_is_read_of_on_the_card_and_mended(here: World) -> None:
    await volumes(here, "pending")
    await requested(here, size="small")
    stuck = await card_of(here, "database.request", "running", told="Stuck")
    told = spoken(stuck)
    assert "volume" in told
    assert "#platform" in told, "one person to ask"
    _, shown = await here.api("POST", "/requests/database.show", by="author", body={"database": SERVICE})
    assert shown["data"]["state"] == "stuck"
    await volumes(here, "ready")
    await card_of(here, "database.request", "succeeded")


async def test_a_person_is_let_in_for_a_while_and_out_by_the_clock(here: World) -> None:
    await ready(here)
    await here.slack.command("author", f"/database connect {SERVICE} for 2h")
    card = await card_of(here, "database.connect", "awaiting_approval")
    await here.slack.click("author", "team-orders", card, "approve")
    await here.slack.told("author", "You asked for this yourself")
    await here.slack.click("approver", "team-orders", card, "approve")
    done = await card_of(here, "database.connect", "succeeded")
    assert f"kubectl --namespace {STAGING} exec -it {SERVICE}-db-visit-author -- psql" in spoken(done)
    pod = await here.kubernetes("GET", POD)
    assert pod["spec"]["activeDeadlineSeconds"] == 7200
    assert pod["status"]["phase"] == "Running"
    await here.advance("3h")
    closed = await card_of(here, "database.disconnect", "succeeded")
    assert f"1 object deleted: Pod {SERVICE}-db-visit-author in {STAGING}" in spoken(closed)
    assert await here.kubernetes("GET", POD) == {}


async def test_a_database_is_resized_with_its_cost_told(here: World) -> None:
    await ready(here)
    await here.slack.command("author", f"/database resize {SERVICE} medium")
    done = await card_of(here, "database.resize", "succeeded")
    assert "Costs 150 EUR a month, and now 20 EUR a month." in spoken(done)
    assert (await here.kubernetes("GET", CLUSTER))["status"]["readyInstances"] == 2


async def test_a_database_is_deleted_with_its_name_its_owner_a_backup_and_a_true_receipt(here: World) -> None:
    await ready(here)
    await here.slack.command("author", "/database delete")
    view = await here.slack.opened("author", "database.delete")
    await here.slack.submit("author", view, {"name": SERVICE, "environment": "staging"})
    await here.slack.told("author", "is not the name of the database. Nothing was deleted.")
    assert (await here.kubernetes("GET", CLUSTER))["metadata"]["name"] == f"{SERVICE}-db"

    await here.slack.command("author", f"/database delete {SERVICE}-db")
    card = await card_of(here, "database.delete", "awaiting_approval")
    assert "Nothing brings back what is in it, except its backups." in spoken(card)
    await here.slack.click("approver", "team-orders", card, "approve")
    receipt = spoken(await card_of(here, "database.delete", "succeeded"))
    assert "is complete since" in receipt
    assert await here.kubernetes("GET", CLUSTER) == {}
    claims = await here.kubernetes("GET", f"/api/v1/namespaces/{STAGING}/persistentvolumeclaims")
    assert claims.get("items", []) == []
    assert f"Cluster {SERVICE}-db in {STAGING}" in receipt
    backups = await here.kubernetes("GET", f"{CNPG}/namespaces/{STAGING}/backups")
    kept = [one["metadata"]["name"] for one in backups["items"] if "-last-" in one["metadata"]["name"]]
    assert kept
    assert kept[0] in receipt, "what is kept is there, and named"
    assert await git(here, f"apps/{SERVICE}/staging/cluster-{SERVICE}-db.yaml") is None
    _, listed = await here.api("POST", "/requests/database.list", by="author", body={"owner": "all"})
    assert listed["data"] == []


async def test_one_that_stands_alone_comes_and_goes_without_a_trace(here: World) -> None:
    await here.slack.command("author", "/database request reports small for team-orders")
    await card_of(here, "database.request", "succeeded")
    assert (await here.application("reports-staging"))["status"]["health"]["status"] == "Healthy"
    await here.slack.command("author", "/database delete reports-db")
    card = await card_of(here, "database.delete", "awaiting_approval")
    await here.slack.click("approver", "team-orders", card, "approve")
    await card_of(here, "database.delete", "succeeded")
    assert await here.application("reports-staging") == {}
    assert await here.kubernetes("GET", f"{CNPG}/namespaces/reports-staging/clusters/reports-db") == {}
    assert await git(here, "apps/reports/staging/.causeway/release.yaml") is None


async def test_what_cannot_be_is_one_clear_sentence(here: World) -> None:
    for line, words in {
        "/database request orders-api valkey-db": "There is no database size `valkey-db`",
        "/database request checkout-web small for team-orders": "is the name of the service",
        "/database delete nothing-db": "There is no service and no database `nothing-db`",
        "/database connect orders-api": "has no database in staging",
        "/database resize orders-api medium": "has no database in staging",
    }.items():
        await here.slack.command("author", line)
        await here.slack.told("author", words)
    stranger = "/database request orders-api small"
    await here.slack.command("stranger", stranger, "team-checkout")
    await here.slack.told("stranger", "Only members of team-orders", "team-checkout")


async def test_a_cloud_s_database_is_deleted_by_its_name_there(here: World) -> None:
    await here.slack.command("author", f"/database request {SERVICE} small in production")
    card = await card_of(here, "database.request", "awaiting_approval")
    await here.slack.click("approver", "team-orders", card, "approve")
    await card_of(here, "database.request", "succeeded")
    instance = "/apis/database.aws.crossplane.io/v1beta1/rdsinstances/orders-api-production"
    wanted = await git(here, f"apps/{SERVICE}/production/rdsinstance-{SERVICE}-production.yaml")
    assert wanted["spec"]["forProvider"]["deletionProtection"] is True, "once it is ready"
    await here.slack.command("author", f"/database delete {SERVICE}-db in production")
    card = await card_of(here, "database.delete", "awaiting_approval")
    await here.slack.click("approver", "team-orders", card, "approve")
    receipt = spoken(await card_of(here, "database.delete", "succeeded"))
    assert await here.kubernetes("GET", instance) == {}
    assert "RDSInstance orders-api-production (" in receipt, "the name in the cloud"
    assert "Kept: the snapshot orders-api-production-final-" in receipt


async def ready(here: World) -> None:
    """Let the service have a database."""
    await here.slack.command("author", f"/database request {SERVICE} small in staging")
    await card_of(here, "database.request", "succeeded")


async def volumes(here: World, state: str, namespace: str = STAGING) -> None:
    body = {"namespace": namespace, "state": state}
    async with here.http.post(f"{here.ready['kubernetes']}/sim/volumes", json=body) as response:
        assert response.status == 200, await response.text()


async def test_a_service_that_runs_is_bound_and_let_go_again(here: World) -> None:
    await created(here)
    await here.slack.command("author", f"/database request {NAME} small")
    await card_of(here, "database.request", "succeeded")
    assert "DATABASE_URL" in variables(await live(here))
    await here.slack.command("author", f"/database delete {NAME}-db")
    card = await card_of(here, "database.delete", "awaiting_approval")
    assert f"{NAME} uses it, and starts anew without it." in spoken(card)
    await here.slack.click("approver", "team-orders", card, "approve")
    await card_of(here, "database.delete", "succeeded")
    assert "DATABASE_URL" not in variables(await live(here))
    application = await here.application(f"{NAME}-staging")
    assert (application["status"]["sync"]["status"], application["status"]["health"]["status"]) == ("Synced", "Healthy")


async def test_a_request_that_is_undone_while_it_is_stuck_leaves_nothing(here: World) -> None:
    await created(here)
    await volumes(here, "pending", f"{NAME}-staging")
    await here.slack.command("author", f"/database request {NAME} small")
    stuck = await card_of(here, "database.request", "running", told="Stuck")
    await here.slack.click("author", "team-orders", stuck, "undo")
    await card_of(here, "database.request", "undone")
    clusters = await here.kubernetes("GET", f"{CNPG}/namespaces/{NAME}-staging/clusters")
    assert clusters.get("items", []) == []
    assert "DATABASE_URL" not in variables(await live(here))


def variables(deployment: Json) -> set[str]:
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return {one["name"] for container in containers for one in container.get("env", [])}


async def test_a_database_that_a_document_lets_go_of_stays_until_it_is_deleted(here: World) -> None:
    await created(here)
    asked = await changed(here, "Ask for a database", {"database": {"type": "postgresql"}})
    await card_of(here, "service.deploy", "succeeded", told=asked[:7])
    await here.slack.command("author", f"/database delete {NAME}-db")
    await here.slack.told("author", "Take `database` out of its platform.yaml")
    gone = await changed(here, "Do without", {}, without=("database",))
    await card_of(here, "service.deploy", "succeeded", told=gone[:7])
    cluster = f"{CNPG}/namespaces/{NAME}-staging/clusters/{NAME}-db"
    assert (await here.kubernetes("GET", cluster))["metadata"]["name"] == f"{NAME}-db", "nothing deletes data by itself"

    await here.slack.command("author", f"/database delete {NAME}-db")
    card = await card_of(here, "database.delete", "awaiting_approval")
    await here.slack.click("approver", "team-orders", card, "approve")
    await card_of(here, "database.delete", "succeeded")
    assert await here.kubernetes("GET", cluster) == {}
