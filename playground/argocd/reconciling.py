"""One application's next step: compare, begin a sync, take a sync further, or tidy up behind what is going."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from playground.argocd import status as told
from playground.argocd.automation import decide
from playground.argocd.comparison import Comparison, compare, unreadable
from playground.argocd.live import Live, key_of
from playground.argocd.projects import spec_errors
from playground.argocd.sources import SourceError, Sources, Target
from playground.argocd.sync import (
    ERROR,
    FAILED,
    RUNNING,
    SUCCEEDED,
    TERMINATING,
    Around,
    annotated,
    retried,
    retry_at,
    step,
)
from playground.argocd.tree import resource_tree, summary
from playground.argocd.windows import matching, may_sync
from playground.kubernetes.controllers.objects import (
    Object,
    is_going,
    meta,
    name_of,
    read_stamp,
    spec_of,
    stamp,
    status_of,
)
from playground.kubernetes.controllers.recorder import Recorder
from playground.kubernetes.store import Propagation, Store

GROUP, NAMESPACE = "argoproj.io", "argocd"
FINALIZER = "resources-finalizer.argocd.argoproj.io"
FINALIZERS: dict[str, Propagation] = {
    FINALIZER: "Foreground",
    f"{FINALIZER}/foreground": "Foreground",
    f"{FINALIZER}/background": "Background",
}
COMPONENT = "argocd-application-controller"
RESYNC = timedelta(minutes=2)
"""Until an invalid application is looked at again: nobody tells of a project that was made or changed."""
SOON_S = 0.05
"""Until the next look at something that goes on, in real seconds."""
Again = float | datetime | None
"""When to look again: in so many real seconds, at a time of the playground's clock, or when something changes."""


class Reconciler:
    def __init__(self, store: Store, clock: Callable[[], datetime], live: Live, sources: Sources) -> None:
        self._store = store
        self._clock = clock
        self._live = live
        self._sources = sources
        self._recorder = Recorder(store, clock)
        self._paused: dict[str, float] = {}
        self.fresh: set[str] = set()
        """Applications whose repository was asked for anew, not only the cluster."""

    def application(self, name: str) -> Object | None:
        return self._store.get(GROUP, "Application", NAMESPACE, name)

    def project_of(self, application: Object) -> Object | None:
        return self._store.get(GROUP, "AppProject", NAMESPACE, spec_of(application).get("project") or "default")

    async def reconcile(self, name: str) -> Again:
        application = self.application(name)
        if application is None:
            self.fresh.discard(name)
            return None
        if told.refresh_asked(application) == "hard":
            self._sources.forget()
        target = await self._target(application)
        application = self.application(name)  # it may have changed meanwhile; from here on nobody comes between
        return None if application is None else self._step(application, target)

    async def _target(self, application: Object) -> Target | SourceError:
        """Read what Git wants: at the revision of the operation that goes on, else at the one that is followed."""
        wish, state = application.get("operation") or {}, status_of(application).get("operationState") or {}
        revision = (wish.get("sync") or {}).get("revision") or ""
        if wish and state.get("phase") == RUNNING:
            revision = (state.get("syncResult") or {}).get("revision") or revision
        try:
            return await self._sources.target(spec_of(application).get("source") or {}, revision)
        except SourceError as error:
            return error

    def _step(self, application: Object, target: Target | SourceError) -> Again:
        name = name_of(application)
        fresh = name in self.fresh or bool(told.refresh_asked(application))
        self.fresh.discard(name)
        told.without_refresh(application)
        if application.get("operation") is None and is_going(application):
            return self._finalize(application)
        project = self.project_of(application)
        problems = spec_errors(application, project)
        if problems or project is None:
            self._invalid(application, problems)
            return self._clock() + RESYNC
        compared = self._compare(application, project, target)
        if application.get("operation"):
            return self._operate(application, project, compared)
        return self._settle(application, project, compared, fresh=fresh)

    def _compare(self, application: Object, project: Object, target: Target | SourceError) -> Comparison:
        if isinstance(target, SourceError):
            return unreadable(application, self._live, str(target))
        return compare(application, project, self._live, target.objects, target.revision)

    def _invalid(self, application: Object, problems: Sequence[str]) -> None:
        status = told.invalid(application, problems, self._clock())
        if application.get("operation"):
            state = told.started(application, self._clock())
            text = ";".join(f"InvalidSpecError: {problem}" for problem in problems)
            status["operationState"] = self._over({**state, "phase": ERROR, "message": text}, application)
        self._write(application, status)

    # --- comparing

    def _settle(self, application: Object, project: Object, found: Comparison, *, fresh: bool) -> Again:
        """Write down a comparison, and begin an automated sync where one is due."""
        now = self._clock()
        tree = resource_tree(self._live, found.managed)
        fresh = fresh or self._moved(application, found)
        status = told.compared(application, found, summary(tree), now, fresh=fresh)
        windows = matching(project, application)
        if not may_sync(windows, now, by_hand=False):
            self._write(application, status)
            return next_minute(now)
        decision = decide(application, found, now)
        problems = [("SyncError", decision.problem)] if decision.problem else []
        status = told.with_conditions(status, problems, told.OF_SYNC, now)
        waits = self._pause_left(name_of(application), decision.pause_s)
        if decision.operation and not waits:
            application["operation"] = decision.operation
            text = f"Initiated automated sync to ['{found.revision}']"
            self._recorder.record(application, "OperationStarted", text, component=COMPONENT)
        self._write(application, status)
        return waits or (next_minute(now) if windows else None)

    def _moved(self, application: Object, found: Comparison) -> bool:
        before = status_of(application).get("sync", {})
        same_spec = before.get("comparedTo") == told.compared_to(application)
        return not same_spec or before.get("revision", "") != found.revision

    def _pause_left(self, name: str, pause_s: float) -> float:
        """Return the rest of the pause before the same thing is healed again."""
        if not pause_s:
            self._paused.pop(name, None)
            return 0.0
        now = asyncio.get_running_loop().time()
        left = self._paused.setdefault(name, now + pause_s) - now
        if left <= 0:
            del self._paused[name]
        return max(left, 0.0)

    # --- syncing

    def _operate(self, application: Object, project: Object, found: Comparison) -> Again:
        """Take the operation that is going on one step further."""
        now, status = self._clock(), status_of(application)
        before = status.get("operationState") or {}
        state = before
        if before.get("phase") not in {RUNNING, TERMINATING}:
            state = told.started(application, now)
        elif before["phase"] == RUNNING and before.get("finishedAt"):
            retry = before["operation"].get("retry") or {}
            due = retry_at(retry, before["retryCount"] - 1, read_stamp(before["finishedAt"]))
            if now < due:
                return due
            state = again(before)
        state = self._stepped(state, application, project, found)
        if state["phase"] in {FAILED, ERROR} and before.get("phase") != TERMINATING:
            state = retried(state, now)
        if state["phase"] in {SUCCEEDED, FAILED, ERROR}:
            state = self._over(state, application)
            status = told.with_history(status, state, spec_of(application).get("revisionHistoryLimit", told.KEPT), now)
            self.fresh.add(name_of(application))
        self._write(application, {**status, "operationState": state})
        return SOON_S

    def _stepped(self, state: Object, application: Object, project: Object, found: Comparison) -> Object:
        if state["phase"] == TERMINATING:
            return {**state, "phase": FAILED, "message": "Operation terminated"}
        by_hand = not (state["operation"].get("initiatedBy") or {}).get("automated")
        if not may_sync(matching(project, application), self._clock(), by_hand=by_hand):
            return {**state, "message": "Sync operation blocked by sync window"}
        if found.problem:
            return {**state, "phase": ERROR, "message": f"ComparisonError: {found.problem}"}
        state = {**state, "syncResult": {**state["syncResult"], "revision": found.revision}}
        return step(state, Around(self._live, application, project, found))

    def _over(self, state: Object, application: Object) -> Object:
        """End an operation: it leaves the application's `operation`, and an event tells of it."""
        application.pop("operation", None)
        partial = "Partial sync" if state["operation"]["sync"].get("resources") else "Sync"
        text = f"{partial} operation to {state['syncResult'].get('revision', '')}"
        good = state["phase"] == SUCCEEDED
        text = f"{text} succeeded" if good else f"{text} failed: {state['message']}"
        kind = "Normal" if good else "Warning"
        self._recorder.record(application, "OperationCompleted", text, kind, component=COMPONENT)
        return {**state, "finishedAt": stamp(self._clock())}

    # --- the end

    def _finalize(self, application: Object) -> Again:
        """Delete what belongs to an application that is going, then let it go."""
        mine = [word for word in meta(application).get("finalizers") or [] if word in FINALIZERS]
        if not mine:
            return None
        if self.project_of(application) is None:
            named = spec_of(application).get("project") or "default"
            text = f'error getting app project "{named}": appproject.argoproj.io "{named}" not found'
            problems = [("DeletionError", text)]
            self._write(
                application, told.with_conditions(status_of(application), problems, ("DeletionError",), self._clock())
            )
            return None
        left = [obj for obj in self._live.tracked(name_of(application)) if not annotated(obj, "Delete=false")]
        left = [obj for obj in left if key_of(obj) != key_of(application)]
        for obj in left:
            if not is_going(obj):
                self._live.delete(key_of(obj), FINALIZERS[mine[0]])
        if left:
            return SOON_S
        for word in mine:
            self._store.release(GROUP, "Application", NAMESPACE, name_of(application), word)
        return None

    def _write(self, application: Object, status: Object) -> None:
        self._store.update({**application, "status": status}, manager=COMPONENT)


def again(state: Object) -> Object:
    """Return the state of an operation whose next attempt begins."""
    result = {key: value for key, value in state["syncResult"].items() if key != "resources"}
    kept = {key: value for key, value in state.items() if key != "finishedAt"}
    return {**kept, "syncResult": result, "message": f"Retrying operation. Attempt #{state['retryCount']}"}


def next_minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)
