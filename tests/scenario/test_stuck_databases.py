"""Databases that do not become ready: what the card says of each, and that it goes on once that is mended."""

from __future__ import annotations

from tests.scenario.test_databases import SERVICE, STAGING
from tests.scenario.test_day_two import card_of
from tests.scenario.world import World, spoken

DENIED = (
    "cannot create replication group: operation error ElastiCache: CreateReplicationGroup, https response error "
    "StatusCode: 403, RequestID: 5e2f8b1c, api error AccessDenied: User: arn:aws:sts::123456789012:assumed-role/x is "
    "not authorized to perform: elasticache:CreateReplicationGroup on resource: arn:aws:elasticache:eu:123456789012:x"
)
QUOTA = (
    'pods "orders-api-db-1-initdb" is forbidden: exceeded quota: staging, requested: requests.memory=512Mi, used: '
    "requests.memory=7936Mi, limited: requests.memory=8Gi"
)


async def ordered(here: World, state: str, message: str = "") -> None:
    body = {"namespace": STAGING, "name": f"{SERVICE}-db", "state": state, "message": message}
    async with here.http.post(f"{here.ready['kubernetes']}/sim/databases", json=body) as response:
        assert response.status == 200, await response.text()


async def test_a_quota_that_is_used_up_is_read_of_on_the_card_and_mended(here: World) -> None:
    await ordered(here, "stuck", QUOTA)
    await here.slack.command("author", f"/database request {SERVICE} small in staging")
    told = spoken(await card_of(here, "database.request", "running", told="is used up"))
    assert "the quota staging of the namespace is used up" in told
    assert "#platform" in told, "one person to ask"
    await ordered(here, "ready")
    await card_of(here, "database.request", "succeeded")


async def test_what_a_cloud_refuses_below_a_claim_is_read_of_on_the_card_and_mended(here: World) -> None:
    await ordered(here, "failed", DENIED)
    await here.slack.command("author", f"/database request {SERVICE} small valkey in staging")
    told = spoken(await card_of(here, "database.request", "running", told="does not allow"))
    assert "the cloud does not allow Crossplane elasticache:CreateReplicationGroup" in told
    assert "123456789012" not in told
    await ordered(here, "ready")
    done = spoken(await card_of(here, "database.request", "succeeded"))
    assert f"the database {SERVICE}-db is ready" in done
