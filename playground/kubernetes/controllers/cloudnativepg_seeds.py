"""What a CloudNativePG instance is filled from, and what is missing for that."""

from __future__ import annotations

from dataclasses import dataclass

from playground.kubernetes.controllers.objects import Object, namespace_of, spec_of, status_of
from playground.kubernetes.controllers.volumes import SNAPSHOTS
from playground.kubernetes.store import Store

CNPG = "postgresql.cnpg.io"


@dataclass(frozen=True, slots=True)
class Seed:
    role: str
    """Of the job: `initdb`, `import`, `full-recovery`, `snapshot-recovery`, `join`."""
    words: str
    """In the operator's event."""
    volume: Object | None = None
    """The snapshot that the claim names."""
    missing: tuple[str, str] | None = None
    """Reason and message of the warning with which the operator waits."""
    broken: str = ""
    """Last words of a job that cannot succeed."""


class Seeds:
    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, cluster: Object, number: int) -> Seed:
        bootstrap = spec_of(cluster).get("bootstrap") or {}
        if number > 1:
            return Seed("join", "join")
        if "recovery" in bootstrap:
            return self._recovery(cluster, bootstrap["recovery"] or {})
        if "pg_basebackup" in bootstrap:
            return Seed("pgbasebackup", "pg_basebackup")
        if (bootstrap.get("initdb") or {}).get("import"):
            return self._import(cluster, bootstrap["initdb"]["import"])
        return Seed("initdb", "initdb")

    def _recovery(self, cluster: Object, recovery: Object) -> Seed:
        namespace = namespace_of(cluster)
        named = (recovery.get("backup") or {}).get("name", "")
        snapshot = (recovery.get("volumeSnapshots") or {}).get("storage") or {}
        if named:
            backup = self._store.get(CNPG, "Backup", namespace, named)
            if backup is None:
                return Seed("", "", missing=("ErrorNoBackup", f'Backup object "{namespace}/{named}" is missing'))
            if status_of(backup).get("phase") != "completed":
                return Seed("", "", missing=("ErrorNoBackup", f"Backup {named} is not completed"))
            elements = (status_of(backup).get("snapshotBackupStatus") or {}).get("elements") or []
            if not elements:
                return Seed("full-recovery", "from backup")
            snapshot = {"apiGroup": SNAPSHOTS, "kind": "VolumeSnapshot", "name": elements[0]["name"]}
        if not snapshot:
            return Seed("full-recovery", "from physical backup")
        found = self._store.get(SNAPSHOTS, "VolumeSnapshot", namespace, snapshot["name"])
        if found is None:
            text = f"VolumeSnapshot {snapshot['name']} does not exist in namespace {namespace}"
            return Seed("", "", missing=("ErrorNoSnapshot", text))
        return Seed("snapshot-recovery", "from volumeSnapshots", volume=snapshot)

    def _import(self, cluster: Object, wanted: Object) -> Seed:
        """The source answers where its service is in the cluster, and its password is beside the new one."""
        name = (wanted.get("source") or {}).get("externalCluster", "")
        known = {one["name"]: one for one in spec_of(cluster).get("externalClusters") or []}
        source = known.get(name)
        if source is None:
            return Seed("import", "initdb", broken=f"missing external cluster: {name}")
        host = str((source.get("connectionParameters") or {}).get("host", ""))
        service, _, rest = host.partition(".")
        namespace = rest.partition(".")[0] or namespace_of(cluster)
        if self._store.get("", "Service", namespace, service) is None:
            text = f'could not translate host name "{host}" to address: Name or service not known'
            return Seed("import", "initdb", broken=text)
        password = (source.get("password") or {}).get("name", "")
        if password and self._store.get("", "Secret", namespace_of(cluster), password) is None:
            return Seed("import", "initdb", broken=f'secrets "{password}" not found')
        return Seed("import", "initdb")
