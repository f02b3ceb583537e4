"""An Application's status: pure changes of it, in the shape of its CRD."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from playground.argocd.comparison import Comparison
from playground.kubernetes.controllers.objects import Object, annotations_of, meta, spec_of, stamp, status_of

REFRESH = "argocd.argoproj.io/refresh"
KEPT = 10
"""Argo CD's default of `revisionHistoryLimit`."""
OF_COMPARISON = ("ComparisonError", "SharedResourceWarning", "RepeatedResourceWarning")
OF_SPEC = ("InvalidSpecError", "UnknownError")
OF_SYNC = ("SyncError",)
Told = Sequence[tuple[str, str]]
"""Type and message of conditions."""


def with_conditions(status: Object, told: Told, evaluated: Iterable[str], now: datetime) -> Object:
    """Replace the conditions of the evaluated types; one that stays keeps its time."""
    before = status.get("conditions") or []
    kinds = set(evaluated)
    kept = [found for found in before if found["type"] not in kinds]
    for kind, message in told:
        old = next((found for found in before if (found["type"], found["message"]) == (kind, message)), None)
        at = old["lastTransitionTime"] if old else stamp(now)
        kept.append({"type": kind, "message": message, "lastTransitionTime": at})
    result = {key: value for key, value in status.items() if key != "conditions"}
    return {**result, "conditions": kept} if kept else result


def invalid(application: Object, problems: Sequence[str], now: datetime) -> Object:
    """Return the status of an application whose spec is wrong."""
    status = with_conditions(status_of(application), [("InvalidSpecError", text) for text in problems], OF_SPEC, now)
    sync = {**status.get("sync", {}), "status": "Unknown"}
    return {**status, "sync": sync, "health": _health(status, "Unknown", now), "controllerNamespace": "argocd"}


def compared(application: Object, found: Comparison, summary: Object, now: datetime, *, fresh: bool) -> Object:
    """Return the status that follows from a comparison. `fresh`: the repository was read, not only the cluster."""
    status = with_conditions(status_of(application), [], OF_SPEC, now)
    status = with_conditions(status, found.conditions, OF_COMPARISON, now)
    revision = {"revision": found.revision} if found.revision else {}
    result = {
        **{part: told for part, told in status.items() if part not in {"resources", "sourceType"}},
        "sync": {"status": found.status, "comparedTo": compared_to(application), **revision},
        "health": _health(status, found.health, now),
        **({"resources": [one.body() for one in found.managed]} if found.managed else {}),
        "resourceHealthSource": "appTree",
        "summary": summary,
        **({} if found.problem else {"sourceType": "Directory"}),
        "controllerNamespace": "argocd",
    }
    if fresh or "reconciledAt" not in status:
        result["reconciledAt"] = stamp(now)
    return result


def _health(status: Object, health: str, now: datetime) -> Object:
    before = status.get("health") or {}
    same = before.get("status") == health and "lastTransitionTime" in before
    return {"status": health, "lastTransitionTime": before["lastTransitionTime"] if same else stamp(now)}


def compared_to(application: Object) -> Object:
    spec = spec_of(application)
    found = {"source": spec.get("source") or {}, "destination": spec["destination"]}
    return {**found, **({"ignoreDifferences": spec["ignoreDifferences"]} if spec.get("ignoreDifferences") else {})}


def started(application: Object, now: datetime) -> Object:
    """Return the state of an operation that begins."""
    operation = application["operation"]
    wish = operation["sync"]
    result = {"revision": wish.get("revision", ""), "source": wish.get("source") or spec_of(application)["source"]}
    of_namespace = (spec_of(application).get("syncPolicy") or {}).get("managedNamespaceMetadata")
    result |= {"managedNamespaceMetadata": of_namespace} if of_namespace else {}
    return {"operation": operation, "phase": "Running", "startedAt": stamp(now), "syncResult": result}


def with_history(status: Object, state: Object, limit: int, now: datetime) -> Object:
    """Enter a sync that succeeded; a partial one and a dry run leave no trace."""
    wish = state["operation"]["sync"]
    if state["phase"] != "Succeeded" or wish.get("resources") or wish.get("dryRun"):
        return status
    history = status.get("history") or []
    entry = {
        "id": history[-1]["id"] + 1 if history else 0,
        "revision": state["syncResult"]["revision"],
        "source": state["syncResult"]["source"],
        "deployStartedAt": state["startedAt"],
        "deployedAt": stamp(now),
        "initiatedBy": state["operation"].get("initiatedBy", {}),
    }
    return {**status, "history": [*history, entry][-limit:] if limit else []}


def refresh_asked(application: Object) -> str:
    """Return `normal`, `hard`, or nothing."""
    value = annotations_of(application).get(REFRESH)
    return "" if value is None else "hard" if value == "hard" else "normal"


def without_refresh(application: Object) -> None:
    annotations = {key: value for key, value in annotations_of(application).items() if key != REFRESH}
    meta(application).pop("annotations", None)
    if annotations:
        meta(application)["annotations"] = annotations
