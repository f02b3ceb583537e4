"""Before a database is deleted: that nothing protects it any more, and that a last backup of it is complete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from bot.effects.marks import known
from bot.effects.objects import Objects, commands
from bot.errors import Conflict, UpstreamUnavailable
from bot.health.parsing import moment
from bot.health.words import said
from bot.model.annotations import KEPT, SYNC_OPTIONS
from bot.model.effect import Effect, Outcome, Run
from bot.model.late import Text
from bot.ports import Cluster, Object, ObjectRef, Ports

API_VERSION = "postgresql.cnpg.io/v1"
LOOK_S, LONGEST_LOOK_S = 2.0, 15.0
"""Between two looks; each doubles the pause before the next."""
COMPLETED, FAILED = "completed", "failed"
_PHASES = {
    "": "Waiting for the operator to begin the last backup.",
    "pending": "The last backup waits for its turn.",
    "started": "The last backup has begun.",
    "running": "The last backup is being made.",
    "finalizing": "The last backup is being finished.",
}


class AwaitUnprotected(Effect):
    """Waits until what an earlier step has changed in Git is so in the cluster: nothing keeps the object from being
    deleted any more. Only then may it go from Git: Argo CD would skip what still says that it stays, and for ever."""

    kind: ClassVar[str] = "database.await_unprotected"
    undoable: ClassVar[bool] = False
    waits: ClassVar[bool] = True

    cluster: str
    api_version: str
    object_kind: str
    name: str
    namespace: str = ""
    database: str
    """What people call it."""
    patience_s: int = Field(default=300, ge=0)

    def describe(self) -> str:
        return f"Wait until the protection of {self.database} is lifted"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        ref = ObjectRef(self.api_version, self.object_kind, self.name, self.namespace)
        waited, pause_s = 0.0, LOOK_S
        with ports.waiting.listening() as pause:
            while True:
                stuck = waited >= self.patience_s
                try:
                    live = await ports.cluster(self.cluster).get(ref)
                    if live is None:
                        return Outcome(seen=f"{ref} is not there", changed=False)
                    if not is_protected(live):
                        return Outcome(seen=f"{ref} is not protected any more", changed=False)
                    told = f"Waiting for the protection of {self.database} to be lifted in the cluster."
                    more = " Look in Argo CD why it does not sync. Nothing has been deleted." if stuck else ""
                    await run.report(f"{told}{more}", stalled=stuck)
                except UpstreamUnavailable as error:
                    await run.report(error.while_waiting(), stalled=stuck)
                await pause(pause_s)
                waited += pause_s
                pause_s = min(pause_s * 2, LONGEST_LOOK_S)


class TakeBackup(Effect):
    """A last backup by CloudNativePG: made where the cluster is written to directly, waited for in any case.

    A backup is not taken back: whatever happens afterwards, one more does no harm. Raises `Conflict` where it fails;
    then nothing is deleted. Outputs: `backup`, its name, and `snapshots`, where it is kept as such.
    """

    kind: ClassVar[str] = "database.take_backup"
    undoable: ClassVar[bool] = False
    waits: ClassVar[bool] = True
    patient: ClassVar[bool] = True

    cluster: str
    namespace: str
    name: Text
    """Of the Backup."""
    database: str
    """What people call it."""
    backup: Objects = ()
    """The Backup, whole; none where an earlier step has committed it and Argo CD applies it."""
    patience_s: int = Field(default=900, ge=0)
    """How long it may take before the card says so: a full backup of a large disk takes its time."""
    contact: str = ""

    def describe(self) -> str:
        return f"Make a last backup of {self.database}, and wait until it is complete"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        ref = ObjectRef(API_VERSION, "Backup", known(self.name), self.namespace)
        cluster = ports.cluster(self.cluster)
        waited, pause_s, phase = 0.0, LOOK_S, ""
        with ports.waiting.listening() as pause:
            while True:
                try:
                    status = _status(await self._there(cluster, ref))
                    phase = str(status.get("phase", ""))
                    if phase == COMPLETED:
                        return self._done(ref, status)
                    if phase == FAILED:
                        raise self._failed(status)
                    await self._tell(run, phase, stuck=waited >= self.patience_s)
                except UpstreamUnavailable as error:
                    await run.report(error.while_waiting(), stalled=waited >= self.patience_s)
                await pause(pause_s)
                waited += pause_s
                pause_s = min(pause_s * 2, LONGEST_LOOK_S)

    def manual(self) -> str:
        return commands(self.cluster, [ObjectRef(API_VERSION, "Backup", str(self.name), self.namespace)], "describe")

    async def _there(self, cluster: Cluster, ref: ObjectRef) -> Object | None:
        """Return the Backup, made first where that is ours to do."""
        live = await cluster.get(ref)
        if live is None and self.backup:
            live = await cluster.apply(self.backup[0])
        return live

    def _done(self, ref: ObjectRef, status: Mapping[str, Any]) -> Outcome:
        snapshots = [
            str(one.get("name", "")) for one in (status.get("snapshotBackupStatus") or {}).get("elements") or []
        ]
        kept = f", as the snapshot {', '.join(snapshots)}" if snapshots else ""
        at = moment(status.get("stoppedAt"))
        since = f" since {at:%d %B %Y, %H:%M} UTC" if at is not None else ""
        return Outcome(
            seen=f"the last backup of {self.database}, {ref.name}, is complete{since}{kept}; it is kept until somebody "
            "deletes it",
            outputs={"backup": ref.name, "snapshots": [*snapshots]},
        )

    def _failed(self, status: Mapping[str, Any]) -> Conflict:
        why = said(str(status.get("error", ""))) or "it does not say why"
        whom = self.contact or "the platform team"
        return Conflict(
            f"The last backup of {self.database} failed: {why}. Nothing was deleted.",
            hint=f"Ask {whom} to mend the backups, and delete it then.",
        )

    async def _tell(self, run: Run, phase: str, *, stuck: bool) -> None:
        told = _PHASES.get(phase, f"The last backup is {phase}.")
        whom = self.contact or "the platform team"
        more = f" It has taken long; ask {whom} whether it moves. Nothing has been deleted." if stuck else ""
        await run.report(f"{told}{more}", stalled=stuck)


def is_protected(live: Object) -> bool:
    """Return whether Argo CD would leave an object alone, or the cloud would refuse to delete what it stands for.

    A provider tells the cloud nothing more once deletion is asked for: what it has not carried out yet counts as well.
    """
    metadata: Any = live.get("metadata") or {}
    options = str((metadata.get("annotations") or {}).get(SYNC_OPTIONS, ""))
    spec: Any = live.get("spec") or {}
    in_cloud = (spec.get("forProvider") or {}).get("deletionProtection") is True
    return KEPT in options.replace(" ", "").split(",") or in_cloud or _is_behind(live)


def _is_behind(live: Object) -> bool:
    """Return whether a provider says that it has carried out only an earlier state of a managed resource."""
    metadata: Any = live.get("metadata") or {}
    conditions = _status(live).get("conditions")
    for one in conditions if isinstance(conditions, list) else ():
        if isinstance(one, Mapping) and one.get("type") == "Synced" and isinstance(one.get("observedGeneration"), int):
            return bool(one["observedGeneration"] < metadata.get("generation", 0))
    return False


def _status(live: Object | None) -> Mapping[str, Any]:
    status = live.get("status") if live is not None else None
    return status if isinstance(status, Mapping) else {}
