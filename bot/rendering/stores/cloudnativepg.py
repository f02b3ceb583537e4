"""PostgreSQL in the cluster, by the operator CloudNativePG: Cluster, Database, ScheduledBackup, Pooler."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bot.model.configured import cut
from bot.model.platform import Platform
from bot.rendering.stores.seeds import SeedFromBackup, SeedFromImport
from bot.rendering.stores.store import SEEDS_FROM, VISITOR, Store
from bot.rendering.stores.variables import NAME

Values = dict[str, Any]
Rule = dict[str, Any]
KEYS = {"host": "host", "port": "port", "name": "dbname", "user": "username", "password": "password", "url": "uri"}
"""Of the Secret `<cluster>-app`, as the operator writes it."""
CLUSTER_LABEL, POOLER_LABEL, JOB_LABEL = "cnpg.io/cluster", "cnpg.io/poolerName", "cnpg.io/jobRole"
PORT, STATUS_PORT, METRICS_PORT, POOLER_METRICS_PORT = 5432, 8000, 9187, 9127
METHODS = {"volume-snapshot": "volumeSnapshot", "plugin": "plugin"}
"""What it calls the ways to keep a backup."""
SNAPSHOTS = "snapshot.storage.k8s.io"
SOURCE = "source"


def bound(store: Store) -> Store:
    pooled = _pooler(store)
    keys = {part: key for part, key in KEYS.items() if not (pooled and part in ("host", "url"))}
    return replace(
        store,
        secret=f"{store.name}-app",
        keys=keys,
        fixed={"host": pooled} if pooled else {},  # the Secret names the server itself
        main_kind=("postgresql.cnpg.io/v1", "Cluster"),
        main_name=store.name,
        main_namespace=store.namespace,
    )


def _pooler(store: Store) -> str:
    """Return the name of the pooler, and of its Service; empty where there is none."""
    return f"{store.name}-pooler" if store.size.pooler and not store.passing else ""


def values(store: Store) -> Values:
    backups = store.settings.backups
    plugin = backups.method == "plugin" and not store.passing
    return {
        "instances": 1 if store.passing else store.size.instances,
        "disruption_budget": False if store.passing else None,
        "bootstrap": _bootstrap(store),
        "external_clusters": _external_clusters(store) or None,
        "backup": _backup(store),
        "plugins": [_plugin(backups.plugin, backups.parameters, archives=True)] if plugin else None,
        "pooler": {"name": _pooler(store), "instances": store.size.pooler} if _pooler(store) else None,
        "scheduled_backup": _scheduled(store),
    }


def _backup(store: Store) -> Values | None:
    backups = store.settings.backups
    if backups.method == "none" or store.passing:
        return None
    found: Values = {"retentionPolicy": f"{store.retention_days}d"}
    if backups.method == "volume-snapshot":
        # A snapshot outlives cluster and backup: it is what is left once a database is deleted.
        found["volumeSnapshot"] = {"className": backups.snapshot_class or None, "snapshotOwnerReference": "none"}
    return found


def _scheduled(store: Store) -> Values | None:
    if _backup(store) is None:
        return None
    return {"schedule": store.settings.backups.schedule, **how_to_back_up(store)}


def how_to_back_up(store: Store) -> Values:
    """Return the part of a Backup or a ScheduledBackup that says how. Raise `ValueError` where there are no backups."""
    backups = store.settings.backups
    if backups.method == "none":
        raise ValueError(f"{store.name} has no backups")
    plugin = {"name": backups.plugin} if backups.method == "plugin" else None
    return {"method": METHODS[backups.method], "pluginConfiguration": plugin}


def _bootstrap(store: Store) -> Values:
    whose = {"database": NAME, "owner": NAME}
    match store.seed:
        case SeedFromBackup(snapshot=snapshot) if snapshot:
            storage = {"apiGroup": SNAPSHOTS, "kind": "VolumeSnapshot", "name": snapshot}
            return {"recovery": {"volumeSnapshots": {"storage": storage}, **whose}}
        case SeedFromBackup(backup=backup) if backup:
            return {"recovery": {"backup": {"name": backup}, **whose}}
        case SeedFromBackup():
            return {"recovery": {"source": SOURCE, **whose}}
        case SeedFromImport(database=database):
            taken = {"type": "microservice", "databases": [database], "source": {"externalCluster": SOURCE}}
            return {"initdb": {**whose, "import": taken}}
    return {"initdb": whose}


def _external_clusters(store: Store) -> list[Values]:
    match store.seed:
        case SeedFromBackup(snapshot="", backup="") as seed:
            plugin = seed.plugin or store.settings.backups.plugin
            parameters = {**_parameters(store, seed), "serverName": seed.cluster}
            return [{"name": SOURCE, "plugin": _plugin(plugin, parameters, archives=False)}]
        case SeedFromImport() as seed:
            parameters = {"host": seed.host, "user": seed.user, "dbname": seed.database, "sslmode": "require"}
            password = {"name": seed.secret, "key": "password"}
            return [{"name": SOURCE, "connectionParameters": parameters, "password": password}]
    return []


def _plugin(name: str, parameters: Mapping[str, str], *, archives: bool) -> Values:
    """Return a plugin with the defaults of the API server: within a list, Argo CD would take them for a difference."""
    return {"name": name, "enabled": True, "isWALArchiver": archives, "parameters": dict(parameters)}


def _parameters(store: Store, seed: SeedFromBackup) -> Mapping[str, str]:
    return seed.parameters or store.settings.backups.parameters


def templates(store: Store, values: Mapping[str, Any]) -> Iterator[tuple[str, Values]]:
    database = values["database"]
    yield "cluster.yaml.j2", {}
    for policy in _policies(store, values):
        yield "database_network_policy.yaml.j2", {"policy": policy}
    if not store.passing:
        yield "database.yaml.j2", {}
    if database["scheduled_backup"]:
        yield "scheduled_backup.yaml.j2", {}
    if database["pooler"]:
        yield "pooler.yaml.j2", {}


def _policies(store: Store, values: Mapping[str, Any]) -> Iterator[Values]:
    """Yield the policies of the database's pods. What these may call stays open: they need the API server, one another
    and the object storage, and run the operator's programs alone."""
    settings, here = store.settings, values["environment"]
    monitored = [_namespace(here["monitoring_namespace"])] if here["monitoring"]["enabled"] else []
    pooler = _pooler(store)
    operator = {**_namespace(settings.operator_namespace)}
    own = _pods(CLUSTER_LABEL, store.name)
    callers = list(clients(store)) + ([_pods(POOLER_LABEL, pooler)] if pooler else [])
    yield {
        "name": store.name,
        "selector": {CLUSTER_LABEL: store.name},
        "ingress": [
            {"from": [*callers, own], "ports": _tcp(PORT)},
            {"from": [operator, own], "ports": _tcp(PORT, STATUS_PORT)},
            *([{"from": monitored, "ports": _tcp(METRICS_PORT)}] if monitored else []),
            *_sources(store),
        ],
    }
    if pooler:
        yield {
            "name": pooler,
            "selector": {POOLER_LABEL: pooler},
            "ingress": [
                {"from": list(clients(store)), "ports": _tcp(PORT)},
                *([{"from": monitored, "ports": _tcp(POOLER_METRICS_PORT)}] if monitored else []),
            ],
        }


def clients(store: Store) -> Iterator[Rule]:
    """Yield the pods that may reach a database in the cluster: its services', and visitors. One that stands alone has
    visitors only, from wherever they come."""
    for name in store.clients:
        labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/instance": cut(f"{name}-{store.environment}")}
        yield {"podSelector": {"matchLabels": labels}}
    where: Rule = {"namespaceSelector": {}} if store.alone else {}
    yield where | _pods(VISITOR, store.name)


def _sources(store: Store) -> Iterator[Rule]:
    """Yield who reads this database to fill another one, in whatever namespace that stands."""
    seeding = store.settings.seeding
    if seeding is None or seeding.method == "backup":
        return
    label = {JOB_LABEL: "import"} if seeding.method == "import" else {SEEDS_FROM: store.name}
    yield {"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": label}}], "ports": _tcp(PORT)}


def reach(store: Store) -> Iterable[Rule]:
    label, name = (POOLER_LABEL, _pooler(store)) if _pooler(store) else (CLUSTER_LABEL, store.name)
    yield {"to": [_pods(label, name)], "ports": _tcp(PORT)}


def refused(store: Store, platform: Platform) -> Iterator[str]:
    seed = store.seed
    if not isinstance(seed, SeedFromBackup):
        return
    if seed.snapshot or seed.backup:
        if seed.namespace != store.namespace:
            yield f"can be filled only from a backup in its own namespace, and this one stands in {seed.namespace}"
    elif not _parameters(store, seed):
        yield "cannot be filled from object storage: nobody says where that is (`backups.parameters`)"


def _pods(label: str, value: str) -> Rule:
    return {"podSelector": {"matchLabels": {label: value}}}


def _namespace(name: str) -> Rule:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _tcp(*ports: int) -> list[Rule]:
    return [{"protocol": "TCP", "port": port} for port in ports]
