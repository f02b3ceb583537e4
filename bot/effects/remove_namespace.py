"""Delete a namespace with everything in it, and wait until it is gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from bot.effects.objects import INVENTORY, commands, is_leaving, uid_of
from bot.effects.sight import Shelf, Sight
from bot.errors import Conflict, NotFound, PlatformError, Refused, UpstreamUnavailable
from bot.health.leaving import RESOURCES, Held, finalizers, held, remaining, why_namespace_stays
from bot.health.reason import Reason
from bot.model.effect import Effect, Outcome, Reporter, Run
from bot.ports import Cluster, Object, ObjectRef, Pause, Ports

TICK_S = 5.0
"""Between two looks of our own accord; everything else is told by the watch."""
READ_AGAIN_S = 60.0
"""A namespace that does not get on is looked into again after this long."""
MOST_HELD = 3
"""So many held objects are looked at for a reason."""
MANAGED = {"app.kubernetes.io/managed-by": "causeway"}


class RemoveNamespace(Effect):
    """Deletes the namespace that was read when this was planned, and no other; returns once it is gone.

    Only with that uid, and only while it carries our label: one that somebody has made anew under the name is told,
    and left. It reports how much is left, and why nothing moves: which finalizer of which object holds it. It never
    takes a finalizer off. A cluster that is away is waited for. Nothing brings back what it deletes.
    Outputs: `state`, `gone` or `left`.
    """

    kind: ClassVar[str] = "cluster.remove_namespace"
    undoable: ClassVar[bool] = False
    waits: ClassVar[bool] = True
    patient: ClassVar[bool] = True

    cluster: str
    namespace: str
    uid: str
    """As it was read when this was planned; empty: there was none."""
    inventory: str
    """Value of the label by which it is known as ours."""
    label: str = INVENTORY
    """Key of that label."""
    by_others: bool = False
    """Whether somebody else deletes it, such as Argo CD: then it is only waited for."""
    holds: int = Field(default=0, ge=0)
    """How many objects were in it when this was planned."""
    patience_s: int = Field(default=120, ge=0)
    """How long nothing may move before the card says so."""
    contact: str = ""
    """Whom people ask when it is stuck; empty: the platform team."""

    def describe(self) -> str:
        if self.by_others:
            return f"Wait until the namespace {self.namespace} on the cluster {self.cluster} is gone"
        holds = f" with the {self.holds} objects in it" if self.holds else " with everything in it"
        return f"Delete the namespace {self.namespace}{holds} on the cluster {self.cluster}, and wait until it is gone"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        """Raise `Conflict` where it is not ours any more, `Refused` where we may not delete it."""
        cluster = ports.cluster(self.cluster)
        live = await cluster.get(self.ref)
        if self.is_gone(live):
            return self._done(live)
        assert live is not None  # noqa: S101  # what is not gone is there
        if not is_leaving(live) and not self.by_others:
            self._refuse_stranger(live)
            try:
                await cluster.delete(self.ref, uid=self.uid)
            except Conflict:
                return self._done(await cluster.get(self.ref))
        return self._done(await _Departure(self, cluster, run.report).until_gone(live, ports))

    def manual(self) -> str:
        return commands(self.cluster, [self.ref], "delete")

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef("v1", "Namespace", self.namespace)

    def is_gone(self, live: Object | None) -> bool:
        """Whether the one that was meant is there no more. With another uid it is another one."""
        return live is None or not self.uid or uid_of(live) != self.uid

    def _refuse_stranger(self, live: Object) -> None:
        metadata = live["metadata"]
        labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
        if not isinstance(labels, Mapping) or labels.get(self.label) != self.inventory:
            raise Conflict(
                f"The namespace {self.namespace} on {self.cluster} does not carry the label "
                f"{self.label}={self.inventory} any more, so somebody else may own it now.",
                hint="Nothing was deleted. Put the label back, or delete the namespace by hand.",
            )

    def _done(self, live: Object | None) -> Outcome:
        if live is not None:
            told = f"a namespace {self.namespace} that somebody has made since is left alone"
            return Outcome(seen=told, changed=bool(self.uid), outputs={"state": "left"})
        seen = f"the namespace {self.namespace} is gone, with everything that was in it"
        return Outcome(seen=seen, outputs={"state": "gone"})


class _Departure:
    """One attempt at waiting. Keeps nothing that the next one would need."""

    def __init__(self, effect: RemoveNamespace, cluster: Cluster, report: Reporter) -> None:
        self._effect = effect
        self._cluster = cluster
        self._report = report
        self._sight = Sight()
        self._shelf: Shelf[Object] = Shelf(lambda obj: obj)
        self._waited = 0.0
        """Seconds of our own pauses: an effect has no clock."""
        self._moved_at = 0.0
        self._seen: object = None
        self._most = effect.holds
        self._read_at = -READ_AGAIN_S
        self._reason: Reason | None = None
        self._asked_at = -TICK_S

    async def until_gone(self, live: Object, ports: Ports) -> Object | None:
        """Return what stands under the name once the namespace is gone: another one, or nothing."""
        # All departures follow one watch, where our label tells what to follow.
        labels = MANAGED if _carries(live, MANAGED) else None
        watch = self._cluster.watch(
            "v1", "Namespace", labels=labels, name="" if labels is not None else self._effect.namespace
        )
        with ports.waiting.listening() as pause:
            async with self._sight.open(self._sight.follow_objects(self._shelf, watch), self._tick(pause)):
                await self._tell(live)
                while True:
                    await self._sight.news()
                    gone, now = await self._look()
                    if gone:
                        return now
                    if now is not None:
                        await self._tell(now)

    async def _tick(self, pause: Pause) -> None:
        while True:
            await pause(TICK_S)
            self._waited += TICK_S
            self._sight.changed.set()

    async def _look(self) -> tuple[bool, Object | None]:
        """Return whether it is gone, and what stands under its name."""
        if self._shelf.in_sight and self._effect.uid in self._shelf:
            return False, self._shelf[self._effect.uid]
        if not self._shelf.in_sight and self._waited - self._asked_at < TICK_S:
            return False, None  # the watch tells nothing yet: ask at each tick, and not more often
        self._asked_at = self._waited
        try:
            live = await self._cluster.get(self._effect.ref)
        except UpstreamUnavailable as error:
            await self._report(error.while_waiting(), stalled=self._patience_is_over)
            return False, None
        return self._effect.is_gone(live), live

    async def _tell(self, live: Object) -> None:
        left = remaining(live)
        seen = (left, finalizers(live), is_leaving(live))
        if seen != self._seen:
            self._seen, self._moved_at, self._reason = seen, self._waited, None
            self._read_at = -READ_AGAIN_S
        if self._patience_is_over and self._waited - self._read_at >= READ_AGAIN_S:
            self._read_at = self._waited
            self._reason = why_namespace_stays(live, await self._held(left), contact=self._effect.contact)
        reason = self._reason or self._at_once(live)
        if reason is not None:
            await self._report(str(reason), stalled=True)
        else:
            await self._report(self._progress(left))

    def _at_once(self, live: Object) -> Reason | None:
        """Return a reason that waiting cannot help, where the namespace tells one without being looked into."""
        found = why_namespace_stays(live, ())
        return found if found is not None and found.final and self._waited >= TICK_S else None

    @property
    def _patience_is_over(self) -> bool:
        return self._waited - self._moved_at >= self._effect.patience_s

    def _progress(self, left: Mapping[str, int]) -> str:
        count = sum(left.values())
        self._most = max(self._most, count)
        name = self._effect.namespace
        if not count:
            return f"The namespace {name} is being deleted."
        return f"{count} of {self._most} objects {'is' if count == 1 else 'are'} left in the namespace {name}."

    async def _held(self, left: Mapping[str, int]) -> list[Held]:
        """Return objects that finalizers hold, as far as we may look."""
        found: list[Held] = []
        for resource in sorted(left):
            if resource not in RESOURCES or len(found) >= MOST_HELD:
                continue
            try:
                for obj in await self._cluster.list(*RESOURCES[resource], namespace=self._effect.namespace):
                    if held(obj).finalizers and len(found) < MOST_HELD:
                        # Lists come without the field managers that tell who has set what.
                        found.append(held(await self._cluster.get(held(obj).ref) or obj))
            except (NotFound, Refused):
                continue
            except PlatformError:
                break
        return found


def _carries(live: Object, wanted: Mapping[str, str]) -> bool:
    metadata = live["metadata"]
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    return isinstance(labels, Mapping) and wanted.items() <= labels.items()
