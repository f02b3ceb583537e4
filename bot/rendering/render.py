"""Document + platform + rollout → Kubernetes objects. Pure: the same input, the same objects in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bot.errors import Invalid, Mistake
from bot.model.databases import RequestedDatabase
from bot.model.platform import Platform
from bot.model.previews import Masking
from bot.model.web_service import WebService
from bot.rendering.ceilings import beyond
from bot.rendering.kinds import checked
from bot.rendering.mistakes import mistakes_of
from bot.rendering.rollout import Rollout
from bot.rendering.stores import Seed, Store, store_for
from bot.rendering.stores.cloudnativepg import how_to_back_up
from bot.rendering.stores.git import text_of
from bot.rendering.stores.told import standing_alone, templates_of
from bot.rendering.templates import render_template
from bot.rendering.values import Values, values_of

if TYPE_CHECKING:  # the ports are not needed to run this, and starting must be quick
    from bot.ports.cluster import Object


def render(
    document: WebService,
    *,
    environment: str,
    platform: Platform,
    rollout: Rollout | None = None,
    requested: RequestedDatabase | None = None,
    seed: Seed | None = None,
    masking: Masking | None = None,
    passing: bool = False,
) -> tuple[Object, ...]:
    """Return the objects of one service in one environment.

    `document` is the one for all environments. `requested` is the database that a person asked for, which wins over
    the document's. `seed`, `masking` and `passing` are of its database, as `store_for` has them.

    Raise `Invalid` with every mistake where it asks for what the platform does not have or allow, or where a template
    of the platform team does not fit; `NotFound` for an unknown environment.
    """
    rollout = rollout or Rollout()
    platform.environment(environment)
    document = _for_environment(document, environment)
    mistakes = beyond(document, environment=environment, platform=platform, rollout=rollout, requested=requested)
    if mistakes:
        raise Invalid(
            f"{document.name} cannot run in {environment} as its document says.",
            mistakes,
            hint="Mend each and try again.",
        )
    store = store_for(
        service=document.name,
        team=rollout.team,
        environment=environment,
        platform=platform,
        document=document.spec.database,
        requested=requested,
        seed=seed,
        masking=masking,
        passing=passing,
    )
    values = values_of(document, environment=environment, platform=platform, rollout=rollout, store=store)
    made = (_made(name, values | more, platform, store) for name, more in _templates(document, values, platform, store))
    return tuple(obj for obj in made if obj is not None)


def render_store(store: Store, *, platform: Platform, labels: Mapping[str, str] | None = None) -> tuple[Object, ...]:
    """Return the objects of a database alone, with `labels` on each. Of one that is a file in Git there is none.

    Raise `Invalid` where a template of the platform team does not fit.
    """
    values = standing_alone(store, platform, labels or {})
    made = (_made(name, values | more, platform, store) for name, more in templates_of(store, values))
    return tuple(obj for obj in made if obj is not None)


def render_backup(store: Store, name: str, *, platform: Platform) -> Object | None:
    """Return the object by which one more backup is made; None where backups are not made by an object."""
    if store.settings.provider != "cloudnativepg" or store.settings.backups.method == "none":
        return None
    values = standing_alone(store, platform) | {"backup": {"name": name, **how_to_back_up(store)}}
    return _made("backup.yaml.j2", values, platform, store)


def render_files(store: Store | None, platform: Platform) -> dict[str, str]:
    """Return path → text of what describes a database in the GitOps repository, beside the objects."""
    return {store.file: text_of(store, platform)} if store is not None and store.file else {}


def _for_environment(document: WebService, environment: str) -> WebService:
    try:
        return document.for_environment(environment)
    except ValidationError as error:
        found = [
            Mistake(f"spec.environments.{environment}.{mistake.path.removeprefix('spec.')}", mistake.message)
            for mistake in mistakes_of(error, WebService, {})
        ]
        raise Invalid(f"{document.name} does not fit together for {environment}.", found) from None


def _made(name: str, values: Mapping[str, Any], platform: Platform, store: Store | None) -> Object | None:
    made = render_template(name, values, platform.templates)
    claim = store.main_kind if store is not None and store.settings.provider == "claim" else None
    return None if made is None else checked(name, made, claim=claim)


def _templates(
    document: WebService, values: Values, platform: Platform, store: Store | None
) -> Iterator[tuple[str, Values]]:
    """Yield the templates of what the document needs, each with the values that only it sees."""
    yield "service_account.yaml.j2", {}
    yield "network_policy.yaml.j2", {}
    if store is not None:
        yield from templates_of(store, values)
    if values["cache"]:
        yield "cache_deployment.yaml.j2", {}
        yield "cache_service.yaml.j2", {}
        yield "cache_network_policy.yaml.j2", {}
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
    if values["dashboard"]:
        yield "dashboard.yaml.j2", {}


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
