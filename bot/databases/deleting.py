"""What a database's deletion is planned from: what stands there, what would be lost, who would miss it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.databases.backups import LastBackup, read_last_backup
from bot.databases.changes import store_here
from bot.databases.finding import SUFFIX
from bot.databases.leftovers import Leftover, read_leftover
from bot.databases.standing_alone import book_name
from bot.databases.visitors import PERSON
from bot.deps import Deps
from bot.errors import Conflict, NotFound, Refused
from bot.ports import Cluster, EnvironmentRecord, Object
from bot.releases.reading import Here
from bot.rendering.delivery.direct import inventory, objects_of, release_ref
from bot.rendering.stores import VISITOR, Store
from bot.teardown import Contents, read_contents

OF_DATABASE = "causeway.io/database"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteFacts:
    """A database that is to go, as it stands."""

    here: Here
    store: Store
    main: Object | None = None
    """Its main object as it is; None where there is none, or no cluster to ask."""
    contents: Contents | None = None
    """None where its cluster is not connected."""
    last_backup: LastBackup = field(default_factory=LastBackup)
    leftover: Leftover | None = None
    """What the service's document has asked for once, and nobody asks for any more."""
    made_by: str = ""
    """The operation that has entered it into our book, of one that stands alone."""

    @property
    def alone(self) -> bool:
        """Whether it belongs to no service: nobody's source is behind it."""
        return not self.here.service.repository


@dataclass(frozen=True, slots=True, kw_only=True)
class LostFacts:
    """A line of our book, and nothing is there: somebody else has deleted what it was about."""

    here: Here
    made_by: str
    """The operation that has entered it."""

    @property
    def name(self) -> str:
        return f"{self.here.place.service}{SUFFIX}"


async def read_deletion(here: Here, deps: Deps) -> DeleteFacts | LostFacts:
    """Raise `Conflict` where nothing of the kind is there or somebody is in it, `Refused` where a document asks for
    it."""
    place = here.place
    cluster = deps.clusters.get(place.settings.cluster)
    store, leftover = store_here(here), None
    if store is None:
        leftover = await read_leftover(here, cluster)
        if leftover is None and (lost := await _line(here, deps)) is not None:
            if cluster is None:
                raise Refused(
                    f"The cluster `{place.settings.cluster}` is not connected, so nobody can look what is left there.",
                    hint="The platform team sets CAUSEWAY_KUBECONFIG and `platform.clusters`.",
                )
            return LostFacts(here=here, made_by=lost.operation)
        if leftover is None:
            raise Conflict(
                f"{here.service.name} has no database in {place.environment}.", hint="See them all: `/database list`."
            )
        store = leftover.store
    elif store.in_document:
        raise Refused(
            f"The platform document of {store.service} asks for {store.name}: it would be made anew at once.",
            hint=f"Take `database` out of its platform.yaml and deploy that to {place.environment}; then delete what "
            "is left.",
        )
    if cluster is None:
        return DeleteFacts(here=here, store=store, leftover=leftover)
    main = await _get(cluster, store)
    await _refuse_visited(store, cluster)
    return DeleteFacts(
        here=here,
        store=store,
        main=main,
        contents=await read_contents(
            cluster, store.namespace, inventory(place), _delivered(here, store, leftover), database=store.name
        ),
        last_backup=await read_last_backup(store, cluster, main),
        leftover=leftover,
        made_by=await _made_by(here, deps),
    )


def of_store(objects: Iterable[Object], store: Store) -> tuple[Object, ...]:
    """Return those of the objects that the database is made of."""
    return tuple(obj for obj in objects if _label(obj, OF_DATABASE) == store.name)


def _delivered(here: Here, store: Store, leftover: Leftover | None) -> Sequence[Object]:
    if leftover is not None:
        return leftover.objects
    found = [*of_store(objects_of(here.standing.files), store)]
    release = here.release
    if not here.place.is_gitops and release is not None and release.current is None:
        ref = release_ref(here.place)
        metadata = {"name": ref.name, "namespace": ref.namespace}
        found.append({"apiVersion": ref.api_version, "kind": ref.kind, "metadata": {**metadata}})
    return found


async def _get(cluster: Cluster, store: Store) -> Object | None:
    if store.main is None:
        return None
    try:
        return await cluster.get(store.main)
    except NotFound:  # the cluster does not know the kind
        return None


async def _refuse_visited(store: Store, cluster: Cluster) -> None:
    """Raise `Conflict` while a person is in: what they look at must not vanish under their hands."""
    try:
        pods = await cluster.list("v1", "Pod", namespace=store.namespace, labels={VISITOR: store.name})
    except (NotFound, Refused):
        return
    inside = sorted(_label(pod, PERSON) for pod in pods)  # one that has ended is still to be removed
    if inside:
        raise Conflict(
            f"{' and '.join(inside)} {'has' if len(inside) == 1 else 'have'} a way into {store.name}.",
            hint=f"Close it first: `/database disconnect {store.service} in {store.environment} of {inside[0]}`.",
        )


async def _made_by(here: Here, deps: Deps) -> str:
    line = await _line(here, deps)
    return line.operation if line is not None else ""


async def _line(here: Here, deps: Deps) -> EnvironmentRecord | None:
    """Return the line of our book that stands; None where there is none."""
    if deps.environments is None:
        return None
    record = await deps.environments.get("database", here.place.settings.cluster, book_name(here.place))
    return record if record is not None and record.ended_at is None else None


def _label(obj: Mapping[str, Any], name: str) -> str:
    return str(((obj.get("metadata") or {}).get("labels") or {}).get(name, ""))
