"""Probes and metrics: what an operator's machines look at."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.scenario.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def text(here: World, path: str) -> tuple[int, str]:
    async with here.http.get(f"{here.ready['bot']}{path}") as response:
        return response.status, await response.text()


async def test_it_lives_and_is_ready(here: World) -> None:
    assert await text(here, "/livez") == (200, "ok\n")
    assert await text(here, "/readyz") == (200, "database: ok\n")


async def test_slack_and_github_being_away_is_not_our_unreadiness(here: World) -> None:
    await here.fail_github(route="/", times=50, status=503)
    await here.fail_slack(method="*", times=50, status=503)
    assert (await text(here, "/readyz"))[0] == 200
    await here.mend()


async def test_metrics_are_what_prometheus_reads(here: World) -> None:
    status, told = await text(here, "/metrics")
    assert status == 200
    names = {family.name for family in text_string_to_metric_families(told)}
    assert any(name.startswith("causeway_") for name in names), names
    assert here.ready["env"]["CAUSEWAY_SLACK_BOT_TOKEN"] not in told


async def test_what_is_not_served_is_not_found(here: World) -> None:
    for path in ("/", "/slack", "/api/v1/../../etc/passwd", "/metrics/x"):
        status, told = await text(here, path)
        assert status == 404
        assert "Traceback" not in told
