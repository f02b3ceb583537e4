"""The plan that deletes a database: its protection is lifted, a last backup is made, it is deleted, and is seen to be
gone. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.databases.changes import release_here
from bot.databases.deleting import DeleteFacts, LostFacts
from bot.databases.loss import keeps_backups, what_is_lost, what_stays
from bot.databases.standing_alone import book_name
from bot.effects import (
    ApplyObjects,
    AwaitUnprotected,
    CommitFiles,
    DeleteFromGit,
    EndInBook,
    LiftProtection,
    Note,
    ProveGone,
    RefreshApplication,
    RemoveObjects,
    TakeBackup,
)
from bot.effects.absent_beside import BackupsKept
from bot.model.annotations import COMPARE_OPTIONS, KEPT, SYNC_OPTIONS, UNMISSED
from bot.model.canonical import JSON
from bot.model.effect import Effect
from bot.model.plan import Plan
from bot.model.release import Release
from bot.ports import Object
from bot.releases.changes import change_to, delivery, healthy
from bot.rendering.delivery import Change, Standing
from bot.rendering.delivery.change import folder_of
from bot.rendering.delivery.direct import inventory
from bot.rendering.printing import file_name, files
from bot.rendering.render import render_backup
from bot.rendering.stores import Store
from bot.teardown import proofs_of, teardown_effects

KEEP = {SYNC_OPTIONS: f"{KEPT},Delete=false", COMPARE_OPTIONS: UNMISSED}
"""A last backup outlives the file that asked for it, and its Application; nobody is to miss it in Git either."""


NAMESPACE_STAYS = "namespace-stays"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """The two changes of a deletion, and what happens in between."""

    lifted: Change
    """Everything as it was, but unprotected, with the last backup beside it."""
    gone: Change
    """What is left without it."""
    backup: Object | None


def ending_plan(facts: DeleteFacts) -> Plan:
    """Return the plan. An undo is possible until the second change; what is deleted, nothing brings back."""
    here, store = facts.here, facts.store
    way = _way(facts)
    summary = f"Delete {store.name} in {here.place.environment}, with all that is in it"
    found = [*_lifting(facts, way), *_deleting(facts, way, summary)]
    return Plan.of(
        summary,
        here.asker.late(found),
        revisions=[here.standing.revision, *([facts.contents.revision] if facts.contents else [])],
        owner=here.service.owner,
        highlights=what_is_lost(facts, way.lifted.objects, way.backup),
        notes=what_stays(facts.store, way.lifted.objects),
        environment=here.place.environment,
        lane=here.place.lane,
    ).model_copy(update={"undo_later": False})


def lost_plan(facts: LostFacts) -> Plan:
    """Return the plan that ends a line of the book of which nothing is left."""
    here = facts.here
    place = here.place
    told = f"Nothing of {facts.name} is there: neither in Git nor in the cluster {place.settings.cluster}."
    end = EndInBook(
        id="end-in-book", name=book_name(place), what="database", cluster=place.settings.cluster, made_by=facts.made_by
    )
    return Plan.of(
        f"Forget {facts.name} in {place.environment}, which is gone already",
        [Note(id="gone", message=told), end],
        revisions=[here.standing.revision],
        owner=here.service.owner,
        environment=place.environment,
        lane=place.lane,
    ).model_copy(update={"undo_later": False})


# --- the two changes


def _way(facts: DeleteFacts) -> _Way:
    here, store, release = facts.here, facts.store, release_here(facts.here)
    summary = f"Lift the protection of {store.name} in {here.place.environment}"
    lifted = change_to(here.place, _unprotected(release), summary)
    if facts.leftover is not None:
        objects = (*lifted.objects, *facts.leftover.objects)
        lifted = replace(lifted, objects=objects, files={**lifted.files, **files(facts.leftover.objects)})
    # Its own name: one that has failed before would be taken for this one.
    backup = render_backup(store, f"{store.name}-last-{here.asker.now:%Y%m%d%H%M%S}", platform=here.place.platform)
    if backup is not None and here.place.is_gitops:
        backup = _kept(backup)
        lifted = replace(lifted, objects=(*lifted.objects, backup), files={**lifted.files, **files([backup])})
    gone = change_to(here.place, release.model_copy(update={"database": None}), f"Delete {store.name}")
    return _Way(lifted=lifted, gone=replace(gone, removed=(store.file,) if store.file else ()), backup=backup)


def _unprotected(release: Release) -> Release:
    wanted = release.database
    return release.model_copy(
        update={"database": wanted.model_copy(update={"protected": False}) if wanted is not None else None}
    )


def _kept(backup: Object) -> dict[str, JSON]:
    metadata = backup["metadata"]
    held = dict(metadata) if isinstance(metadata, dict) else {}
    annotations = held.get("annotations")
    held["annotations"] = {**(annotations if isinstance(annotations, dict) else {}), **KEEP}
    return {**backup, "metadata": held}


# --- before it goes


def _lifting(facts: DeleteFacts, way: _Way) -> Iterator[Effect]:
    here, store = facts.here, facts.store
    for effect in delivery(way.lifted, here.standing, here.repo_url):
        match effect:
            case CommitFiles():
                held = effect.model_dump(mode="json", by_alias=True)
                more = {"id": "lift-protection", "database": store.name, "main_file": _main_file(facts, way)}
                yield LiftProtection.model_validate({**held, **more})
            case ApplyObjects():
                yield effect.model_copy(update={"id": "lift-protection"})
            case RefreshApplication():
                yield effect.model_copy(update={"id": f"{effect.id}-lifted"})
            case _:
                yield effect
    if facts.contents is None:
        return
    if store.main is not None:
        yield AwaitUnprotected(
            id="await-unprotected",
            cluster=store.cluster,
            api_version=store.main.api_version,
            object_kind=store.main.kind,
            name=store.main.name,
            namespace=store.main.namespace,
            database=store.name,
        )
    if way.backup is not None:
        metadata = way.backup["metadata"]
        assert isinstance(metadata, dict)  # noqa: S101  # rendered
        yield TakeBackup(
            id="last-backup",
            cluster=store.cluster,
            namespace=store.namespace,
            name=str(metadata["name"]),
            database=store.name,
            backup=() if here.place.is_gitops else (dict(way.backup),),
            contact=store.settings.contact,
        )


def _main_file(facts: DeleteFacts, way: _Way) -> str:
    """Return the path in Git that is there as long as the database is to be."""
    store = facts.store
    if store.file:
        return store.file
    names = [
        file_name(obj)
        for obj in way.lifted.objects
        if store.main is not None and (obj["kind"], _name(obj)) == (store.main.kind, store.main.name)
    ]
    return f"{folder_of(facts.here.place)}/{names[0]}"


def _name(obj: Object) -> str:
    metadata = obj["metadata"]
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""


# --- its end


def _deleting(facts: DeleteFacts, way: _Way, summary: str) -> Iterator[Effect]:
    here = facts.here
    standing = replace(
        here.standing,
        release=way.lifted.release,
        files=way.lifted.files,
        application=here.standing.application or ("" if here.place.is_gitops else None),  # it is there by then
    )
    if way.gone.release.current is None:
        yield from _whole_place(facts, standing, summary)
    else:
        yield from _out_of_the_service(facts, way, standing)


def _whole_place(facts: DeleteFacts, standing: Standing, summary: str) -> Iterator[Effect]:
    """Nothing but the database stands there: all of it goes."""
    here, store = facts.here, facts.store
    found = teardown_effects(
        facts.contents,
        here.place,
        standing,
        what="database",
        name=book_name(here.place),
        summary=summary,
        made_by=facts.made_by,
        repo_url=here.repo_url,
        contact=store.settings.contact,
    )
    if store.file:
        found = tuple(
            effect.model_copy(update={"deleted": (*effect.deleted, store.file)}) if effect.id == "delete" else effect  # type: ignore[attr-defined]  # it is RemoveFiles
            for effect in found
        )
    *others, end = found
    yield from (effect for effect in others if effect.id != NAMESPACE_STAYS)
    yield from _what_is_kept(facts, store)
    if facts.contents is not None and facts.contents.uid:
        yield _namespace_stays(facts, store)
    if facts.alone:
        yield end


def _namespace_stays(facts: DeleteFacts, store: Store) -> Note:
    """It may hold what is left of the data: whoever deletes it has to know."""
    inside = "the backups that are kept stand in it" if keeps_backups(store) else "others may have something in it"
    return Note(id=NAMESPACE_STAYS, message=f"The namespace {store.namespace} stays: {inside}.")


def _out_of_the_service(facts: DeleteFacts, way: _Way, standing: Standing) -> Iterator[Effect]:
    here, store = facts.here, facts.store
    for effect in delivery(way.gone, standing, here.repo_url):
        if isinstance(effect, CommitFiles):
            held = effect.model_dump(mode="json", by_alias=True)
            yield DeleteFromGit.model_validate({**held, "database": store.name})
        else:
            yield effect
    contents = facts.contents
    if contents is None:
        told = f"The cluster {store.cluster} is not connected, so nobody has looked there for what is left."
        yield Note(id="not-looked", message=told)
    else:
        if not here.place.is_gitops and contents.delivered:
            yield RemoveObjects(
                id="remove-objects",
                cluster=store.cluster,
                namespace=store.namespace,
                inventory=inventory(here.place),
                refs=tuple(reversed(contents.delivered)),
                contact=store.settings.contact,
            )
        yield from proofs_of(contents, namespace=False, contact=store.settings.contact)
    yield from _what_is_kept(facts, store)
    if way.gone.release.current is not None:
        yield healthy(way.gone)


def _what_is_kept(facts: DeleteFacts, store: Store) -> Iterator[Effect]:
    if keeps_backups(store) and facts.contents:
        check = BackupsKept(namespace=store.namespace, database=store.name)
        yield ProveGone(id="kept-backups", cluster=store.cluster, namespace=store.namespace, checks=(check,))
