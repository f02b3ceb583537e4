"""The whole way with the real ones: Prometheus scrapes a service and evaluates the rules that are generated for it,
Alertmanager groups what fires and calls Causeway, and a team reads a card, until all is well again."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.model.platform import Environment, Monitoring, Platform
from bot.ports import Matcher, Silence
from bot.rendering.documents import read
from bot.rendering.render import render
from bot.rendering.rollout import Rollout
from bot.settings import load
from bot.terminal.doctor import monitoring as doctor
from bot.terminal.serve import running
from integrations.alertmanager import Alertmanager
from integrations.alertmanager import connect as connect_alertmanager
from integrations.prometheus import PrometheusMetrics
from integrations.prometheus import connect as connect_prometheus
from tests.peers.monitoring import rig
from tests.peers.tools import need
from tests.scenario.world import Json, World, peers, spoken
from tests.terminal.test_doctor_platform import Patient

pytestmark = rig.MONITORING

NAMESPACE, SERVICE, CHANNEL = "orders-api-production", "orders-api", "team-orders"
PATIENCE_S = 90.0
"""Longest wait for something that goes through several scrapes, evaluations and flushes."""


@dataclass
class Shop:
    """A service that tells its numbers, and those that kube-state-metrics tells of it."""

    available: int = 2
    good: int = 0
    bad: int = 0

    async def metrics(self, _: web.Request) -> web.Response:
        """Some customers have come since the last scrape."""
        self.good += 40
        of = 'http_requests_total{method="GET",route="/orders"'
        return web.Response(
            text=f'{of},status="200"}} {self.good}\n{of},status="500"}} {self.bad}\n'
            f'kube_deployment_status_replicas_available{{deployment="{SERVICE}"}} {self.available}\n'
            f'kube_deployment_spec_replicas{{deployment="{SERVICE}"}} 2\n'
        )


def quick_rules() -> Any:
    """Return the rules that are generated for the service, by the second where they wait for minutes.

    What they ask, and from which number on they fire, stays as it is.
    """
    document = {
        "apiVersion": "platform.company.io/v1",
        "kind": "WebService",
        "metadata": {"name": SERVICE},
        "spec": {"slo": {"availability": 99.9}},
    }
    (found,) = read(json.dumps(document))
    platform = Platform(environments={"production": Environment(monitoring=Monitoring(enabled=True))})
    rollout = Rollout(image="ghcr.io/acme/orders-api:1", team="team-orders")
    made = render(found, environment="production", platform=platform, rollout=rollout)
    spec: Any = next(obj["spec"] for obj in made if obj["kind"] == "PrometheusRule")
    for group in spec["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = re.sub(r"\d+[mh]$", "1s", rule["for"])
    return spec


@dataclass
class Town:
    world: World
    shop: Shop
    metrics: PrometheusMetrics
    alerts: Alertmanager
    prometheus_url: str
    alertmanager_url: str

    async def card(self, alert: str, state: str) -> Json:
        """Wait until the team's channel has a card about this alert in this state."""
        seen: list[Any] = []
        async with asyncio.timeout(PATIENCE_S):
            while True:
                seen = await self.world.slack.messages(CHANNEL)
                for message in reversed(seen):
                    told = message.get("metadata") or {}
                    if told.get("event_type") != "causeway_alert" or alert not in spoken(message):
                        continue
                    if told["event_payload"]["state"] == state:
                        return message
                await asyncio.sleep(0.1)  # what it waits for goes through three programs that tell us nothing

    async def doctor(self) -> list[str]:
        """Return what `causeway doctor` says of the rules, and of whom Alertmanager calls."""
        patient = Patient(session=self.world.http)
        patient.environment |= {
            "prometheus_url": self.prometheus_url,
            "alertmanager_url": self.alertmanager_url,
            "alertmanager_token": SecretStr("token"),
        }
        return [(await patient.hears(check))[-1] for check in (doctor.prometheus, doctor.alertmanager)]

    def amtool(self, *words: str) -> Any:
        command: list[str | Path] = [
            need("amtool"),
            f"--alertmanager.url={self.alertmanager_url}",
            *words,
            "-o",
            "json",
        ]
        return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(peers(folder / "playground"))
        environment: Mapping[str, str] = world.ready["env"]
        shop, application = Shop(), web.Application()
        application.router.add_get("/metrics", shop.metrics)
        shop_server = await stack.enter_async_context(TestServer(application))
        hook = f"{world.ready['bot']}/webhooks/alertmanager"
        receiver = rig.receiver(hook, environment["CAUSEWAY_ALERTMANAGER_TOKEN"])
        alertmanager = stack.enter_context(rig.alertmanager(folder, receiver))
        rules = folder / "rules.yml"
        rules.write_text(json.dumps(quick_rules()))
        target = {
            "targets": [f"{shop_server.host}:{shop_server.port}"],
            "labels": {"namespace": NAMESPACE, "service": SERVICE},
        }
        configuration = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [{"job_name": SERVICE, "static_configs": [target]}],
            "alerting": {
                "alertmanagers": [{"static_configs": [{"targets": [alertmanager.removeprefix("http://")]}]}],
            },
        }
        prometheus = stack.enter_context(rig.prometheus(folder, configuration))
        reached = {"CAUSEWAY_PROMETHEUS_URL": prometheus, "CAUSEWAY_ALERTMANAGER_URL": alertmanager}
        await stack.enter_async_context(running(load({**environment, **reached})))
        metrics, alerts = connect_prometheus(prometheus), connect_alertmanager(alertmanager)
        stack.push_async_callback(metrics.close)
        stack.push_async_callback(alerts.close)
        yield Town(world, shop, metrics, alerts, prometheus, alertmanager)


async def test_what_the_rules_find_is_a_card_until_it_is_well_again(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        rules, calls = await here.doctor()
        assert rules == "it evaluates 4 alert rules."
        assert calls == "it calls /webhooks/alertmanager by its receiver `causeway`."
        here.shop.available = 1
        card = await here.card("ReplicasMissing", "firing")
        assert card["metadata"]["event_payload"]["service"] == SERVICE
        assert f"{SERVICE} has had fewer replicas" in spoken(card)
        here.shop.available = 2
        assert (await here.card("ReplicasMissing", "resolved"))["ts"] == card["ts"]

        here.shop.bad = 1000
        await here.card("ErrorBudgetBurnsFast", "firing")
        fires = await here.metrics.at('ALERTS{alertname="ErrorBudgetBurnsFast", alertstate="firing"}')
        assert [one.labels["severity"] for one in fires.series] == ["critical"]
        now = datetime.now(UTC)
        made = await here.alerts.silence(
            Silence(
                matchers=(Matcher("alertname", "ErrorBudgetBurnsFast"), Matcher("service", SERVICE)),
                starts_at=now,
                ends_at=now + timedelta(hours=1),
                by="Sample Author",
                comment="we know",
            )
        )
        [shown] = here.amtool("silence", "query")
        assert (shown["id"], shown["createdBy"], shown["comment"]) == (made, "Sample Author", "we know")
        assert {one["labels"]["alertname"] for one in here.amtool("alert", "query")} == set()
        assert await here.alerts.unsilence(made)
        assert here.amtool("silence", "query") == []
