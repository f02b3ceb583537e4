"""What is looked for beside the cluster, and what outlives it on purpose. A check changes nothing."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from bot.effects.sightings import SNAPSHOT_CONTENT, BaseCheck, Sighting, listed, several, shared, snapshot
from bot.errors import NotFound
from bot.ports import Ports


class KeptBackup(BaseModel, frozen=True, extra="forbid"):
    name: str
    where: str = ""
    """`in the object store backups`; empty: in the cluster."""
    until: str = ""
    """A date; empty: until somebody deletes it."""


class BackupsKept(BaseCheck, frozen=True):
    """Backups that outlive their database. They are looked for: one that is told and not there helps nobody."""

    outlives: ClassVar[bool] = True
    of: Literal["backups"] = "backups"
    namespace: str
    database: str
    """Name of the CloudNativePG Cluster whose backups they are."""
    backups: tuple[KeptBackup, ...] = ()
    """Those known when this was planned; what was made since is found by its database."""
    until: str = ""
    """How long those are kept that were made since; a date."""

    def told(self) -> str:
        return f"backups of {self.database}"

    async def see(self, ports: Ports, cluster: str) -> Sighting:
        live = await ports.cluster(cluster).list("postgresql.cnpg.io/v1", "Backup", namespace=self.namespace)
        known = {one.name: one for one in self.backups}
        kept = []
        for obj in live:
            found: Any = obj
            if ((found.get("spec") or {}).get("cluster") or {}).get("name") != self.database:
                continue
            name = str(found["metadata"]["name"])
            phase = (found.get("status") or {}).get("phase")
            one = known.get(name, KeptBackup(name=name, until=self.until))
            until = f"until {one.until}" if one.until else "until somebody deletes it"
            where = f" {one.where}" if one.where else ""
            but = "" if phase == "completed" else f"; it says: {phase or 'nothing yet'}"
            kept.append(f"backup {name}{where} ({until}{but})")
        lost = [name for name in known if not any(told.startswith(f"backup {name}") for told in kept)]
        unseen = f"the backup {listed(lost)} is not there any more" if lost else ""
        return Sighting(of=self.of, kept=tuple(kept), unseen=unseen)


class ApplicationsAbsent(BaseCheck, frozen=True):
    """Argo CD knows these Applications no more, and so has deleted what they had made."""

    of: Literal["applications"] = "applications"
    names: tuple[str, ...]

    def told(self) -> str:
        return f"the Argo CD {several(self.names, 'application')}"

    async def see(self, ports: Ports, cluster: str) -> Sighting:
        if ports.deployments is None:
            raise NotFound("No Argo CD is connected.")
        left = [name for name in self.names if await ports.deployments.application(name) is not None]
        gone = tuple(f"application {name}" for name in self.names if name not in left)
        how = "Argo CD has none of that name"
        return Sighting(of=self.of, gone=gone, left=tuple(f"application {name}" for name in left), how=how)


class FoldersAbsent(BaseCheck, frozen=True):
    """Folders of a repository. What others have put into them stays, and is named."""

    of: Literal["folders"] = "folders"
    repository: str
    branch: str
    folders: tuple[str, ...]

    def told(self) -> str:
        return f"the {several(self.folders, 'folder')} in Git"

    async def see(self, ports: Ports, cluster: str) -> Sighting:
        head = await ports.forge.branch_head(self.repository, self.branch)
        if head is None:
            raise NotFound(f"{self.repository} has no branch {self.branch}, or hides it from us.")
        gone, kept = [], []
        for folder in self.folders:
            tree = await ports.forge.tree(self.repository, head.sha, folder, contents=False)
            if tree.files:
                names = listed(file.path.removeprefix(f"{folder}/") for file in tree.files)
                kept.append(f"folder {folder}, where others have put {names}")
            else:
                gone.append(f"folder {folder}")
        how = f"{self.repository} has nothing there at {head.sha[:7]}"
        return Sighting(of=self.of, gone=tuple(gone), kept=tuple(kept), how=how)


class BranchesAbsent(BaseCheck, frozen=True):
    """Branches that were made for it."""

    of: Literal["branches"] = "branches"
    repository: str
    branches: tuple[str, ...]

    def told(self) -> str:
        return f"the {several(self.branches, 'branch', 'branches')} of {self.repository}"

    async def see(self, ports: Ports, cluster: str) -> Sighting:
        left = [name for name in self.branches if await ports.forge.branch_head(self.repository, name) is not None]
        gone = tuple(f"branch {name}" for name in self.branches if name not in left)
        how = f"{self.repository} has no such branch"
        return Sighting(of=self.of, gone=gone, left=tuple(f"branch {name}" for name in left), how=how)


class SnapshotsAbsent(BaseCheck, frozen=True):
    """Volume snapshots of a namespace: those whose class retains them stay in the storage system."""

    of: Literal["snapshots"] = "snapshots"
    namespace: str

    def told(self) -> str:
        return f"volume snapshots of {self.namespace}"

    async def see(self, ports: Ports, cluster: str) -> Sighting:
        live = await shared(ports, ports.cluster(cluster), *SNAPSHOT_CONTENT, snapshot)
        mine = [one for one in live if one["namespace"] == self.namespace]
        kept = [one for one in mine if one["policy"] == "Retain"]
        left = [one for one in mine if one not in kept]
        return Sighting(
            of=self.of,
            gone=() if mine else (self.told(),),
            how="the cluster has none of that namespace any more",
            kept=tuple(f"snapshot {one['name']} (its class retains it until somebody deletes it)" for one in kept),
            left=tuple(f"snapshot {one['name']}" for one in left),
        )


class StoredElsewhere(BaseCheck, frozen=True):
    """What outlives the teardown where Causeway cannot look: told, for somebody has to know."""

    outlives: ClassVar[bool] = True
    of: Literal["stored"] = "stored"
    what: tuple[str, ...]

    def told(self) -> str:
        return "backups outside of the cluster"

    async def see(self, ports: Ports, cluster: str) -> Sighting:
        return Sighting(of=self.of, kept=self.what)
