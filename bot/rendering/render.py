"""Document + platform + rollout → Kubernetes objects. Pure: the same input, the same objects in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bot.errors import Invalid, Mistake
from bot.model.platform import Platform
from bot.model.web_service import WebService
from bot.rendering.ceilings import beyond
from bot.rendering.kinds import checked
from bot.rendering.mistakes import mistakes_of
from bot.rendering.rollout import Rollout
from bot.rendering.templates import render_template
from bot.rendering.values import Values, values_of

if TYPE_CHECKING:  # the ports are not needed to run this, and starting must be quick
    from bot.ports.cluster import Object


def render(
    document: WebService, *, environment: str, platform: Platform, rollout: Rollout | None = None
) -> tuple[Object, ...]:
    """Return the objects of one service in one environment.

    `document` is the one for all environments. Raise `Invalid` with every mistake where it asks for what the platform
    does not have or allow, or where a template of the platform team does not fit; `NotFound` for an unknown
    environment.
    """
    rollout = rollout or Rollout()
    platform.environment(environment)
    document = _for_environment(document, environment)
    mistakes = beyond(document, environment=environment, platform=platform, rollout=rollout)
    if mistakes:
        raise Invalid(
            f"{document.name} cannot run in {environment} as its document says.",
            mistakes,
            hint="Mend each and try again.",
        )
    values = values_of(document, environment=environment, platform=platform, rollout=rollout)
    objects = (_made(name, values | more, platform) for name, more in _templates(document, values, platform))
    return tuple(obj for obj in objects if obj is not None)


def _for_environment(document: WebService, environment: str) -> WebService:
    try:
        return document.for_environment(environment)
    except ValidationError as error:
        found = [
            Mistake(f"spec.environments.{environment}.{mistake.path.removeprefix('spec.')}", mistake.message)
            for mistake in mistakes_of(error, WebService, {})
        ]
        raise Invalid(f"{document.name} does not fit together for {environment}.", found) from None


def _made(name: str, values: Mapping[str, Any], platform: Platform) -> Object | None:
    made = render_template(name, values, platform.templates)
    return None if made is None else checked(name, made)


def _templates(document: WebService, values: Values, platform: Platform) -> Iterator[tuple[str, Values]]:
    """Yield the templates of what the document needs, each with the values that only it sees."""
    yield "service_account.yaml.j2", {}
    yield "network_policy.yaml.j2", {}
    yield from _stores(values)
    for disk in values["disks"]:
        yield "persistent_volume_claim.yaml.j2", {"disk": disk}
    yield from _workload(document, values, platform)
    if values["ports"]:
        yield "service.yaml.j2", {}
    if values["ingress"]:
        yield "ingress.yaml.j2", {}
    if values["metrics"]:
        yield "service_monitor.yaml.j2", {}
    if values["alerts"]:
        yield "prometheus_rule.yaml.j2", {}


def _stores(values: Values) -> Iterator[tuple[str, Values]]:
    if values["database"]:
        cluster = values["database"]["provider"] == "cloudnativepg"
        yield "cluster.yaml.j2" if cluster else "rds_instance.yaml.j2", {}
    if values["cache"]:
        yield "cache_deployment.yaml.j2", {}
        yield "cache_service.yaml.j2", {}
        yield "cache_network_policy.yaml.j2", {}


def _workload(document: WebService, values: Values, platform: Platform) -> Iterator[tuple[str, Values]]:
    pod = {"pod": render_template("pod.yaml.j2", values, platform.templates)}
    if document.spec.schedule is not None:
        yield "cronjob.yaml.j2", pod
        return
    yield "deployment.yaml.j2", pod
    if values["autoscaling"]:
        yield "horizontal_pod_autoscaler.yaml.j2", {}
    if values["least_replicas"] > 1:
        yield "pod_disruption_budget.yaml.j2", {}
