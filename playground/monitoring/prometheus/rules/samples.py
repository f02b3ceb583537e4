"""Rules of the sample services, as long as nobody has brought rules of their own.

They are quick: who plays with an incident sees something fire within minutes. Otherwise they are multiwindow burn rates
(Google SRE Workbook, "Alerting on SLOs").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playground import sample
from playground.monitoring.living import Living

FACTOR = 14.4
"""How many times faster than allowed the error budget goes."""
LONG, SHORT = "15m", "2m"
SLOW_S = 0.5
"""Longer than this is too slow; one of the golden paths' buckets ends there."""
LATENCY_BUDGET, ERROR_BUDGET = 0.01, 0.001
"""The share of requests that may be too slow, and that may fail."""
QUIET = 'route!~"/healthz|/livez|/readyz|/metrics"'


@dataclass(frozen=True, slots=True)
class Told:
    """An alert, and what it says."""

    name: str
    expr: str
    severity: str
    summary: str
    description: str
    step: str = ""
    """A command that helps."""


def sample_rules(living: Living) -> dict[str, Any]:
    """Return the spec of a PrometheusRule for one service in one environment."""
    where = f'namespace="{living.namespace}", service="{living.name}", {QUIET}'
    container = f'namespace="{living.namespace}", container="{living.name}"'
    urgent = "critical" if living.environment == "production" else "warning"
    what = f"{living.name} in {living.environment}"
    told = [
        Told(
            "LatencyBudgetBurnsFast",
            " and ".join(f"{_slow(where, span)} > {_number(FACTOR * LATENCY_BUDGET)}" for span in (LONG, SHORT)),
            urgent,
            f"{what} is far too slow for what it promises",
            "{{ $value | humanizePercentage }} of the requests take longer than 500ms. The promise is 1% at most.",
        ),
        Told(
            "ErrorBudgetBurnsFast",
            " and ".join(f"{_failing(where, span)} > {_number(FACTOR * ERROR_BUDGET)}" for span in (LONG, SHORT)),
            urgent,
            f"{what} fails far more requests than it promises",
            "{{ $value | humanizePercentage }} of the requests fail. The promise is 0.1% at most.",
        ),
        Told(
            "ProcessorSaturated",
            f"sum(rate(container_cpu_usage_seconds_total{{{container}}}[5m]))"
            f' / sum(kube_pod_container_resource_limits{{{container}, resource="cpu"}}) > 0.8',
            "warning",
            f"{what} has almost no processor time left",
            "{{ $value | humanizePercentage }} of its limit is used.",
            step=f"/service scale {living.name} {max(living.wanted, 1) + 2} in {living.environment}",
        ),
    ]
    return {"groups": [{"name": f"{living.name}-sample", "rules": [_alert(living, one) for one in told]}]}


def _slow(where: str, span: str) -> str:
    metric = "http_request_duration_seconds"
    within = f'sum(rate({metric}_bucket{{{where}, le="{SLOW_S}"}}[{span}]))'
    return f"(1 - {within} / sum(rate({metric}_count{{{where}}}[{span}])))"


def _failing(where: str, span: str) -> str:
    requests = "http_requests_total"
    bad = f'sum(rate({requests}{{{where}, status=~"5.."}}[{span}]))'
    return f"({bad} / sum(rate({requests}{{{where}}}[{span}])))"


def _alert(living: Living, told: Told) -> dict[str, Any]:
    site = f"https://docs.{sample.ORGANISATION}.example/{living.name}"
    annotations = {
        "summary": told.summary,
        "description": told.description,
        "runbook_url": f"{site}/runbook",
        "dashboard_url": f"https://grafana.{sample.ORGANISATION}.example/d/{living.name}",
    }
    if told.step:
        annotations["runbook_step"] = told.step
    labels = {
        "severity": told.severity,
        "service": living.name,
        "environment": living.environment,
        "team": living.team,
        "namespace": living.namespace,
    }
    return {"alert": told.name, "expr": told.expr, "for": "1m", "labels": labels, "annotations": annotations}


def _number(value: float) -> str:
    return f"{value:.6g}"
