"""Why a database is not ready, from its main object down to what lies deepest. Pure: same facts, same words."""

from __future__ import annotations

from bot.health.databases import chain, instances
from bot.health.databases.facts import DatabaseFacts
from bot.health.databases.readiness import has_secret, main_is_ready
from bot.health.reason import Reason
from bot.health.words import listed

_OPERATORS = {"cloudnativepg": "CloudNativePG", "crossplane": "Crossplane's provider", "claim": "Crossplane"}


def why_not_ready(facts: DatabaseFacts) -> Reason | None:
    """Return the reason that lies deepest, or None when it is ready."""
    return (
        _secret_alone(facts)
        or _unknown_kind(facts)
        or _not_there(facts)
        or _leaving(facts)
        or (instances.reason(facts) if facts.instances is not None else None)
        or (chain.reason(facts) if facts.chain else None)
        or _without_secret(facts)
        or _blind(facts)
        or _slow(facts)
    )


def looks_stuck(facts: DatabaseFacts) -> bool:
    """Return whether something is wrong that waiting does not mend."""
    reason = why_not_ready(facts)
    return reason is not None and reason.final


def _secret_alone(facts: DatabaseFacts) -> Reason | None:
    """What somebody else makes from a file in Git tells of itself only by its Secret."""
    database = facts.database
    if database.main is not None or facts.secret_seen:
        return None
    if facts.secret_seen is None:
        return Reason(
            f"Whether the database {database.name} is ready cannot be seen: I may not look whether its Secret "
            f"{database.secret} is there.",
            f"Keep things as they are once it is there, or let our account `get` Secrets in {database.namespace}.",
            final=True,
            ask=database.ask,
        )
    return Reason(
        f"{database.subject} is not ready: its Secret {database.secret} is not in {database.namespace} yet.",
        "Wait until what reads the file in Git has made it.",
        ask=database.ask,
    )


def _unknown_kind(facts: DatabaseFacts) -> Reason | None:
    main = facts.database.main
    if facts.installed or main is None:
        return None
    operator = _OPERATORS.get(facts.database.provider, "what makes it")
    return Reason(
        f"{facts.database.subject} cannot be made: the cluster does not know the kind {main.kind} of "
        f"{main.api_version.partition('/')[0]}, so {operator} is not installed there.",
        "Have it installed, or have another provider chosen for this environment.",
        final=True,
        ask=facts.database.ask,
    )


def _not_there(facts: DatabaseFacts) -> Reason | None:
    if facts.there or facts.database.main is None:
        return None
    return Reason(
        f"{facts.database.subject} is not ready: {facts.database.main} does not exist.",
        "See whether its delivery has failed, or whether somebody has deleted it.",
        ask=facts.database.ask,
    )


def _leaving(facts: DatabaseFacts) -> Reason | None:
    if not facts.leaving:
        return None
    held = f"; {listed(facts.finalizers)} holds it" if facts.finalizers else ""
    return Reason(
        f"{facts.database.subject} is not ready: it is being deleted{held}.",
        "Wait until it is gone, and request it again.",
        final=True,
        ask=facts.database.ask,
    )


def _without_secret(facts: DatabaseFacts) -> Reason | None:
    if not main_is_ready(facts) or has_secret(facts):
        return None
    database = facts.database
    seen = "is not there" if facts.secret_seen is False else "is not announced"
    return Reason(
        f"{database.subject} runs, but nobody can connect: its Secret {database.secret} {seen} in "
        f"{database.namespace}.",
        "Wait; if it lasts, have it looked at where its maker writes connections.",
        ask=database.ask,
    )


def _blind(facts: DatabaseFacts) -> Reason | None:
    if not facts.unreadable or main_is_ready(facts):
        return None
    return Reason(
        f"{facts.database.subject} is not ready, and I cannot see why: I may not read {listed(facts.unreadable[:3])}.",
        "Let our account read them; `causeway doctor` names the rights.",
        ask=facts.database.ask,
    )


def _slow(facts: DatabaseFacts) -> Reason | None:
    if main_is_ready(facts):
        return None
    told = facts.instances
    state = f"its operator says “{told.phase}”, and " if told is not None and told.phase else ""
    in_cloud = next((one.state for one in reversed(facts.chain) if one.state), "")
    state = f"the cloud calls it “{in_cloud}”, and " if in_cloud else state
    return Reason(
        f"{facts.database.subject} is not ready yet: {state}nothing tells what it waits for.",
        "Wait a little longer.",
        ask=facts.database.ask,
    )
