"""HorizontalPodAutoscalers and PodDisruptionBudgets."""

from __future__ import annotations

from collections.abc import Iterator

from playground.kubernetes.objects import Object
from playground.kubernetes.rules.workloads import in_go_order, int_or_percent
from playground.kubernetes.status import Cause, invalid_value, required


def autoscaler(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if least < 1:
        yield invalid_value("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield invalid_value("spec.maxReplicas", most, "must be greater than 0")
    if most < least:
        yield invalid_value("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    target = spec.get("scaleTargetRef", {})
    for name in ("kind", "name"):
        if not target.get(name):
            yield required(f"spec.scaleTargetRef.{name}")
    if not target.get("apiVersion"):
        yield invalid_value("spec.scaleTargetRef.apiVersion", "", "apiVersion must specify API group")


def disruption_budget(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    if "minAvailable" in spec and "maxUnavailable" in spec:
        cause = invalid_value("spec", "", "minAvailable and maxUnavailable cannot be both set")
        shown = {
            "MinAvailable": spec["minAvailable"],
            "Selector": None,
            "MaxUnavailable": spec["maxUnavailable"],
            "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
        }
        yield in_go_order(cause, shown)
    for name in ("minAvailable", "maxUnavailable"):
        if name in spec:
            yield from int_or_percent(f"spec.{name}", spec[name])
