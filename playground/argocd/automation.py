"""When an application syncs by itself, and when it does not although it is out of sync."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from playground.argocd.comparison import OUT_OF_SYNC, SYNCED, Comparison
from playground.argocd.sync import ATTEMPTS
from playground.kubernetes.controllers.objects import Object, is_going, read_stamp, spec_of, status_of

COOLDOWN = timedelta(minutes=5)
"""After so long without healing, the next time is the first again."""
FIRST_PAUSE_S, PAUSE_FACTOR, LONGEST_PAUSE_S = 0.1, 3, 5.0
"""Between attempts to heal what somebody else changes back, in real seconds: 50 times faster than Argo CD's."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The operation that is to begin, or why none does (for a `SyncError`)."""

    operation: Object | None = None
    problem: str = ""
    pause_s: float = 0.0
    """How long to wait, in real seconds, before `operation` may begin."""


def decide(application: Object, found: Comparison, now: datetime) -> Decision:
    """Say what automated sync does about a comparison."""
    policy = spec_of(application).get("syncPolicy") or {}
    automated = policy.get("automated")
    if automated is None or automated.get("enabled") is False or application.get("operation") or is_going(application):
        return Decision()
    if found.status != OUT_OF_SYNC:
        return Decision()
    pruning_only = all(one.prunes for one in found.managed if one.status != SYNCED)
    if pruning_only and not automated.get("prune"):
        return Decision()
    operation = automatic(application, found.revision)
    decision = _again(application, found, operation, now)
    if decision is not None:
        return decision
    if automated.get("prune") and not automated.get("allowEmpty") and all(one.prunes for one in found.managed):
        text = f"Skipping sync attempt to [{found.revision}]: auto-sync will wipe out all resources"
        return Decision(problem=text)
    return Decision(operation)


def automatic(application: Object, revision: str) -> Object:
    """Return the operation of an automated sync."""
    policy = spec_of(application)["syncPolicy"]
    sync: Object = {"revision": revision, "source": spec_of(application)["source"]}
    if policy["automated"].get("prune"):
        sync["prune"] = True
    if policy.get("syncOptions"):
        sync["syncOptions"] = policy["syncOptions"]
    retry = {"limit": ATTEMPTS} if policy.get("retry") is None else told(policy["retry"])
    return {"sync": sync, "initiatedBy": {"automated": True}, "retry": retry}


def told(retry: Object) -> Object:
    """Return a retry strategy as Argo CD writes it: without a limit of none."""
    return {part: value for part, value in retry.items() if value != 0}


def _again(application: Object, found: Comparison, operation: Object, now: datetime) -> Decision | None:
    """Decide about a revision that was synced before; None for one that was not."""
    last = status_of(application).get("operationState")
    if not last or not _same_attempt(application, found, last):
        return None
    if last["phase"] != "Succeeded":
        attempted = last.get("syncResult", {}).get("revision", "")
        return Decision(problem=f"Failed last sync attempt to [{attempted}]: {last.get('message', '')}")
    if not spec_of(application)["syncPolicy"]["automated"].get("selfHeal"):
        return Decision()
    ended = read_stamp(last["finishedAt"])
    count = 0 if now - ended > COOLDOWN else last["operation"]["sync"].get("autoHealAttemptsCount", 0)
    operation["sync"]["autoHealAttemptsCount"] = count + 1
    changed = [one.key for one in found.managed if one.status != SYNCED]
    operation["sync"]["resources"] = [_named(key.group, key.kind, key.name) for key in changed]
    pause_s = min(FIRST_PAUSE_S * PAUSE_FACTOR ** (count - 1), LONGEST_PAUSE_S) if count else 0.0
    return Decision(operation, pause_s=pause_s)


def _same_attempt(application: Object, found: Comparison, last: Object) -> bool:
    result = last.get("syncResult")
    if result is None:
        return last["phase"] in {"Succeeded", "Failed", "Error"}
    return bool(result["revision"] == found.revision and result.get("source") == spec_of(application)["source"])


def _named(group: str, kind: str, name: str) -> Object:
    return {"kind": kind, "name": name, **({"group": group} if group else {})}
