"""A company's own composite type of Crossplane: what is asked for is written into a claim."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from string import Formatter
from typing import Any

from bot.model.databases import Claim
from bot.model.platform import Platform
from bot.rendering.quantities import gibibytes
from bot.rendering.stores.crossplane import NETWORKS
from bot.rendering.stores.seeds import SeedByJob
from bot.rendering.stores.store import Store
from bot.rendering.stores.variables import PORTS, binding

Values = dict[str, Any]


def bound(store: Store) -> Store:
    claim = _claim(store)
    keys, fixed = binding(store.engine, claim.keys)
    return replace(
        store,
        keys=keys,
        fixed=fixed,
        secret=store.name,
        main_kind=(claim.api_version, claim.kind),
        main_name=store.name,
        main_namespace=store.namespace,
    )


def _claim(store: Store) -> Claim:
    claim = store.settings.claim
    assert claim is not None  # noqa: S101 - held when the configuration was read
    return claim


def facts(store: Store) -> Mapping[str, str | int]:
    """Return what fields and files may say of a store: `bot.model.databases.FACTS`."""
    return {
        "name": store.service,
        "engine": store.engine,
        "version": store.version,
        "size": store.size_name,
        "storage_gib": gibibytes(store.size.storage),
        "instance_class": store.size.instance_class,
        "team": store.team,
        "environment": store.environment,
        "retention_days": store.retention_days,
    }


def values(store: Store) -> Values:
    claim = _claim(store)
    spec: Values = {}
    told = facts(store)
    for path, text in claim.fields.items():
        _, *above, last = path.split(".")
        here = spec
        for part in above:
            here = here.setdefault(part, {})
        here[last] = _filled(text, told)
    spec["writeConnectionSecretToRef"] = {"name": store.secret}
    return {"claim": {"api_version": claim.api_version, "kind": claim.kind, "spec": spec}}


def _filled(text: str, told: Mapping[str, str | int]) -> str | int:
    """Return the text with its holes filled. A number that stands alone stays a number."""
    parts = list(Formatter().parse(text))
    if len(parts) == 1 and parts[0][0] == "" and parts[0][1] and parts[0][3] is None:
        return told[parts[0][1]]
    return text.format(**told)


def templates(store: Store, values: Mapping[str, Any]) -> Iterator[tuple[str, Values]]:
    yield "claim.yaml.j2", {}


def reach(store: Store) -> Iterable[Values]:
    """Wherever it is: in a private network, or in the cluster."""
    port = {"protocol": "TCP", "port": PORTS[store.engine]}
    networks = [{"ipBlock": {"cidr": cidr}} for cidr in NETWORKS]
    yield {"to": [{"namespaceSelector": {}}, *networks], "ports": [port]}


def refused(store: Store, platform: Platform) -> Iterator[str]:
    if store.seed is not None and not isinstance(store.seed, SeedByJob):
        yield "can be filled by a job only"
