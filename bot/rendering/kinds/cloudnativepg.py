"""CloudNativePG: Cluster, Database, Backup, ScheduledBackup, Pooler."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.rendering.kinds.container import KeySelector, Resources
from bot.rendering.kinds.meta import Anything, Kind, Labels, LocalReference, ObjectMeta, Quantity, Whole

Method = Literal["barmanObjectStore", "volumeSnapshot", "plugin"]


class ImportSource(Kind):
    external_cluster: str


class Import(Kind):
    type: Literal["microservice", "monolith"]
    databases: list[str]
    source: ImportSource
    roles: list[str] | None = None
    schema_only: bool | None = None
    post_import_application_sql: Annotated[list[str] | None, Field(alias="postImportApplicationSQL")] = None
    pg_dump_extra_options: list[str] | None = None
    pg_restore_extra_options: list[str] | None = None


class InitDb(Kind):
    database: str | None = None
    owner: str | None = None
    secret: LocalReference | None = None
    encoding: str | None = None
    locale: str | None = None
    data_checksums: bool | None = None
    post_init_application_sql: Annotated[list[str] | None, Field(alias="postInitApplicationSQL")] = None
    import_: Annotated[Import | None, Field(alias="import")] = None


class ObjectReference(Kind):
    api_group: str | None = None
    kind: str
    name: str


class VolumeSnapshots(Kind):
    storage: ObjectReference
    wal_storage: ObjectReference | None = None


class Recovery(Kind):
    backup: LocalReference | None = None
    source: str | None = None
    volume_snapshots: VolumeSnapshots | None = None
    database: str | None = None
    owner: str | None = None
    secret: LocalReference | None = None


class Bootstrap(Kind):
    initdb: InitDb | None = None
    recovery: Recovery | None = None


class Plugin(Kind):
    name: str
    enabled: bool | None = None
    is_wal_archiver: Annotated[bool | None, Field(alias="isWALArchiver")] = None
    parameters: Labels | None = None


class ExternalCluster(Kind):
    name: str
    connection_parameters: Labels | None = None
    password: KeySelector | None = None
    ssl_root_cert: KeySelector | None = None
    plugin: Plugin | None = None


class Storage(Kind):
    size: Quantity
    storage_class: str | None = None
    resize_in_use_volumes: bool | None = None


class PostgresConfiguration(Kind):
    parameters: Labels | None = None
    shared_preload_libraries: Annotated[list[str] | None, Field(alias="shared_preload_libraries")] = None


class InheritedMetadata(Kind):
    labels: Labels | None = None
    annotations: Labels | None = None


class ClusterMonitoring(Kind):
    enable_pod_monitor: Annotated[bool | None, Field(alias="enablePodMonitor")] = None


class SnapshotBackup(Kind):
    class_name: str | None = None
    wal_class_name: str | None = None
    snapshot_owner_reference: Literal["none", "cluster", "backup"] | None = None
    online: bool | None = None
    labels: Labels | None = None
    annotations: Labels | None = None


class BackupConfiguration(Kind):
    retention_policy: str | None = None
    target: Literal["primary", "prefer-standby"] | None = None
    volume_snapshot: SnapshotBackup | None = None
    barman_object_store: Anything | None = None
    """As CloudNativePG has it; its own webhook checks it."""


class ClusterSpec(Kind):
    instances: Annotated[int, Field(ge=1)]
    image_name: str | None = None
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    image_pull_secrets: list[LocalReference] | None = None
    description: str | None = None
    enable_superuser_access: bool | None = None
    enable_pdb: Annotated[bool | None, Field(alias="enablePDB")] = None
    bootstrap: Bootstrap | None = None
    external_clusters: list[ExternalCluster] | None = None
    storage: Storage
    wal_storage: Storage | None = None
    resources: Resources | None = None
    postgresql: PostgresConfiguration | None = None
    inherited_metadata: InheritedMetadata | None = None
    monitoring: ClusterMonitoring | None = None
    priority_class_name: str | None = None
    primary_update_strategy: Literal["unsupervised", "supervised"] | None = None
    primary_update_method: Literal["restart", "switchover"] | None = None
    min_sync_replicas: Whole | None = None
    max_sync_replicas: Whole | None = None
    affinity: Anything | None = None
    """As CloudNativePG has it; its own webhook checks it."""
    backup: BackupConfiguration | None = None
    plugins: list[Plugin] | None = None


class Cluster(Kind):
    api_version: Literal["postgresql.cnpg.io/v1"]
    kind: Literal["Cluster"]
    metadata: ObjectMeta
    spec: ClusterSpec


class Extension(Kind):
    name: str
    ensure: Literal["present", "absent"] | None = None
    version: str | None = None
    schema_: Annotated[str | None, Field(alias="schema")] = None


class DatabaseSpec(Kind):
    cluster: LocalReference
    name: str
    owner: str
    ensure: Literal["present", "absent"] | None = None
    database_reclaim_policy: Literal["delete", "retain"] | None = None
    encoding: str | None = None
    connection_limit: int | None = None
    extensions: list[Extension] | None = None


class Database(Kind):
    api_version: Literal["postgresql.cnpg.io/v1"]
    kind: Literal["Database"]
    metadata: ObjectMeta
    spec: DatabaseSpec


class PluginConfiguration(Kind):
    name: str
    parameters: Labels | None = None


class BackupSpec(Kind):
    cluster: LocalReference
    method: Method | None = None
    online: bool | None = None
    target: Literal["primary", "prefer-standby"] | None = None
    plugin_configuration: PluginConfiguration | None = None


class Backup(Kind):
    api_version: Literal["postgresql.cnpg.io/v1"]
    kind: Literal["Backup"]
    metadata: ObjectMeta
    spec: BackupSpec


class ScheduledBackupSpec(BackupSpec):
    schedule: str
    immediate: bool | None = None
    suspend: bool | None = None
    backup_owner_reference: Literal["none", "self", "cluster"] | None = None


class ScheduledBackup(Kind):
    api_version: Literal["postgresql.cnpg.io/v1"]
    kind: Literal["ScheduledBackup"]
    metadata: ObjectMeta
    spec: ScheduledBackupSpec


class PgBouncer(Kind):
    pool_mode: Literal["session", "transaction"] | None = None
    parameters: Labels | None = None
    image: str | None = None
    paused: bool | None = None
    pg_hba: Annotated[list[str] | None, Field(alias="pg_hba")] = None


class PoolerSpec(Kind):
    cluster: LocalReference
    instances: Annotated[int, Field(ge=1)] | None = None
    type: Literal["rw", "ro", "r"] | None = None
    pgbouncer: PgBouncer
    template: Anything | None = None


class Pooler(Kind):
    api_version: Literal["postgresql.cnpg.io/v1"]
    kind: Literal["Pooler"]
    metadata: ObjectMeta
    spec: PoolerSpec
