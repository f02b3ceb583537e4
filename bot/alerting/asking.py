"""What commands about an alert have in common: which one is meant, who asks, and how people are called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from bot.catalog.index import Index
from bot.command import Context
from bot.deps import Deps
from bot.effects import ChangeAlert
from bot.effects.alerts import decided
from bot.errors import Conflict, NotFound, UsageError
from bot.model.alerts import AlertGroup
from bot.model.canonical import JSON
from bot.model.effect import Effect
from bot.model.entities import Group, full_ref
from bot.model.late import Text
from bot.model.plan import Plan
from bot.slack.mrkdwn import escape

GROUP = re.compile(r"ag-[0-9a-f]{20}")
LEAD = "causeway.io/lead"
"""Annotation of a group or a service: who is called when an alert is escalated, as a reference to a user."""
MOST_CALLED = 10


@dataclass(frozen=True, slots=True)
class Facts:
    """An alert and who asks about it."""

    group: AlertGroup
    user: str
    """Full reference."""
    name: str
    """Display name."""
    now: datetime
    index: Index
    others: tuple[str, ...] = ()
    """Who else has alerts in the group, where that was asked: full references."""

    @property
    def title(self) -> str:
        """The alert in a few plain words."""
        place = f" in {self.group.environment}" if self.group.environment else ""
        about = f" of {self.group.service}{place}" if self.group.service else place
        return f"{self.group.title}{about}"

    @property
    def lane(self) -> str:
        """What is decided about one group is decided one after the other."""
        return f"alert:{self.group.id}"


def group_said(words: tuple[str, ...] | list[str], usage: str) -> str:
    """Return the id that was typed first. Raise `UsageError`."""
    if not words or not GROUP.fullmatch(words[0].lower()):
        raise UsageError("Which alert? Its id begins with `ag-`.", hint=f"Try `{usage}`; `/idp alerts` lists the ids.")
    return words[0].lower()


async def read_alert(group: str, context: Context, deps: Deps, *, also_closed: bool = False) -> Facts:
    """Raise `NotFound` for an alert that nobody knows, `Conflict` for one that is over."""
    found = await deps.alert_book.group(group) if deps.alert_book is not None else None
    if found is None:
        raise NotFound("There is no such alert.", hint="`/idp alerts` lists those that fire.")
    if not found.is_open and not also_closed:
        raise Conflict(f"“{found.title}” is resolved already, so there is nothing to do about it.")
    principal = context.principal
    return Facts(found, principal.user, principal.display_name, context.now, deps.catalog())


def change(
    facts: Facts,
    changes: dict[str, JSON],
    line: Text,
    what: str,
    *,
    id: str = "note",  # noqa: A002  # as in effects
) -> ChangeAlert:
    """Return the effect that writes down what somebody has decided."""
    before = decided(facts.group, changes)
    return ChangeAlert(id=id, group=facts.group.id, changes=changes, before=before, line=line, what=what)


def alert_plan(summary: str, facts: Facts, *effects: Effect, owner: str | None = None) -> Plan:
    """Return the plan. Who owns the alert decides about it; there is nothing to take back from the card."""
    plan = Plan.of(summary, effects, owner=owner or facts.group.owner, lane=facts.lane)
    return plan.model_copy(update={"undo_later": False})


def called(ref: str, index: Index) -> str:
    """Return what people call a person or a group, not escaped."""
    if ref.startswith("user:") and (person := index.principal(ref)) is not None:
        return person.display_name
    found = index.get(ref)
    return found.entity.title if found is not None else ref.rpartition("/")[2]


def who(name: str) -> str:
    """Return a name for a line of the timeline."""
    return f"*{escape(name)}*"


def lead_of(facts: Facts) -> tuple[str, ...]:
    """Return whom the catalog calls: the lead of the service, else of the group that owns it or of its parents, else
    everybody in that group."""
    index, owner = facts.index, facts.group.owner
    service = index.service(facts.group.service) if facts.group.service else None
    if service is not None and (lead := _lead(service.entity.metadata.annotations, index)):
        return (lead,)
    seen: set[str] = set()
    group = owner or ""
    while group and group not in seen:
        seen.add(group)
        found = index.get(group)
        if found is None or not isinstance(found.entity, Group):
            break
        if lead := _lead(found.entity.metadata.annotations, index):
            return (lead,)
        group = full_ref(found.entity.spec.parent, kind="group") if found.entity.spec.parent else ""
    return tuple(index.members(owner)[:MOST_CALLED]) if owner else ()


def _lead(annotations: object, index: Index) -> str:
    named = annotations.get(LEAD, "") if isinstance(annotations, dict) else ""
    found = index.principal(named) if named else None
    return found.user if found is not None else ""
