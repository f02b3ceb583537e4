"""Whether a database is ready, and how far it has got, in a person's words."""

from __future__ import annotations

from bot.health.databases.facts import DatabaseFacts, Instances, Link

_FILLING = {
    "recovery": ("Restoring it from {source}.", "Restoring the first of {wanted} instances from {source}."),
    "import": ("Importing what it begins with.", "Importing into the first of {wanted} instances."),
    "pg_basebackup": ("Copying another database into it.", "Copying another database into the first of {wanted}."),
    "initdb": ("Setting it up.", "Setting up the first of {wanted} instances."),
}
"""For a database of one instance, and for one of several."""
_STATES = {
    "creating": "The cloud is creating it.",
    "backing-up": "It runs; the cloud is making its first backup.",
    "modifying": "The cloud is changing it.",
    "rebooting": "The cloud is starting it again.",
    "starting": "The cloud is starting it.",
    "configuring-enhanced-monitoring": "It runs; the cloud is setting up its monitoring.",
    "upgrading": "The cloud is upgrading it.",
    "storage-optimization": "It runs; the cloud is making its storage larger.",
}


def main_is_ready(facts: DatabaseFacts) -> bool:
    """Return whether its main object says that it is ready; without one there is nothing to ask."""
    if facts.database.main is None:
        return True
    if not facts.installed or not facts.there or facts.leaving:
        return False
    if facts.instances is not None:
        return facts.instances.is_ready
    return bool(facts.chain) and facts.chain[0].is_ready


def has_secret(facts: DatabaseFacts) -> bool:
    """Return whether the Secret is there: as seen, or else as its maker tells it."""
    if facts.secret_seen is not None:
        return facts.secret_seen
    if facts.instances is not None:
        return facts.instances.has_secret
    # Crossplane writes the connection before it calls a resource ready, and says so of a claim.
    return bool(facts.chain) and facts.chain[0].published


def is_ready(facts: DatabaseFacts) -> bool:
    return main_is_ready(facts) and has_secret(facts)


def progress(facts: DatabaseFacts) -> str:
    """Return one sentence for the card while it moves."""
    if is_ready(facts):
        return "It is ready."
    if facts.database.main is None:
        return f"Waiting for its Secret {facts.database.secret}, which whoever makes it writes."
    if main_is_ready(facts):
        return f"It runs; waiting for its Secret {facts.database.secret}."
    if not facts.there:
        return f"Waiting for {facts.database.main} to be made."
    if facts.instances is not None:
        return _of_instances(facts.instances)
    if not facts.chain:
        return f"I may not look at {facts.database.main}."
    return _of_chain(facts.chain)


def _of_instances(told: Instances) -> str:
    if told.asleep:
        return "It is asleep."
    if not told.phase:
        return "Waiting for the database operator to take it up."
    if told.ready == 0:
        alone, of_several = _FILLING.get(told.method, _FILLING["initdb"])
        source = told.source.name if told.source is not None else "a backup"
        return (alone if told.wanted == 1 else of_several).format(wanted=told.wanted, source=source)
    if told.ready < told.wanted:
        verb = "is" if told.ready == 1 else "are"
        return f"{told.ready} of {told.wanted} instances {verb} ready; setting up instance {told.ready + 1}."
    return "Its instances are ready; the operator is finishing its work."


def _of_chain(chain: tuple[Link, ...]) -> str:
    waiting = next((one for one in reversed(chain) if not one.is_ready), None)
    if waiting is None or not waiting.conditions:
        return "Waiting for Crossplane to take it up."
    if waiting.state in _STATES:
        return _STATES[waiting.state]
    if waiting.state:
        return f"The cloud calls it {waiting.state}."
    if waiting.below:
        return "Waiting for its parts to become ready."
    return "Waiting for the cloud to create it."
