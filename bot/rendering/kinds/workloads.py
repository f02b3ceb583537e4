"""Deployment, CronJob, Job, and what looks after their pods."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bot.rendering.kinds.meta import IntOrString, Kind, LabelSelector, ObjectMeta, TemplateMeta, Whole
from bot.rendering.kinds.pod import PodTemplate

Percent = Annotated[int, Field(ge=1)]


class RollingUpdate(Kind):
    max_surge: IntOrString | None = None
    max_unavailable: IntOrString | None = None


class DeploymentStrategy(Kind):
    type: Literal["RollingUpdate", "Recreate"] | None = None
    rolling_update: RollingUpdate | None = None


class DeploymentSpec(Kind):
    replicas: Whole | None = None
    revision_history_limit: Whole | None = None
    progress_deadline_seconds: Whole | None = None
    min_ready_seconds: Whole | None = None
    paused: bool | None = None
    selector: LabelSelector
    strategy: DeploymentStrategy | None = None
    template: PodTemplate

    @model_validator(mode="after")
    def _selects_its_own_pods(self) -> Self:
        labels = self.template.metadata.labels or {}
        wanted = self.selector.match_labels or {}
        if not wanted or any(labels.get(key) != value for key, value in wanted.items()):
            raise ValueError("selector.matchLabels must be among the labels of the pod template")
        return self


class Deployment(Kind):
    api_version: Literal["apps/v1"]
    kind: Literal["Deployment"]
    metadata: ObjectMeta
    spec: DeploymentSpec


class JobSpec(Kind):
    suspend: bool | None = None
    backoff_limit: Whole | None = None
    active_deadline_seconds: Whole | None = None
    ttl_seconds_after_finished: Whole | None = None
    parallelism: Whole | None = None
    completions: Whole | None = None
    template: PodTemplate


class JobTemplate(Kind):
    metadata: TemplateMeta | None = None
    spec: JobSpec


class CronJobSpec(Kind):
    schedule: str
    time_zone: str | None = None
    concurrency_policy: Literal["Allow", "Forbid", "Replace"] | None = None
    starting_deadline_seconds: Whole | None = None
    successful_jobs_history_limit: Whole | None = None
    failed_jobs_history_limit: Whole | None = None
    suspend: bool | None = None
    job_template: JobTemplate


class CronJob(Kind):
    api_version: Literal["batch/v1"]
    kind: Literal["CronJob"]
    metadata: ObjectMeta
    spec: CronJobSpec


class Job(Kind):
    api_version: Literal["batch/v1"]
    kind: Literal["Job"]
    metadata: ObjectMeta
    spec: JobSpec


class ScaleTarget(Kind):
    api_version: str
    kind: str
    name: str


class MetricTarget(Kind):
    type: Literal["Utilization", "AverageValue", "Value"]
    average_utilization: Percent | None = None
    average_value: str | None = None
    value: str | None = None


class ResourceMetric(Kind):
    name: str
    target: MetricTarget


class MetricIdentifier(Kind):
    name: str
    selector: LabelSelector | None = None


class PodsMetric(Kind):
    metric: MetricIdentifier
    target: MetricTarget


class ObjectMetric(Kind):
    described_object: ScaleTarget
    metric: MetricIdentifier
    target: MetricTarget


class ExternalMetric(Kind):
    metric: MetricIdentifier
    target: MetricTarget


class Metric(Kind):
    type: Literal["Resource", "Pods", "Object", "External"]
    resource: ResourceMetric | None = None
    pods: PodsMetric | None = None
    object: ObjectMetric | None = None
    external: ExternalMetric | None = None


class ScalingPolicy(Kind):
    type: Literal["Pods", "Percent"]
    value: Percent
    period_seconds: Percent


class ScalingRules(Kind):
    stabilization_window_seconds: Whole | None = None
    select_policy: Literal["Max", "Min", "Disabled"] | None = None
    policies: list[ScalingPolicy] | None = None


class ScalingBehavior(Kind):
    scale_up: ScalingRules | None = None
    scale_down: ScalingRules | None = None


class HorizontalPodAutoscalerSpec(Kind):
    scale_target_ref: ScaleTarget
    min_replicas: Percent | None = None
    max_replicas: Percent
    metrics: list[Metric] | None = None
    behavior: ScalingBehavior | None = None


class HorizontalPodAutoscaler(Kind):
    api_version: Literal["autoscaling/v2"]
    kind: Literal["HorizontalPodAutoscaler"]
    metadata: ObjectMeta
    spec: HorizontalPodAutoscalerSpec


class PodDisruptionBudgetSpec(Kind):
    max_unavailable: IntOrString | None = None
    min_available: IntOrString | None = None
    unhealthy_pod_eviction_policy: Literal["IfHealthyBudget", "AlwaysAllow"] | None = None
    selector: LabelSelector


class PodDisruptionBudget(Kind):
    api_version: Literal["policy/v1"]
    kind: Literal["PodDisruptionBudget"]
    metadata: ObjectMeta
    spec: PodDisruptionBudgetSpec
