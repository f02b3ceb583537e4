"""Health as people see it in Slack: what is well, what is not and why, what could not be seen; one message each."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.scenario.world import PATIENCE_S, Json, World, spoken

PLACE = "orders-api-staging"
LABELS = {"causeway.io/service": "orders-api", "causeway.io/environment": "staging"}


async def asked(here: World, line: str, holds: str, channel: str = "team-orders", user: str = "author") -> Json:
    """Ask, and return the message that comes of it once it holds a text."""
    before = {message["ts"] for message in await here.slack.messages(channel)}
    await here.slack.command(user, line, channel)

    async def look() -> Json | None:
        new = [one for one in await here.slack.messages(channel) if one["ts"] not in before]
        return next((one for one in new if holds in spoken(one)), None)

    message: Json = await here.slack.until(look)
    return message


async def said(here: World, holds: str) -> Json | None:
    """Return a message to `author` that holds a text, or one that everybody reads."""
    every = await here.slack.messages("team-orders", user="author")
    return next((one for one in every if holds in spoken(one)), None)


async def becomes(here: World, message: Json, holds: str, channel: str = "team-orders") -> Json:
    """Wait until the same message holds a text."""

    async def look() -> Json | None:
        same = [one for one in await here.slack.messages(channel) if one["ts"] == message["ts"]]
        return next((one for one in same if holds in spoken(one)), None)

    changed: Json = await here.slack.until(look)
    return changed


async def incident(here: World, service: str, kind: str) -> None:
    body = {"service": service, "kind": kind}
    async with here.http.post(f"{here.ready['prometheus']}/sim/incidents", json=body) as response:
        assert response.status == 200, await response.text()


async def runs(here: World) -> None:
    """Let a Deployment of the service run in staging."""
    await here.administer(
        "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PLACE}}
    )
    container = {"name": "orders-api", "image": "docker.io/library/nginx:1.29"}
    await here.administer(
        "POST",
        f"/apis/apps/v1/namespaces/{PLACE}/deployments",
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "orders-api", "namespace": PLACE, "labels": LABELS},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": LABELS},
                "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [container]}},
            },
        },
    )


async def crashes(here: World) -> None:
    """Wait until the cluster shows that its pods crash."""
    async with asyncio.timeout(PATIENCE_S):
        while True:  # each look is a call of its own: the cluster moves by itself
            pods = (await here.kubernetes("GET", f"/api/v1/namespaces/{PLACE}/pods"))["items"]
            states = [one for pod in pods for one in pod.get("status", {}).get("containerStatuses", ())]
            if states and all("CrashLoopBackOff" in json.dumps(one["state"]) for one in states):
                return


async def test_a_day_of_asking_whether_it_is_well(here: World) -> None:
    # Well, closely and in a line each; the picture with its words comes with the whole.
    message = await asked(here, "/health checkout-web production", "requests a second as it should.")
    told = spoken(message)
    assert "*latency (p99)*" in told
    assert "🟢 *orders-api* Healthy" in told

    async def picture() -> Json | None:
        files = [file for one in await here.slack.messages("team-orders") for file in one.get("files") or ()]
        return files[0] if files else None

    shown = await here.slack.until(picture)
    assert shown["title"] == "checkout-web in production: latency (p99)"
    assert "(staging Healthy)" in spoken(await asked(here, "/health", "🟢 *orders-api* production"))
    assert "orders-api  production" in spoken(await asked(here, "/health team team-orders", "team-orders: 2 Healthy"))

    # What is not known.
    await here.slack.command("author", "/health orders-apo")
    assert "Did you mean `orders-api`" in spoken(await here.slack.told("author", "There is no service `orders-apo`"))
    await here.slack.command("guest", "/health orders-api", "general")
    await here.slack.told("guest", "uests", "general")

    # A slow Prometheus delays nothing: the rest comes into the same message.
    await here.fail("prometheus", route="/api/v1/", delay_ms=3500, times=5)
    first = await asked(here, "/health orders-api production", "Prometheus has not answered yet.")
    assert "Unknown" in spoken(first)
    whole = await becomes(here, first, "requests a second as it should.")
    assert "has not answered" not in spoken(whole)

    # One that is down is named, and nothing is called healthy.
    await here.fail("prometheus", route="/api/v1/", status=503, times=10_000)
    down = await asked(here, "/health orders-api production", "Nothing wrong was seen, but not all could be looked at")
    assert "🟢" not in spoken(down)
    await here.mend("prometheus")

    # A pod that crashes.
    await runs(here)
    await here.pods(PLACE, "causeway.io/service=orders-api", "crashloop")
    await crashes(here)
    crashing = await asked(here, "/health orders-api staging", "orders-api in staging: Down")
    assert "crash" in spoken(crashing)
    assert "`/service logs orders-api`" in spoken(crashing)

    # An incident in a dependency.
    await incident(here, "orders-api", "latency")
    await here.advance("10m")
    slow = await asked(here, "/health checkout-web production", "Degraded")
    await becomes(here, slow, "Its latency (p99) is")
    await becomes(here, slow, "Because of orders-api, which it depends on:")

    # The button types its line for whoever presses it.
    own = await asked(here, "/health orders-api production", "orders-api in production: Degraded")
    await here.slack.click("author", "team-orders", own, "why")
    await here.slack.until(lambda: said(here, "orders-api in production has been slow since"))

    # The home tab knows too, and programs are told everything.
    await here.slack.call("POST", "home", user="author")

    async def home() -> Json | None:
        view = (await here.slack.call("GET", "views", user="author"))["home"]
        return view if view and "🔴 *orders-api* staging" in spoken(view) else None

    await here.slack.until(home)
    status, answer = await here.api(
        "POST", "/requests/health", by="author", body={"service": "orders-api", "environment": "production"}
    )
    assert status == 200
    data: Any = answer["data"]
    assert (data["state"], data["whole"]) == ("Degraded", True)
    assert len(data["environments"][0]["signals"][0]["points"]) > 50
    status, answer = await here.api("POST", "/requests/health.team", by="author", body={"group": "team-orders"})
    assert {one["state"] for one in answer["data"]["services"]} == {"Down", "Degraded"}
