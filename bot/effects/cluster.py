"""Objects in a cluster: applied as one, pruned, put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.effects.objects import (
    AUTOSCALED_BY,
    HOLDS_DATA,
    INHABITANTS,
    INVENTORY,
    KINDS,
    Objects,
    commands,
    identity,
    in_order,
    inventory_of,
    is_kept,
    is_leaving,
    is_never_pruned,
    mark_of,
    owners_of,
    ref_of,
    same,
    scaled_by,
    uid_of,
    with_label,
    with_mark,
)
from bot.errors import Conflict, Invalid, Mistake, NotFound, PlatformError, Refused, UpstreamUnavailable
from bot.model.canonical import JSON
from bot.model.effect import Effect, Outcome, Proof, Run, Undo, Undone
from bot.ports import Cluster, Object, ObjectRef, Ports


class ApplyObjects(Effect):
    """Server-side apply of everything that a delivery wants: a dry run of all, then each, then the pruning of what
    carries its inventory label and is not wanted any more. Kinds that hold data are never pruned.

    Each object that changes is annotated with the operation. `before` is what the delivery applied the time before,
    as the plan knew it: undo puts that back, and deletes what was not in it; both only where the object still is as
    this step left it. What stands there and is of another inventory, or of none, is refused.
    """

    kind: ClassVar[str] = "cluster.apply_objects"
    patient: ClassVar[bool] = True

    cluster: str
    namespace: str
    inventory: str
    """Value of the label `causeway.io/inventory`."""
    objects: Objects
    create_namespace: bool = False
    """Make the namespace when it is missing; undo removes it, unless others have moved in."""
    before: Objects = ()

    def describe(self) -> str:
        count = len(self._in_namespace())
        return f"Apply {count} object{'' if count == 1 else 's'} to {self.namespace} on the cluster {self.cluster}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        cluster = ports.cluster(self.cluster)
        made_namespace = await self._ensure_namespace(cluster, run)
        wanted = await self._dry_run(cluster, run)
        unwanted = await self._unwanted(cluster)
        if unwanted and not any(one.is_to_be_applied or one.is_of(run) for one in wanted):
            # Something has to tell, after a crash, that it was this operation that deleted.
            wanted = [_Wanted(wanted[0].obj), *wanted[1:]]
        applied = [(one.ref, one.live or await self._put(cluster, with_mark(one.obj, run.operation))) for one in wanted]
        for live in unwanted:
            await cluster.delete(ref_of(live), uid=uid_of(live))
        await self._set_again(cluster, run, unwanted)
        return self._outcome(run, applied, unwanted, made_namespace=made_namespace)

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        if outcome is not None and not outcome.changed:
            return Undone(how=Undo.NOTHING, seen="these objects were there before this operation")
        cluster = ports.cluster(self.cluster)
        mine = await self._mine(cluster, run, outcome)
        if mine or outcome is not None:
            await self._restore_pruned(cluster)  # while the marks still tell that it was us
        kept = [ref for ref, live in reversed(mine) if not await self._take_back(cluster, run, ref, live)]
        if not await self._remove_namespace(cluster, run, empty=not kept):
            kept.append(self._namespace_ref())
        if not kept:
            return Undone(how=Undo.UNDONE, seen=f"{self._place()} holds nothing of this operation")
        held = [ref for ref, live in mine if self._has_protected(ref, live)]
        if held and {*kept} <= {*held, self._namespace_ref()}:
            why = f"{', '.join(map(str, held))} on {self.cluster} is protected by now, and may hold data: it stays."
            return Undone(how=Undo.KEPT, seen=why)
        names = ", ".join(map(str, kept))
        why = f"Others have changed {names} on {self.cluster} since, so it stays as it is."
        return Undone(how=Undo.KEPT, seen=why, command=commands(self.cluster, kept, self._verb(kept)))

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        """Raise `UpstreamUnavailable` while the cluster is still deleting."""
        if outcome is not None and not outcome.changed:
            return Proof(absent=True, seen="this step changed no object")
        cluster = ports.cluster(self.cluster)
        existed = {ref_of(obj) for obj in self.before}
        mine = await self._mine(cluster, run, outcome)
        left = [(ref, live) for ref, live in mine if mark_of(live) == run.operation or ref not in existed]
        namespace = await cluster.get(self._namespace_ref()) if self.create_namespace else None
        if namespace is not None and mark_of(namespace) == run.operation:
            left.append((self._namespace_ref(), namespace))
        names = ", ".join(str(ref) for ref, _ in left)
        if left and all(is_leaving(live) for _, live in left):
            why = f"{names} on the cluster {self.cluster} is still being deleted."
            raise UpstreamUnavailable(why, retry_after_s=3.0)
        return Proof(absent=not left, seen=f"{self._place()}: {names or 'nothing of this operation'}")

    def manual(self) -> str:
        refs = [ref_of(obj) for obj in in_order(self.objects)]
        return commands(self.cluster, refs, "describe")

    # --- making it

    async def _put(self, cluster: Cluster, obj: Mapping[str, JSON], *, dry_run: bool = False) -> Object:
        """Apply one object. What our own autoscaler has set, the cluster has set for us: it is no conflict when the
        autoscaler goes, or comes."""
        target = (str(obj["kind"]), ref_of(obj).name)
        over = AUTOSCALED_BY if target in map(scaled_by, (*self.objects, *self.before)) else ()
        return await cluster.apply(obj, dry_run=dry_run, over=over)

    async def _ensure_namespace(self, cluster: Cluster, run: Run) -> bool:
        """Make the namespace if it is missing and we may; return whether this operation has made it."""
        if not self.create_namespace:
            return False
        live = await cluster.get(self._namespace_ref())
        if live is None:
            live = await cluster.apply(with_mark(self._namespace_object(), run.operation))
        return mark_of(live) == run.operation

    async def _set_again(self, cluster: Cluster, run: Run, gone: Sequence[Object]) -> None:
        """Apply once more what an autoscaler may have changed between our apply and its own end."""
        targets = set(map(scaled_by, gone))
        for obj in in_order(self._labelled(obj) for obj in self.objects):
            if (str(obj["kind"]), ref_of(obj).name) in targets:
                await self._put(cluster, with_mark(obj, run.operation))

    async def _dry_run(self, cluster: Cluster, run: Run) -> list[_Wanted]:
        """Try everything without changing anything. Raise all refusals as one."""
        found: list[_Wanted] = []
        refusals: list[tuple[ObjectRef, PlatformError]] = []
        for obj in in_order(self._labelled(obj) for obj in self._in_namespace()):
            ref = ref_of(obj)
            try:
                live = await cluster.get(ref)
                self._claim(ref, live)
                mark = run.operation if live is None else mark_of(live)
                would_be = await self._put(cluster, with_mark(obj, mark), dry_run=True)
            except (Invalid, Conflict, NotFound, Refused) as error:
                refusals.append((ref, error))
                continue
            found.append(_Wanted(obj, live if live is not None and same(live, would_be) else None))
        if refusals:
            raise _together(refusals)
        return found

    def _claim(self, ref: ObjectRef, live: Object | None) -> None:
        """Raise `Conflict` for an object that is not this delivery's."""
        owner = inventory_of(live) if live is not None else self.inventory
        if owner == self.inventory or any(ref_of(obj) == ref for obj in self.before):
            return
        whose = f"belongs to the inventory {owner}" if owner else "was made by somebody else"
        hint = f"Choose another name, or hand it over: label it {INVENTORY}={self.inventory}."
        raise Conflict(f"{ref} is there already and {whose}.", hint=hint)

    async def _unwanted(self, cluster: Cluster) -> list[Object]:
        """Return what an earlier delivery has applied and this one does not want."""
        wanted = {identity(ref_of(obj)) for obj in self.objects}
        sure = {(ref.api_version, ref.kind) for ref in map(ref_of, (*self.objects, *self.before))}
        found: list[Object] = []
        for api_version, kind in sorted({*sure, *KINDS}):
            if kind in HOLDS_DATA:
                continue
            try:
                objects = await cluster.list(
                    api_version, kind, namespace=self.namespace, labels={INVENTORY: self.inventory}
                )
            except (NotFound, Refused):
                if (api_version, kind) in sure:
                    raise
                continue  # a kind that this delivery never had a hand in
            found += [live for live in objects if identity(ref_of(live)) not in wanted and not is_kept(live)]
        return found

    def _outcome(
        self, run: Run, applied: Sequence[tuple[ObjectRef, Object]], unwanted: Sequence[Object], *, made_namespace: bool
    ) -> Outcome:
        ours: dict[str, JSON] = {str(ref): uid_of(live) for ref, live in applied if mark_of(live) == run.operation}
        pruned = sorted({*map(str, map(ref_of, unwanted)), *(str(ref_of(obj)) for obj in self._pruned() if ours)})
        parts = [f"applied {len(applied)} object{'' if len(applied) == 1 else 's'} to {self._place()}"]
        parts += [f"{len(ours) or 'none'} changed"]
        parts += [f"removed {', '.join(pruned)}"] if pruned else []
        return Outcome(
            seen=", ".join(parts),
            changed=bool(ours or made_namespace),
            made={"objects": ours, "pruned": [*pruned], "namespace": made_namespace},
        )

    # --- taking it back

    async def _mine(self, cluster: Cluster, run: Run, outcome: Outcome | None) -> list[tuple[ObjectRef, Object]]:
        """Return what carries this operation's mark, in the order of applying; and what it has made and carries none
        any more, because the undo of a later operation has put it back."""
        made = outcome.made.get("objects") if outcome is not None else None
        known = made if isinstance(made, Mapping) else {}
        found: list[tuple[ObjectRef, Object]] = []
        for obj in in_order(self._in_namespace()):
            ref = ref_of(obj)
            live = await cluster.get(ref)
            if live is not None and (mark_of(live) == run.operation or (str(ref) in known and self._is_put_back(live))):
                found.append((ref, live))
        return found

    def _is_put_back(self, live: Object) -> bool:
        return not mark_of(live) and inventory_of(live) == self.inventory

    async def _take_back(self, cluster: Cluster, run: Run, ref: ObjectRef, live: Object) -> bool:
        """Delete or put back one object; return False where others have changed it since."""
        if is_leaving(live):
            return True
        if self._has_protected(ref, live):
            return False
        ours = next(self._labelled(obj) for obj in self.objects if ref_of(obj) == ref)
        before = next((obj for obj in self.before if ref_of(obj) == ref), None)
        try:
            if (
                before is not None
                and self._is_put_back(live)
                and await self._is_as(cluster, live, self._labelled(before))
            ):
                return True
            if not await self._is_as(cluster, live, with_mark(ours, mark_of(live))):
                return False
        except Conflict:
            return False
        if before is None:
            await cluster.delete(ref, uid=uid_of(live))
        else:
            await self._put(cluster, self._labelled(before))
        return True

    def _has_protected(self, ref: ObjectRef, live: Object) -> bool:
        """Whether it is this step that protects the object: what is in it since, no undo may put at risk."""
        before = next((obj for obj in self.before if ref_of(obj) == ref), None)
        return before is not None and is_never_pruned(live) and not is_never_pruned(before)

    async def _is_as(self, cluster: Cluster, live: Object, obj: Mapping[str, JSON]) -> bool:
        return same(live, await self._put(cluster, obj, dry_run=True))

    async def _restore_pruned(self, cluster: Cluster) -> None:
        for obj in in_order(self._pruned()):
            if await cluster.get(ref_of(obj)) is None:
                await self._put(cluster, self._labelled(obj))

    async def _remove_namespace(self, cluster: Cluster, run: Run, *, empty: bool) -> bool:
        """Delete the namespace that this operation made; return False where things of others keep it."""
        live = await cluster.get(self._namespace_ref()) if self.create_namespace else None
        if live is None or mark_of(live) != run.operation or is_leaving(live):
            return True
        if not empty or await self._inhabitants(cluster):
            return False
        await cluster.delete(self._namespace_ref(), uid=uid_of(live))
        return True

    async def _inhabitants(self, cluster: Cluster) -> list[ObjectRef]:
        """Return workloads and claims that others have put into the namespace meanwhile."""
        found: list[ObjectRef] = []
        for api_version, kind in INHABITANTS:
            try:
                objects = await cluster.list(api_version, kind, namespace=self.namespace)
            except (NotFound, Refused):
                continue
            found += [ref_of(one) for one in objects if not (is_leaving(one) or self._goes_along(one))]
        return found

    def _goes_along(self, live: Object) -> bool:
        """Say whether an object is of this delivery, or was made for one of its objects and goes after it."""
        applied = {identity(ref_of(obj)) for obj in self.objects}
        owners = (identity(ref) for ref in owners_of(live))
        return inventory_of(live) == self.inventory or any(owner in applied for owner in owners)

    def _pruned(self) -> list[dict[str, JSON]]:
        """Return what was applied the time before and is not wanted now."""
        wanted = {identity(ref_of(obj)) for obj in self.objects}
        return [obj for obj in self.before if identity(ref_of(obj)) not in wanted and not is_kept(obj)]

    # --- words

    def _in_namespace(self) -> list[dict[str, JSON]]:
        """Return all objects but the namespace itself, which others may share: it is made, and never changed."""
        return [obj for obj in self.objects if ref_of(obj) != self._namespace_ref()]

    def _labelled(self, obj: Mapping[str, JSON]) -> dict[str, JSON]:
        return with_label(obj, INVENTORY, self.inventory)

    def _namespace_ref(self) -> ObjectRef:
        return ObjectRef("v1", "Namespace", self.namespace)

    def _namespace_object(self) -> dict[str, JSON]:
        wanted = next((obj for obj in self.objects if ref_of(obj) == self._namespace_ref()), None)
        labels: dict[str, JSON] = {"app.kubernetes.io/managed-by": "causeway"}
        bare: dict[str, JSON] = {"name": self.namespace, "labels": labels}
        return self._labelled(wanted or {"apiVersion": "v1", "kind": "Namespace", "metadata": bare})

    def _place(self) -> str:
        return f"{self.namespace} on {self.cluster}"

    def _verb(self, kept: Sequence[ObjectRef]) -> str:
        existed = {ref_of(obj) for obj in self.before}
        return "edit" if any(ref in existed for ref in kept) else "delete"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An object, and its live state where that is as wanted already."""

    obj: dict[str, JSON]
    live: Object | None = None

    @property
    def ref(self) -> ObjectRef:
        return ref_of(self.obj)

    @property
    def is_to_be_applied(self) -> bool:
        return self.live is None

    def is_of(self, run: Run) -> bool:
        return self.live is not None and mark_of(self.live) == run.operation


def _together(refusals: Sequence[tuple[ObjectRef, PlatformError]]) -> PlatformError:
    """Return one error that names them all."""
    if len(refusals) == 1:
        return refusals[0][1]
    mistakes: list[Mistake] = []
    for ref, error in refusals:
        if isinstance(error, Invalid):
            mistakes += [Mistake(f"{ref}: {one.path}", one.message) for one in error.mistakes]
        else:
            mistakes.append(Mistake(str(ref), str(error)))
    return Invalid(f"{len(refusals)} objects are refused: {'; '.join(map(str, mistakes))}.", mistakes)
