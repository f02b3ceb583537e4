"""Make a component known to the catalog; leave a note in the receipt."""

from __future__ import annotations

import re
from typing import ClassVar

from bot.effects.marks import known
from bot.model.effect import Effect, Outcome, Proof, Run, Undo, Undone
from bot.model.late import Text
from bot.ports import Ports


class RegisterInCatalog(Effect):
    """Read a `catalog-info.yaml` into Causeway's catalog. Outputs: `catalogInfoUrl`, `entityRef` (the first entity)."""

    kind: ClassVar[str] = "catalog.register"

    location: Text
    """URL of the file."""

    def describe(self) -> str:
        return f"Register {_short(str(self.location))} in the catalog"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        location = known(self.location)
        references = await ports.catalog.register(location, operation=run.operation)
        ours = await ports.catalog.registered(location) == run.operation
        return Outcome(
            seen=f"catalog: {', '.join(references)}",
            changed=ours,
            outputs={"catalogInfoUrl": location, **({"entityRef": references[0]} if references else {})},
        )

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        removed = await ports.catalog.unregister(known(self.location), operation=run.operation)
        seen = f"{self.location} is {'no longer' if removed else 'not'} in the catalog through this operation"
        return Undone(how=Undo.UNDONE, seen=seen)

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        owner = await ports.catalog.registered(known(self.location))
        return Proof(absent=owner != run.operation, seen=f"catalog location {self.location}: {owner or 'not found'}")


class Note(Effect):
    """A sentence for the receipt (`debug:log`)."""

    kind: ClassVar[str] = "note"
    undoable: ClassVar[bool] = False

    message: Text

    def describe(self) -> str:
        return f"Note: {self.message}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        return Outcome(seen=known(self.message), changed=False)


def _short(location: str) -> str:
    """`https://github.com/acme/orders/blob/main/catalog-info.yaml` → `catalog-info.yaml of acme/orders`."""
    found = re.fullmatch(r"https?://[^/]+/([^/]+/[^/]+)/(?:blob|tree)/[^/]+/(.+)", location)
    return f"{found[2]} of {found[1]}" if found else location
