"""From what a place holds to the effects that delete it and prove that it is gone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from bot.effects import (
    AwaitApplicationGone,
    EndInBook,
    LeaveProject,
    Note,
    ProveGone,
    RefreshApplication,
    RemoveFiles,
    RemoveNamespace,
    RemoveObjects,
)
from bot.effects.absence import Check
from bot.effects.absent import AddressesAbsent, CloudAbsent, HostsAbsent, NamespaceAbsent, ObjectsAbsent, VolumesAbsent
from bot.effects.absent_beside import (
    ApplicationsAbsent,
    BranchesAbsent,
    FoldersAbsent,
    SnapshotsAbsent,
    StoredElsewhere,
)
from bot.effects.objects import INVENTORY
from bot.model.effect import Effect
from bot.model.late import Late, OutputRef
from bot.ports import Object
from bot.rendering.delivery import Place, Standing, folder_of
from bot.rendering.delivery.change import release_file
from bot.rendering.delivery.direct import objects_of
from bot.rendering.delivery.gitops import application_file, project_file, project_of
from bot.teardown.reading import Contents

COMPONENT = "manifests/install/components/previews"


def teardown_effects(
    contents: Contents | None,
    place: Place,
    standing: Standing,
    *,
    what: Literal["preview", "database"],
    name: str,
    summary: str,
    made_by: str = "",
    repo_url: str = "",
    branches: Iterable[tuple[str, str]] = (),
    contact: str = "",
) -> tuple[Effect, ...]:
    """Return the effects that delete all of a place, prove its absence, and end its line in the book.

    `contents` is None where the place's cluster is not connected: then Argo CD and Git tell what they can. `summary` is
    the first line of the commit that deletes. `branches` are those that were made for it, each with its repository.
    The namespace goes only where it is ours; otherwise what was delivered goes, and the receipt says what stays.
    """
    if place.is_gitops:
        removing = tuple(_by_git(contents, place, standing, summary, repo_url=repo_url, contact=contact))
    else:
        removing = tuple(_straight(contents, contact)) if contents is not None else ()
    proofs = tuple(_proofs(contents, place, standing, branches, contact))
    end = EndInBook(
        id="end-in-book",
        name=name,
        what=what,
        cluster=place.settings.cluster,
        made_by=made_by,
        proofs=tuple(
            Late(parts=(OutputRef(effect=one.id, output="proved"),)) for one in proofs if isinstance(one, ProveGone)
        ),
        unseen=contents is None or bool(contents.unread),
    )
    return (*removing, *proofs, end)


def proofs_of(contents: Contents, *, namespace: bool, contact: str = "") -> tuple[Effect, ...]:
    """Return one proof for each kind of thing that stands in a cluster: each is a line of the receipt.

    `namespace` says whether the namespace goes; where it stays, each object that was delivered is looked for.
    """
    return tuple(
        ProveGone(
            id=f"prove-{check.of}",
            cluster=contents.cluster,
            namespace=contents.namespace,
            checks=(check,),
            contact=contact,
        )
        for check in _checks(contents, goes=namespace)
    )


def _checks(contents: Contents, *, goes: bool) -> Iterator[Check]:
    if goes:
        yield NamespaceAbsent(name=contents.namespace, uid=contents.uid)
    objects = contents.outside if goes else contents.delivered
    if objects:
        yield ObjectsAbsent(targets=objects)
    if contents.volumes or (goes and contents.uid):
        claims = () if goes else tuple(dict.fromkeys(one.claim for one in contents.volumes))
        yield VolumesAbsent(
            namespace=contents.namespace,
            volumes=contents.volumes,
            claims=claims,
            uid=contents.uid if goes else "",
        )
    if contents.balancers:
        yield AddressesAbsent(balancers=contents.balancers)
    if contents.hosts:
        yield HostsAbsent(hosts=contents.hosts)
    if contents.cloud:
        yield CloudAbsent(resources=contents.cloud)
    if goes and contents.snapshots:
        yield SnapshotsAbsent(namespace=contents.namespace)
    if contents.stored_elsewhere:
        yield StoredElsewhere(what=contents.stored_elsewhere)


def _goes(contents: Contents) -> bool:
    """Whether the namespace is to go: it is ours, and we may delete it."""
    return bool(contents.uid and contents.label and contents.may_delete_namespace)


# --- straight from the cluster


def _straight(contents: Contents, contact: str) -> Iterator[Effect]:
    if _goes(contents):
        yield _namespace(contents, contact)
        objects = contents.outside
    else:
        objects = contents.delivered
    if objects:
        yield RemoveObjects(
            id="remove-objects",
            cluster=contents.cluster,
            namespace=contents.namespace,
            inventory=contents.inventory,
            refs=tuple(reversed(objects)),
            contact=contact,
        )
    if contents.uid and not _goes(contents):
        yield _stays(contents)


def _namespace(contents: Contents, contact: str, *, by_others: bool = False) -> RemoveNamespace:
    return RemoveNamespace(
        id="remove-namespace",
        cluster=contents.cluster,
        namespace=contents.namespace,
        uid=contents.uid,
        inventory=contents.mark or contents.inventory,
        label=contents.label or INVENTORY,
        by_others=by_others,
        contact=contact,
    )


def _stays(contents: Contents) -> Note:
    why = (
        f"Causeway may not delete it; {COMPONENT} grants that"
        if contents.label
        else "it is not Causeway's, and others may have something in it"
    )
    command = f"kubectl --context {contents.cluster} delete namespace {contents.namespace}"
    return Note(
        id="namespace-stays",
        message=f"The namespace {contents.namespace} stays: {why}. Where nothing is in it, `{command}` deletes it.",
    )


# --- by Git and Argo CD


def _by_git(
    contents: Contents | None, place: Place, standing: Standing, summary: str, *, repo_url: str, contact: str
) -> Iterator[Effect]:
    gitops, argocd = place.platform.gitops, place.platform.argocd
    yield RemoveFiles(
        id="delete",
        repository=gitops.repository,
        branch=gitops.branch,
        deleted=_files(place, standing),
        message=summary,
        as_requester=True,
    )
    yield RefreshApplication(id="refresh-root", application=argocd.root_application)
    yield AwaitApplicationGone(
        id="await-application", application=place.application, root=argocd.root_application, contact=contact
    )
    if contents is not None and contents.uid:
        if _is_delivered(standing, contents.namespace):
            yield _namespace(contents, contact, by_others=True)
        elif _goes(contents):
            yield _namespace(contents, contact)
        else:
            yield _stays(contents)
    yield LeaveProject(
        id="leave-project",
        repository=gitops.repository,
        branch=gitops.branch,
        path=project_file(place),
        project=project_of(place, repo_url, ()),
    )


def _files(place: Place, standing: Standing) -> tuple[str, ...]:
    folder = folder_of(place)
    own = [f"{folder}/{name}" for name in sorted(standing.files)]
    application = [application_file(place)] if standing.application is not None else []
    return (*application, *own, release_file(place))


def _is_delivered(standing: Standing, namespace: str) -> bool:
    """Whether the namespace is one of the objects that Argo CD applies, and so one of those that it deletes."""
    return any(_names(obj, namespace) for obj in objects_of(standing.files))


def _names(obj: Object, namespace: str) -> bool:
    metadata = obj.get("metadata")
    return obj.get("kind") == "Namespace" and isinstance(metadata, Mapping) and metadata.get("name") == namespace


# --- proof


def _proofs(
    contents: Contents | None,
    place: Place,
    standing: Standing,
    branches: Iterable[tuple[str, str]],
    contact: str,
) -> Iterator[Effect]:
    cluster = place.settings.cluster
    beside: list[Check] = []
    if place.is_gitops:
        gitops = place.platform.gitops
        beside = [
            ApplicationsAbsent(names=(place.application,)),
            FoldersAbsent(repository=gitops.repository, branch=gitops.branch, folders=(folder_of(place),)),
        ]
    by_repository: dict[str, list[str]] = {}
    for repository, branch in branches:
        by_repository.setdefault(repository, []).append(branch)
    beside += [BranchesAbsent(repository=name, branches=tuple(found)) for name, found in sorted(by_repository.items())]
    for number, check in enumerate(beside):
        place_in_line = f"-{number}" if check.of == "branches" else ""
        yield ProveGone(id=f"prove-{check.of}{place_in_line}", cluster=cluster, checks=(check,), contact=contact)
    if contents is None:
        told = f"The cluster {cluster} is not connected, so nobody has looked there for what is left."
        yield Note(id="not-looked", message=told)
        return
    goes = _goes(contents) or (place.is_gitops and _is_delivered(standing, contents.namespace))
    yield from proofs_of(contents, contact=contact, namespace=goes)
    if contents.unread:
        yield Note(id="not-proved", message=f"Not everything could be proved: {_sentences(contents.unread)}")


def _sentences(told: Sequence[str]) -> str:
    return " ".join(f"{one[0].upper()}{one[1:]}" for one in told[:5])
