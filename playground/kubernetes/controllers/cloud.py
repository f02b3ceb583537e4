"""What the cloud behind Crossplane knows, and the words in which it refuses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from playground.kubernetes.controllers.objects import Object, annotations_of, name_of, spec_of, status_of, uid_of

RESERVED = {"postgres": ("admin", "postgres", "rdsadmin"), "mysql": ("rdsadmin",)}
"""User names that an engine keeps for itself."""
SMALLEST_GIB = {"gp3": 20, "gp2": 20, "io1": 100}


def _api_error(operation: str, status: int, seed: str, code: str, text: str) -> str:
    request = hashlib.sha256(seed.encode()).hexdigest()
    number = f"{request[:8]}-{request[8:12]}-{request[12:16]}-{request[16:20]}-{request[20:32]}"
    return (
        f"operation error RDS: {operation}, https response error StatusCode: {status}, RequestID: {number}, "
        f"api error {code}: {text}"
    )


NO_ROOM = "cannot create RDS instance: " + _api_error(
    "CreateDBInstance",
    400,
    "quota",
    "InstanceQuotaExceeded",
    "You have exceeded the maximum number of DB instances.",
)


def state_of(found: Object) -> str | None:
    """Return the cloud's own word; None before the cloud has heard of it."""
    at = status_of(found).get("atProvider") or {}
    state = at.get("dbInstanceStatus") or at.get("status")
    return str(state) if state else None


def refusal(found: Object) -> str:
    """Return why the cloud does not create this; empty where it does."""
    wanted = spec_of(found).get("forProvider") or {}
    if found["kind"] != "RDSInstance" or state_of(found) is not None:
        return ""
    engine, user = str(wanted.get("engine", "")), str(wanted.get("masterUsername", ""))
    if user in RESERVED.get(engine, ()):
        text = f"MasterUsername {user} cannot be used as it is a reserved word used by the engine"
        return _create(found, "InvalidParameterValue", text)
    kind = str(wanted.get("storageType", "gp2"))
    if int(wanted.get("allocatedStorage") or 0) < SMALLEST_GIB.get(kind, 20):
        given = wanted.get("allocatedStorage")
        given = wanted.get("allocatedStorage")
        text = f"Invalid storage size for engine name {engine} and storage type {kind}: {given}"
        return _create(found, "InvalidParameterValue", text)
    return ""


def _create(found: Object, code: str, text: str) -> str:
    return f"cannot create RDS instance: {_api_error('CreateDBInstance', 400, uid_of(found), code, text)}"


def deletion_refusal(told: Mapping[str, object], found: Object) -> str:
    """Return why the cloud does not delete this; `told` is what it was told before its deletion was asked for."""
    if found["kind"] != "RDSInstance":
        return ""
    text = ""
    if told.get("deletionProtection"):
        text = "Cannot delete protected DB Instance, please disable deletion protection and try again."
    elif not told.get("skipFinalSnapshotBeforeDeletion") and not told.get("finalDBSnapshotIdentifier"):
        text = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
    if not text:
        return ""
    refused = _api_error("DeleteDBInstance", 400, uid_of(found), "InvalidParameterCombination", text)
    return f"cannot delete RDS instance: {refused}"


def address(found: Object) -> str:
    region = (spec_of(found).get("forProvider") or {}).get("region", "eu-central-1")
    service = "rds" if found["kind"] == "RDSInstance" else "cache"
    name = annotations_of(found).get("crossplane.io/external-name") or name_of(found)
    return f"{name}.playground.{region}.{service}.amazonaws.com"


def port(found: Object) -> int:
    if found["kind"] != "RDSInstance":
        return 6379
    return 3306 if (spec_of(found).get("forProvider") or {}).get("engine") == "mysql" else 5432
