"""What single fields cannot tell: whether a document contradicts itself."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from bot.errors import Mistake
from bot.model.databases import ENGINES, VERSIONS
from bot.model.web_service.parts import Egress, SecretReference, Volume
from bot.model.web_service.slo import LatencyObjective, seconds_of
from bot.model.web_service.spec import _Fields as Fields

RESERVED = ("app.kubernetes.io/", "causeway.io/", "cnpg.io/")
"""By the last, network policies and CloudNativePG know the pods of a database."""
DATABASE_VARIABLES = tuple(f"DATABASE_{part}" for part in ("HOST", "PORT", "NAME", "USER", "PASSWORD", "URL"))
CACHE_VARIABLE = "CACHE_URL"
TWICE = "stands beside a database that is Valkey too; keep one of the two"


def contradictions(spec: Fields) -> list[Mistake]:
    """Return every contradiction, with paths below `spec`."""
    checks = (_kind_of_workload, _replicas, _ports, _database, _variables, _secrets, _volumes, _egress, _slo)
    return [mistake for check in checks for mistake in check(spec)]


def reserved(labels: Iterable[str], path: str) -> list[Mistake]:
    """Return a mistake for each label or annotation that only the platform sets."""
    return [
        Mistake(f"{path}.{key}", "is set by the platform; choose a key with your company's own prefix")
        for key in labels
        if key.startswith(RESERVED)
    ]


def _kind_of_workload(spec: Fields) -> Iterator[Mistake]:
    if spec.schedule is not None and spec.worker:
        yield Mistake("spec.worker", "stands beside `schedule`; a scheduled job takes no requests anyway: remove it")
    if spec.schedule is None and "job" in spec.model_fields_set:
        yield Mistake("spec.job", "says how a scheduled job runs; add `schedule`, or remove it")
    if spec.schedule is not None:
        yield from _unfitting(spec, ("replicas", "autoscaling", "ports", "ingress", "callers"), "a scheduled job")
    elif spec.worker:
        yield from _unfitting(spec, ("ports", "ingress", "callers"), "a worker")
    elif spec.ingress is not None and not any(port.protocol == "TCP" for port in spec.ports):
        yield Mistake("spec.ingress", "needs a TCP port; add one under `ports`")


def _unfitting(spec: Fields, names: tuple[str, ...], what: str) -> Iterator[Mistake]:
    for name in names:
        if getattr(spec, name) and name in spec.model_fields_set:
            yield Mistake(f"spec.{name}", f"has no meaning for {what}; remove one of the two")


def _replicas(spec: Fields) -> Iterator[Mistake]:
    scaling = spec.autoscaling
    if scaling is None:
        return
    if spec.replicas is not None:
        yield Mistake("spec.replicas", "stands beside `autoscaling`; keep one of the two")
    if scaling.max is not None and scaling.max < scaling.min:
        yield Mistake("spec.autoscaling.max", f"is less than `min` ({scaling.min}); raise it or lower `min`")


def _ports(spec: Fields) -> Iterator[Mistake]:
    for number, port in enumerate(spec.ports):
        earlier = spec.ports[:number]
        if any(port.name == other.name for other in earlier):
            yield Mistake(f"spec.ports[{number}].name", f"`{port.name}` is given twice; names must differ")
        if any((port.port, port.protocol) == (other.port, other.protocol) for other in earlier):
            yield Mistake(f"spec.ports[{number}].port", f"{port.port} is given twice; numbers must differ")
    names = [port.name for port in spec.ports]
    for path, wanted in _named_ports(spec):
        if wanted is not None and wanted not in names:
            there = ", ".join(names) or "none"
            yield Mistake(f"spec.{path}", f"there is no port `{wanted}` under `ports`; there are: {there}")


def _named_ports(spec: Fields) -> Iterator[tuple[str, str | None]]:
    if spec.worker or spec.schedule is not None:
        return
    yield "metrics.port", spec.metrics.port
    yield "probes.port", spec.probes.port
    for name in ("liveness", "readiness", "startup"):
        yield f"probes.{name}.port", getattr(spec.probes, name).port
    if spec.ingress is not None:
        yield "ingress.port", spec.ingress.port


def _database(spec: Fields) -> Iterator[Mistake]:
    database = spec.database
    if database is None:
        return
    known = VERSIONS[database.type]
    if database.version is not None and database.version not in known:
        there = ", ".join(str(version) for version in known)
        told = f"{database.version} is no version of {ENGINES[database.type]} that can be had; there are: {there}"
        yield Mistake("spec.database.version", told)
    if database.type == "valkey" and spec.cache is not None:
        yield Mistake("spec.cache", TWICE)


def _variables(spec: Fields) -> Iterator[Mistake]:
    given = [(f"spec.env.{name}", name) for name in spec.env]
    given += [(f"spec.secrets[{number}].env", part.env) for number, part in enumerate(spec.secrets) if part.env]
    taken: dict[str, str] = {}
    if spec.database is not None:
        taken |= dict.fromkeys(DATABASE_VARIABLES, "database")
    if spec.cache is not None:
        taken[CACHE_VARIABLE] = "cache"
    for path, name in given:
        if name in taken:
            yield Mistake(path, f"`{name}` is set by the platform, because of `{taken[name]}`; choose another name")
    for name, count in Counter(name for _, name in given).items():
        if count > 1:
            yield Mistake("spec.secrets", f"the variable `{name}` is set {count} times; keep one")


def _secrets(spec: Fields) -> Iterator[Mistake]:
    for number, part in enumerate(spec.secrets):
        if (problem := _secret(part)) is not None:
            yield Mistake(f"spec.secrets[{number}]", problem)


def _secret(part: SecretReference) -> str | None:
    if part.key is not None and part.env is None and part.path is None:
        return "names a key and no variable for it; add `env`, or `path` for a file"
    if part.env is not None and part.key is None:
        return "names a variable and no key of the Secret; add `key`"
    if part.env is not None and part.path is not None:
        return "asks for a variable and for files; write two entries"
    return None


def _volumes(spec: Fields) -> Iterator[Mistake]:
    names = Counter(volume.name for volume in spec.volumes)
    yield from (
        Mistake("spec.volumes", f"`{name}` is given twice; names must differ") for name, n in names.items() if n > 1
    )
    paths = Counter([volume.path for volume in spec.volumes] + [part.path for part in spec.secrets if part.path])
    yield from (Mistake("spec.volumes", f"two things appear at `{path}`") for path, n in paths.items() if n > 1)
    for number, volume in enumerate(spec.volumes):
        path = f"spec.volumes[{number}]"
        if (problem := _volume(volume)) is not None:
            yield Mistake(path, problem)
        elif volume.persistent and not volume.shared and _many(spec):
            yield Mistake(
                path, "lasts and is not shared, so only one replica can use it; add `replicas: 1` or `shared: true`"
            )


def _volume(volume: Volume) -> str | None:
    if volume.config_map is not None and (volume.persistent or volume.size is not None):
        return "holds files of a ConfigMap, which have no size and cannot be written; remove `size` and `persistent`"
    if volume.persistent and volume.size is None:
        return "lasts and says no size; add one, such as `size: 10Gi`"
    if volume.shared and not volume.persistent:
        return "cannot be shared unless it lasts; add `persistent: true`"
    return None


def _many(spec: Fields) -> bool:
    return spec.schedule is None and (spec.autoscaling is not None or spec.replicas is None or spec.replicas > 1)


def _slo(spec: Fields) -> Iterator[Mistake]:
    slo = spec.slo
    if slo is None or not slo.enabled:
        return
    if not slo.promises:
        yield Mistake("spec.slo", "promises nothing; add `availability: 99.9`, `latency`, or both")
    what = "a scheduled job" if spec.schedule is not None else "a worker" if spec.worker else ""
    if what:
        yield Mistake("spec.slo", f"is about requests, and {what} takes none; remove it")
    elif not spec.metrics.enabled:
        yield Mistake("spec.slo", "is measured by metrics; remove it, or `metrics.enabled: false`")
    if slo.latency is not None:
        yield from _within_buckets(slo.latency, spec.metrics.buckets)


def _within_buckets(latency: LatencyObjective, buckets: Sequence[float]) -> Iterator[Mistake]:
    seconds, first, last = seconds_of(latency.below), min(buckets), max(buckets)
    if seconds < first:
        told = f"`{latency.below}` is shorter than the smallest bucket ({first:g}s), so it cannot be measured"
        yield Mistake("spec.slo.latency.below", f"{told}; write more, or say the service's own `metrics.buckets`")
    if seconds > last:
        told = f"`{latency.below}` is longer than the largest bucket ({last:g}s), so it cannot be measured"
        yield Mistake("spec.slo.latency.below", f"{told}; write less, or say the service's own `metrics.buckets`")


def _egress(spec: Fields) -> Iterator[Mistake]:
    for number, rule in enumerate(spec.egress):
        if (problem := _target(rule)) is not None:
            yield Mistake(f"spec.egress[{number}]", problem)


def _target(rule: Egress) -> str | None:
    targets = [rule.service is not None, rule.namespace is not None, rule.cidr is not None, rule.internet]
    if sum(targets) != 1:
        return "must name exactly one of `service`, `namespace`, `cidr`, `internet: true`"
    return None if rule.cidr is None else _range(rule.cidr)


def _range(cidr: str) -> str | None:
    try:
        meant = str(ipaddress.ip_network(cidr))
    except ValueError:
        return "`cidr` is not a range of addresses, such as `203.0.113.0/24`; bits behind the length must be 0"
    return None if cidr == meant else f"`cidr` is not written as Kubernetes takes it; write `{meant}`"
