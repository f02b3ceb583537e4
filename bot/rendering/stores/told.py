"""What templates see of a store; `docs/guides/platform-documents.md` lists it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.model.annotations import STAYS
from bot.model.configured import cut
from bot.model.platform import Platform
from bot.rendering.quantities import gibibytes
from bot.rendering.rollout import label_value
from bot.rendering.stores.jobs import STORE_WAVE, WAVE, has_jobs, jobs
from bot.rendering.stores.providing import provider_of
from bot.rendering.stores.store import PROTECTED, Store

Values = dict[str, Any]


def values_of_store(store: Store, labels: Mapping[str, str] = {}) -> Values:
    """Return the value `database`. `labels` are put on every object as well."""
    wave = {WAVE: STORE_WAVE} if has_jobs(store) else {}
    kept = dict(STAYS) if store.protected else {}
    own = dict(labels) | labels_of(store)
    return {
        "provider": store.settings.provider,
        "engine": store.engine,
        "version": store.version,
        "name": store.name,
        "external_name": store.external_name or None,
        "secret": store.secret,
        "size": store.size.model_dump(mode="json"),
        "size_name": store.size_name,
        "storage_gib": gibibytes(store.size.storage),
        "storage_class": store.settings.storage_class or None,
        "region": store.settings.region,
        "provider_config": store.settings.provider_config,
        "retention_days": store.retention_days,
        "protected": store.protected,
        "passing": store.passing,
        "labels": own,
        "annotations": kept | wave | ({PROTECTED: "true"} if store.protected else {}),
        "side_annotations": (kept | wave) or None,
        "passing_annotations": wave or None,
        **provider_of(store).values(store),
    }


def labels_of(store: Store) -> dict[str, str]:
    """Return the labels of everything that a store is made of. They change with the store, and not with its service."""
    return {
        "app.kubernetes.io/name": store.name,
        "app.kubernetes.io/instance": cut(f"{store.service}-{store.environment}"),
        "app.kubernetes.io/component": "database",
        "app.kubernetes.io/version": str(store.version),
        "app.kubernetes.io/managed-by": "causeway",
        "causeway.io/service": store.service,
        "causeway.io/environment": store.environment,
        "causeway.io/team": label_value(store.team),
        "causeway.io/database": store.name,
    }


def standing_alone(store: Store, platform: Platform, labels: Mapping[str, str] = {}) -> Values:
    """Return everything that the templates of a store may use where no service stands beside it."""
    known = {"environment": environment_values(store.environment, platform)}
    database = values_of_store(store, labels)
    return {
        "name": store.service,
        "namespace": store.namespace,
        "labels": database["labels"],
        "database": database,
        **known,
    }


def environment_values(name: str, platform: Platform) -> Values:
    return {"name": name, **platform.environment(name).model_dump(mode="json")}


def templates_of(store: Store, values: Mapping[str, Any]) -> Iterator[tuple[str, Values]]:
    """Yield the templates of a store, each with the values that only it sees."""
    yield from provider_of(store).templates(store, values)
    for job in jobs(store, values["database"]["labels"]):
        yield "database_job.yaml.j2", {"job": job}
