"""A way into a database for a person and a while: a pod of their own, which ends by itself as well."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from pydantic import Field

from bot.effects.objects import Objects, commands, is_leaving, mark_of, ref_of, uid_of, with_mark
from bot.errors import Conflict, NotFound, Refused, UpstreamUnavailable
from bot.health.facts import Event, StuckFacts
from bot.health.parsing import event, pod
from bot.health.pods import finding
from bot.model.effect import Effect, Outcome, Proof, Run, Undo, Undone
from bot.ports import Cluster, Object, ObjectRef, Pause, Ports

PAUSE_S = 2.0
LOOKS = 30
"""About a minute for what is left of an earlier visit to go."""
ENDED = ("Succeeded", "Failed")
TOLD_AFTER_S = 20.0
"""How long a pod may be on its way before the card says why."""


class AdmitVisitor(Effect):
    """Makes the pod. One of the same person that has ended is removed first; one that still runs is not touched.

    Undo deletes the pod that this step made, and no other. Outputs: `until`, when the way in closes.
    """

    kind: ClassVar[str] = "database.admit_visitor"

    cluster: str
    pod: Objects = Field(min_length=1, max_length=1)
    """The pod, whole."""
    database: str
    """What people call it: `orders-api-db`."""
    visitor: str
    """`author`."""

    def describe(self) -> str:
        return f"Let {self.visitor} into {self.database}, by the pod {self._ref.name} in {self._ref.namespace}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        cluster = ports.cluster(self.cluster)
        with ports.waiting.listening() as pause:
            live = await self._room(cluster, run, pause)
        if live is None:
            live = await cluster.apply(with_mark(self.pod[0], run.operation))
        until = self._until(live, run)
        return Outcome(
            seen=f"{self._ref} lets {self.visitor} in until {until:%d %B, %H:%M} UTC",
            outputs={"until": until.isoformat()},
            made={"uid": uid_of(live)},
        )

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        cluster = ports.cluster(self.cluster)
        live = await cluster.get(self._ref)
        if live is not None and mark_of(live) == run.operation and not is_leaving(live):
            await cluster.delete(self._ref, uid=uid_of(live))
        return Undone(how=Undo.UNDONE, seen=f"{self._ref} of this operation is gone")

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        """Raise `UpstreamUnavailable` while the cluster is still deleting it."""
        live = await ports.cluster(self.cluster).get(self._ref)
        mine = live is not None and mark_of(live) == run.operation
        if mine and live is not None and is_leaving(live):
            raise UpstreamUnavailable(f"{self._ref} is still being deleted.", retry_after_s=PAUSE_S)
        return Proof(absent=not mine, seen=f"{self._ref}: {'still there' if mine else 'none of this operation'}")

    def manual(self) -> str:
        return commands(self.cluster, [self._ref], "delete")

    async def _room(self, cluster: Cluster, run: Run, pause: Pause) -> Object | None:
        """Return the pod where this operation has made it already; None once nothing of that name is there."""
        for _ in range(LOOKS):
            live = await cluster.get(self._ref)
            if live is None or mark_of(live) == run.operation:
                return live
            if not is_leaving(live):
                if pod(live).phase not in ENDED:
                    raise Conflict(
                        f"{self.visitor} has a way into {self.database} already.",
                        hint="End it: `/database disconnect`.",
                    )
                await cluster.delete(self._ref, uid=uid_of(live))
            await pause(PAUSE_S)
        raise UpstreamUnavailable(f"What is left of an earlier visit, {self._ref}, does not go.", retry_after_s=30.0)

    def _until(self, live: Object, run: Run) -> datetime:
        """Count from when the pod was made, so that whoever asks again hears the same."""
        spec: Any = self.pod[0]["spec"]
        return (pod(live).created_at or run.now) + timedelta(seconds=int(spec["activeDeadlineSeconds"]))

    @property
    def _ref(self) -> ObjectRef:
        return ref_of(self.pod[0])


class AwaitVisitor(Effect):
    """Waits until the pod runs, and tells why where it does not. Raises `Conflict` when it has ended or is deleted."""

    kind: ClassVar[str] = "database.await_visitor"
    undoable: ClassVar[bool] = False
    waits: ClassVar[bool] = True

    cluster: str
    namespace: str
    name: str
    """Of the pod."""

    def describe(self) -> str:
        return f"Wait until the way in, {self.name}, is open"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        cluster = ports.cluster(self.cluster)
        waited, seen = 0.0, False
        with ports.waiting.listening() as pause:
            while True:
                live = await cluster.get(self._ref)
                if live is not None and pod(live).ready:
                    return Outcome(seen=f"the way in is open: {self.name} runs", changed=False)
                if (live is None and seen) or (live is not None and (is_leaving(live) or pod(live).phase in ENDED)):
                    raise Conflict("The way in was closed before it was open.", hint="Ask again: `/database connect`.")
                seen = seen or live is not None
                why = await self._why(cluster, live, waited) if live is not None else ""
                await run.report(why or f"{self.name} is being started", stalled=bool(why))
                await pause(PAUSE_S)
                waited += PAUSE_S

    async def _why(self, cluster: Cluster, live: Object, waited: float) -> str:
        events: tuple[Event, ...] = ()
        try:
            there = await cluster.list("v1", "Event", namespace=self.namespace)
            events = tuple(map(event, there))
        except (NotFound, Refused):
            pass  # then the pod alone tells
        mine = pod(live)
        facts = StuckFacts(service=self.name, environment="", namespace=self.namespace, pods=(mine,), events=events)
        found = finding(facts, mine)
        if found is None and waited < TOLD_AFTER_S:
            return ""
        why = f"{found.one}{found.rest}" if found is not None else "has not started yet, and nothing tells why"
        return f"The way in is not open: its pod {why}. Wait, or ask the platform team, who chose its image."

    @property
    def _ref(self) -> ObjectRef:
        return ObjectRef("v1", "Pod", self.name, self.namespace)
