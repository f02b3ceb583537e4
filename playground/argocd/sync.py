"""A sync: bring the cluster to what stands in Git, wave by wave, in Argo CD's order and words.

Each call takes the operation's state one step further; between waves it waits for the health of what was applied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
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
    if not state["syncResult"].get("resources"):
        namespace = _namespace(wish, around)
        refused = _refused(namespace, tasks, around)
        if refused:
            return _ended(state, FAILED, "one or more synchronization tasks are not valid", refused)
        if wish.get("dryRun"):  # Argo CD's own asks nobody either, so that it finds nothing of what would be refused
            return _ended(state, SUCCEEDED, "successfully synced (all tasks run)", [])
        state = _begun(state, namespace, around)
    return _wave(state, tasks, around)


def _tasks(wish: Object, managed: Sequence[Managed]) -> dict[int, list[Managed]]:
    """Return what is to be done, wave by wave, each in the order in which it happens."""
    chosen = wish.get("resources") or []
    tasks = [one for one in managed if one.status and (not chosen or any(_named(one.key, c) for c in chosen))]
    turned = _turned(tasks)
    if option(wish.get("syncOptions"), "PruneLast=true"):
        turned = dict.fromkeys(turned, max((one.wave for one in tasks), default=0) + 1)
    waves: dict[int, list[Managed]] = {}
    for one in tasks:
        waves.setdefault(turned[one.wave] if one.prunes else one.wave, []).append(one)
    return {wave: sorted(waves[wave], key=lambda one: (not one.prunes, *order(one.key))) for wave in sorted(waves)}


def _turned(tasks: Sequence[Managed]) -> dict[int, int]:
    """Return for each wave the one in which what was made in it is pruned: what came first goes last."""
    waves = sorted({one.wave for one in tasks if one.prunes})
    return dict(zip(waves, reversed(waves), strict=True))


def order(key: Key) -> tuple[int, str, str]:
    """Kinds that nobody ranked, such as Application and AppProject, come among one another by name."""
    rank = KIND_ORDER.index(key.kind) if key.kind in KIND_ORDER else len(KIND_ORDER)
    return rank, key.name, key.kind


def _named(key: Key, chosen: Object) -> bool:
    same = (chosen.get("group", ""), chosen["kind"], chosen["name"]) == (key.group, key.kind, key.name)
    return same and chosen.get("namespace", key.namespace) == key.namespace


def _namespace(wish: Object, around: Around) -> Object | None:
    """Return the namespace to begin with: one that is missing, or one whose labels are kept up, each time."""
    name = spec_of(around.application)["destination"].get("namespace", "")
    if not name or not option(wish.get("syncOptions"), "CreateNamespace=true"):
        return None
    told = (spec_of(around.application).get("syncPolicy") or {}).get("managedNamespaceMetadata")
    if told is None and around.live.get(Key("", "Namespace", "", name)) is not None:
        return None
    metadata: Object = {"name": name}
    if told is not None:
        metadata["labels"] = told.get("labels") or {}
        metadata["annotations"] = {**(told.get("annotations") or {}), OPTIONS: "ServerSideApply=true"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _begun(state: Object, namespace: Object | None, around: Around) -> Object:
    """Return the state once the namespace is there."""
    if namespace is None:
        return state
    around.live.apply(namespace)
    how, phase = ("serverside-applied", SUCCEEDED) if "annotations" in namespace["metadata"] else ("created", RUNNING)
    told = f"namespace/{namespace['metadata']['name']} {how}"
    result = {**_of_namespace(namespace), "status": "Synced", "message": told, "hookPhase": phase}
    return {**state, "syncResult": {**state["syncResult"], "resources": [result]}}


def _of_namespace(namespace: Object) -> Object:
    name = namespace["metadata"]["name"]
    return {"group": "", "version": "v1", "kind": "Namespace", "namespace": "", "name": name, "syncPhase": "PreSync"}


def _refused(namespace: Object | None, tasks: Mapping[int, Sequence[Managed]], around: Around) -> list[Object]:
    """Return what the project does not permit, or the cluster does not know."""
    found = []
    if namespace is not None and (text := task_error(around.project, "", "Namespace", "")):
        found.append({**_of_namespace(namespace), "status": "SyncFailed", "message": text})
    for one in chain(*tasks.values()):
        if text := _refusal(one.key, around):
            result = _result(one, "SyncFailed", text, FAILED)
            found.append({part: said for part, said in result.items() if part not in {"hookPhase", "images"}})
    return found


def _refusal(key: Key, around: Around) -> str:
    resource = around.live.resource(key.group, key.kind)
    if resource is not None:
        return task_error(around.project, key.group, key.kind, key.namespace if resource.namespaced else "")
    kind = f"{key.group}/{key.kind}" if key.group else key.kind
    return (
        f"The Kubernetes API could not find {kind} for requested resource {key.namespace}/{key.name}. Make sure the "
        f'"{key.kind}" CRD is installed on the destination cluster.'
    )


def _wave(state: Object, tasks: Mapping[int, Sequence[Managed]], around: Around) -> Object:
    told = state["syncResult"].get("resources") or []
    results = {_key(one): one for one in told}
    waits = _waits(tasks, results, around.live)
    if waits:
        return {**state, "message": waits}
    pending = [wave for wave in tasks if not all(one.key in results for one in tasks[wave])]
    if not pending:
        return _ended(state, SUCCEEDED, "successfully synced (no more tasks)", told)
    now = [one for one in tasks[pending[0]] if one.key not in results]
    made = {one.key: _run(one, state["operation"]["sync"], around) for one in now}
    told = [*told, *made.values()]
    failed = [result["message"] for result in made.values() if result["status"] == "SyncFailed"]
    if failed:
        text = f"one or more objects failed to apply, reason: {','.join(failed)}"
        return _ended(state, FAILED, text, told)
    waits = _waits(tasks, {**results, **made}, around.live)
    if len(pending) == 1 and not waits.startswith(DELETION):
        return _ended(state, SUCCEEDED, "successfully synced (all tasks run)", told)
    return {**state, "message": waits, "syncResult": {**state["syncResult"], "resources": told}}


def _waits(tasks: Mapping[int, Sequence[Managed]], results: Mapping[Key, Object], live: Live) -> str:
    """Return what has to happen before the sync goes on; nothing when it can.

    Between waves that is the health of what was applied; and whatever was pruned has to be gone.
    """
    done = [one for one in chain(*tasks.values()) if one.key in results]
    unhealthy = [one for one in done if len(tasks) > 1 and not one.prunes and not _is_healthy(one, live)]
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
    key, images = one.key, _images(one.target or one.live or {})
    return {
        **({"images": images} if images else {}),
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


def _images(obj: Object) -> list[str]:
    """Return the images of a pod, or of what makes pods."""
    spec = obj.get("spec") or {}
    template = (spec.get("jobTemplate") or {}).get("spec", {}).get("template") or spec.get("template")
    of_pods = template.get("spec") or {} if isinstance(template, dict) else spec
    containers = of_pods.get("containers") if isinstance(of_pods, dict) else None
    return [one["image"] for one in containers or [] if isinstance(one, dict) and "image" in one]


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
