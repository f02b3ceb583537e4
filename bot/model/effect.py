"""An effect: one change to one outside system, as data.

Effects are stored with their plan, so another process, or the next release, can finish or undo them. They meet systems
through ports only. Concrete effects live in `bot/effects/`; this is their contract with the engine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol, Self, runtime_checkable

from pydantic import BaseModel, Field

from bot.errors import PlatformError
from bot.model.canonical import JSON
from bot.model.late import bind
from bot.model.principal import Principal

if TYPE_CHECKING:
    from bot.ports import Ports


@runtime_checkable
class Reporter(Protocol):
    """Tells the card how an effect that takes its time is getting on."""

    async def __call__(self, text: str, *, stalled: bool = False) -> None:
        """`text` is one sentence for people. With `stalled` it says why nothing moves and what to do next: the card
        then offers to wait, to keep things as they are, or to roll back. Being stuck is not failing: go on looking,
        and report again without `stalled` when it moves. The same text twice costs nothing."""


async def silently(text: str, *, stalled: bool = False) -> None:
    """A reporter for runs that nobody watches."""


class Run(BaseModel, frozen=True, arbitrary_types_allowed=True):
    """What an effect may know of the run it is part of."""

    operation: str
    """The operation's id; also the mark that effects leave on what they make, to find it again."""
    effect: str
    """The id of this effect in its plan."""
    principal: Principal
    now: datetime
    """The clock's time when this attempt began, UTC."""
    attempt: int = 1
    report: Reporter = Field(default=silently, exclude=True, repr=False)
    """An effect that waits is cancelled when a person asks for undo, or to keep things as they are."""


class Outcome(BaseModel, frozen=True, extra="forbid"):
    """What one apply did."""

    seen: str
    """One line for the receipt: `repository acme/orders, private, main at 1a2b3c4`."""
    changed: bool = True
    """False when everything was already as wanted and this operation had made none of it."""
    kept: bool = False
    """A person ended the wait with `keep`: what was waited for did not come."""
    outputs: Mapping[str, JSON] = Field(default_factory=dict)
    """Values that later effects and the receipt may name."""
    made: Mapping[str, JSON] = Field(default_factory=dict)
    """What undo needs to recognise what this operation made and whether anybody changed it since (ids, hashes)."""
    links: Mapping[str, str] = Field(default_factory=dict)
    """Label → URL, shown on the card."""


class Undo(StrEnum):
    """How an undo ended."""

    UNDONE = "undone"
    """It is gone, or as it was before."""
    NOTHING = "nothing"
    """There was nothing of this operation to undo."""
    KEPT = "kept"
    """Others have changed it since, so it stays; the sentence says so and the command says how to remove it."""


class Undone(BaseModel, frozen=True, extra="forbid"):
    how: Undo
    seen: str
    command: str = ""
    """What a person runs to remove what was kept."""


class Proof(BaseModel, frozen=True, extra="forbid"):
    """How the absence of something was seen."""

    absent: bool
    seen: str


class Effect(BaseModel, ABC, frozen=True, extra="forbid"):
    """One change to one outside system.

    `apply` is an *ensure*: once or twice, the same world. It may be called again after a crash between doing and
    recording, so it looks before it makes. It raises `PlatformError` for what a person may read, `OutcomeUnknown` or
    `UpstreamUnavailable` for what may pass (the engine tries those again), anything else is a defect.
    """

    kind: ClassVar[str]
    """The stored name, never changed: `forge.create_repository`."""
    version: ClassVar[int] = 1
    undoable: ClassVar[bool] = True
    """False for waiting and for notes: there is nothing to undo or to prove."""
    waits: ClassVar[bool] = False
    """True for an effect that only waits, perhaps for long: a person may end it, and then it is cancelled."""
    patient: ClassVar[bool] = False
    """True where it waits for a system that is away for as long as that takes, rather than be undone soon: the card
    says so, and a person may undo it at any time."""
    keepable: ClassVar[bool] = False
    """Whether, of a wait that is stuck, a person may say that things stay as they are."""

    id: str
    """Unique in its plan; the golden path's step id where there is one."""

    @abstractmethod
    def describe(self) -> str:
        """Return one line in the imperative, plain text: `Create the private repository acme/orders`."""

    @abstractmethod
    async def apply(self, ports: Ports, run: Run) -> Outcome:
        """Make it so."""

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        """Take back what this operation made, and nothing else.

        `outcome` is None when no apply was recorded: it may still have happened, so look for the operation's mark.
        Undo is an ensure too: what is already gone is success.
        """
        return Undone(how=Undo.NOTHING, seen="nothing to undo")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        """Look whether anything that this operation made is left."""
        return Proof(absent=True, seen="nothing was made")

    def kept(self, progress: str, by: str) -> Outcome:
        """Return the outcome of a wait that a person ended with `keep`; `progress` is what was reported last."""
        return Outcome(seen=f"{by} ended the wait: {progress}", changed=False, kept=True)

    def manual(self) -> str:
        """Return the command with which a person takes this back when we cannot, or an empty text."""
        return ""

    @classmethod
    def upgrade(cls, version: int, body: dict[str, JSON]) -> dict[str, JSON]:
        """Return the `body` of an older stored `version` in today's shape. Raise `PlatformError` when it cannot be."""
        raise PlatformError(f"A stored `{cls.kind}` of version {version} cannot be read by this release.")

    def bound(self, outputs: Mapping[str, Mapping[str, JSON]]) -> Self:
        """Return this effect with its late values filled from the outputs of earlier effects."""
        return type(self).model_validate(bind(self.model_dump(mode="json", by_alias=True), outputs))


class StoredEffect(BaseModel, frozen=True, extra="forbid"):
    """An effect as it stands in the database and in the digest."""

    kind: str
    version: int
    body: dict[str, JSON]

    @classmethod
    def of(cls, effect: Effect) -> Self:
        return cls(kind=effect.kind, version=effect.version, body=effect.model_dump(mode="json", by_alias=True))


class EffectCatalog:
    """All kinds of effects this release knows; turns stored effects back into live ones."""

    def __init__(self, kinds: Iterable[type[Effect]]) -> None:
        self._kinds = {kind.kind: kind for kind in kinds}

    def load(self, stored: StoredEffect) -> Effect:
        """Raise `PlatformError` for a kind or version that this release cannot read."""
        kind = self._kinds.get(stored.kind)
        if kind is None or stored.version > kind.version:
            raise PlatformError(
                f"This release does not know the effect `{stored.kind}` version {stored.version}.",
                hint="A newer release planned it; let that release finish it.",
            )
        body = stored.body if stored.version == kind.version else kind.upgrade(stored.version, stored.body)
        return kind.model_validate(body)
