"""PostgreSQL and MySQL that a cloud runs, by Crossplane's provider for AWS: RDSInstance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bot.model.configured import cut
from bot.model.databases import DatabaseProvider, Engine
from bot.model.platform import Platform
from bot.rendering.quantities import gibibytes
from bot.rendering.stores.seeds import SeedByJob
from bot.rendering.stores.store import Store
from bot.rendering.stores.variables import NAME, PORTS

Values = dict[str, Any]
KEYS = {"host": "endpoint", "port": "port", "user": "username", "password": "password"}
"""Of the Secret, as provider-aws writes it."""
ENGINES: Mapping[Engine, str] = {"postgresql": "postgres", "mysql": "mysql"}
VERSIONS: Mapping[tuple[Engine, int], str] = {("mysql", 8): "8.4"}
"""What AWS calls a major version, where it is not the number alone."""
LEAST_GIB = 20
"""AWS gives no `gp3` volume that is smaller."""
MOST_RETENTION_DAYS = 35
"""Longer, AWS keeps no automatic backups."""
NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
"""Where a database in a cloud's private network may be."""


def bound(store: Store) -> Store:
    external = cloud_name(store.settings, store.service, store.environment, store.team)
    return replace(
        store,
        secret=store.name,
        keys=KEYS,
        fixed={"name": NAME},
        external_name=external,
        main_kind=("database.aws.crossplane.io/v1beta1", "RDSInstance"),
        main_name=external,
        main_namespace="",
    )


def cloud_name(settings: DatabaseProvider, service: str, environment: str, team: str) -> str:
    """Return the name as AWS takes it: no two dashes in a row, at most 63 characters."""
    name = settings.cloud_name.format(name=service, environment=environment, team=team)
    return re.sub(r"-{2,}", "-", cut(re.sub(r"[^a-z0-9-]+", "-", name.lower()))).strip("-")


def values(store: Store) -> Values:
    day = f"-{store.requested.at:%Y%m%d}" if store.requested else ""
    return {
        "engine_name": ENGINES[store.engine],
        "engine_version": VERSIONS.get((store.engine, store.version), str(store.version)),
        "allocated_gib": max(LEAST_GIB, gibibytes(store.size.storage)),
        "multi_az": store.size.instances > 1 and not store.passing,
        # A later database of the same name would find the earlier one's last snapshot there.
        "last_snapshot": None if store.passing else f"{store.external_name}-final{day}",
        "backup_days": 0 if store.passing else store.retention_days,
    }


def templates(store: Store, values: Mapping[str, Any]) -> Iterator[tuple[str, Values]]:
    yield "rds_instance.yaml.j2", {}


def reach(store: Store) -> Iterable[Values]:
    port = {"protocol": "TCP", "port": PORTS[store.engine]}
    yield {"to": [{"ipBlock": {"cidr": cidr}} for cidr in NETWORKS], "ports": [port]}


def refused(store: Store, platform: Platform) -> Iterator[str]:
    if store.retention_days > MOST_RETENTION_DAYS:
        yield f"keeps backups for at most {MOST_RETENTION_DAYS} days, and {store.retention_days} are asked for"
    if not store.size.instance_class:
        yield f"needs an `instance_class` for the size `{store.size_name}`; the platform team adds it"
    if store.seed is not None and not isinstance(store.seed, SeedByJob):
        yield "can be filled by a job only"
    for name, other in platform.environments.items():
        theirs = other.provider(store.engine)
        if name == store.environment or theirs is None or theirs.provider != "crossplane":
            continue
        same_place = other.cluster == store.cluster or theirs.region == store.settings.region
        if same_place and cloud_name(theirs, store.service, name, store.team) == store.external_name:
            yield (
                f"would be called `{store.external_name}` in {name} as well; the platform team puts "
                "`{environment}` into `cloud_name`"
            )
