"""Rules: when they wait, fire and end, what they record, and what they say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from playground.kubernetes.store import Store
from playground.monitoring.prometheus.rules import engine
from playground.monitoring.prometheus.rules.book import Book
from playground.monitoring.prometheus.rules.engine import Engine
from playground.monitoring.prometheus.rules.evaluating import RuleState
from playground.monitoring.prometheus.rules.model import Rule, groups_of
from playground.monitoring.prometheus.rules.notifying import Notifier
from playground.monitoring.prometheus.rules.templates import expanded
from tests.playground.prometheus.rig import ORDERS, Measured

SLOW = f"histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket{{{ORDERS}}}[1m]))) > 1"


def spec(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"groups": [{"name": "ours", "rules": list(rules)}]}


def state(rule: RuleState) -> list[str]:
    return [active.state for active in rule.active.values()]


def test_an_alert_waits_fires_and_ends() -> None:
    past = Measured()
    rule = RuleState(Rule("Slow", SLOW, records=False, hold=120_000))

    def after(**span: float) -> list[str]:
        past.advance(**span)
        past.storage.refresh()
        rule.evaluate(past.storage, past.lives.now())
        return state(rule)

    assert after(seconds=15) == []
    past.incidents.begin("orders-api", "latency")
    assert after(minutes=1) == ["pending"]
    assert after(minutes=1) == ["pending"]
    assert after(minutes=1) == ["firing"]
    assert past.number('ALERTS{alertname="Slow", alertstate="firing"}') == 1
    assert past.ask('ALERTS{alertstate="pending"}') == []
    past.incidents.end()
    assert after(minutes=2) == ["inactive"]
    assert past.ask("ALERTS") == []
    assert after(minutes=16) == ["inactive"], "nobody has heard of its end yet"
    for active in rule.active.values():
        active.sent_at = past.lives.now()
    assert after(minutes=1) == []


def test_what_only_waited_never_was() -> None:
    past = Measured()
    rule = RuleState(Rule("Slow", SLOW, records=False, hold=600_000))
    past.incidents.begin("orders-api", "latency")
    past.advance(minutes=1)
    past.storage.refresh()
    rule.evaluate(past.storage, past.lives.now())
    past.incidents.end()
    past.advance(minutes=2)
    past.storage.refresh()
    rule.evaluate(past.storage, past.lives.now())
    assert state(rule) == []


def test_a_rule_that_cannot_be_computed_says_why_and_keeps_its_alerts() -> None:
    past = Measured()
    past.storage.refresh()
    rule = RuleState(Rule("Wrong", "up * on (namespace) up", records=False))
    rule.evaluate(past.storage, past.lives.now())
    assert "many-to-many" in rule.error


def test_what_is_recorded_can_be_asked_for_until_its_result_is_gone() -> None:
    past = Measured()
    rule = RuleState(Rule("job:up:sum", "sum by (job) (up) > 1", records=True, labels=(("team", "orders"),)))
    past.storage.refresh()
    rule.evaluate(past.storage, past.lives.now())
    assert past.number('job:up:sum{job="orders-api", team="orders"}') == 4
    past.living.remove("checkout-web")
    past.living.remove("checkout-web", "staging")
    past.advance(seconds=30)
    past.storage.refresh()
    rule.evaluate(past.storage, past.lives.now())
    assert [dict(labels)["job"] for labels, _ in past.ask("job:up:sum")] == ["orders-api"]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("{{ $value }} of {{ $labels.job }}", "0.0512 of api"),
        ("{{ $value | humanizePercentage }}", "5.12%"),
        ('{{ printf "%.1f" $value }}s', "0.1s"),
        ('{{ $value | printf "%.2f" }}', "0.05"),
        ("{{ humanizeDuration $value }}", "51.2ms"),
        ("{{$labels.nothing}}|", "|"),
        ("{{ humanize 4 }}", "<error expanding template"),
        ("{{ range query }}", "<error expanding template"),
    ],
)
def test_templates_are_filled_in_or_say_that_they_are_not(template: str, text: str) -> None:
    found = expanded("Alert", template, {"job": "api"}, 0.0512)
    assert found.startswith(text)


@pytest.mark.parametrize(
    "rule",
    [
        {"alert": "A", "expr": "rate(up)"},
        {"alert": "A", "record": "b", "expr": "up"},
        {"expr": "up"},
        {"alert": "A", "expr": "up", "for": "soon"},
        {"record": "not a name", "expr": "up"},
    ],
)
def test_what_prometheus_would_not_load_is_not_loaded(rule: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r".+"):
        list(groups_of("file", spec(rule)))


class Heard:
    """An Alertmanager that only listens."""

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []
        self.status = 200

    async def take(self, request: web.Request) -> web.Response:
        if self.status == 200:
            self.alerts += await request.json()
        return web.Response(status=self.status)

    def names(self) -> list[tuple[str, str]]:
        return [(one["labels"]["alertname"], one["labels"]["service"]) for one in self.alerts]


class House:
    """An engine over a measured past and a cluster's objects."""

    def __init__(self, url: str, folder: Path) -> None:
        self.past = Measured()
        self.store = Store(folder / "kubernetes.sqlite", lambda: self.past.now)
        self.store.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "orders-api-production"}}, manager="test"
        )
        self.book = Book(self.past.living, self.store.objects)
        self.engine = Engine(self.past.storage, self.book, Notifier(url, "http://prometheus.example"))

    async def after(self, **span: float) -> None:
        self.past.advance(**span)
        await self.engine.catch_up()

    def rules(self, *rules: dict[str, Any]) -> None:
        metadata = {"name": "orders-api", "namespace": "orders-api-production"}
        kind = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule"}
        self.store.create({**kind, "metadata": metadata, "spec": spec(*rules)}, manager="test")


@pytest.fixture
async def heard() -> AsyncIterator[tuple[Heard, str]]:
    listener = Heard()
    application = web.Application()
    application.router.add_post("/api/v2/alerts", listener.take)
    async with TestServer(application) as server:
        yield listener, str(server.make_url("")).rstrip("/")


@pytest.fixture
async def house(heard: tuple[Heard, str], tmp_path: Path) -> AsyncIterator[House]:
    found = House(heard[1], tmp_path)
    yield found
    await found.engine.close()
    found.store.close()


async def test_a_leap_of_the_clock_is_lived_through(house: House, heard: tuple[Heard, str]) -> None:
    listener, _ = heard
    await house.after(hours=36)
    assert listener.alerts == []
    house.past.incidents.begin("orders-api", "latency")
    began = house.past.now
    await house.after(minutes=10)
    assert listener.names() == [("LatencyBudgetBurnsFast", "checkout-web"), ("LatencyBudgetBurnsFast", "orders-api")]
    told = listener.alerts[1]
    assert told["labels"]["severity"] == "critical"
    assert told["annotations"]["summary"] == "orders-api in production is far too slow for what it promises"
    assert "% of the requests take longer than 500ms" in told["annotations"]["description"]
    assert told["startsAt"] < (began + timedelta(minutes=5)).isoformat(), "it fired within the leap"
    house.past.incidents.end()
    listener.alerts.clear()
    await house.after(minutes=30)
    assert listener.names() == [("LatencyBudgetBurnsFast", "checkout-web"), ("LatencyBudgetBurnsFast", "orders-api")]
    assert all(one["endsAt"] < house.past.now.isoformat() for one in listener.alerts), "they have ended"


async def test_what_fires_is_sent_again_each_minute_and_what_was_not_taken_at_once(
    house: House, heard: tuple[Heard, str]
) -> None:
    listener, _ = heard
    house.past.incidents.begin("orders-api", "errors")
    await house.after(minutes=10)
    count = len(listener.alerts)
    assert count
    await house.after(seconds=30)
    assert len(listener.alerts) == count
    await house.after(seconds=45)
    assert len(listener.alerts) == 2 * count
    listener.status = 503
    await house.after(seconds=90)
    listener.status = 200
    await house.after(seconds=1)
    assert len(listener.alerts) == 3 * count


async def test_rules_of_the_cluster_take_the_place_of_the_samples(house: House, heard: tuple[Heard, str]) -> None:
    listener, _ = heard
    house.past.incidents.begin("orders-api", "latency")
    await house.after(minutes=10)
    listener.alerts.clear()
    labels = {"severity": "critical", "service": "orders-api"}
    house.rules({"alert": "Ours", "expr": SLOW, "for": "1m", "labels": labels})
    await house.after(minutes=5)
    ended = {one["labels"]["alertname"] for one in listener.alerts if one["endsAt"] <= house.past.now.isoformat()}
    assert ended == {"LatencyBudgetBurnsFast"}, "nobody watches that rule any more"
    assert ("Ours", "orders-api") in listener.names()
    assert ("LatencyBudgetBurnsFast", "checkout-web") in listener.names()


async def test_a_rule_that_cannot_be_read_is_told_and_stops_no_other(house: House) -> None:
    house.rules({"alert": "Wrong", "expr": "rate(up)"})
    house.past.incidents.begin("orders-api", "latency")
    await house.after(minutes=10)
    (problem,) = house.book.problems.values()
    assert "expected type matrix" in problem
    assert [state.rule.name for state, _ in house.book.alerts()] == ["LatencyBudgetBurnsFast"]


async def test_a_quiet_leap_costs_one_look(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    moments: set[int] = set()
    whole = RuleState.evaluate

    def counted(rule: RuleState, storage: Any, at: int) -> None:
        moments.add(at)
        whole(rule, storage, at)

    monkeypatch.setattr(RuleState, "evaluate", counted)
    monkeypatch.setattr(engine, "STEPS", 20)
    await house.after(days=30)
    assert len(moments) == 1
    house.past.incidents.begin("orders-api", "errors")
    moments.clear()
    await asyncio.gather(house.after(days=2), house.engine.catch_up())
    assert 10 < len(moments) <= 22
