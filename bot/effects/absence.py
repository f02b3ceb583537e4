"""Prove that what was torn down is gone: each kind of thing, and how its absence was seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from bot.effects.absent import (
    AddressesAbsent,
    CloudAbsent,
    HostsAbsent,
    NamespaceAbsent,
    ObjectsAbsent,
    VolumesAbsent,
)
from bot.effects.absent_beside import (
    ApplicationsAbsent,
    BackupsKept,
    BranchesAbsent,
    FoldersAbsent,
    SnapshotsAbsent,
    StoredElsewhere,
)
from bot.effects.sightings import Sighting, listed
from bot.errors import NotFound, Refused, UpstreamUnavailable
from bot.model.canonical import JSON
from bot.model.effect import Effect, Outcome, Run
from bot.ports import Ports

LOOK_S = 2.0
LONGEST_LOOK_S = 15.0
"""Between two looks at what is not gone yet; each look doubles the pause before the next."""

Check = Annotated[
    NamespaceAbsent
    | ObjectsAbsent
    | VolumesAbsent
    | AddressesAbsent
    | HostsAbsent
    | CloudAbsent
    | BackupsKept
    | ApplicationsAbsent
    | FoldersAbsent
    | BranchesAbsent
    | SnapshotsAbsent
    | StoredElsewhere,
    Field(discriminator="of"),
]


class ProveGone(Effect):
    """Looks until nothing of it is left, and says how that was seen; changes nothing.

    What is kept on purpose, such as a volume that is retained, is named and is no obstacle. What may not be looked at,
    or cannot, is said and is not proved. What does not go is reported; a person may end the wait, and then it is said
    to be left.
    Outputs: `proved`, `yes`, `kept` where some of it stays on purpose, or `no`; and `proofs`, one for each check.
    """

    kind: ClassVar[str] = "teardown.prove_gone"
    undoable: ClassVar[bool] = False
    waits: ClassVar[bool] = True
    keepable: ClassVar[bool] = True
    patient: ClassVar[bool] = True

    cluster: str
    namespace: str = ""
    checks: tuple[Check, ...]
    patience_s: int = Field(default=300, ge=0)
    contact: str = ""

    def describe(self) -> str:
        kept = [check.told() for check in self.checks if check.outlives]
        gone = [check.told() for check in self.checks if not check.outlives]
        told = [f"Look until it is gone: {', '.join(gone)}"] if gone else []
        told += [f"Say what is kept: {', '.join(kept)}"] if kept else []
        return "; ".join(told)

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        seen: list[Sighting] = []
        waited, pause_s = 0.0, LOOK_S
        left_before: tuple[str, ...] | None = None
        moved_at = 0.0
        with ports.waiting.listening() as pause:
            while True:
                seen = [await self._see(check, ports) for check in self.checks]
                left = tuple(name for one in seen for name in one.left)
                problem = next((one.away for one in seen if one.away), "")
                if not left and not problem:
                    return self._outcome(seen)
                if left != left_before:
                    left_before, moved_at = left, waited
                stuck = waited - moved_at >= self.patience_s
                await run.report(problem or self._waiting(left, stuck=stuck), stalled=stuck)
                await pause(pause_s)
                waited += pause_s
                pause_s = min(pause_s * 2, LONGEST_LOOK_S)

    def kept(self, progress: str, by: str) -> Outcome:
        """A person has ended the wait: nothing is proved."""
        return super().kept(progress, by).model_copy(update={"outputs": {"proved": "no"}})

    async def _see(self, check: Check, ports: Ports) -> Sighting:
        try:
            return await check.see(ports, self.cluster)
        except UpstreamUnavailable as error:
            return Sighting(of=check.of, away=error.while_waiting())
        except (NotFound, Refused) as error:
            # Not allowed, or not there to be asked: waiting would not help, and guessing would be no proof.
            return Sighting(of=check.of, unseen=f"{check.told()} could not be looked at, so it is not proved: {error}")

    def _waiting(self, left: Sequence[str], *, stuck: bool) -> str:
        told = f"{listed(left)} {'is' if len(left) == 1 else 'are'} not gone yet."
        if not stuck:
            return told
        whom = self.contact or "the platform team"
        return f"{told} Ask {whom} what holds it, or keep it: then the receipt says that it is left."

    def _outcome(self, seen: Sequence[Sighting]) -> Outcome:
        proofs: list[JSON] = [one.model_dump(mode="json", exclude_defaults=True) for one in seen]
        proved = "no" if any(one.unseen for one in seen) else "kept" if any(one.kept for one in seen) else "yes"
        told = "; ".join(
            one.text() or f"there are no {check.told()}" for check, one in zip(self.checks, seen, strict=True)
        )
        return Outcome(
            seen=told,
            changed=False,
            outputs={"proved": proved, "proofs": proofs},
        )
