"""Alerts that fit every service, by what kube-state-metrics and the usual HTTP metrics tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.queries import Queries
from bot.rendering.objectives import labels_of


def alerts(known: Mapping[str, Any], queries: Queries) -> list[dict[str, Any]]:
    """Return the alerts of one service in one environment.

    Where it promises how many requests may fail, the alerts on that promise take the place of the simple one.
    """
    name, where = known["name"], f'namespace="{known["namespace"]}"'
    pods = f'{where}, container="{name}"'
    found = [
        _alert(
            known,
            "PodsCrashLooping",
            f"sum(increase(kube_pod_container_status_restarts_total{{{pods}}}[15m])) > 3",
            held="5m",
            severity="warning",
            summary=f"{name} is restarted again and again",
        ),
        _alert(
            known,
            "ReplicasMissing",
            f'kube_deployment_status_replicas_available{{{where}, deployment="{name}"}}'
            f' < kube_deployment_spec_replicas{{{where}, deployment="{name}"}}',
            held="15m",
            severity="warning",
            summary=f"{name} has had fewer replicas than it should have for 15 minutes",
        ),
    ]
    promised = any(one["kind"] == "availability" for one in known["objectives"])
    if known["metrics"] and not promised:
        share = queries.text("error_ratio", namespace=known["namespace"], service=name)
        found.append(
            _alert(
                known,
                "ErrorRateHigh",
                f"(\n{share}\n) > 0.05",
                held="10m",
                severity="critical",
                summary=f"More than 5 % of the requests to {name} fail",
            )
        )
    return found


def _alert(known: Mapping[str, Any], name: str, expr: str, *, held: str, severity: str, summary: str) -> dict[str, Any]:
    return {
        "name": name,
        "expr": expr,
        "for": held,
        "labels": labels_of(known, severity),
        "summary": summary,
        "annotations": {"summary": summary, **known["alert_links"]},
    }
