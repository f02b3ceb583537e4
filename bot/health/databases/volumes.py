"""Why a database has no volume."""

from __future__ import annotations

import re

from bot.health.databases.facts import DatabaseFacts
from bot.health.facts import Claim
from bot.health.reason import Reason
from bot.health.words import said

_NO_CLASS = re.compile(r"storageclass\.storage\.k8s\.io \\?\"(?P<name>[^\"\\]+)\\?\" not found")
_FULL = re.compile(
    r"ResourceExhausted|[Ii]nsufficient (?:capacity|space|free)|no space|quota|limit exceeded|not enough", re.IGNORECASE
)
_NO_DEFAULT = re.compile(r"no persistent volumes available for this claim and no storage class is set")
_QUIET = frozenset(("WaitForFirstConsumer", "Provisioning", "ExternalProvisioning", "WaitForPodScheduled"))
_EXTERNAL = re.compile(
    r"^failed to provision volume with StorageClass \\?\"[^\"\\]+\\?\": |rpc error: code = \w+ desc = "
)


def reason(facts: DatabaseFacts) -> Reason | None:
    """Return what keeps a volume from being there; None when all are, or only wait for their pod."""
    for claim in facts.claims:
        if claim.phase == "Lost":
            return _reason(
                facts, claim, "is lost: what it stood on is gone", "Restore it from a backup.", "", final=True
            )
        if claim.phase == "Pending":
            found = _pending(facts, claim)
            if found is not None:
                return found
    return None


def _pending(facts: DatabaseFacts, claim: Claim) -> Reason | None:
    events = facts.events_of("PersistentVolumeClaim", claim.name)
    told = next((one.message for one in reversed(events) if one.reason not in _QUIET), "")
    missing = _NO_CLASS.search(told)
    known = facts.storage_classes
    absent = missing["name"] if missing is not None else ""
    if not told and known is not None and claim.storage_class and claim.storage_class not in known:
        absent = claim.storage_class
    if absent:
        why = f"cannot be made, because the storage class {absent} does not exist"
        return _reason(facts, claim, why, "Have that class made, or another one chosen.", told, final=True)
    if _NO_DEFAULT.search(told):
        why = "cannot be made, because no storage class was chosen and the cluster has no default one"
        return _reason(facts, claim, why, "Have a default storage class set, or one chosen.", told, final=True)
    if not told:
        return None
    detail = said(_EXTERNAL.sub("", told))
    if _FULL.search(told):
        step = "Choose a smaller size, or have more storage made available."
        # Somebody has to act: a full pool or a quota does not grow by being waited for.
        why = f"cannot be made, because there is no room for it ({detail})"
        return _reason(facts, claim, why, step, told, final=True)
    return _reason(facts, claim, f"cannot be made ({detail})", "Wait: it is tried again by itself.", told)


def _reason(facts: DatabaseFacts, claim: Claim, why: str, step: str, told: str, *, final: bool = False) -> Reason:
    kind = f", storage class {claim.storage_class}" if claim.storage_class else ""
    size = f" ({claim.size}{kind})" if claim.size else ""
    main = facts.database.main
    phase = facts.instances.phase if facts.instances is not None else ""
    chain = [f"{main.kind} {main.name}: {phase or 'nothing said'}"] if main is not None else []
    chain.append(f"PersistentVolumeClaim {claim.name}: {claim.phase}")
    chain += [f"Event: {said(told)}"] if told else []
    return Reason(
        f"{facts.database.subject} is not ready: its volume {claim.name}{size} {why}.",
        step,
        tuple(chain),
        final,
        facts.database.ask,
    )
