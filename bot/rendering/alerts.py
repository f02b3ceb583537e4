"""Alerts that fit every service, by what kube-state-metrics and the usual HTTP metrics tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def alerts(known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the alerts of one service in one environment."""
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
    if known["metrics"]:
        requests = f'http_requests_total{{{where}, service="{name}"'
        found.append(
            _alert(
                known,
                "ErrorRateHigh",
                f'sum(rate({requests}, status=~"5.."}}[5m])) / sum(rate({requests}}}[5m])) > 0.05',
                held="10m",
                severity="critical",
                summary=f"More than 5 % of the requests to {name} fail",
            )
        )
    return found


def _alert(known: Mapping[str, Any], name: str, expr: str, *, held: str, severity: str, summary: str) -> dict[str, Any]:
    labels = {
        "severity": severity,
        "service": known["name"],
        "environment": known["environment"]["name"],
        "team": known["labels"]["causeway.io/team"],
    }
    return {"name": name, "expr": expr, "for": held, "labels": labels, "summary": summary}
