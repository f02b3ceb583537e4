"""CloudNativePG's Cluster and the RDSInstance of Crossplane's provider-aws."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.rendering.kinds.container import Resources
from bot.rendering.kinds.meta import Anything, Kind, Labels, LocalReference, ObjectMeta, Quantity, UnplacedMeta, Whole


class InitDb(Kind):
    database: str | None = None
    owner: str | None = None
    secret: LocalReference | None = None
    encoding: str | None = None
    locale: str | None = None
    data_checksums: bool | None = None
    post_init_application_sql: Annotated[list[str] | None, Field(alias="postInitApplicationSQL")] = None


class Bootstrap(Kind):
    initdb: InitDb | None = None


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


class ClusterSpec(Kind):
    instances: Annotated[int, Field(ge=1)]
    image_name: str | None = None
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    image_pull_secrets: list[LocalReference] | None = None
    description: str | None = None
    enable_superuser_access: bool | None = None
    enable_pdb: Annotated[bool | None, Field(alias="enablePDB")] = None
    bootstrap: Bootstrap | None = None
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
    backup: Anything | None = None
    """As CloudNativePG has them; its own webhook checks them."""


class Cluster(Kind):
    api_version: Literal["postgresql.cnpg.io/v1"]
    kind: Literal["Cluster"]
    metadata: ObjectMeta
    spec: ClusterSpec


class Tag(Kind):
    key: str
    value: str


class RdsParameters(Kind):
    region: str
    engine: str
    engine_version: str | None = None
    db_instance_class: str
    db_name: str | None = None
    master_username: str | None = None
    allocated_storage: Annotated[int, Field(ge=1)] | None = None
    max_allocated_storage: Annotated[int, Field(ge=1)] | None = None
    storage_type: str | None = None
    storage_encrypted: bool | None = None
    kms_key_id: Annotated[str | None, Field(alias="kmsKeyId")] = None
    multi_az: Annotated[bool | None, Field(alias="multiAZ")] = None
    publicly_accessible: bool | None = None
    auto_minor_version_upgrade: bool | None = None
    allow_major_version_upgrade: bool | None = None
    apply_modifications_immediately: bool | None = None
    backup_retention_period: Whole | None = None
    preferred_backup_window: str | None = None
    preferred_maintenance_window: str | None = None
    deletion_protection: bool | None = None
    skip_final_snapshot_before_deletion: bool | None = None
    final_db_snapshot_identifier: Annotated[str | None, Field(alias="finalDBSnapshotIdentifier")] = None
    copy_tags_to_snapshot: bool | None = None
    enable_performance_insights: bool | None = None
    enable_iam_database_authentication: Annotated[bool | None, Field(alias="enableIAMDatabaseAuthentication")] = None
    db_subnet_group_name: str | None = None
    vpc_security_group_ids: list[str] | None = None
    tags: list[Tag] | None = None


class SecretPlace(Kind):
    name: str
    namespace: str


class RdsInstanceSpec(Kind):
    deletion_policy: Literal["Orphan", "Delete"] | None = None
    for_provider: RdsParameters
    provider_config_ref: LocalReference | None = None
    write_connection_secret_to_ref: SecretPlace | None = None


class RdsInstance(Kind):
    api_version: Literal["database.aws.crossplane.io/v1beta1"]
    kind: Literal["RDSInstance"]
    metadata: UnplacedMeta
    spec: RdsInstanceSpec
