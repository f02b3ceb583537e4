"""The part of Prometheus' HTTP API that tells of rules, alerts and targets."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from multidict import MultiMapping

from playground.monitoring.prometheus.answers import Refusal, stamp, success
from playground.monitoring.prometheus.api import answering
from playground.monitoring.prometheus.lives import Lives
from playground.monitoring.prometheus.promql.numbers import told
from playground.monitoring.prometheus.rules.book import Book, GroupState
from playground.monitoring.prometheus.rules.evaluating import Active, RuleState

VERSION = {
    "version": "2.42.0",
    "revision": "playground",
    "branch": "HEAD",
    "buildUser": "causeway",
    "buildDate": "20260101-00:00:00",
    "goVersion": "none",
}
"""Whose answers these are like."""


class RulesApi:
    def __init__(self, book: Book, lives: Lives) -> None:
        self._book = book
        self._lives = lives

    def add_to(self, router: web.UrlDispatcher) -> None:
        for path, handler in (
            ("rules", self._rules),
            ("alerts", self._alerts),
            ("targets", self._targets),
            ("status/buildinfo", self._version),
        ):
            router.add_get(f"/api/v1/{path}", answering(handler))

    async def _rules(self, given: MultiMapping[Any]) -> web.Response:
        wanted = given.get("type", "")
        if wanted not in {"", "alert", "record"}:
            raise Refusal("bad_data", f'not supported value "{wanted}"')
        self._book.refresh(self._lives.now())
        return success({"groups": [_group(state, wanted) for state in self._book.groups()]})

    async def _alerts(self, _: MultiMapping[Any]) -> web.Response:
        found = [_alert(active) for _, active in self._book.alerts() if active.state != "inactive"]
        return success({"alerts": found})

    async def _targets(self, given: MultiMapping[Any]) -> web.Response:
        self._lives.note()
        found = []
        for life in self._lives.all():
            for pod in life.stretches[-1].pods:
                labels = {"namespace": life.namespace, "service": life.name, "pod": pod.name, "job": life.name}
                found.append(_target(life.namespace, life.name, labels, ready=pod.ready, now=self._lives.now()))
        active = found if given.get("state", "any") in {"any", "active"} else []
        return success({"activeTargets": active, "droppedTargets": []})

    async def _version(self, _: MultiMapping[Any]) -> web.Response:
        return success(VERSION)


def _group(state: GroupState, wanted: str) -> dict[str, Any]:
    kinds = {"": (True, False), "record": (True,), "alert": (False,)}[wanted]
    return {
        "name": state.group.name,
        "file": state.group.file,
        "rules": [_rule(rule) for rule in state.rules if rule.rule.records in kinds],
        "interval": state.group.interval / 1000,
        "limit": 0,
        "evaluationTime": 0.001,
        "lastEvaluation": stamp(state.evaluated_at),
    }


def _rule(state: RuleState) -> dict[str, Any]:
    rule = state.rule
    common: dict[str, Any] = {
        "name": rule.name,
        "query": rule.expr,
        "health": "err" if state.error else "ok" if state.evaluated_at is not None else "unknown",
        "evaluationTime": 0.001,
        "lastEvaluation": stamp(state.evaluated_at),
        "type": "recording" if rule.records else "alerting",
    }
    if rule.labels or not rule.records:
        common["labels"] = dict(rule.labels)
    if state.error:
        common["lastError"] = state.error
    if rule.records:
        return common
    states = {active.state for active in state.active.values()}
    shown = [_alert(active) for active in state.active.values() if active.state != "inactive"]
    return common | {
        "state": next((word for word in ("firing", "pending") if word in states), "inactive"),
        "duration": rule.hold / 1000,
        "annotations": dict(rule.annotations),
        "alerts": shown,
    }


def _alert(active: Active) -> dict[str, Any]:
    return {
        "labels": dict(active.labels),
        "annotations": dict(active.annotations),
        "state": active.state,
        "activeAt": stamp(active.active_at),
        "value": told(active.value),
    }


def _target(namespace: str, service: str, labels: dict[str, str], *, ready: bool, now: int) -> dict[str, Any]:
    pool, url = f"serviceMonitor/{namespace}/{service}/0", f"http://{labels['pod']}.{namespace}:8080/metrics"
    return {
        "discoveredLabels": {"__meta_kubernetes_namespace": namespace, "__meta_kubernetes_pod_name": labels["pod"]},
        "labels": labels,
        "scrapePool": pool,
        "scrapeUrl": url,
        "globalUrl": url,
        "lastError": "" if ready else "connection refused",
        "lastScrape": stamp(now),
        "lastScrapeDuration": 0.01,
        "health": "up" if ready else "down",
        "scrapeInterval": "15s",
        "scrapeTimeout": "10s",
    }
