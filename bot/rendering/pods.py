"""The pod: variables, probes, volumes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.model.annotations import STAYS
from bot.model.web_service import Spec, WebService
from bot.model.web_service.parts import Probe, Probes, Volume
from bot.rendering.rollout import Rollout
from bot.rendering.stores.store import Store
from bot.rendering.stores.variables import variables

STOPPING_S = 5
"""Seconds for which a stopping pod still serves: until then nobody sends requests to it any more."""


def values(document: WebService, rollout: Rollout, known: Mapping[str, Any], store: Store | None) -> dict[str, Any]:
    """Return what the pod's template needs, beside what is `known` already."""
    spec = document.spec
    volumes, mounts = _volumes(document)
    serving = bool(known["ports"])
    restarted = rollout.restarted_at.isoformat() if rollout.restarted_at else None
    annotations = dict(known["annotations"] or {})
    if restarted:
        annotations["kubectl.kubernetes.io/restartedAt"] = restarted
    return {
        "pod_annotations": annotations or None,
        "container_ports": [
            {"name": port["name"], "containerPort": port["port"], "protocol": port["protocol"]}
            for port in known["ports"]
        ]
        or None,
        "command": list(spec.command) or None,
        "args": list(spec.args) or None,
        "env": _env(spec, known, store) or None,
        "env_from": [
            {"secretRef": _drop_none(name=part.secret, optional=part.optional or None)}
            for part in spec.secrets
            if part.key is None and part.path is None
        ]
        or None,
        "probes": {name: _probe(spec, name, known) for name in ("liveness", "readiness", "startup")},
        "volumes": volumes,
        "mounts": mounts,
        "disks": [_disk(document, volume) for volume in spec.volumes if volume.persistent],
        "grace_period": spec.grace_period,
        "pre_stop": {"sleep": {"seconds": min(STOPPING_S, spec.grace_period)}} if serving else None,
    }


def _drop_none(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _env(spec: Spec, known: Mapping[str, Any], store: Store | None) -> list[dict[str, Any]]:
    found = variables(store) if store else []
    if known["cache"]:
        found.append({"name": "CACHE_URL", "value": f"redis://{known['cache']['name']}:6379/0"})
    for part in spec.secrets:
        if part.env is not None and part.key is not None:
            found.append(_from_secret(part.env, part.secret, part.key, optional=part.optional))
    own = {*spec.env, *(part.env for part in spec.secrets if part.env)}
    found += [entry for entry in _telemetry(known) if entry["name"] not in own]
    return found + [{"name": name, "value": value} for name, value in spec.env.items()]


def _telemetry(known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the variables of OpenTelemetry, where somebody takes traces. What the document says itself wins."""
    endpoint = known["environment"]["monitoring"]["otlp"]["endpoint"]
    if not endpoint:
        return []
    attributes = f"deployment.environment={known['environment']['name']},service.namespace={known['namespace']}"
    given = {
        "OTEL_SERVICE_NAME": known["name"],
        "OTEL_RESOURCE_ATTRIBUTES": attributes,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    }
    return [{"name": name, "value": value} for name, value in given.items()]


def _from_secret(name: str, secret: str, key: str, *, optional: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "valueFrom": {"secretKeyRef": _drop_none(name=secret, key=key, optional=optional or None)},
    }


def _probe(spec: Spec, name: str, known: Mapping[str, Any]) -> dict[str, Any] | None:
    probes: Probes = spec.probes
    probe: Probe = getattr(probes, name)
    if not (probes.enabled and probe.enabled) or spec.schedule is not None:
        return None
    port = probe.port or probes.port or known["first_port"]
    timing = {"periodSeconds": probe.every, "timeoutSeconds": probe.timeout, "failureThreshold": probe.failures}
    if probe.command:
        return {"exec": {"command": list(probe.command)}, **timing}
    if port is None:
        return None
    if probe.tcp:
        return {"tcpSocket": {"port": port}, **timing}
    return {"httpGet": {"path": probe.path or probes.path, "port": port}, **timing}


def _volumes(document: WebService) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    spec = document.spec
    volumes: list[dict[str, Any]] = []
    mounts: list[dict[str, Any]] = []
    if "/tmp" not in {volume.path for volume in spec.volumes}:  # noqa: S108 - a folder in the container
        volumes.append({"name": "tmp", "emptyDir": {}})
        mounts.append({"name": "tmp", "mountPath": "/tmp"})  # noqa: S108 - as above
    for volume in spec.volumes:
        volumes.append({"name": f"volume-{volume.name}", **_source(document, volume)})
        mounts.append(
            _drop_none(
                name=f"volume-{volume.name}", mountPath=volume.path, readOnly=True if volume.config_map else None
            )
        )
    for number, part in enumerate(spec.secrets):
        if part.path is not None:
            items = [{"key": part.key, "path": part.key}] if part.key else None
            source = _drop_none(secretName=part.secret, optional=part.optional or None, items=items)
            volumes.append({"name": f"secret-{number}", "secret": source})
            mounts.append({"name": f"secret-{number}", "mountPath": part.path, "readOnly": True})
    return volumes, mounts


def _source(document: WebService, volume: Volume) -> dict[str, Any]:
    if volume.config_map is not None:
        return {"configMap": {"name": volume.config_map}}
    if volume.persistent:
        return {"persistentVolumeClaim": {"claimName": f"{document.name}-{volume.name}"}}
    return {"emptyDir": _drop_none(sizeLimit=volume.size)}


def _disk(document: WebService, volume: Volume) -> dict[str, Any]:
    return {
        "name": f"{document.name}-{volume.name}",
        "size": volume.size,
        "access": "ReadWriteMany" if volume.shared else "ReadWriteOnce",
        "annotations": dict(STAYS),
    }
