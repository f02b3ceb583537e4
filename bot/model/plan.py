"""A plan: what will be changed, in order, and a digest that an approval can name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

from pydantic import BaseModel, Field

from bot.model.canonical import JSON, sha256
from bot.model.effect import Effect, StoredEffect


class Revision(BaseModel, frozen=True, extra="forbid"):
    """The state of one thing that the plan touches, as it was read: a tree hash, a resource version, or `absent`.

    Never a branch head that moves for other reasons: an unrelated commit voids nothing.
    """

    of: str
    """`github:acme/orders`, `template:python-service`."""
    at: str


class Detail(BaseModel, frozen=True, extra="forbid"):
    """Something long that belongs to the plan and is shown on request: a file's content, a diff."""

    title: str
    text: str


class Step(BaseModel, frozen=True, extra="forbid"):
    """One effect as people see it."""

    id: str
    text: str
    """The effect's own description."""
    effect: StoredEffect
    passive: bool = False
    """Whether it only waits, asks or tells: there is nothing that could be there already."""


OFFERED = frozenset({"rollback", "extend", "sleep", "wake", "delete", "resize", "connect", "disconnect"})
"""The `action_id`s that offers may have."""


class Offer(BaseModel, frozen=True, extra="forbid"):
    """A request that the card offers beside the operation: a button that asks it in the name of whoever clicks, through
    the same policy as if they had typed it."""

    action: str
    """`rollback`: the button's `action_id`."""
    label: str
    command: str
    request: Mapping[str, JSON]
    confirm: str = ""
    """What is asked back before it is done; empty: nothing."""
    ends_wait: bool = False
    """Whether asking it also ends the wait that is stuck, as `keep` does."""


class Plan(BaseModel, frozen=True, extra="forbid"):
    """Ordered effects, what was read to choose them, and words for people.

    `digest` covers effects and fact revisions only: words may improve without voiding an approval.
    """

    summary: str
    """One sentence, plain text: `Create service orders from Python Microservice for team-orders`."""
    steps: tuple[Step, ...]
    revisions: tuple[Revision, ...] = ()
    owner: str | None = None
    """Full entity reference of the group that will own the result; policy and routing read it."""
    details: tuple[Detail, ...] = ()
    links: Mapping[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """Sentences for the card and the receipt (golden-path output text)."""
    highlights: tuple[str, ...] = ()
    """What an approver reads first, one line each: commits, changed settings, migrations touched."""
    environment: str = ""
    """Name of the environment that is changed; policy reads it."""
    lane: str = ""
    """Operations of one lane run one after the other: `deploy:orders-api/staging`. Empty: it waits for nobody."""
    offers: tuple[Offer, ...] = ()
    takes_over: bool = False
    """Whether what runs or stands in line before it, in its lane, is taken back rather than waited for: nobody waits
    until something is ready that is about to be deleted."""
    agreed: bool = False
    """Whether what it does was agreed on long before, such as the end of what was made for a while: then nobody has to
    be allowed it again, and whoever asked for the making may have left meanwhile."""
    undo_later: bool = True
    """Whether the card offers undo once all is done: not where a command of its own goes back, or nothing does."""

    @classmethod
    def of(
        cls,
        summary: str,
        effects: Iterable[Effect],
        *,
        revisions: Iterable[Revision] = (),
        owner: str | None = None,
        details: Iterable[Detail] = (),
        links: Mapping[str, str] | None = None,
        notes: Iterable[str] = (),
        highlights: Iterable[str] = (),
        environment: str = "",
        lane: str = "",
        offers: Iterable[Offer] = (),
    ) -> Self:
        steps = tuple(
            Step(id=e.id, text=e.describe(), effect=StoredEffect.of(e), passive=not e.undoable) for e in effects
        )
        if len({step.id for step in steps}) != len(steps):
            raise ValueError("effect ids must be unique in a plan")
        return cls(
            summary=summary,
            steps=steps,
            revisions=tuple(sorted(revisions, key=lambda revision: revision.of)),
            owner=owner,
            details=tuple(details),
            links=links or {},
            notes=tuple(notes),
            highlights=tuple(highlights),
            environment=environment,
            lane=lane,
            offers=tuple(offers),
        )

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of effects and fact revisions, 64 hexadecimal digits."""
        effects: list[JSON] = [step.effect.model_dump(mode="json") for step in self.steps]
        revisions: list[JSON] = [revision.model_dump(mode="json") for revision in self.revisions]
        return sha256({"effects": effects, "revisions": revisions})
