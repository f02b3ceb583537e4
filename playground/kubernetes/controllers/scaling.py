"""HorizontalPodAutoscalers, which hold replicas within their range, and PodDisruptionBudgets."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from playground.kubernetes.controllers.loop import Again, Key
from playground.kubernetes.controllers.objects import (
    Object,
    is_going,
    labels_of,
    meta,
    name_of,
    namespace_of,
    selects,
    spec_of,
    stamp,
    status_of,
    with_conditions,
)
from playground.kubernetes.controllers.pods import is_ready
from playground.kubernetes.controllers.recorder import Recorder
from playground.kubernetes.controllers.replica_sets import is_active
from playground.kubernetes.controllers.rollout import replicas_of
from playground.kubernetes.objects import Change
from playground.kubernetes.registry import Resource
from playground.kubernetes.store import Store

COMPONENT = "horizontal-pod-autoscaler"
USED = 40
"""How much of what they requested the playground's pods use, in percent."""


class Autoscalers:
    def __init__(self, store: Store, clock: Callable[[], datetime], recorder: Recorder) -> None:
        self._store = store
        self._clock = clock
        self._recorder = recorder

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        obj = change.object
        if resource.key == ("autoscaling", "horizontalpodautoscalers"):
            yield namespace_of(obj), name_of(obj)
        elif resource.key == ("apps", "deployments"):
            for one in self._store.objects.all(("autoscaling", "horizontalpodautoscalers"), namespace_of(obj)):
                if spec_of(one)["scaleTargetRef"]["name"] == name_of(obj):
                    yield namespace_of(one), name_of(one)

    def reconcile(self, key: Key) -> Again:
        namespace, name = key
        scaler = self._store.get("autoscaling", "HorizontalPodAutoscaler", namespace, name)
        if scaler is None or is_going(scaler):
            return None
        target = spec_of(scaler)["scaleTargetRef"]
        found = self._store.get("apps", "Deployment", namespace, target["name"])
        if target["kind"] != "Deployment" or found is None:
            self._tell(scaler, unscaled(scaler, self._clock()))
            return None
        wanted = within(scaler, replicas_of(spec_of(found)))
        status = scaler_status(scaler, found, wanted, self._clock())
        if wanted != replicas_of(spec_of(found)):
            found["spec"]["replicas"] = wanted
            self._store.update(found)
            text = f"New size: {wanted}; reason: Current number of replicas outside of the range"
            self._recorder.record(scaler, "SuccessfulRescale", text, component=COMPONENT)
            status["lastScaleTime"] = stamp(self._clock())
        self._tell(scaler, status)
        return None

    def _tell(self, scaler: Object, status: Object) -> None:
        self._store.update({**scaler, "status": status}, subresource="status")


def within(scaler: Object, replicas: int) -> int:
    """Return the replicas that the range allows; 0 switches the autoscaler off."""
    spec = spec_of(scaler)
    return min(max(replicas, spec.get("minReplicas", 1)), spec["maxReplicas"]) if replicas else 0


def scaler_status(scaler: Object, target: Object, wanted: int, now: datetime) -> Object:
    before, current = status_of(scaler), replicas_of(spec_of(target))
    able = ("True", "ReadyForNewScale", "recommended size matches current size")
    if wanted != current:
        able = ("True", "SucceededRescale", f"the HPA controller was able to update the target scale to {wanted}")
    text = "the HPA was able to successfully calculate a replica count from cpu resource utilization"
    active = ("True", "ValidMetricFound", text)
    if current == 0:
        active = ("False", "ScalingDisabled", "scaling is disabled since the replica count of the target is zero")
    limited = ("False", "DesiredWithinRange", "the desired count is within the acceptable range")
    wanted_conditions = [_condition("AbleToScale", *able), _condition("ScalingActive", *active)]
    if current:
        wanted_conditions.append(_condition("ScalingLimited", *limited))
    return {
        **({"lastScaleTime": before["lastScaleTime"]} if before.get("lastScaleTime") else {}),
        "observedGeneration": meta(scaler).get("generation", 1),
        "currentReplicas": status_of(target).get("replicas", 0),
        "desiredReplicas": wanted,
        "currentMetrics": [_metric(one) for one in spec_of(scaler).get("metrics") or []],
        "conditions": with_conditions(before, wanted_conditions, now),
    }


def unscaled(scaler: Object, now: datetime) -> Object:
    target = spec_of(scaler)["scaleTargetRef"]
    absent = f'deployments.apps "{target["name"]}" not found'
    text = f"the HPA controller was unable to get the target's current scale: {absent}"
    wanted = [_condition("AbleToScale", "False", "FailedGetScale", text)]
    return {"desiredReplicas": 0, "conditions": with_conditions(status_of(scaler), wanted, now)}


def _metric(metric: Object) -> Object:
    name = (metric.get("resource") or {}).get("name", "cpu")
    current = {"averageUtilization": USED, "averageValue": f"{USED}m" if name == "cpu" else f"{USED}Mi"}
    return {"type": "Resource", "resource": {"name": name, "current": current}}


def _condition(kind: str, status: str, reason: str, message: str) -> Object:
    return {"type": kind, "status": status, "reason": reason, "message": message}


class DisruptionBudgets:
    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        obj = change.object
        if resource.key == ("policy", "poddisruptionbudgets"):
            yield namespace_of(obj), name_of(obj)
        elif resource.key == ("", "pods"):
            for one in self._store.objects.all(("policy", "poddisruptionbudgets"), namespace_of(obj)):
                if selects(spec_of(one).get("selector"), labels_of(obj)):
                    yield namespace_of(one), name_of(one)

    def reconcile(self, key: Key) -> Again:
        namespace, name = key
        budget = self._store.get("policy", "PodDisruptionBudget", namespace, name)
        if budget is None or is_going(budget):
            return None
        wanted = spec_of(budget).get("selector")
        pods = [pod for pod in self._store.list("", "Pod", namespace) if selects(wanted, labels_of(pod))]
        status = budget_status(budget, [pod for pod in pods if is_active(pod)], self._clock())
        self._store.update({**budget, "status": status}, subresource="status")
        return None


def budget_status(budget: Object, pods: Sequence[Object], now: datetime) -> Object:
    spec, expected = spec_of(budget), len(pods)
    healthy = sum(map(is_ready, pods))
    if "maxUnavailable" in spec:
        desired = max(expected - _share(spec["maxUnavailable"], expected), 0)
    else:
        desired = _share(spec.get("minAvailable", 1), expected)
    allowed = max(healthy - desired, 0)
    reason, told = ("SufficientPods", "True") if allowed else ("InsufficientPods", "False")
    wanted = [
        {
            "type": "DisruptionAllowed",
            "status": told,
            "reason": reason,
            "message": "",
            "observedGeneration": meta(budget).get("generation", 1),
        }
    ]
    return {
        "observedGeneration": meta(budget).get("generation", 1),
        "expectedPods": expected,
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "disruptionsAllowed": allowed,
        "conditions": with_conditions(status_of(budget), wanted, now),
    }


def _share(value: int | str, whole: int) -> int:
    return value if isinstance(value, int) else math.ceil(int(value.removesuffix("%")) * whole / 100)
