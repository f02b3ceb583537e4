"""Scheduler and kubelet: bring pods from step to step, and end those that are to go."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime

from playground.kubernetes.controllers.containers import STEP_S, Around, Look, Told, wanted_look
from playground.kubernetes.controllers.forced import Forced
from playground.kubernetes.controllers.loop import Again, Key
from playground.kubernetes.controllers.objects import (
    Object,
    controller_of,
    is_going,
    name_of,
    namespace_of,
    spec_of,
    uid_of,
)
from playground.kubernetes.controllers.pods import Step, step, until_deadline_s
from playground.kubernetes.controllers.recorder import Recorder
from playground.kubernetes.controllers.volumes import claims_of, unbound
from playground.kubernetes.objects import Change
from playground.kubernetes.registry import Resource
from playground.kubernetes.store import Deletion, Store

DEADLINE_LOOK_S = 0.2
"""Between two looks at a pod that may be active for a while only: the clock can jump."""


class Kubelet:
    """`pullable` says whether an image is there. Pauses are real time; they begin anew after a restart."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        recorder: Recorder,
        forced: Forced,
        pullable: Callable[[str], bool],
    ) -> None:
        self._store = store
        self._clock = clock
        self._recorder = recorder
        self._forced = forced
        self._pullable = pullable
        self._not_before: dict[str, float] = {}
        self._pulls: dict[str, int] = {}
        self._ending: dict[str, float] = {}

    def concerns(self, resource: Resource, change: Change) -> Iterable[Key]:
        if resource.key == ("", "pods"):
            if change.what == "DELETED":
                self._forget(uid_of(change.object))
                self._ending.pop(uid_of(change.object), None)
            else:
                yield namespace_of(change.object), name_of(change.object)
        elif resource.key == ("", "persistentvolumeclaims"):
            for pod in self._store.objects.all(("", "pods"), namespace_of(change.object)):
                if not spec_of(pod).get("nodeName") and name_of(change.object) in claims_of(pod):
                    yield namespace_of(pod), name_of(pod)

    def reconcile(self, key: Key) -> Again:
        namespace, name = key
        pod = self._store.get("", "Pod", namespace, name)
        if pod is None:
            return None
        left = self._not_before.get(uid_of(pod), 0.0) - time.monotonic()
        if left > 0 and not is_going(pod):
            return left
        if is_going(pod):
            return self._end(pod)
        return self._advance(pod)

    def hurry(self, pod: Object) -> None:
        """Forget the pause of a pod: what it waits for may have changed."""
        self._forget(uid_of(pod))

    def _forget(self, uid: str) -> None:
        self._not_before.pop(uid, None)
        self._pulls.pop(uid, None)

    def _advance(self, pod: Object) -> Again:
        forced = self._forced.look(pod)
        if forced is Look.PENDING and spec_of(pod).get("nodeName") and controller_of(pod):
            self._store.delete("", "Pod", namespace_of(pod), name_of(pod))  # what takes its place finds no node
            return None
        fitting = self._store.list("", "Node", labels=spec_of(pod).get("nodeSelector"))
        around = Around(
            now=self._clock(),
            look=forced or wanted_look(pod),
            pullable=self._pullable,
            missing=lambda container: self._missing(pod, container),
            pulls=self._pulls.get(uid_of(pod), 0),
            nodes=[name_of(node) for node in fitting],
            others=len(self._store.list("", "Node")) - len(fitting),
            unbound=unbound(self._store, pod),
        )
        taken = step(pod, around)
        again = self._take(pod, taken) if taken else None
        return DEADLINE_LOOK_S if again is None and until_deadline_s(pod, self._clock()) is not None else again

    def _take(self, pod: Object, taken: Step) -> Again:
        uid = uid_of(pod)
        if taken.failed_pulls:
            self._pulls[uid] = self._pulls.get(uid, 0) + 1
        if taken.pause_s is not None:
            self._not_before[uid] = time.monotonic() + taken.pause_s
        if taken.node:
            pod["spec"]["nodeName"] = taken.node
            pod = self._store.update(pod, manager="kube-scheduler")
        self._store.update({**pod, "status": taken.status}, manager="kubelet", subresource="status")
        for told in taken.told:  # whoever reads an event finds the pod as it says
            self._tell(pod, told)
        return taken.pause_s

    def _tell(self, pod: Object, told: Told) -> None:
        field = f"spec.containers{{{told.container}}}" if told.container else ""
        self._recorder.record(pod, told.reason, told.message, told.kind, component=told.component, field=field)

    def _end(self, pod: Object) -> Again:
        """Stop a pod's containers, then let it go."""
        uid = uid_of(pod)
        if uid not in self._ending:
            self._ending[uid] = time.monotonic() + STEP_S
            for container in spec_of(pod)["containers"]:
                name = container["name"]
                self._tell(pod, Told("Killing", f"Stopping container {name}", container=name))
        left = self._ending[uid] - time.monotonic()
        if left > 0:
            return left
        _, gone = self._store.delete("", "Pod", namespace_of(pod), name_of(pod), Deletion(grace_period_s=0, uid=uid))
        return None if gone else STEP_S

    def _missing(self, pod: Object, container: Object) -> str:
        references = [variable.get("valueFrom") or {} for variable in container.get("env") or []]
        for reference in references:
            for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                if field in reference and (problem := self._absent(pod, kind, reference[field])):
                    return problem
        for source in container.get("envFrom") or []:
            for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
                if field in source and (problem := self._absent(pod, kind, source[field])):
                    return problem
        return ""

    def _absent(self, pod: Object, kind: str, reference: Object) -> str:
        if reference.get("optional"):
            return ""
        found = self._store.get("", kind, namespace_of(pod), reference["name"])
        if found is None:
            return f'{kind.lower()} "{reference["name"]}" not found'
        key = reference.get("key")
        held = {**(found.get("data") or {}), **(found.get("stringData") or {}), **(found.get("binaryData") or {})}
        if key is not None and key not in held:
            return f"couldn't find key {key} in {kind} {namespace_of(pod)}/{reference['name']}"
        return ""
