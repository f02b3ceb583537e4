"""Pods (`core/v1`): what stands around the containers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.rendering.kinds.container import Container, SeccompProfile
from bot.rendering.kinds.meta import (
    Anything,
    Kind,
    Labels,
    LabelSelector,
    LocalReference,
    Quantity,
    TemplateMeta,
    Whole,
)

FileMode = Annotated[int, Field(ge=0, le=0o777)]


class EmptyDir(Kind):
    medium: Literal["", "Memory"] | None = None
    size_limit: Quantity | None = None


class KeyToPath(Kind):
    key: str
    path: str
    mode: FileMode | None = None


class ConfigMapVolume(Kind):
    name: str
    items: list[KeyToPath] | None = None
    default_mode: FileMode | None = None
    optional: bool | None = None


class SecretVolume(Kind):
    secret_name: str
    items: list[KeyToPath] | None = None
    default_mode: FileMode | None = None
    optional: bool | None = None


class ClaimVolume(Kind):
    claim_name: str
    read_only: bool | None = None


class CsiVolume(Kind):
    driver: str
    read_only: bool | None = None
    fs_type: str | None = None
    volume_attributes: Labels | None = None
    node_publish_secret_ref: LocalReference | None = None


class TokenProjection(Kind):
    audience: str | None = None
    expiration_seconds: Whole | None = None
    path: str


class Projection(Kind):
    service_account_token: TokenProjection | None = None


class ProjectedVolume(Kind):
    sources: list[Projection]
    default_mode: FileMode | None = None


class Volume(Kind):
    name: str
    empty_dir: EmptyDir | None = None
    config_map: ConfigMapVolume | None = None
    secret: SecretVolume | None = None
    persistent_volume_claim: ClaimVolume | None = None
    projected: ProjectedVolume | None = None
    csi: CsiVolume | None = None


class Sysctl(Kind):
    name: str
    value: str


class PodSecurityContext(Kind):
    run_as_non_root: bool | None = None
    run_as_user: Whole | None = None
    run_as_group: Whole | None = None
    fs_group: Whole | None = None
    fs_group_change_policy: Literal["OnRootMismatch", "Always"] | None = None
    supplemental_groups: list[int] | None = None
    seccomp_profile: SeccompProfile | None = None
    sysctls: list[Sysctl] | None = None


class TopologySpreadConstraint(Kind):
    max_skew: Annotated[int, Field(ge=1)]
    topology_key: str
    when_unsatisfiable: Literal["ScheduleAnyway", "DoNotSchedule"]
    label_selector: LabelSelector | None = None
    match_label_keys: list[str] | None = None
    min_domains: Annotated[int, Field(ge=1)] | None = None
    node_affinity_policy: Literal["Honor", "Ignore"] | None = None
    node_taints_policy: Literal["Honor", "Ignore"] | None = None


class Toleration(Kind):
    key: str | None = None
    operator: Literal["Exists", "Equal", "Lt", "Gt"] | None = None
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = None


class HostAlias(Kind):
    ip: str
    hostnames: list[str] | None = None


class DnsOption(Kind):
    name: str | None = None
    value: str | None = None


class DnsConfig(Kind):
    nameservers: list[str] | None = None
    searches: list[str] | None = None
    options: list[DnsOption] | None = None


class PodSpec(Kind):
    service_account_name: str | None = None
    automount_service_account_token: bool | None = None
    enable_service_links: bool | None = None
    restart_policy: Literal["Always", "OnFailure", "Never"] | None = None
    termination_grace_period_seconds: Whole | None = None
    active_deadline_seconds: Whole | None = None
    security_context: PodSecurityContext | None = None
    init_containers: list[Container] | None = None
    containers: Annotated[list[Container], Field(min_length=1)]
    volumes: list[Volume] | None = None
    topology_spread_constraints: list[TopologySpreadConstraint] | None = None
    affinity: Anything | None = None
    """As Kubernetes has it; the API server checks it."""
    node_selector: Labels | None = None
    tolerations: list[Toleration] | None = None
    priority_class_name: str | None = None
    runtime_class_name: str | None = None
    scheduler_name: str | None = None
    image_pull_secrets: list[LocalReference] | None = None
    host_aliases: list[HostAlias] | None = None
    dns_policy: Literal["ClusterFirst", "Default", "ClusterFirstWithHostNet", "None"] | None = None
    dns_config: DnsConfig | None = None


class PodTemplate(Kind):
    metadata: TemplateMeta
    spec: PodSpec
