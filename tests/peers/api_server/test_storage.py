"""Volumes, claims, and metadata without the rest: what both say to the same request."""

from __future__ import annotations

from typing import Any

import pytest

from tests.peers.api_server.objects import changed
from tests.peers.api_server.twins import Ask, Twins
from tests.peers.control_plane.fixtures import CONTROL_PLANE

pytestmark = CONTROL_PLANE
VOLUMES = "/api/v1/persistentvolumes?dryRun=All&fieldValidation=Strict"
CLAIMS = "/api/v1/namespaces/{ns}/persistentvolumeclaims"
SECRETS = "/api/v1/namespaces/{ns}/secrets"
AS_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
VOLUME: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "PersistentVolume",
    "metadata": {"name": "{ns}-disk"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
        "csi": {"driver": "disk.acme.example", "volumeHandle": "disk-1"},
    },
}
CLAIM: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "files"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": "none-such",
    },
}


@pytest.mark.parametrize(
    "obj",
    [
        VOLUME,
        changed(VOLUME, **{"spec.persistentVolumeReclaimPolicy": "Delete", "spec.storageClassName": "standard"}),
        changed(VOLUME, **{"spec.foo": 1}),
    ],
    ids=["plain", "by a class", "unknown field"],
)
async def test_a_volume_is_judged_alike(twins: Twins, obj: Any) -> None:
    await twins.agree([Ask("POST", VOLUMES, obj)])


async def test_a_claim_is_made_alike(twins: Twins) -> None:
    await twins.agree(
        [
            Ask("POST", f"{CLAIMS}?dryRun=All", CLAIM),
            Ask("POST", f"{CLAIMS}?dryRun=All", changed(CLAIM, **{"spec.resources": None})),
            Ask("POST", CLAIMS, CLAIM),
        ]
    )


async def test_metadata_alone_is_told_alike(twins: Twins) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "one", "labels": {"a": "b"}},
        "data": {"password": "aHVzaA=="},
    }
    await twins.agree(
        [
            Ask("POST", f"{SECRETS}?fieldManager=twins", secret),
            Ask("GET", f"{SECRETS}/one", headers={"Accept": AS_METADATA}),
            Ask("GET", f"{SECRETS}/gone", headers={"Accept": AS_METADATA}),
        ]
    )
    (_, told, _), _ = await twins.both(Ask("GET", f"{SECRETS}/one", headers={"Accept": AS_METADATA}))
    assert told["kind"] == "PartialObjectMetadata"
    assert "data" not in told
