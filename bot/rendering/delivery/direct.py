"""Delivery straight to the cluster, by server-side apply: for previews, and where there is no Argo CD."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from bot.effects import ApplyObjects
from bot.model.effect import Effect
from bot.model.release import Release
from bot.ports import Object, ObjectRef
from bot.rendering.delivery.change import Change, Place, Standing, release_text

RELEASE_KEY = "release.yaml"
INVENTORY = "causeway.io/inventory"


def effects(change: Change, standing: Standing) -> tuple[Effect, ...]:
    place = change.place
    before = (
        *objects_of(standing.files),
        *([_config_map(place, standing.release, standing.files)] if standing.release else []),
    )
    return (
        ApplyObjects(
            id="deliver",
            cluster=place.settings.cluster,
            namespace=place.namespace,
            inventory=inventory(place),
            objects=tuple(
                dict(one)
                for one in (_namespace(change), *change.objects, _config_map(place, change.release, change.files))
            ),
            before=tuple(dict(one) for one in before),
            create_namespace=True,
        ),
    )


def inventory(place: Place) -> str:
    """Return the label by which everything of the place is found again: as long as a label may be."""
    name = f"{place.service}.{place.environment}"
    return name if len(name) <= 63 else f"{name[:46]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def release_ref(place: Place) -> ObjectRef:
    """Where the release is kept: a ConfigMap beside the objects."""
    return ObjectRef("v1", "ConfigMap", f"causeway-release-{place.service}"[:253], place.namespace)


def objects_of(files: Mapping[str, str]) -> tuple[Object, ...]:
    """Return the objects that the files of a release hold."""
    return tuple(found for name in sorted(files) if isinstance(found := yaml.safe_load(files[name]), dict))


def read(config_map: Mapping[str, Any]) -> tuple[str | None, dict[str, str]]:
    """Return the release's text and the files beside it."""
    held = config_map.get("data")
    texts = {str(name): str(text) for name, text in held.items()} if isinstance(held, dict) else {}
    return texts.pop(RELEASE_KEY, None), texts


def _namespace(change: Change) -> dict[str, Any]:
    """Return the namespace as it is made when it is missing; one that is there stays as it is."""
    metadata = {"name": change.place.namespace, "labels": change.namespace_labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _config_map(place: Place, release: Release, files: Mapping[str, str]) -> dict[str, Any]:
    ref = release_ref(place)
    return {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "metadata": {"name": ref.name, "namespace": ref.namespace, "labels": dict(_labels(place))},
        "data": {RELEASE_KEY: release_text(release), **files},
    }


def _labels(place: Place) -> Iterable[tuple[str, str]]:
    yield "app.kubernetes.io/managed-by", "causeway"
    yield "causeway.io/service", place.service
    yield "causeway.io/environment", place.environment
    yield "causeway.io/team", place.team
