"""The last backup of a database, as its maker tells it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.errors import NotFound, PlatformError, Refused
from bot.health.parsing import moment
from bot.ports import Cluster, Object
from bot.rendering.stores import Store

BACKUP = ("postgresql.cnpg.io/v1", "Backup")
COMPLETED = "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastBackup:
    """What is known of it. `at` is None where there is none, or where nobody tells."""

    at: datetime | None = None
    name: str = ""
    why_not: str = ""
    """Why nothing is known, as a sentence without its end; empty where something is."""


async def read_last_backup(store: Store, cluster: Cluster | None, main: Object | None) -> LastBackup:
    """`main` is the database's main object as it is. Raises nothing that a cluster could be to blame for."""
    if cluster is None:
        return LastBackup(why_not="its cluster is not connected")
    match store.settings.provider:
        case "cloudnativepg" if store.settings.backups.method == "none":
            return LastBackup(why_not=f"{store.environment} keeps no backups")
        case "cloudnativepg":
            return await _of_operator(store, cluster)
        case "crossplane":
            return of_cloud(main)
        case _:
            return LastBackup(why_not="whoever makes it does not tell")


async def _of_operator(store: Store, cluster: Cluster) -> LastBackup:
    try:
        found = await cluster.list(*BACKUP, namespace=store.namespace)
    except (NotFound, Refused) as error:
        return LastBackup(why_not=f"its backups cannot be looked at ({error.message.rstrip('.')})")
    except PlatformError as error:
        return LastBackup(why_not=error.message.rstrip("."))
    return newest(found, store.name)


def newest(backups: Iterable[Object], database: str) -> LastBackup:
    """Return the newest complete one of a CloudNativePG Cluster."""
    complete: list[tuple[datetime, str]] = []
    for obj in backups:
        found: Any = obj
        status = found.get("status") or {}
        mine = ((found.get("spec") or {}).get("cluster") or {}).get("name") == database
        at = moment(status.get("stoppedAt")) or moment(status.get("startedAt"))
        if mine and status.get("phase") == COMPLETED and at is not None:
            complete.append((at, str(found["metadata"]["name"])))
    if not complete:
        return LastBackup(why_not="there is none yet")
    at, name = max(complete)
    return LastBackup(at=at, name=name)


def of_cloud(main: Object | None) -> LastBackup:
    """Return the latest moment to which the cloud can restore it."""
    status: Any = (main or {}).get("status") or {}
    at = moment((status.get("atProvider") or {}).get("latestRestorableTime"))
    return LastBackup(at=at) if at is not None else LastBackup(why_not="the cloud tells of none yet")
