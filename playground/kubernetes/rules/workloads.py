"""Deployments and their kin, and the Pods inside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from playground.kubernetes import quantity
from playground.kubernetes.names import container_name, label_causes
from playground.kubernetes.objects import Object
from playground.kubernetes.selectors import matches_selector
from playground.kubernetes.status import Cause, duplicate, forbidden_value, invalid_value, not_supported, required

PORTS = "must be between 1 and 65535, inclusive"
NOT_NEGATIVE = "must be greater than or equal to 0"
PERCENT = re.compile("[0-9]+%")
PERCENT_TEXT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
    "regex used for validation is '[0-9]+%')"
)
HANDLERS = frozenset({"exec", "httpGet", "tcpSocket", "grpc"})


def deployment(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    yield from _counts(spec, "replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
    yield from _selection(spec)
    strategy = spec.get("strategy", {})
    if strategy.get("type") not in {"Recreate", "RollingUpdate"}:
        shown = {"Type": strategy.get("type", ""), "RollingUpdate": strategy.get("rollingUpdate")}
        yield in_go_order(not_supported("spec.strategy", "", ("Recreate", "RollingUpdate")), shown)
    rolling = strategy.get("rollingUpdate", {})
    if rolling and strategy.get("type") == "Recreate":
        text = "may not be specified when strategy `type` is 'Recreate'"
        yield forbidden_value("spec.strategy.rollingUpdate", text)
    for name in ("maxUnavailable", "maxSurge"):
        if name in rolling:
            yield from int_or_percent(f"spec.strategy.rollingUpdate.{name}", rolling[name])
    if rolling and all(str(rolling.get(name)) in {"0", "0%"} for name in ("maxUnavailable", "maxSurge")):
        text = "may not be 0 when `maxSurge` is 0"
        yield invalid_value("spec.strategy.rollingUpdate.maxUnavailable", rolling["maxUnavailable"], text)


def in_go_order(cause: Cause, shown: Mapping[str, Any]) -> Cause:
    """Show a Go structure in the place of the value, in the order of its fields."""
    words = ",".join(f'"{name}":{_go(value)}' for name, value in shown.items())
    cause["message"] = cause["message"].replace('""', "{" + words + "}", 1)
    return cause


def _go(value: Any) -> str:
    return "null" if value is None else f'"{value}"' if isinstance(value, str) else str(value)


def replica_set(obj: Object) -> Iterator[Cause]:
    yield from _counts(obj["spec"], "replicas", "minReadySeconds")
    yield from _selection(obj["spec"])


def stateful_set(obj: Object) -> Iterator[Cause]:
    yield from _counts(obj["spec"], "replicas", "minReadySeconds", "revisionHistoryLimit")
    yield from _selection(obj["spec"])


def _counts(spec: Mapping[str, Any], *names: str) -> Iterator[Cause]:
    for name in names:
        if spec.get(name, 0) < 0:
            yield invalid_value(f"spec.{name}", spec[name], NOT_NEGATIVE)


def _selection(spec: Mapping[str, Any]) -> Iterator[Cause]:
    """Check the selector against the template, and the template."""
    selector = spec.get("selector")
    if not selector:
        yield required("spec.selector")
    else:
        yield from label_causes("spec.selector.matchLabels", selector.get("matchLabels", {}))
    template = spec.get("template", {})
    labels = template.get("metadata", {}).get("labels")
    if not selector or not matches_selector(selector, labels or {}):
        yield invalid_value("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    yield from template_causes(template, "spec.template")
    policy = template.get("spec", {}).get("restartPolicy", "Always")
    if policy not in {"Always", "OnFailure", "Never"}:
        yield not_supported("spec.template.spec.restartPolicy", policy, ("Always", "OnFailure", "Never"))
    if policy != "Always":
        yield not_supported("spec.template.spec.restartPolicy", policy, ("Always",))


def template_causes(template: Mapping[str, Any], path: str) -> Iterator[Cause]:
    yield from label_causes(f"{path}.labels", template.get("metadata", {}).get("labels", {}))
    yield from pod_spec_causes(template.get("spec", {}), f"{path}.spec")


def pod(obj: Object) -> Iterator[Cause]:
    yield from pod_spec_causes(obj["spec"], "spec")


def pod_spec_causes(spec: Mapping[str, Any], path: str) -> Iterator[Cause]:
    volumes: set[str] = set()
    for index, volume in enumerate(spec.get("volumes", ())):
        name = volume.get("name", "")
        if name in volumes:
            yield duplicate(f"{path}.volumes[{index}].name", name)
        for text in container_name(name) if name else ():
            yield invalid_value(f"{path}.volumes[{index}].name", name, text)
        volumes.add(name)
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    names: set[str] = set()
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field, ())):
            yield from _container(container, f"{path}.{field}[{index}]", volumes, names)


def _container(container: Mapping[str, Any], path: str, volumes: set[str], names: set[str]) -> Iterator[Cause]:
    name = container.get("name", "")
    if not name:
        yield required(f"{path}.name")
    elif name in names:
        yield duplicate(f"{path}.name", name)
    else:
        for text in container_name(name):
            yield invalid_value(f"{path}.name", name, text)
    names.add(name)
    if not container.get("image"):
        yield required(f"{path}.image")
    yield from _ports(container.get("ports", ()), f"{path}.ports")
    yield from _environment(container.get("env", ()), f"{path}.env")
    yield from _mounts(container.get("volumeMounts", ()), f"{path}.volumeMounts", volumes)
    for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
        if kind in container:
            yield from _probe(container[kind], f"{path}.{kind}")
    yield from resource_causes(container.get("resources", {}), f"{path}.resources")


def _ports(ports: Any, path: str) -> Iterator[Cause]:
    names: set[str] = set()
    for index, port in enumerate(ports):
        if name := port.get("name"):
            for text in port_name(name):
                yield invalid_value(f"{path}[{index}].name", name, text)
            if name in names:
                yield duplicate(f"{path}[{index}].name", name)
            names.add(name)
        number = port.get("containerPort")
        if number == 0:
            yield required(f"{path}[{index}].containerPort")
        elif number is not None and not 1 <= number <= 65535:
            yield invalid_value(f"{path}[{index}].containerPort", number, PORTS)


def port_name(name: str) -> Iterator[str]:
    if len(name) > 15:
        yield "must be no more than 15 characters"
    if not re.fullmatch("[-a-z0-9]+", name):
        yield "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    if not re.search("[a-z]", name):
        yield "must contain at least one letter (a-z)"
    if "--" in name:
        yield "must not contain consecutive hyphens"
    if name.startswith("-") or name.endswith("-"):
        yield "must not begin or end with a hyphen"


def _environment(variables: Any, path: str) -> Iterator[Cause]:
    for index, variable in enumerate(variables):
        name = variable.get("name", "")
        if name and not re.fullmatch(r"[ -<>-~]+", name):
            text = "a valid environment variable name must consist only of printable ASCII characters other than '='"
            yield invalid_value(f"{path}[{index}].name", name, text)
        source = variable.get("valueFrom")
        if source is None:
            continue
        if variable.get("value"):
            yield invalid_value(f"{path}[{index}].valueFrom", "", "may not be specified when `value` is not empty")
        if not source:
            text = (
                "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
            )
            yield invalid_value(f"{path}[{index}].valueFrom", "", text)


def _mounts(mounts: Any, path: str, volumes: set[str]) -> Iterator[Cause]:
    places: set[str] = set()
    for index, mount in enumerate(mounts):
        name, place = mount.get("name", ""), mount.get("mountPath", "")
        if name and name not in volumes:
            yield Cause("FieldValueNotFound", f'Not found: "{name}"', f"{path}[{index}].name")
        if place and place in places:
            yield invalid_value(f"{path}[{index}].mountPath", place, "must be unique")
        places.add(place)


def _probe(probe: Mapping[str, Any], path: str) -> Iterator[Cause]:
    found = HANDLERS & probe.keys()
    if not found:
        yield required(path, "must specify a handler type")
    for kind in ("httpGet", "tcpSocket", "grpc"):
        if kind in found:
            port = probe[kind].get("port", 0)
            yield from target_port(f"{path}.{kind}.port", port)


def target_port(field: str, port: Any) -> Iterator[Cause]:
    """Check a port that is a number or the name of one."""
    if isinstance(port, int) and not 1 <= port <= 65535:
        yield invalid_value(field, port, PORTS)
    elif isinstance(port, str):
        for text in port_name(port):
            yield invalid_value(field, port, text)


def int_or_percent(field: str, value: Any) -> Iterator[Cause]:
    if isinstance(value, str):
        if not PERCENT.fullmatch(value):
            yield invalid_value(field, value, PERCENT_TEXT)
    elif value < 0:
        yield invalid_value(field, value, NOT_NEGATIVE)


def resource_causes(resources: Mapping[str, Any], path: str) -> Iterator[Cause]:
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    for field, amounts in (("limits", limits), ("requests", requests)):
        for name, text in amounts.items():
            if "/" not in name and name not in STANDARD and not name.startswith("hugepages-"):
                yield invalid_value(f"{path}.{field}", name, "must be a standard resource for containers")
                yield invalid_value(f"{path}.{field}", name, "must be a standard resource type or fully qualified")
            if quantity.amount(text) < 0:
                yield invalid_value(f"{path}.{field}[{name}]", text, NOT_NEGATIVE)
    for name, text in requests.items():
        if name in limits and quantity.amount(text) > quantity.amount(limits[name]):
            words = f"must be less than or equal to {name} limit of {limits[name]}"
            yield invalid_value(f"{path}.requests", text, words)


STANDARD = frozenset({"cpu", "memory", "ephemeral-storage"})
IMMUTABLE = "field is immutable"


def selector_change(old: Object, new: Object) -> Iterator[Cause]:
    if old["spec"].get("selector") != new["spec"].get("selector"):
        yield invalid_value("spec.selector", new["spec"].get("selector"), IMMUTABLE)


MUTABLE = frozenset(
    {
        "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
    }
)  # fmt: skip


def stateful_set_change(old: Object, new: Object) -> Iterator[Cause]:
    for name in sorted({*old["spec"], *new["spec"]} - MUTABLE):
        if old["spec"].get(name) != new["spec"].get(name):
            yield invalid_value(f"spec.{name}", new["spec"].get(name), IMMUTABLE)


POD_TEXT = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod_change(old: Object, new: Object) -> Iterator[Cause]:
    """Refuse changes of a Pod. The scheduler's binding, `nodeName` once, comes from inside the cluster."""
    if _fixed(old) != _fixed(new):
        yield forbidden_value("spec", POD_TEXT)


def _fixed(obj: Object) -> Object:
    spec = {key: value for key, value in obj["spec"].items() if key not in {"activeDeadlineSeconds", "tolerations"}}
    for field in ("containers", "initContainers"):
        if field in spec:
            spec[field] = [
                {key: value for key, value in container.items() if key != "image"} for container in spec[field]
            ]
    return spec
