"""What the API server fills in where an object says nothing (`k8s.io/kubernetes/pkg/apis/*/v1/defaults.go`)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

from playground.kubernetes.objects import Object

JSON = dict[str, Any]
WORKLOADS = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"})
PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
FILE_MODE = 0o644


def with_defaults(obj: Object) -> Object:
    """Fill in the defaults of a built-in kind, in place; return the same object."""
    fill = BY_KIND.get(obj["kind"])
    if fill:
        fill(obj)
    if obj["kind"] in WORKLOADS:
        _template(obj["spec"].get("template", {}))
    return obj


def _set(target: JSON, **values: Any) -> None:
    for name, value in values.items():
        target.setdefault(name, value)


def _template(template: JSON) -> None:
    pod_spec(template.setdefault("spec", {}))


def pod_spec(spec: JSON) -> None:
    _set(
        spec, restartPolicy="Always", terminationGracePeriodSeconds=30, dnsPolicy="ClusterFirst",
        securityContext={}, schedulerName="default-scheduler",
    )  # fmt: skip
    for container in containers(spec):
        _container(container)
    for volume in spec.get("volumes", ()):
        _volume(volume)


def containers(spec: JSON) -> Iterator[JSON]:
    yield from spec.get("initContainers", ())
    yield from spec.get("containers", ())


def _container(container: JSON) -> None:
    image = str(container.get("image", ""))
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    pull = "IfNotPresent" if tag not in {"", "latest"} or "@" in image else "Always"
    _set(
        container, imagePullPolicy=pull, terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File", resources={},
    )  # fmt: skip
    for port in container.get("ports", ()):
        _set(port, protocol="TCP")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            _probe(container[name])
    limits, requests = (container["resources"].get(name) for name in ("limits", "requests"))
    if limits:
        container["resources"]["requests"] = {**limits, **(requests or {})}
    for variable in container.get("env", ()):
        reference = variable.get("valueFrom", {}).get("fieldRef")
        if reference is not None:
            _set(reference, apiVersion="v1")


def _probe(probe: JSON) -> None:
    _set(probe, **PROBE)
    if "httpGet" in probe:
        _set(probe["httpGet"], path="/", scheme="HTTP")
    if "grpc" in probe:
        _set(probe["grpc"], service="")


def _volume(volume: JSON) -> None:
    if set(volume) == {"name"}:
        volume["emptyDir"] = {}
    for kind in ("secret", "configMap", "downwardAPI", "projected"):
        if kind in volume:
            _set(volume[kind], defaultMode=FILE_MODE)
    for source in volume.get("projected", {}).get("sources", ()):
        if "serviceAccountToken" in source:
            _set(source["serviceAccountToken"], expirationSeconds=3600)


def _deployment(obj: Object) -> None:
    spec = obj["spec"]
    _set(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec.setdefault("strategy", {})
    _set(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _set(strategy.setdefault("rollingUpdate", {}), maxUnavailable="25%", maxSurge="25%")


def _replica_set(obj: Object) -> None:
    _set(obj["spec"], replicas=1)
    _set(obj["status"], replicas=0)


def _stateful_set(obj: Object) -> None:
    spec = obj["spec"]
    _set(spec, replicas=1, revisionHistoryLimit=10, podManagementPolicy="OrderedReady")
    _set(spec.setdefault("persistentVolumeClaimRetentionPolicy", {}), whenDeleted="Retain", whenScaled="Retain")
    strategy = spec.setdefault("updateStrategy", {})
    _set(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _set(strategy.setdefault("rollingUpdate", {}), partition=0, maxUnavailable=1)
    _set(obj["status"], replicas=0, availableReplicas=0)


def _daemon_set(obj: Object) -> None:
    strategy = obj["spec"].setdefault("updateStrategy", {})
    _set(obj["spec"], revisionHistoryLimit=10)
    _set(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _set(strategy.setdefault("rollingUpdate", {}), maxUnavailable=1, maxSurge=0)
    _set(obj["status"], currentNumberScheduled=0, numberMisscheduled=0, desiredNumberScheduled=0, numberReady=0)


def job_spec(spec: JSON) -> None:
    _set(spec, backoffLimit=6, completionMode="NonIndexed", suspend=False, manualSelector=False)
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    _set(spec, parallelism=1, podReplacementPolicy="TerminatingOrFailed")


def _job(obj: Object) -> None:
    job_spec(obj["spec"])
    labels = obj["spec"].get("template", {}).get("metadata", {}).get("labels")
    if labels and "labels" not in obj["metadata"]:
        obj["metadata"]["labels"] = dict(labels)


def _cron_job(obj: Object) -> None:
    spec = obj["spec"]
    _set(spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    template = spec.get("jobTemplate", {}).get("spec", {}).get("template", {})
    _template(template)


def _pod(obj: Object) -> None:
    pod_spec(obj["spec"])
    obj["spec"].setdefault("enableServiceLinks", True)
    obj["status"].setdefault("phase", "Pending")


def _service(obj: Object) -> None:
    spec = obj["spec"]
    _set(spec, type="ClusterIP", sessionAffinity="None")
    for port in spec.get("ports", ()):
        _set(port, protocol="TCP")
        if port.get("targetPort") in {None, 0, ""}:
            port["targetPort"] = port.get("port", 0)
    if spec["type"] != "ExternalName":
        _set(spec, internalTrafficPolicy="Cluster")
    if spec["type"] in {"LoadBalancer", "NodePort"}:
        _set(spec, externalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        _set(spec, allocateLoadBalancerNodePorts=True)


def _secret(obj: Object) -> None:
    _set(obj, type="Opaque")
    given = obj.pop("stringData", None)
    if given:
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in given.items()}
        obj["data"] = {**obj.get("data", {}), **encoded}


def _claim(obj: Object) -> None:
    _set(obj["spec"], volumeMode="Filesystem")
    _set(obj["status"], phase="Pending")


def _persistent_volume(obj: Object) -> None:
    _set(obj["spec"], persistentVolumeReclaimPolicy="Retain", volumeMode="Filesystem")
    _set(obj["status"], phase="Pending")


def _network_policy(obj: Object) -> None:
    spec = obj["spec"]
    if "policyTypes" not in spec:
        spec["policyTypes"] = ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    for rule in (*spec.get("ingress", ()), *spec.get("egress", ())):
        for port in rule.get("ports", ()):
            _set(port, protocol="TCP")


POLICY = {"type": "Percent", "value": 100, "periodSeconds": 15}


def _autoscaler(obj: Object) -> None:
    spec = obj["spec"]
    _set(spec, minReplicas=1)
    _set(obj["status"], desiredReplicas=0)
    target = {"type": "Utilization", "averageUtilization": 80}
    _set(spec, metrics=[{"type": "Resource", "resource": {"name": "cpu", "target": target}}])
    behavior = spec.get("behavior")
    if behavior is not None:
        up, down = behavior.setdefault("scaleUp", {}), behavior.setdefault("scaleDown", {})
        pods = {"type": "Pods", "value": 4, "periodSeconds": 15}
        _set(up, stabilizationWindowSeconds=0, selectPolicy="Max", policies=[pods, dict(POLICY)])
        _set(down, selectPolicy="Max", policies=[dict(POLICY)])


def _binding(obj: Object) -> None:
    _set(obj.setdefault("roleRef", {}), apiGroup="rbac.authorization.k8s.io")
    for subject in obj.get("subjects", ()):
        if subject.get("kind") in {"User", "Group"}:
            _set(subject, apiGroup="rbac.authorization.k8s.io")


def _budget(obj: Object) -> None:
    _set(obj["status"], disruptionsAllowed=0, currentHealthy=0, desiredHealthy=0, expectedPods=0)


def _storage_class(obj: Object) -> None:
    _set(obj, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def _event(obj: Object) -> None:
    _set(
        obj, source={}, firstTimestamp=None, lastTimestamp=None, eventTime=None,
        reportingComponent="", reportingInstance="",
    )  # fmt: skip


def _namespace(obj: Object) -> None:
    _set(obj["metadata"].setdefault("labels", {}), **{"kubernetes.io/metadata.name": obj["metadata"].get("name", "")})


def _definition(obj: Object) -> None:
    spec = obj["spec"]
    names = spec.setdefault("names", {})
    kind = str(names.get("kind", ""))
    _set(names, singular=kind.lower(), listKind=f"{kind}List")
    _set(spec, conversion={"strategy": "None"})


def _endpoint_slice(obj: Object) -> None:
    for port in obj.get("ports", ()):
        _set(port, name="", protocol="TCP")
    for endpoint in obj.get("endpoints", ()):
        _set(endpoint, conditions={})


def _endpoints(obj: Object) -> None:
    for subset in obj.get("subsets", ()):
        for port in subset.get("ports", ()):
            _set(port, protocol="TCP")


BY_KIND: dict[str, Callable[[Object], None]] = {
    "Namespace": _namespace,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "CronJob": _cron_job,
    "Pod": _pod,
    "Service": _service,
    "Secret": _secret,
    "PersistentVolumeClaim": _claim,
    "PersistentVolume": _persistent_volume,
    "NetworkPolicy": _network_policy,
    "HorizontalPodAutoscaler": _autoscaler,
    "PodDisruptionBudget": _budget,
    "Role": lambda obj: _set(obj, rules=None),
    "ClusterRole": lambda obj: _set(obj, rules=None),
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
    "StorageClass": _storage_class,
    "PriorityClass": lambda obj: _set(obj, preemptionPolicy="PreemptLowerPriority"),
    "Event": _event,
    "CustomResourceDefinition": _definition,
    "EndpointSlice": _endpoint_slice,
    "Endpoints": _endpoints,
}
