"""RDSInstance of Crossplane's provider-aws, and claims of composite types that a company has made itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.rendering.kinds.meta import Anything, Kind, LocalReference, ObjectMeta, UnplacedMeta, Whole


class Tag(Kind):
    key: str
    value: str


class RdsParameters(Kind):
    region: str | None = None
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


class Claim(Kind):
    """What stands in `spec` only the company's own definition knows; the API server holds it to that."""

    api_version: str
    kind: str
    metadata: ObjectMeta
    spec: Anything
