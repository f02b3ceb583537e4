"""What stands of previews and databases, as clusters, Argo CD and Git tell it. Little is kept of much that is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.deps import Deps
from bot.errors import NotFound, PlatformError
from bot.model.platform import Platform
from bot.ports import Cluster, ObjectRef
from bot.rendering.previews import SERVICE
from bot.teardown.reading import MANAGED_BY, PREVIEW

OURS = {MANAGED_BY: "causeway"}
OF_SERVICE, OF_ENVIRONMENT, OF_TEAM = "causeway.io/service", "causeway.io/environment", "causeway.io/team"
MAIN_KINDS = {
    "cloudnativepg": ("postgresql.cnpg.io/v1", "Cluster"),
    "crossplane": ("database.aws.crossplane.io/v1beta1", "RDSInstance"),
}
"""What a provider's databases are, where a kind of the company's own does not say."""
MOST_PARTS = 12
"""Parts of one thing that are named."""


@dataclass(slots=True)
class Standing:
    """What is there of one preview or database."""

    parts: list[str] = field(default_factory=list)
    team: str = ""
    since: datetime | None = None
    deletable: bool = False
    """Whether what is there is enough for `/preview down` to find it."""
    refs: list[tuple[str, ObjectRef]] = field(default_factory=list)
    """Cluster and name of its objects."""

    def add(self, part: str, *, team: str = "", since: datetime | None = None, deletable: bool = False) -> None:
        if len(self.parts) < MOST_PARTS:
            self.parts.append(part)
        self.team = self.team or team
        self.deletable = self.deletable or deletable
        if since is not None and (self.since is None or since < self.since):
            self.since = since


@dataclass(slots=True)
class Seen:
    """Everything that was seen, once through."""

    previews: dict[str, Standing] = field(default_factory=dict)
    databases: dict[tuple[str, str], Standing] = field(default_factory=dict)
    """By service and environment: those of no service of the catalog."""
    unread: list[str] = field(default_factory=list)
    strangers: dict[str, Standing] = field(default_factory=dict)
    """By their names: namespaces that say that they are of a preview, and are not the preview's."""
    blind: set[str] = field(default_factory=set)
    """Clusters that did not tell everything: of what is missing there, nothing can be said."""
    half: bool = False
    """Whether Git or Argo CD did not tell everything: of no preview that is missing, anything can be said."""
    objects: int = 0

    def preview(self, name: str) -> Standing:
        return self.previews.setdefault(name, Standing())

    def note(self, what: str, error: PlatformError, cluster: str = "") -> None:
        told = f"{what} could not be looked at: {error}"
        if told not in self.unread:
            self.unread.append(told)
        if cluster:
            self.blind.add(cluster)


async def see(deps: Deps) -> Seen:
    """Look everywhere. What cannot be looked at is noted and hides nothing else."""
    seen = Seen()
    services = {found.entity.metadata.name for found in deps.catalog().components()}
    for name, cluster in sorted(deps.clusters.items()):
        await _cluster(cluster, name, seen, deps.platform, services)
    await _argocd(deps, seen)
    await _git(deps, seen)
    return seen


async def _cluster(cluster: Cluster, name: str, seen: Seen, platform: Platform, services: Collection[str]) -> None:
    async for obj in _scan(cluster, "v1", "Namespace", OURS, seen):
        preview, part = _label(obj, PREVIEW), f"namespace {_name(obj)} on {name}"
        if preview == _name(obj):
            _note(seen.preview(preview), obj, part, deletable=True)
        elif preview:  # somebody has copied the labels: `/preview down` would delete none of it, and must not
            stranger = seen.strangers.setdefault(f"{_name(obj)} on {name}", Standing())
            _note(stranger, obj, part)
            stranger.refs.append((name, ObjectRef("v1", "Namespace", _name(obj))))
    if platform.previews is not None and platform.previews.delivery == "direct":
        async for obj in _scan(cluster, "v1", "ConfigMap", {OF_SERVICE: SERVICE}, seen):
            preview = _label(obj, OF_ENVIRONMENT)
            if preview == _namespace(obj):
                _note(seen.preview(preview), obj, f"release in {_namespace(obj)} on {name}", deletable=True)
    for kind in _databases(platform):
        async for obj in _scan(cluster, *kind, OURS, seen):
            _database(obj, name, seen, platform, services)


def _database(obj: Any, cluster: str, seen: Seen, platform: Platform, services: Collection[str]) -> None:
    service, environment = _label(obj, OF_SERVICE), _label(obj, OF_ENVIRONMENT)
    part = f"{obj['kind']} {_name(obj)} on {cluster}"
    if environment and environment not in platform.environments:
        standing = seen.preview(environment)
    elif service and service not in services:
        standing = seen.databases.setdefault((service, environment), Standing())
    else:
        return  # it belongs to a service, whose release says whether it is to be there
    _note(standing, obj, part)
    if len(standing.refs) < MOST_PARTS:
        standing.refs.append((cluster, ObjectRef(obj["apiVersion"], obj["kind"], _name(obj), _namespace(obj))))


async def _scan(
    cluster: Cluster, api_version: str, kind: str, labels: Mapping[str, str], seen: Seen
) -> AsyncIterator[Any]:
    told: set[str] = set()
    try:
        async for obj in cluster.scan(api_version, kind, labels=labels):
            uid = str(obj["metadata"].get("uid"))  # type: ignore[union-attr]  # a server tells it so
            if uid not in told:  # a list that has begun anew tells some twice
                told.add(uid)
                seen.objects += 1
                yield obj
    except NotFound:
        return  # the cluster does not know the kind
    except PlatformError as error:
        seen.note(f"{kind} on {cluster.name}", error, cluster.name)


def _databases(platform: Platform) -> list[tuple[str, str]]:
    """Return the kinds of which this platform's databases are."""
    providers = [one for there in platform.environments.values() for one in (there.database, *there.databases.values())]
    claims = {(one.claim.api_version, one.claim.kind) for one in providers if one.claim is not None}
    return sorted(claims | {MAIN_KINDS[one.provider] for one in providers if one.provider in MAIN_KINDS})


async def _argocd(deps: Deps, seen: Seen) -> None:
    if deps.deployments is None:
        return
    try:
        found = await deps.deployments.applications(labels={OF_SERVICE: SERVICE})
    except PlatformError as error:
        seen.note("Argo CD's applications", error)
        seen.half = True
        return
    for application in found:
        seen.objects += 1
        name = application.name.removeprefix(f"{SERVICE}-")
        if name not in deps.platform.environments:  # a service may be called so too
            seen.preview(name).add(f"Argo CD application {application.name}")


async def _git(deps: Deps, seen: Seen) -> None:
    gitops = deps.platform.gitops
    if not gitops.repository:
        return
    folder = f"{gitops.apps}/{SERVICE}"
    try:
        tree = await deps.forge.tree(gitops.repository, gitops.branch, folder, contents=False)
    except PlatformError as error:  # also of a repository that is hidden from us; a folder that is not there is none
        seen.note(f"{folder} in {gitops.repository}", error)
        seen.half = True
        return
    names = {file.path.removeprefix(f"{folder}/").partition("/")[0] for file in tree.files}
    names -= deps.platform.environments.keys()  # a service may be called so too
    for name in sorted(names):
        seen.preview(name).add(f"folder {folder}/{name} in {gitops.repository}", deletable=True)


def _note(standing: Standing, obj: Any, part: str, *, deletable: bool = False) -> None:
    standing.add(part, team=_label(obj, OF_TEAM), since=_made(obj), deletable=deletable)


def _label(obj: Any, key: str) -> str:
    return str((obj["metadata"].get("labels") or {}).get(key) or "")


def _name(obj: Any) -> str:
    return str(obj["metadata"]["name"])


def _namespace(obj: Any) -> str:
    return str(obj["metadata"].get("namespace") or "")


def _made(obj: Any) -> datetime | None:
    parse: Callable[[str], datetime] = datetime.fromisoformat
    text = str(obj["metadata"].get("creationTimestamp") or "")
    try:
        return parse(text) if text else None
    except ValueError:
        return None
