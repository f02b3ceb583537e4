"""Whether a preview fits into its quota: told before anything is made, and not by pods that never start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bot.errors import Mistake
from bot.model.previews import Quota
from bot.rendering.quantities import amount

if TYPE_CHECKING:  # the ports are not needed to run this, and starting must be quick
    from bot.ports.cluster import Object

RAISED_BY = "the platform team can raise `platform.previews.quota.{name}`"
_UNSAID = {"cpu": Decimal("0.05"), "memory": Decimal(64 * 1024**2)}
"""What a container requests that says nothing (`limit_range.yaml.j2`)."""
_GIB, _MIB = Decimal(1024**3), Decimal(1024**2)


@dataclass(slots=True)
class _Sum:
    cpu: Decimal = Decimal(0)
    memory: Decimal = Decimal(0)
    storage: Decimal = Decimal(0)
    pods: int = 0

    def add(self, spec: dict[str, Any], count: int) -> None:
        cpu, memory = (_requested(spec, name) for name in ("cpu", "memory"))
        self.cpu += cpu * count
        self.memory += memory * count
        self.pods += count


def exceeded(objects: Iterable[Object], quota: Quota) -> list[Mistake]:
    """Return what of a preview its quota would not let in. What an operator makes beside its pods is not counted."""
    total = _Sum()
    for obj in objects:
        _count(obj, total)
    found = []
    for name, needed in (("cpu", total.cpu), ("memory", total.memory), ("storage", total.storage)):
        limit = amount(getattr(quota, name))
        if needed > limit:
            told = f"it needs {_told(name, needed)}, and a preview may have {_told(name, limit)}"
            found.append(Mistake("spec", f"{told}; take out a service or choose smaller sizes, or {_raised(name)}"))
    if total.pods > quota.pods:
        told = f"it needs {total.pods} pods, and a preview may have {quota.pods}"
        found.append(Mistake("spec", f"{told}; take out a service, or {_raised('pods')}"))
    return found


def _raised(name: str) -> str:
    return RAISED_BY.format(name=name)


def _count(obj: Object, total: _Sum) -> None:
    spec: Any = obj.get("spec")
    match obj["kind"]:
        case "Deployment":
            total.add(spec["template"]["spec"], spec.get("replicas", 1))
        case "Job":
            total.add(spec["template"]["spec"], 1)
        case "PersistentVolumeClaim":
            total.storage += amount(spec["resources"]["requests"]["storage"])
        case "Cluster":
            instances = spec["instances"]
            total.storage += amount(spec["storage"]["size"]) * instances
            total.add({"containers": [{"resources": spec.get("resources", {})}]}, instances)


def _requested(pod: dict[str, Any], name: str) -> Decimal:
    """Return what a pod requests: its containers together, or more where one that runs before them does."""
    return max(
        sum((_of(container, name) for container in pod["containers"]), Decimal(0)),
        *(_of(container, name) for container in pod.get("initContainers", [])),
        Decimal(0),
    )


def _of(container: dict[str, Any], name: str) -> Decimal:
    asked = container.get("resources", {}).get("requests", {}).get(name)
    return _UNSAID[name] if asked is None else amount(asked)


def _told(name: str, value: Decimal) -> str:
    if name == "cpu":
        return f"{value.normalize():f} CPU"
    size, unit = (_GIB, "Gi") if value >= _GIB else (_MIB, "Mi")
    return f"{round(value / size, 1).normalize():f}{unit} of {'memory' if name == 'memory' else 'disk'}"
