"""What a new service promises is watched over from its first deploy on: by rules, a dashboard, and an alert."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenario.test_day_two import NAME, STAGING, created
from tests.scenario.world import Json, World, world

GRAFANA = "https://grafana.acme.example"


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[World]:
    """Staging is monitored, with dashboards."""
    dashboards = {"enabled": True, "url": GRAFANA, "loki": "loki", "tempo": "tempo"}
    monitoring = {"enabled": True, "dashboards": dashboards, "otlp": {"endpoint": "http://collector:4318"}}
    config = tmp_path / "given.yaml"
    config.write_text(json.dumps({"platform": {"environments": {"staging": {"monitoring": monitoring}}}}))
    async with world(tmp_path / "playground", config=config) as found:
        yield found


async def asked(here: World, path: str) -> Json:
    async with here.http.get(f"{here.ready['prometheus']}{path}") as response:
        assert response.status == 200, await response.text()
        found: Json = (await response.json())["data"]
        return found


async def firing(here: World) -> dict[str, Json]:
    """Return the alerts of the service that fire, by name."""
    found = await asked(here, "/api/v1/alerts")
    ours = [one for one in found["alerts"] if one["labels"].get("service") == NAME and one["state"] == "firing"]
    return {one["labels"]["alertname"]: one for one in ours}


async def test_a_promise_is_watched_over_and_told_of_when_it_breaks(watched: World) -> None:
    await created(watched)
    board = await watched.kubernetes("GET", f"/api/v1/namespaces/{STAGING}/configmaps/{NAME}-dashboard")
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
    ((_, drawn),) = board["data"].items()

    async def loaded() -> bool:
        return f"{NAME}-slo" in {group["name"] for group in (await asked(watched, "/api/v1/rules"))["groups"]}

    assert await watched.slack.until(loaded)
    await watched.advance("30m")
    assert await firing(watched) == {}
    incident = {"service": NAME, "kind": "errors", "environment": "staging"}
    async with watched.http.post(f"{watched.ready['prometheus']}/sim/incidents", json=incident) as response:
        assert response.status == 200, await response.text()
    await watched.advance("20m")

    async def burning() -> Json | None:
        return (await firing(watched)).get("ErrorBudgetBurnsFast")

    alert = await watched.slack.until(burning)
    assert (
        alert["labels"] | {"severity": "critical", "environment": "staging", "slo": "availability"} == alert["labels"]
    )
    assert alert["annotations"]["description"].partition(" ")[0].endswith("%")
    assert alert["annotations"]["runbook_url"].endswith(f"/acme/{NAME}/blob/main/docs/runbook.md")
    assert alert["annotations"]["dashboard_url"] == f"{GRAFANA}/d/{json.loads(drawn)['uid']}"
