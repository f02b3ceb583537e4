"""ServiceMonitor and PrometheusRule of the Prometheus operator (`monitoring.coreos.com/v1`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bot.rendering.kinds.meta import IntOrString, Kind, Labels, LabelSelector, ObjectMeta, Whole

Span = Annotated[
    str,
    StringConstraints(
        pattern=r"^(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?$"
    ),
]


class Relabeling(Kind):
    source_labels: list[str] | None = None
    separator: str | None = None
    target_label: str | None = None
    regex: str | None = None
    replacement: str | None = None
    action: str | None = None


class Endpoint(Kind):
    port: str | None = None
    target_port: IntOrString | None = None
    path: str | None = None
    scheme: Literal["http", "https"] | None = None
    interval: Span | None = None
    scrape_timeout: Span | None = None
    honor_labels: bool | None = None
    params: dict[str, list[str]] | None = None
    relabelings: list[Relabeling] | None = None
    metric_relabelings: list[Relabeling] | None = None


class NamespaceSelector(Kind):
    any: bool | None = None
    match_names: list[str] | None = None


class ServiceMonitorSpec(Kind):
    job_label: str | None = None
    target_labels: list[str] | None = None
    pod_target_labels: list[str] | None = None
    selector: LabelSelector
    namespace_selector: NamespaceSelector | None = None
    endpoints: Annotated[list[Endpoint], Field(min_length=1)]
    sample_limit: Whole | None = None
    label_limit: Whole | None = None
    target_limit: Whole | None = None


class ServiceMonitor(Kind):
    api_version: Literal["monitoring.coreos.com/v1"]
    kind: Literal["ServiceMonitor"]
    metadata: ObjectMeta
    spec: ServiceMonitorSpec


class Rule(Kind):
    alert: str | None = None
    record: str | None = None
    expr: IntOrString
    for_: Annotated[Span | None, Field(alias="for")] = None
    keep_firing_for: Annotated[Span | None, Field(alias="keep_firing_for")] = None
    labels: Labels | None = None
    annotations: Labels | None = None


class RuleGroup(Kind):
    name: str
    interval: Span | None = None
    labels: Labels | None = None
    rules: list[Rule] | None = None


class PrometheusRuleSpec(Kind):
    groups: list[RuleGroup] | None = None


class PrometheusRule(Kind):
    api_version: Literal["monitoring.coreos.com/v1"]
    kind: Literal["PrometheusRule"]
    metadata: ObjectMeta
    spec: PrometheusRuleSpec
