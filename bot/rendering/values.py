"""What templates see: plain JSON values, worked out from document, platform and rollout.

The names here are a contract with the platform teams that override templates; `docs/guides/platform-documents.md`
lists them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.model.configured import cut
from bot.model.duration import format_duration
from bot.model.objectives import objectives_of
from bot.model.platform import Environment, Platform, Size
from bot.model.web_service import WebService
from bot.model.web_service.parts import Port
from bot.queries import load_queries
from bot.rendering import network, pods
from bot.rendering.alerts import alerts
from bot.rendering.dashboard import address, dashboard
from bot.rendering.images import complete_image, never_changes
from bot.rendering.objectives import rule_groups
from bot.rendering.quantities import share
from bot.rendering.rollout import Rollout, label_value
from bot.rendering.scaling import Scale, keeps_alone, scale_of
from bot.rendering.stores.store import Store
from bot.rendering.stores.told import environment_values, values_of_store

Values = dict[str, Any]
CACHE_IMAGE = "docker.io/valkey/valkey:8.1-alpine"


def values_of(
    document: WebService, *, environment: str, platform: Platform, rollout: Rollout, store: Store | None = None
) -> Values:
    """Return everything that the templates of one service in one environment may use. `store` is its database."""
    here = platform.environment(environment)
    name = document.name
    selector = {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/instance": cut(f"{name}-{environment}"),
    }
    labels = dict(document.metadata.labels) | _labels(selector, name, environment, rollout)
    image = rollout.image or complete_image(document.spec.image, platform)
    values: Values = {
        "name": name,
        "namespace": platform.namespace(name, rollout.team, environment),
        "labels": labels,
        "selector": selector,
        "annotations": _annotations(document, rollout) or None,
        "environment": environment_values(environment, platform),
        "document": document.model_dump(mode="json", by_alias=True),
        "rollout": rollout.model_dump(mode="json"),
        "image": image,
        "pull": "IfNotPresent" if never_changes(image) else "Always",
        "user": document.spec.user,
        "resources": resources(_size(platform, document.spec.size)),
    }
    values |= _ports(document, here)
    values |= _scale(document, here, rollout)
    values["database"] = values_of_store(store, document.metadata.labels) if store else None
    values |= _cache(document, platform, labels)
    values |= pods.values(document, rollout, values, store)
    lends = platform.previews is not None and platform.previews.base == environment
    values |= network.values(document, here, values, store, lends=lends)
    values["monitoring_labels"] = labels | here.monitoring.labels
    return values | _monitoring(document, here, platform, values)


def _monitoring(document: WebService, here: Environment, platform: Platform, known: Values) -> Values:
    """Return what is measured of the service, and when somebody is told."""
    queries = load_queries(platform.queries)
    promised = objectives_of(document.spec, platform.slo) if known["metrics"] else ()
    dashboards = here.monitoring.dashboards
    links = {"runbook_url": document.spec.runbook, "dashboard_url": address(known, dashboards)}
    values: Values = {
        "objectives": [
            {
                "kind": one.kind,
                "target": float(one.target),
                "below_s": one.below_s,
                "window": format_duration(one.window),
            }
            for one in promised
        ],
        "alert_links": {name: link for name, link in links.items() if link},
    }
    watched = here.monitoring.enabled and document.spec.schedule is None
    values["alerts"] = alerts(known | values, queries) if watched else None
    values["rule_groups"] = rule_groups(promised, known | values, queries)
    values["dashboard"] = dashboard(known, promised, queries, dashboards)
    return values


def _labels(selector: Mapping[str, str], name: str, environment: str, rollout: Rollout) -> dict[str, str]:
    return {
        **selector,
        "app.kubernetes.io/version": label_value(rollout.version),
        "app.kubernetes.io/managed-by": "causeway",
        "causeway.io/service": name,
        "causeway.io/environment": environment,
        "causeway.io/team": label_value(rollout.team),
    }


def _annotations(document: WebService, rollout: Rollout) -> dict[str, str]:
    found = dict(document.metadata.annotations)
    if rollout.repository:
        found["causeway.io/repository"] = rollout.repository
    return found


def _size(platform: Platform, name: str | None) -> Size:
    return platform.sizes[name] if name else next(iter(platform.sizes.values()))


def resources(size: Size) -> dict[str, Any]:
    """Return requests and limits: memory alike, CPU without a limit."""
    return {"requests": {"cpu": size.cpu, "memory": size.memory}, "limits": {"memory": size.memory}}


def serves(document: WebService) -> bool:
    """Say whether the document is of something that takes requests."""
    return document.spec.schedule is None and not document.spec.worker and bool(document.spec.ports)


def _ports(document: WebService, here: Environment) -> Values:
    ports = document.spec.ports if serves(document) else ()
    first = _first(ports)
    metrics = document.spec.metrics
    scraped = metrics.port or next((port.name for port in ports if port.name == "metrics"), first)
    return {
        "ports": [port.model_dump() for port in ports],
        "service_ports": [
            {
                "name": port.name,
                "port": 80 if port.name == first else port.port,
                "targetPort": port.name,
                "protocol": port.protocol,
            }
            for port in ports
        ],
        "first_port": first,
        "metrics": {"port": scraped, "path": metrics.path, "interval": f"{metrics.every}s"}
        if scraped and metrics.enabled and here.monitoring.enabled
        else None,
        "ingress": _ingress(document, here, first),
    }


def _first(ports: tuple[Port, ...]) -> str | None:
    return next((port.name for port in ports if port.protocol == "TCP"), None)


def _ingress(document: WebService, here: Environment, first: str | None) -> Values | None:
    ingress = document.spec.ingress
    host = host_of(document, here)
    if not host or first is None:
        return None
    paths = ingress.paths if ingress else ("/",)
    port = ingress.port if ingress and ingress.port else first
    tls = ingress.tls if ingress else True
    issuer = here.tls.issuer if tls else ""
    return {
        "host": host,
        "port": port,
        "paths": [
            {
                "path": path,
                "pathType": "Prefix",
                "backend": {"service": {"name": document.name, "port": {"name": port}}},
            }
            for path in paths
        ],
        "tls": [{"hosts": [host], "secretName": f"{document.name}-tls" if issuer else None}] if tls else None,
        "annotations": {"cert-manager.io/cluster-issuer": issuer} if issuer else None,
    }


def host_of(document: WebService, here: Environment) -> str:
    """Return the host name at which a service answers in an environment; empty for none."""
    ingress = document.spec.ingress
    if not serves(document) or (ingress is not None and not ingress.enabled):
        return ""
    if ingress is not None and ingress.host:
        return ingress.host
    return f"{document.name}.{here.domain}" if here.domain else ""


def _scale(document: WebService, here: Environment, rollout: Rollout) -> Values:
    scale: Scale = scale_of(document, ceiling=here.max_replicas, asked=rollout.replicas)
    metrics = [("cpu", scale.cpu), ("memory", scale.memory)]
    return {
        "replicas": scale.low if scale.fixed else None,
        "least_replicas": scale.low,
        "autoscaling": None
        if scale.fixed
        else {
            "min": scale.low,
            "max": scale.high,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": name, "target": {"type": "Utilization", "averageUtilization": percent}},
                }
                for name, percent in metrics
                if percent is not None
            ],
        },
        "strategy": {"type": "Recreate"}
        if keeps_alone(document.spec)
        else {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "suspended": document.spec.job.suspended or rollout.replicas == 0,
    }


def _cache(document: WebService, platform: Platform, labels: dict[str, str]) -> Values:
    if document.spec.cache is None:
        return {"cache": None}
    size = _size(platform, document.spec.cache.size)
    name = f"{document.name}-cache"
    selector = {"app.kubernetes.io/name": name, "app.kubernetes.io/instance": labels["app.kubernetes.io/instance"]}
    return {
        "cache": {
            "name": name,
            "labels": labels | selector | {"app.kubernetes.io/component": "cache"},
            "selector": selector,
            "resources": resources(size),
            "image": CACHE_IMAGE,
            "probe": {"tcpSocket": {"port": "redis"}, "periodSeconds": 5, "timeoutSeconds": 3, "failureThreshold": 6},
            "max_memory": share(size.memory, 75).lower().replace("mi", "mb"),
        }
    }
