"""A model of our own for every kind that we emit. It refuses unknown fields before any server sees the object."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bot.errors import Invalid, Mistake
from bot.model.canonical import JSON
from bot.rendering.kinds.meta import Kind
from bot.rendering.mistakes import mistakes_of, unknown

if TYPE_CHECKING:  # the ports are not needed to run this, and starting must be quick
    from bot.ports.cluster import Object

KINDS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("apps/v1", "Deployment"): ("workloads", "Deployment"),
    ("batch/v1", "CronJob"): ("workloads", "CronJob"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"): ("workloads", "HorizontalPodAutoscaler"),
    ("policy/v1", "PodDisruptionBudget"): ("workloads", "PodDisruptionBudget"),
    ("v1", "ServiceAccount"): ("core", "ServiceAccount"),
    ("v1", "ConfigMap"): ("core", "ConfigMap"),
    ("v1", "PersistentVolumeClaim"): ("core", "PersistentVolumeClaim"),
    ("v1", "Service"): ("network", "Service"),
    ("v1", "Namespace"): ("namespaces", "Namespace"),
    ("v1", "ResourceQuota"): ("namespaces", "ResourceQuota"),
    ("v1", "LimitRange"): ("namespaces", "LimitRange"),
    ("networking.k8s.io/v1", "Ingress"): ("network", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"): ("network", "NetworkPolicy"),
    ("monitoring.coreos.com/v1", "ServiceMonitor"): ("monitoring", "ServiceMonitor"),
    ("monitoring.coreos.com/v1", "PrometheusRule"): ("monitoring", "PrometheusRule"),
    ("batch/v1", "Job"): ("workloads", "Job"),
    ("postgresql.cnpg.io/v1", "Cluster"): ("cloudnativepg", "Cluster"),
    ("postgresql.cnpg.io/v1", "Database"): ("cloudnativepg", "Database"),
    ("postgresql.cnpg.io/v1", "Backup"): ("cloudnativepg", "Backup"),
    ("postgresql.cnpg.io/v1", "ScheduledBackup"): ("cloudnativepg", "ScheduledBackup"),
    ("postgresql.cnpg.io/v1", "Pooler"): ("cloudnativepg", "Pooler"),
    ("database.aws.crossplane.io/v1beta1", "RDSInstance"): ("crossplane", "RdsInstance"),
}
"""apiVersion and kind → module and class here. Modules are imported when their first object is checked."""


def model_of(api_version: str, kind: str) -> type[Kind] | None:
    """Return the model of a kind; None for one that we do not emit."""
    place = KINDS.get((api_version, kind))
    if place is None:
        return None
    found: type[Kind] = getattr(import_module(f"{__name__}.{place[0]}"), place[1])
    return found


def _claim() -> type[Kind]:
    from bot.rendering.kinds.crossplane import Claim  # noqa: PLC0415 - as the others

    return Claim


def checked(template: str, made: JSON, *, claim: tuple[str, str] | None = None) -> Object:
    """Return the object that a template made. Raise `Invalid` that names the file and the path of each wrong field.

    `claim` is the apiVersion and the kind of the company's own type that may stand here too.
    """
    mistakes = _mistakes(made, claim)
    if mistakes:
        told = [Mistake(f"{template}: {mistake.path}".rstrip(": "), mistake.message) for mistake in mistakes]
        raise Invalid(
            f"The template {template} makes an object that Kubernetes would not take.",
            told,
            hint="Tell the platform team.",
        )
    assert isinstance(made, dict)  # noqa: S101 - its model has just said so
    return made


def _mistakes(made: Any, claim: tuple[str, str] | None) -> list[Mistake]:
    if not isinstance(made, dict):
        return [Mistake("", "must make a map with `apiVersion` and `kind`")]
    api_version, kind = str(made.get("apiVersion", "")), str(made.get("kind", ""))
    model = _claim() if claim == (api_version, kind) else model_of(api_version, kind)
    if model is None:
        names = [f"{version} {name}" for version, name in KINDS]
        return [
            Mistake(
                "kind", f"`{api_version} {kind}` {unknown(f'{api_version} {kind}', names, 'kind that is made here')}"
            )
        ]
    try:
        model.model_validate(made)
    except ValidationError as error:
        return mistakes_of(error, model, made)
    return []
