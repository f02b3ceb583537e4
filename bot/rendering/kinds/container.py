"""Containers (`core/v1`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.rendering.kinds.meta import IntOrString, Kind, PortNumber, Quantities, Whole

Seconds = Annotated[int, Field(ge=1)]


class KeySelector(Kind):
    name: str
    key: str
    optional: bool | None = None


class FieldReference(Kind):
    api_version: str | None = None
    field_path: str


class ResourceFieldReference(Kind):
    container_name: str | None = None
    resource: str
    divisor: str | None = None


class EnvSource(Kind):
    secret_key_ref: KeySelector | None = None
    config_map_key_ref: KeySelector | None = None
    field_ref: FieldReference | None = None
    resource_field_ref: ResourceFieldReference | None = None


class EnvVar(Kind):
    name: str
    value: str | None = None
    value_from: EnvSource | None = None


class EnvReference(Kind):
    name: str
    optional: bool | None = None


class EnvFrom(Kind):
    prefix: str | None = None
    secret_ref: EnvReference | None = None
    config_map_ref: EnvReference | None = None


class ContainerPort(Kind):
    name: str | None = None
    container_port: PortNumber
    protocol: Literal["TCP", "UDP", "SCTP"] | None = None


class ExecAction(Kind):
    command: list[str]


class HttpHeader(Kind):
    name: str
    value: str


class HttpGetAction(Kind):
    path: str | None = None
    port: IntOrString
    scheme: Literal["HTTP", "HTTPS"] | None = None
    http_headers: list[HttpHeader] | None = None


class TcpSocketAction(Kind):
    port: IntOrString


class GrpcAction(Kind):
    port: PortNumber
    service: str | None = None


class SleepAction(Kind):
    seconds: Whole


class Probe(Kind):
    exec: ExecAction | None = None
    http_get: HttpGetAction | None = None
    tcp_socket: TcpSocketAction | None = None
    grpc: GrpcAction | None = None
    initial_delay_seconds: Whole | None = None
    period_seconds: Seconds | None = None
    timeout_seconds: Seconds | None = None
    success_threshold: Seconds | None = None
    failure_threshold: Seconds | None = None


class LifecycleHandler(Kind):
    exec: ExecAction | None = None
    http_get: HttpGetAction | None = None
    sleep: SleepAction | None = None


class Lifecycle(Kind):
    pre_stop: LifecycleHandler | None = None
    post_start: LifecycleHandler | None = None


class Resources(Kind):
    requests: Quantities | None = None
    limits: Quantities | None = None


class Capabilities(Kind):
    add: list[str] | None = None
    drop: list[str] | None = None


class SeccompProfile(Kind):
    type: Literal["RuntimeDefault", "Localhost", "Unconfined"]
    localhost_profile: str | None = None


class SecurityContext(Kind):
    allow_privilege_escalation: bool | None = None
    capabilities: Capabilities | None = None
    privileged: bool | None = None
    read_only_root_filesystem: bool | None = None
    run_as_user: Whole | None = None
    run_as_group: Whole | None = None
    run_as_non_root: bool | None = None
    seccomp_profile: SeccompProfile | None = None


class VolumeMount(Kind):
    name: str
    mount_path: str
    sub_path: str | None = None
    read_only: bool | None = None


class Container(Kind):
    name: str
    image: str
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    command: list[str] | None = None
    args: list[str] | None = None
    working_dir: str | None = None
    ports: list[ContainerPort] | None = None
    env: list[EnvVar] | None = None
    env_from: list[EnvFrom] | None = None
    resources: Resources | None = None
    volume_mounts: list[VolumeMount] | None = None
    startup_probe: Probe | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    security_context: SecurityContext | None = None
    termination_message_path: str | None = None
    termination_message_policy: Literal["File", "FallbackToLogsOnError"] | None = None
    restart_policy: Literal["Always"] | None = None
    """Of init containers only: a sidecar."""
