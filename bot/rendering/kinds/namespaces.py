"""Namespace, and what limits all that is in one: ResourceQuota, LimitRange (`core/v1`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.rendering.kinds.meta import Kind, ObjectMeta, Quantities, UnplacedMeta


class Namespace(Kind):
    api_version: Literal["v1"]
    kind: Literal["Namespace"]
    metadata: UnplacedMeta


class ResourceQuotaSpec(Kind):
    hard: Annotated[Quantities, Field(min_length=1)]
    scopes: list[Literal["Terminating", "NotTerminating", "BestEffort", "NotBestEffort"]] | None = None


class ResourceQuota(Kind):
    api_version: Literal["v1"]
    kind: Literal["ResourceQuota"]
    metadata: ObjectMeta
    spec: ResourceQuotaSpec


class LimitRangeItem(Kind):
    type: Literal["Container", "Pod", "PersistentVolumeClaim"]
    default: Quantities | None = None
    default_request: Quantities | None = None
    min: Quantities | None = None
    max: Quantities | None = None
    max_limit_request_ratio: Quantities | None = None


class LimitRangeSpec(Kind):
    limits: Annotated[list[LimitRangeItem], Field(min_length=1)]


class LimitRange(Kind):
    api_version: Literal["v1"]
    kind: Literal["LimitRange"]
    metadata: ObjectMeta
    spec: LimitRangeSpec
