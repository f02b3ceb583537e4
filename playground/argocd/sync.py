"""A sync: bring the cluster to what stands in Git, wave by wave, in Argo CD's order and words.

Each call takes the operation's state one step further; between waves it waits for the health of what was applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import pow as power

from playground.argocd.comparison import Comparison, Managed
from playground.argocd.health import HEALTHY, health_of
from playground.argocd.live import Key, Live, comparable
from playground.argocd.projects import task_error
from playground.argocd.windows import go_duration
from playground.kubernetes.controllers.objects import Object, annotations_of, spec_of, stamp
from playground.kubernetes.status import ApiError
from playground.kubernetes.store import Propagation

RUNNING, SUCCEEDED, FAILED, ERROR, TERMINATING = "Running", "Succeeded", "Failed", "Error", "Terminating"
KIND_ORDER = (
    "Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodSecurityPolicy", "PodDisruptionBudget",
    "ServiceAccount", "Secret", "SecretList", "ConfigMap", "StorageClass", "PersistentVolume",
    "PersistentVolumeClaim", "CustomResourceDefinition", "ClusterRole", "ClusterRoleList", "ClusterRoleBinding",
    "ClusterRoleBindingList", "Role", "RoleList", "RoleBinding", "RoleBindingList", "Service", "DaemonSet", "Pod",
    "ReplicationController", "ReplicaSet", "Deployment", "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob",
    "IngressClass", "Ingress", "APIService",
)  # fmt: skip
"""In which order kinds are applied; what is not named comes last."""
DELETION = "waiting for deletion of"
OPTIONS = "argocd.argoproj.io/sync-options"
LONGEST_RETRY, FIRST_RETRY, RETRY_FACTOR = timedelta(minutes=3), timedelta(seconds=5), 2
ATTEMPTS = 5
"""How often an automated sync is tried again where the application says nothing."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a sync works with."""

    live: Live
    application: Object
    project: Object
    comparison: Comparison


def option(options: Sequence[str] | None, wanted: str) -> bool:
    return wanted in (options or [])


def annotated(obj: Object, wanted: str) -> bool:
    return wanted in [part.strip() for part in annotations_of(obj).get(OPTIONS, "").split(",")]


def step(state: Object, around: Around) -> Object:
    """Return the operation's state after the next step; its phase says whether another one follows."""
    wish = state["operation"]["sync"]
    tasks = _tasks(wish, around.comparison.managed)
    results = {_key(one): one for one in state["syncResult"].get("resources") or []}
    if not results:
        _ensure_namespace(wish, around)
        refused = _refused(tasks, around)
        if refused:
            return _ended(state, FAILED, "one or more synchronization tasks are not valid", refused)
        refused = _dry_run(tasks, around)
        if refused:
            return _ended(state, FAILED, "one or more objects failed to apply (dry run)", refused)
        if wish.get("dryRun"):
            return _ended(state, SUCCEEDED, "successfully synced (all tasks run)", [])
    return _wave(state, tasks, results, around)


def _tasks(wish: Object, managed: Sequence[Managed]) -> list[Managed]:
    chosen = wish.get("resources") or []
    tasks = [one for one in managed if one.status and (not chosen or any(_named(one.key, c) for c in chosen))]
    late = option(wish.get("syncOptions"), "PruneLast=true")
    last = max((one.wave for one in tasks), default=0) + 1
    return sorted(tasks, key=lambda one: (last if late and one.prunes else one.wave, not one.prunes, *order(one.key)))


def order(key: Key) -> tuple[int, str, str]:
    rank = KIND_ORDER.index(key.kind) if key.kind in KIND_ORDER else len(KIND_ORDER)
    return rank, key.kind, key.name


def _named(key: Key, chosen: Object) -> bool:
    same = (chosen.get("group", ""), chosen["kind"], chosen["name"]) == (key.group, key.kind, key.name)
    return same and chosen.get("namespace", key.namespace) == key.namespace


def _ensure_namespace(wish: Object, around: Around) -> None:
    name = spec_of(around.application)["destination"].get("namespace", "")
    if not name or not option(wish.get("syncOptions"), "CreateNamespace=true"):
        return
    if around.live.get(Key("", "Namespace", "", name)) is None:
        policy = spec_of(around.application).get("syncPolicy") or {}
        told = policy.get("managedNamespaceMetadata") or {}
        metadata = {"name": name, **{part: told[part] for part in ("labels", "annotations") if told.get(part)}}
        around.live.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


def _refused(tasks: Sequence[Managed], around: Around) -> list[Object]:
    found = []
    for one in tasks:
        resource = around.live.resource(one.key.group, one.key.kind)
        if resource is None:
            where = f"{one.key.namespace}/{one.key.name}"
            kind = f"{one.key.group}/{one.key.kind}" if one.key.group else one.key.kind
            text = (
                f"The Kubernetes API could not find {kind} for requested resource {where}. Make sure the "
                f'"{one.key.kind}" CRD is installed on the destination cluster.'
            )
        else:
            namespace = one.key.namespace if resource.namespaced else ""
            text = task_error(around.project, one.key.group, one.key.kind, namespace)
        if text:
            found.append(_result(one, "SyncFailed", text, FAILED))
    return found


def _dry_run(tasks: Sequence[Managed], around: Around) -> list[Object]:
    found = []
    for one in tasks:
        if one.target is None:
            continue
        try:
            around.live.apply(one.target, dry_run=True)
        except ApiError as error:
            found.append(_result(one, "SyncFailed", error.message, FAILED))
    return found


def _wave(state: Object, tasks: Sequence[Managed], results: dict[Key, Object], around: Around) -> Object:
    waits = _waits(tasks, results, around.live)
    if waits:
        return {**state, "message": waits}
    pending = [one for one in tasks if one.key not in results]
    if not pending:
        return _ended(state, SUCCEEDED, "successfully synced (no more tasks)", list(results.values()))
    now = [one for one in pending if one.wave == pending[0].wave]
    made = {one.key: _run(one, state["operation"]["sync"], around) for one in now}
    told = [*results.values(), *made.values()]
    failed = [result["message"] for result in made.values() if result["status"] == "SyncFailed"]
    if failed:
        text = f"one or more objects failed to apply, reason: {','.join(failed)}"
        return _ended(state, FAILED, text, told)
    waits = _waits(tasks, {**results, **made}, around.live)
    if len(now) == len(pending) and not waits.startswith(DELETION):
        return _ended(state, SUCCEEDED, "successfully synced (all tasks run)", told)
    return {**state, "message": waits, "syncResult": {**state["syncResult"], "resources": told}}


def _waits(tasks: Sequence[Managed], results: dict[Key, Object], live: Live) -> str:
    """Return what has to happen before the sync goes on; nothing when it can.

    Between waves that is the health of what was applied; and whatever was pruned has to be gone.
    """
    done = [one for one in tasks if one.key in results]
    several = len({one.wave for one in tasks}) > 1
    unhealthy = [one for one in done if several and not one.prunes and not _is_healthy(one, live)]
    if unhealthy:
        return _and_more("waiting for healthy state of", unhealthy)
    pruned = [one for one in done if results[one.key]["status"] == "Pruned" and live.get(one.key) is not None]
    return _and_more(DELETION, pruned) if pruned else ""


def _is_healthy(one: Managed, live: Live) -> bool:
    found = live.get(one.key)
    health = health_of(found) if found else None
    return health is None or health.status == HEALTHY


def _and_more(what: str, tasks: Sequence[Managed]) -> str:
    text = f"{what} {tasks[0].key}"
    return text if len(tasks) == 1 else f"{text} and {len(tasks) - 1} more resources"


def _run(one: Managed, wish: Object, around: Around) -> Object:
    try:
        status, text = _prune(one, wish, around) if one.target is None else _apply(one, one.target, wish, around)
    except ApiError as error:
        return _result(one, "SyncFailed", error.message, FAILED)
    return _result(one, status, text, RUNNING if status == "Synced" else SUCCEEDED)


def _prune(one: Managed, wish: Object, around: Around) -> tuple[str, str]:
    if not wish.get("prune"):
        return "PruneSkipped", "ignored (requires pruning)"
    if one.live is not None and annotated(one.live, "Prune=false"):
        return "PruneSkipped", "ignored (no prune)"
    around.live.delete(one.key, propagation(wish.get("syncOptions")))
    return "Pruned", "pruned"


def _apply(one: Managed, target: Object, wish: Object, around: Around) -> tuple[str, str]:
    made = around.live.apply(target)
    named = f"{one.key.kind.lower()}{'.' + one.key.group if one.key.group else ''}/{one.key.name}"
    if option(wish.get("syncOptions"), "ServerSideApply=true") or annotated(target, "ServerSideApply=true"):
        return "Synced", f"{named} serverside-applied"
    if one.live is None:
        return "Synced", f"{named} created"
    return "Synced", f"{named} {'unchanged' if comparable(made) == comparable(one.live) else 'configured'}"


def propagation(options: Sequence[str] | None) -> Propagation:
    if option(options, "PrunePropagationPolicy=background"):
        return "Background"
    return "Orphan" if option(options, "PrunePropagationPolicy=orphan") else "Foreground"


def _result(one: Managed, status: str, message: str, phase: str) -> Object:
    key = one.key
    return {
        "group": key.group,
        "version": one.version,
        "kind": key.kind,
        "namespace": key.namespace,
        "name": key.name,
        "status": status,
        "message": message,
        "hookPhase": phase,
        "syncPhase": "Sync",
    }


def _key(result: Object) -> Key:
    return Key(result["group"], result["kind"], result["namespace"], result["name"])


def _ended(state: Object, phase: str, message: str, results: Sequence[Object]) -> Object:
    result = {**state["syncResult"], **({"resources": list(results)} if results else {})}
    return {**state, "phase": phase, "message": message, "syncResult": result}


def retried(state: Object, now: datetime) -> Object:
    """Return a failed state as one that is tried again, or with the number of tries that were in vain."""
    retry = state["operation"].get("retry") or {}
    count, limit = state.get("retryCount", 0), retry.get("limit", 0)
    if limit < 0 or count < limit:
        at = retry_at(retry, count, now)
        text = f"{state['message']}. Retrying attempt #{count + 1} at {kitchen(at)}."
        return {**state, "phase": RUNNING, "finishedAt": stamp(now), "retryCount": count + 1, "message": text}
    return {**state, "message": f"{state['message']} (retried {count} times)."} if count else state


def retry_at(retry: Object, count: int, since: datetime) -> datetime:
    """Return when the attempt after `count` earlier retries begins."""
    pause = retry.get("backoff") or {}
    first = go_duration(pause["duration"]) if pause.get("duration") else FIRST_RETRY
    longest = go_duration(pause["maxDuration"]) if pause.get("maxDuration") else LONGEST_RETRY
    return since + min(first * power(pause.get("factor") or RETRY_FACTOR, min(count, 30)), longest)


def kitchen(at: datetime) -> str:
    """Write a time of day as Go's `Kitchen` does: 3:04PM."""
    return at.strftime("%I:%M%p").lstrip("0")
