"""Objects and places that the twins are asked about."""

from __future__ import annotations

import copy
from typing import Any

MAPS = "/api/v1/namespaces/{ns}/configmaps"
SERVICES = "/api/v1/namespaces/{ns}/services"
DEPLOYMENTS = "/apis/apps/v1/namespaces/{ns}/deployments"
CRONS = "/apis/batch/v1/namespaces/{ns}/cronjobs"


def config_map(**values: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": values or {"a": "1"}}


def deployment() -> dict[str, Any]:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def cron_job() -> dict[str, Any]:
    """A suspended one: no controller touches it, and it carries a whole Pod."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "job", "image": "i:1"}]}
    spec = {"schedule": "0 3 * * *", "suspend": True, "jobTemplate": {"spec": {"template": {"spec": pod}}}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "one"}, "spec": spec}


def service(ports: list[dict[str, Any]]) -> dict[str, Any]:
    spec = {"selector": {"app": "web"}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "one"}, "spec": spec}


def changed(obj: dict[str, Any], **paths: Any) -> dict[str, Any]:
    """Return a copy with values at dotted paths; None takes away, a number is a place in a list."""
    result = copy.deepcopy(obj)
    for path, value in paths.items():
        *parents, last = path.split(".")
        place: Any = result
        for part in parents:
            place = place[int(part)] if part.isdecimal() else place.setdefault(part, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return result
