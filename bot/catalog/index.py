"""Everything the catalog knows, in memory: who belongs where, what exists, and quick answers while somebody types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from bot.catalog.documents import Read
from bot.errors import Mistake
from bot.model.entities import SLACK_CHANNEL, Component, Entity, Group, User, full_ref
from bot.model.principal import Principal

E = TypeVar("E", bound=BaseModel)

MAX_FOUND = 100
"""As many options as a Slack select shows."""


@dataclass(frozen=True, slots=True)
class Found:
    """One entity with the texts that search and pickers use."""

    entity: Entity
    ref: str
    label: str
    name: str
    """The entity's own name in lower case."""
    needle: str
    """Label, reference and title in lower case."""
    source: str
    web_url: str


class Index:
    """An immutable view of all documents. A refresh builds a new one and swaps it."""

    def __init__(
        self, reads: Iterable[Read] = (), *, held: Mapping[str, str] | None = None, firm: frozenset[str] = frozenset()
    ) -> None:
        """`held` tells which source keeps a reference that several declare, those that came first first; what a source
        of `firm` declares stands whatever others held. Else the first one read stands."""
        held = held or {}
        self._found: dict[str, Found] = {}
        mistakes: list[Mistake] = []
        for result in reads:
            mistakes += result.mistakes
            for entity in result.entities:
                loser = self._take(_found(entity, result), held, firm)
                if loser is not None:
                    stands = self._found[entity.ref].source
                    mistakes.append(Mistake(loser.source, f"`{entity.ref}` is already declared by {stands}"))
        self.mistakes = tuple(mistakes)
        self._sorted = sorted(self._found.values(), key=lambda found: (found.label.lower(), found.ref))
        self._by_kind: dict[str, list[Found]] = {}
        for found in self._sorted:
            self._by_kind.setdefault(found.entity.kind.lower(), []).append(found)
        self._first_of_name = self._first_components(held)
        self._groups_of = self._memberships()
        self._by_email = {user.spec.profile.email.lower(): user for user in self.all(User) if user.spec.profile.email}

    def _take(self, new: Found, held: Mapping[str, str], firm: frozenset[str]) -> Found | None:
        """Let it stand unless another does; return the one that does not stand."""
        first = self._found.setdefault(new.ref, new)
        if first is new:
            return None
        if first.source in firm or held.get(new.ref) != new.source or first.source == new.source:
            return new
        self._found[new.ref] = new
        return first

    @property
    def sources(self) -> Mapping[str, str]:
        """Full reference → the source that declares it."""
        return {ref: found.source for ref, found in self._found.items()}

    def namesake(self, found: Found) -> Found | None:
        """Return the component of the same name in another namespace that was there before, if there is one: the
        platform tells services apart by their name alone."""
        first = self._first_of_name.get(found.name, found)
        return None if first.ref == found.ref else first

    def get(self, ref: str) -> Found | None:
        return self._found.get(ref.lower())

    def all(self, kind: type[E]) -> list[E]:
        return [found.entity for found in self._sorted if isinstance(found.entity, kind)]

    def components(self, owner: str | None = None) -> list[Found]:
        """Components by label; with `owner` (full reference) only that group's."""
        return [f for f in self._by_kind.get("component", []) if owner is None or owner_of(f.entity) == owner]

    def service(self, name: str) -> Found | None:
        """The component a person means by `name`: its short name or full reference, in any case."""
        return self.get(full_ref(name, kind="component"))

    def principal_by_email(self, email: str) -> Principal | None:
        user = self._by_email.get(email.lower())
        return self.principal(user.ref) if user else None

    def principal(self, ref: str) -> Principal | None:
        """The catalog's user as a principal, with every group they belong to."""
        found = self.get(full_ref(ref, kind="user"))
        if found is None or not isinstance(found.entity, User):
            return None
        user = found.entity
        return Principal(
            user=found.ref,
            display_name=user.spec.profile.displayName or user.title,
            email=user.spec.profile.email or None,
            groups=frozenset(self._groups_of.get(found.ref, ())),
        )

    def members(self, group: str) -> list[str]:
        return sorted(user for user, groups in self._groups_of.items() if group in groups)

    def channel_of(self, group: str) -> str | None:
        """The Slack channel (name or id) of a group, its own or its nearest parent's."""
        seen: set[str] = set()
        while (found := self.get(group)) and isinstance(found.entity, Group) and group not in seen:
            seen.add(group)
            if channel := found.entity.metadata.annotations.get(SLACK_CHANNEL):
                return channel.lstrip("#")
            if not found.entity.spec.parent:
                return None
            group = full_ref(found.entity.spec.parent, kind="group")
        return None

    def search(
        self,
        query: str,
        *,
        kinds: Iterable[str] = (),
        fits: Callable[[Entity], bool] | None = None,
        limit: int = MAX_FOUND,
    ) -> list[Found]:
        """Entities whose label or reference holds `query`, those that begin with it first."""
        wanted = [kind.lower() for kind in kinds]
        pool = self._sorted if not wanted else [found for kind in wanted for found in self._by_kind.get(kind, ())]
        needle = query.strip().lower()
        starts: list[Found] = []
        holds: list[Found] = []
        for found in pool:
            if needle not in found.needle:
                continue
            first = found.needle.startswith(needle) or found.name.startswith(needle)
            place = starts if first else holds
            if len(place) < limit and (fits is None or fits(found.entity)):
                place.append(found)
                if len(starts) >= limit:
                    break
        return (starts + holds)[:limit]

    def _first_components(self, held: Mapping[str, str]) -> Mapping[str, Found]:
        """Return the component that has each name: where several do, the one that came first."""
        order = {ref: number for number, ref in enumerate(held)}
        ranked = sorted(self.components(), key=lambda one: (order.get(one.ref, len(order)), one.ref))
        return {one.name: one for one in reversed(ranked)}

    def _memberships(self) -> Mapping[str, set[str]]:
        parents: dict[str, set[str]] = {}
        direct: dict[str, set[str]] = {}
        for group in self.all(Group):
            if group.spec.parent:
                parents.setdefault(group.ref, set()).add(full_ref(group.spec.parent, kind="group"))
            for child in group.spec.children:
                parents.setdefault(full_ref(child, kind="group"), set()).add(group.ref)
            for member in group.spec.members:
                direct.setdefault(full_ref(member, kind="user"), set()).add(group.ref)
        for user in self.all(User):
            refs = (full_ref(group, kind="group") for group in user.spec.memberOf)
            direct.setdefault(user.ref, set()).update(refs)
        return {user: _closure(groups, parents) for user, groups in direct.items()}


def owner_of(entity: Entity) -> str | None:
    """The full reference of the group (or user) that owns `entity`, if its kind has an owner."""
    owner = getattr(entity.spec, "owner", "")
    return full_ref(owner, kind="group") if owner else None


def _found(entity: Entity, result: Read) -> Found:
    label = entity.title
    if isinstance(entity, Component):
        label = entity.metadata.name
    return Found(
        entity=entity,
        ref=entity.ref,
        label=label,
        name=entity.metadata.name.lower(),
        needle=f"{label} {entity.ref} {entity.title}".lower(),
        source=result.document.source,
        web_url=result.document.web_url,
    )


def _closure(start: set[str], parents: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(start)
    while waiting:
        group = waiting.pop()
        if group not in reached:
            reached.add(group)
            waiting += parents.get(group, ())
    return reached
