"""What a deletion costs and leaves, in the words of its card. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.databases.deleting import DeleteFacts
from bot.databases.wording import engine_name, monthly
from bot.ports import Object
from bot.rendering.stores import Store


def keeps_backups(store: Store) -> bool:
    """Return whether CloudNativePG keeps backups of it: objects in its namespace."""
    return store.settings.provider == "cloudnativepg" and store.settings.backups.method != "none"


def what_is_lost(facts: DeleteFacts, lifted: Iterable[Object], backup: Object | None) -> Sequence[str]:
    """Return what an approver reads first. `lifted` is all that is delivered before it goes, `backup` the last one."""
    snapshot = snapshot_of(lifted)
    store, currency = facts.store, facts.here.place.platform.currency
    last = facts.last_backup
    but = ", except its backups" if backup is not None or snapshot else ""
    cost = monthly(store.monthly_cost, currency)
    told = [
        f"Nothing brings back what is in it{but}.",
        f"{engine_name(store.engine)}, {store.size_name}: {store.size.storage} of disk, {cost}.",
        f"Last backup: {last.at:%d %B %Y, %H:%M} UTC." if last.at is not None else f"Last backup: {last.why_not}.",
    ]
    if backup is not None:
        told.append("One more backup is made before; where that fails, nothing is deleted.")
    elif snapshot:
        told.append(f"The cloud makes a last snapshot of it, {snapshot}, as it deletes it.")
    else:
        told.append("No last backup is made: nobody keeps any here.")
    if facts.here.release is not None and facts.here.release.current is not None and facts.leftover is None:
        told.append(f"{store.service} uses it, and starts anew without it.")
    return told


def snapshot_of(lifted: Iterable[Object]) -> str:
    """Return what the cloud calls the snapshot that it makes of a database that it deletes."""
    for obj in lifted:
        spec = obj.get("spec")
        parameters = spec.get("forProvider") if isinstance(spec, dict) else None
        if isinstance(parameters, dict) and not parameters.get("skipFinalSnapshotBeforeDeletion"):
            return str(parameters.get("finalDBSnapshotIdentifier") or "")
    return ""


def what_stays(store: Store, lifted: Iterable[Object]) -> Sequence[str]:
    """Return what the receipt says beside the proofs: what is kept where nobody can look."""
    snapshot = snapshot_of(lifted)
    if snapshot:
        return [f"Kept: the snapshot {snapshot} in the cloud ({store.settings.region}), until somebody deletes it."]
    if store.settings.provider == "claim":
        whom = store.settings.contact or "the platform team"
        return [f"Whether a copy of it is kept somewhere, Causeway cannot see. Ask {whom}."]
    if store.file:
        return [f"{store.file} is gone from Git; whatever reads it deletes the database itself."]
    return []
