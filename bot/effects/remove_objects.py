"""Delete exactly these objects, and wait until they are gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from pydantic import BaseModel, Field

from bot.effects.objects import INVENTORY, commands, is_leaving, uid_of
from bot.errors import Conflict, NotFound, UpstreamUnavailable
from bot.health.leaving import held, why_object_stays
from bot.model.effect import Effect, Outcome, Run
from bot.ports import Cluster, Object, ObjectRef, Ports

LOOK_S = 2.0
LONGEST_LOOK_S = 15.0
"""Between two looks at what is being deleted; each look doubles the pause before the next."""


class Target(BaseModel, frozen=True, extra="forbid"):
    """One object, as it was read when its deletion was planned."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""
    """Empty for what stands in none."""
    uid: str

    @classmethod
    def of(cls, obj: Object) -> Self:
        metadata = obj["metadata"]
        assert isinstance(metadata, Mapping)  # noqa: S101  # every server tells it so
        return cls(
            api_version=str(obj["apiVersion"]),
            kind=str(obj["kind"]),
            name=str(metadata["name"]),
            namespace=str(metadata.get("namespace") or ""),
            uid=uid_of(obj),
        )

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef(self.api_version, self.kind, self.name, self.namespace)

    def is_gone(self, live: Object | None) -> bool:
        return live is None or uid_of(live) != self.uid


class RemoveObjects(Effect):
    """Deletes what stands in no namespace, or beside others: exactly these, each with the uid that was read.

    What somebody has made anew under a name is left. What does not carry our label any more is left, and told as a
    `Conflict` before anything is deleted. It reports what holds an object that does not go, and never takes a finalizer
    off. Nothing brings back what it deletes.
    """

    kind: ClassVar[str] = "cluster.remove_objects"
    undoable: ClassVar[bool] = False
    waits: ClassVar[bool] = True
    patient: ClassVar[bool] = True

    cluster: str
    namespace: str
    """Of those that stand in one."""
    inventory: str = ""
    """Value of the label by which they are known as ours; empty: their uid alone tells."""
    label: str = INVENTORY
    refs: tuple[Target, ...]
    patience_s: int = Field(default=300, ge=0)
    """How long nothing may move before the card says so: a cloud takes its minutes."""
    contact: str = ""

    def describe(self) -> str:
        told = [f"{one.kind} {one.name}" for one in self.refs]
        names = ", ".join(told[:5]) + (f" and {len(told) - 5} more" if len(told) > 5 else "")
        return f"Delete {names or 'nothing'} on the cluster {self.cluster}, and wait until that is gone"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        """Raise `Conflict` where one of them is not ours any more."""
        cluster = ports.cluster(self.cluster)
        there = [(one, live) for one in self.refs if (live := await self._live(cluster, one)) is not None]
        self._refuse_strangers(live for _, live in there)
        for one, live in there:
            if not is_leaving(live):
                await self._delete(cluster, one)
        await self._until_gone(cluster, [one for one, _ in there], ports, run)
        count = len(self.refs)
        return Outcome(seen=f"{count} object{'' if count == 1 else 's'} deleted: {self._names()}")

    def manual(self) -> str:
        return commands(self.cluster, [one.ref for one in self.refs], "delete")

    async def _live(self, cluster: Cluster, one: Target) -> Object | None:
        """Return the object that was meant, as it is; None where it is gone."""
        try:
            live = await cluster.get(one.ref)
        except NotFound:  # the kind itself is gone, and every object with it
            return None
        return None if one.is_gone(live) else live

    async def _delete(self, cluster: Cluster, one: Target) -> None:
        try:
            await cluster.delete(one.ref, uid=one.uid)
        except (Conflict, NotFound):
            return  # another one has the name by now, which is none of ours

    async def _until_gone(self, cluster: Cluster, left: Sequence[Target], ports: Ports, run: Run) -> None:
        waited, moved_at, pause_s, most = 0.0, 0.0, LOOK_S, len(self.refs)
        with ports.waiting.listening() as pause:
            while True:
                stuck = waited - moved_at >= self.patience_s
                try:
                    there = [(one, live) for one in left if (live := await self._live(cluster, one)) is not None]
                except UpstreamUnavailable as error:
                    await run.report(error.while_waiting(), stalled=stuck)
                else:
                    if not there:
                        return
                    if len(there) < len(left):
                        left, moved_at, pause_s, stuck = [one for one, _ in there], waited, LOOK_S, False
                    await self._tell(run, most, there, stuck=stuck)
                await pause(pause_s)
                waited += pause_s
                pause_s = min(pause_s * 2, LONGEST_LOOK_S)

    async def _tell(self, run: Run, most: int, there: Sequence[tuple[Target, Object]], *, stuck: bool) -> None:
        if stuck:
            await run.report(str(why_object_stays(held(there[0][1]), contact=self.contact)), stalled=True)
            return
        are = "is" if len(there) == 1 else "are"
        await run.report(f"{len(there)} of {most} {are} still being deleted: {there[0][0].ref}.")

    def _refuse_strangers(self, found: Iterable[Object]) -> None:
        if not self.inventory:
            return
        for live in found:
            metadata: Any = live["metadata"]
            if (metadata.get("labels") or {}).get(self.label) != self.inventory:
                raise Conflict(
                    f"{Target.of(live).ref} on {self.cluster} does not carry the label {self.label}={self.inventory} "
                    "any more, so somebody else may own it now.",
                    hint="Nothing was deleted. Put the label back, or delete it by hand.",
                )

    def _names(self) -> str:
        told = [str(one.ref) for one in self.refs]
        return ", ".join(told[:8]) + (f" and {len(told) - 8} more" if len(told) > 8 else "")
