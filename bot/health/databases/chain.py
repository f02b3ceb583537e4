"""Why a database of Crossplane is not ready: from the claim to the composite to what stands for a thing in a cloud."""

from __future__ import annotations

from bot.health.databases import cloud
from bot.health.databases.facts import DatabaseFacts, Link
from bot.health.reason import Reason
from bot.health.words import said

_WAITING = frozenset(("Creating", "Waiting", "Available", "ReconcileSuccess", ""))
_GRAVE_STATES = {
    "failed": "the cloud says that it has failed",
    "storage-full": "its storage is full",
    "incompatible-parameters": "the cloud says that its parameters do not fit together",
    "incompatible-network": "the cloud says that its network does not fit",
    "incompatible-restore": "the cloud cannot restore it",
    "inaccessible-encryption-credentials": "the cloud cannot use the key that it is encrypted with",
    "stopped": "it is stopped in the cloud",
}


def reason(facts: DatabaseFacts) -> Reason | None:
    """Return what the deepest link says that is neither ready nor on its way; None when nothing is against them."""
    unready = [one for one in facts.chain if not one.is_ready]
    if not facts.chain or facts.chain[0].is_ready:
        return None
    for link in reversed(unready):
        found = _of_link(facts, link)
        if found is not None:
            return found
    return _silent(facts, unready[-1])


def _told(facts: DatabaseFacts, link: Link, why: str, step: str, *evidence: str, final: bool = False) -> Reason:
    path = [_line(one) for one in facts.chain if one.below or one is link]
    return Reason(f"{facts.database.subject} is not ready: {why}.", step, (*path, *evidence), final, facts.database.ask)


def _line(link: Link) -> str:
    if link.problem:
        return f"{link.ref.kind} {link.ref.name}: {link.problem}"
    told = ", ".join(f"{one.type}={one.status}" for one in link.conditions if one.type in ("Synced", "Ready"))
    return f"{link.ref.kind} {link.ref.name}: {told or 'nothing said'}"


def _of_link(facts: DatabaseFacts, link: Link) -> Reason | None:
    what = f"{link.ref.kind} {link.ref.name}"
    if link.problem == "unknown":
        group = link.ref.api_version.partition("/")[0]
        why = f"the cluster does not know the kind {link.ref.kind} of {group}, so its provider is not installed there"
        return _told(facts, link, why, "Have it installed.", final=True)
    if link.problem == "refused":
        return _told(
            facts,
            link,
            f"it waits for {what}, which I may not read",
            f"Let our account `get` {link.ref.kind} objects of {link.ref.api_version.partition('/')[0]}.",
        )
    if link.problem == "missing":
        return _told(facts, link, f"its part {what} does not exist", "Wait until Crossplane has made it again.")
    if link.paused:
        return _told(facts, link, f"somebody has paused {what}", "Have it unpaused.", final=True)
    if link.leaving:
        return _told(facts, link, f"its part {what} is being deleted", "Wait until it is gone; it is made anew then.")
    if link.state in _GRAVE_STATES:
        return _told(facts, link, _GRAVE_STATES[link.state], "Have it looked at in the cloud.", final=True)
    return _failing(facts, link)


def _failing(facts: DatabaseFacts, link: Link) -> Reason | None:
    synced, ready = link.condition("Synced"), link.condition("Ready")
    if synced is not None and synced.status == "False":
        message = synced.message or _warning(facts, link)
        answer = cloud.explained(message, link.provider_config)
        if answer is None:
            why = f"Crossplane cannot make {link.ref.kind} {link.ref.name} ({synced.reason})"
            return _told(facts, link, why, "Have it looked at in Crossplane's log.")
        return _told(facts, link, answer.cause, answer.next_step, *_quoted(message), final=answer.final)
    warning = _warning(facts, link)
    if ready is not None and ready.status == "False" and ready.reason not in _WAITING:
        why = said(ready.message) or f"{link.ref.kind} {link.ref.name} is {ready.reason}"
        return _told(facts, link, why, "Have it looked at in the cloud.", *_quoted(warning))
    if warning and not link.says("Synced", "True"):
        answer = cloud.explained(warning, link.provider_config)
        if answer is not None:
            return _told(facts, link, answer.cause, answer.next_step, *_quoted(warning), final=answer.final)
    return None


def _warning(facts: DatabaseFacts, link: Link) -> str:
    events = facts.events_of(link.ref.kind, link.ref.name)
    return next((one.message for one in reversed(events) if one.warning), "")


def _quoted(message: str) -> tuple[str, ...]:
    return (cloud.quoted(message),) if message else ()


def _silent(facts: DatabaseFacts, link: Link) -> Reason | None:
    """Nobody has said anything of it: whoever should work on it does not run."""
    if link.conditions:
        return None
    return _told(
        facts,
        link,
        f"Crossplane has not taken up {link.ref.kind} {link.ref.name}",
        "Have somebody look whether Crossplane and its provider run.",
    )
