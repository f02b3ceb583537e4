"""ServiceAccount, ConfigMap and PersistentVolumeClaim (`core/v1`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.rendering.kinds.container import Resources
from bot.rendering.kinds.meta import Kind, LabelSelector, LocalReference, ObjectMeta

AccessMode = Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]


class ServiceAccount(Kind):
    api_version: Literal["v1"]
    kind: Literal["ServiceAccount"]
    metadata: ObjectMeta
    automount_service_account_token: bool | None = None
    image_pull_secrets: list[LocalReference] | None = None


class ConfigMap(Kind):
    api_version: Literal["v1"]
    kind: Literal["ConfigMap"]
    metadata: ObjectMeta
    data: dict[str, str] | None = None
    immutable: bool | None = None


class PersistentVolumeClaimSpec(Kind):
    access_modes: Annotated[list[AccessMode], Field(min_length=1)]
    resources: Resources
    storage_class_name: str | None = None
    volume_mode: Literal["Filesystem", "Block"] | None = None
    volume_name: str | None = None
    selector: LabelSelector | None = None


class PersistentVolumeClaim(Kind):
    api_version: Literal["v1"]
    kind: Literal["PersistentVolumeClaim"]
    metadata: ObjectMeta
    spec: PersistentVolumeClaimSpec
