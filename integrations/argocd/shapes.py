"""Argo CD's documents → the types of our port. What other versions leave out is met with its plain default."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from bot.ports import (
    Application,
    Health,
    HistoryEntry,
    ObjectRef,
    Phase,
    ResourceStatus,
    Sync,
    SyncOperation,
)

Document = Mapping[str, Any]
HEALTH: dict[str, Health] = {one: one for one in get_args(Health)}
SYNC: dict[str, Sync] = {one: one for one in get_args(Sync)}
PHASE: dict[str, Phase] = {one: one for one in get_args(Phase)}
"""The words that we know. Argo CD may learn new ones: those become `Unknown`."""

GENERIC = re.compile(r"^one or more (?:synchronization tasks|objects)(?!.*reason:)", re.DOTALL)
"""A sync's message that tells nothing: what failed stands at the resources."""


def application(document: Document) -> Application:
    """Read an Application resource, as the cluster and Argo CD's API tell it alike."""
    spec, status = _map(document, "spec"), _map(document, "status")
    sync, health = _map(status, "sync"), _map(status, "health")
    source = _source(spec)
    destination = _map(spec, "destination")
    operation = _operation(document, status)
    return Application(
        name=_text(_map(document, "metadata"), "name"),
        project=_text(spec, "project") or "default",
        repo_url=_text(source, "repoURL"),
        path=_text(source, "path"),
        target_revision=_text(source, "targetRevision") or "HEAD",
        server=_text(destination, "server") or _text(destination, "name"),
        namespace=_text(destination, "namespace"),
        sync=SYNC.get(_text(sync, "status"), "Unknown"),
        revision=_revision(sync),
        health=HEALTH.get(_text(health, "status"), "Unknown"),
        health_message=_text(health, "message"),
        operation=operation,
        resources=_resources(status),
        conditions=tuple((_text(one, "type"), _text(one, "message")) for one in _maps(status, "conditions")),
        history=tuple(_history(_maps(status, "history"))),
        images=tuple(one for one in _list(_map(status, "summary"), "images") if isinstance(one, str)),
        automated=_is_automated(spec),
        reconciled_at=moment(status.get("reconciledAt")),
    )


def version(document: Document) -> int:
    """Return the resource version as the number that it is on every real server; 0 where it is none."""
    text = _text(_map(document, "metadata"), "resourceVersion")
    return int(text) if text.isdecimal() else 0


def name_of(document: Document) -> str:
    return _text(_map(document, "metadata"), "name")


def namespace_of(document: Document) -> str:
    return _text(_map(document, "metadata"), "namespace")


def moment(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _source(spec: Document) -> Document:
    """Return the one source, or of several the first that has a path."""
    several = _maps(spec, "sources")
    with_path = next((one for one in several if one.get("path")), several[0] if several else {})
    return _map(spec, "source") or with_path


def _revision(status: Document) -> str:
    several = [one for one in _list(status, "revisions") if isinstance(one, str)]
    return _text(status, "revision") or (several[0] if several else "")


def _is_automated(spec: Document) -> bool:
    automated = _map(spec, "syncPolicy").get("automated")
    return isinstance(automated, Mapping) and automated.get("enabled") is not False


def _operation(document: Document, status: Document) -> SyncOperation | None:
    """Return the sync that goes on or was the last. One that is only asked for counts as running."""
    state = _map(status, "operationState")
    asked = _map(document, "operation")
    if asked and not state:
        return SyncOperation("Running", "waiting to start", _revision(_map(asked, "sync")))
    if not state:
        return None
    result = _map(state, "syncResult")
    return SyncOperation(
        phase=PHASE.get(_text(state, "phase"), "Error"),
        message=_message(state, result),
        revision=_revision(result) or _revision(_map(_map(state, "operation"), "sync")),
        started_at=moment(state.get("startedAt")),
        finished_at=moment(state.get("finishedAt")),
    )


def _message(state: Document, result: Document) -> str:
    """Return the sync's message; with it, where it is only a number of failures, the first of them."""
    message = _text(state, "message")
    if not GENERIC.search(message):
        return message
    failed = next((one for one in _maps(result, "resources") if _has_failed(one) and one.get("message")), None)
    return f"{message}, reason: {_text(failed, 'message')}" if failed is not None else message


def _has_failed(result: Document) -> bool:
    return _text(result, "status") == "SyncFailed" or _text(result, "hookPhase") in ("Failed", "Error")


def _resources(status: Document) -> tuple[ResourceStatus, ...]:
    results = _map(_map(status, "operationState"), "syncResult")
    failures = {_ref(one): _text(one, "message") for one in _maps(results, "resources") if _has_failed(one)}
    return tuple(_resource(one, failures) for one in _maps(status, "resources"))


def _resource(document: Document, failures: Mapping[ObjectRef, str]) -> ResourceStatus:
    ref, health = _ref(document), _map(document, "health")
    told = _text(health, "status")
    return ResourceStatus(
        ref=ref,
        sync=SYNC.get(_text(document, "status"), "Unknown"),
        health=HEALTH.get(told, "Unknown") if told else None,
        message=_text(health, "message") or failures.get(ref, ""),
    )


def _ref(document: Document) -> ObjectRef:
    group, version_ = _text(document, "group"), _text(document, "version")
    return ObjectRef(
        f"{group}/{version_}" if group else version_,
        _text(document, "kind"),
        _text(document, "name"),
        _text(document, "namespace"),
    )


def _history(entries: Iterable[Document]) -> Iterable[HistoryEntry]:
    for entry in entries:
        at = moment(entry.get("deployedAt"))
        number = entry.get("id")
        if at is not None:
            yield HistoryEntry(number if isinstance(number, int) else 0, _revision(entry), at)


def _map(value: Document, key: str) -> Document:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def _list(value: Document, key: str) -> Sequence[Any]:
    found = value.get(key)
    return found if isinstance(found, list | tuple) else ()


def _maps(value: Document, key: str) -> list[Document]:
    return [one for one in _list(value, key) if isinstance(one, Mapping)]


def _text(value: Document, key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
