"""From a service that gets slow to a card in its team's channel, and from its end to a card that says so."""

from __future__ import annotations

from tests.scenario.test_day_two import NAME, STAGING, card_of, commit, created, image_of, live
from tests.scenario.world import Json, World, spoken


async def alert_card(here: World, channel: str, service: str, state: str) -> Json:
    """Wait for the card of a service's alert in this state."""

    async def look() -> Json | None:
        for message in await here.slack.messages(channel):
            told = message.get("metadata") or {}
            payload = told.get("event_payload", {})
            known = (payload.get("service"), payload.get("state")) == (service, state)
            if told.get("event_type") == "causeway_alert" and known:
                return message
        return None

    found: Json = await here.slack.until(look)
    return found


async def measured(here: World, query: str) -> float:
    async with here.http.get(f"{here.ready['prometheus']}/api/v1/query", params={"query": query}) as response:
        (one,) = (await response.json())["data"]["result"]
        return float(one["value"][1])


async def incident(here: World, method: str, **said: str) -> None:
    async with here.http.request(method, f"{here.ready['prometheus']}/sim/incidents", json=said) as response:
        assert response.status == 200, await response.text()


async def running(here: World) -> list[Json]:
    async with here.http.get(f"{here.ready['prometheus']}/sim/incidents") as response:
        found: list[Json] = (await response.json())["running"]
        return found


P99 = (
    "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket"
    '{namespace="orders-api-production", service="orders-api"}[5m])))'
)


async def test_a_slow_service_is_told_where_its_owner_reads_and_its_end_on_the_same_card(here: World) -> None:
    assert await measured(here, P99) < 0.5
    await here.advance("2h")
    await incident(here, "POST", service="orders-api", kind="latency")
    await here.advance("5m")
    assert await measured(here, P99) > 1.5
    card = await alert_card(here, "team-orders", "orders-api", "firing")
    assert "far too slow for what it promises" in spoken(card)
    await incident(here, "DELETE", service="orders-api")
    await here.advance("20m")
    ended = await alert_card(here, "team-orders", "orders-api", "resolved")
    assert ended["ts"] == card["ts"], "the same card"
    assert await measured(here, P99) < 0.5


async def rules_of(here: World, namespace: str) -> set[str]:
    """Return the names of the alerts that Prometheus has loaded for a namespace."""
    async with here.http.get(f"{here.ready['prometheus']}/api/v1/rules?type=alert") as response:
        groups = (await response.json())["data"]["groups"]
    return {rule["name"] for group in groups if f"/{namespace}-" in group["file"] for rule in group["rules"]}


async def test_what_a_new_service_promises_is_watched_and_its_slow_version_rolled_back_from_the_alert(
    here: World,
) -> None:
    await created(here)
    good = image_of(await live(here))
    assert {"LatencyBudgetBurnsFast", "ErrorBudgetBurnsFast", "PodsCrashLooping"} <= await rules_of(here, STAGING)
    slower = await commit(here, "Compute more", LOG_LEVEL="debug")
    await card_of(here, "service.deploy", "succeeded", told=slower[:7])
    await here.advance("1h")
    await incident(here, "POST", service=NAME, environment="staging", kind="latency")
    await here.advance("15m")
    card = await alert_card(here, "team-orders", NAME, "firing")
    await here.slack.click("author", "team-orders", card, "rollback")

    async def over() -> bool | None:
        return None if await running(here) else True

    await here.slack.until(over)
    assert image_of(await live(here)) == good
    await here.advance("1h")
    ended = await alert_card(here, "team-orders", NAME, "resolved")
    assert ended["ts"] == card["ts"]
