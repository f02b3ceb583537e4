"""From what a preview is to become to the effects that bring it about. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.databases.changes import awaiting
from bot.effects import (
    AwaitDatabase,
    AwaitHealthy,
    AwaitOneOfBuilds,
    ConcludeDeployment,
    EnterBook,
    RecordDeployment,
)
from bot.model.canonical import JSON
from bot.model.effect import Effect
from bot.model.late import Late, OutputRef
from bot.model.plan import Offer
from bot.model.previews import PreviewTerms
from bot.model.release import Release
from bot.model.web_service import WebService
from bot.ports import EnvironmentRecord, Object
from bot.previews.sources import Shown
from bot.releases.changes import PATIENCE_S
from bot.releases.reading import hosts_of
from bot.rendering.delivery import Change, Place, Standing, folder_of
from bot.rendering.delivery.direct import objects_of
from bot.rendering.previews import Outline
from bot.rendering.previews.change import document_of
from bot.rendering.previews.render import namespace_labels
from bot.rendering.rollout import Rollout
from bot.rendering.stores import Store

WORKLOADS = ("Deployment", "StatefulSet", "CronJob")


def documents_of(shown: Iterable[Shown]) -> dict[str, WebService]:
    return {one.service.name: one.document for one in shown}


def rollouts_of(shown: Iterable[Shown], place: Place) -> dict[str, Rollout]:
    """Return version and image of each service: what was asked for, beside what its document says."""
    return {
        one.service.name: Rollout(
            version=one.version.name, image=one.version.image, team=place.team, repository=one.service.repository
        )
        for one in shown
    }


def unchanged(place: Place, release: Release, standing: Standing, summary: str) -> Change:
    """Return the change that leaves every object as it is, and only writes down another release."""
    terms = release.preview
    fork = terms is not None and terms.source is not None and terms.source.fork
    bare = Outline(
        document=document_of(release, place),
        platform=place.platform,
        team=place.team,
        fork=fork,
        asleep=False,
        members=(),
        borrowed=(),
    )
    return Change(
        place=place,
        release=release,
        files=standing.files,
        objects=objects_of(standing.files),
        summary=summary,
        namespace=namespace_labels(bare),
    )


def builds(shown: Iterable[Shown]) -> Iterator[Effect]:
    """Wait for the images that were made for this."""
    for one in shown:
        if one.is_new:
            yield AwaitOneOfBuilds(
                id=f"build:{one.service.name}",
                repository=one.service.repository,
                commit=one.version.commit,
                image=one.version.image,
            )


def entry(
    place: Place, terms: PreviewTerms, before: EnvironmentRecord | None, holds: Mapping[str, JSON] | None = None
) -> EnterBook:
    """Write down what is made, before it is: what is half made stands in the book too. Without `holds` a line that
    stands keeps its own."""
    return EnterBook(
        id="book",
        name=place.environment,
        what="preview",
        cluster=place.settings.cluster,
        namespace=place.namespace,
        team=place.team,
        by=terms.by,
        expires_at=terms.expires_at,
        holds=holds or {},
        before=before,
    )


def held(place: Place, urls: Mapping[str, str]) -> dict[str, JSON]:
    """Return what must be gone with the preview and stands elsewhere."""
    hosts: list[JSON] = [url.partition("://")[2] for url in sorted(urls.values())]
    if not place.is_gitops:
        return {"hosts": hosts}
    return {
        "hosts": hosts,
        "repository": place.platform.gitops.repository,
        "folder": folder_of(place),
        "application": place.application,
    }


def databases(stores: Iterable[Store]) -> Iterator[AwaitDatabase]:
    """Wait for each database, before the services that need it."""
    for store in stores:
        yield awaiting(store).model_copy(update={"id": f"database:{store.name}"})


def healthy(change: Change, *, first: bool = False) -> Iterator[AwaitHealthy]:
    """Wait for each service, in the order in which they are applied."""
    place, gitops = change.place, change.place.platform.gitops
    by_git: dict[str, Any] = {}
    if place.is_gitops:
        by_git = {
            "application": place.application,
            "repository": gitops.repository,
            "revision": Late(parts=(OutputRef(effect="deliver", output="commitHash"),)),
        }
    for service, workload in workloads(change.objects):
        yield AwaitHealthy.model_validate(
            {
                "id": f"healthy:{service}",
                "service": service,
                "environment": place.environment,
                "cluster": place.settings.cluster,
                "namespace": place.namespace,
                "workload": workload["kind"],
                "image": _image(workload, service),
                "replicas": _map(workload.get("spec")).get("replicas"),
                "patience_s": PATIENCE_S,
                "first": first,
                **by_git,
            }
        )


def workloads(objects: Iterable[Object]) -> Iterator[tuple[str, Object]]:
    """Yield each service with the workload that runs it; caches and the like are none."""
    for obj in objects:
        metadata = _map(obj.get("metadata"))
        service = _map(metadata.get("labels")).get("causeway.io/service")
        if obj.get("kind") in WORKLOADS and service and metadata.get("name") == service:
            yield str(service), obj


def addresses(objects: Iterable[Object]) -> dict[str, str]:
    """Return service → where it answers from outside."""
    found: dict[str, str] = {}
    for obj in objects:
        service = _map(_map(obj.get("metadata")).get("labels")).get("causeway.io/service")
        for host in hosts_of(obj)[:1]:
            scheme = "https" if _map(obj.get("spec")).get("tls") else "http"
            found.setdefault(str(service or host), f"{scheme}://{host}")
    return found


def records(shown: Iterable[Shown], place: Place, summary: str) -> Iterator[Effect]:
    """Tell the forge that the services of a pull request are being deployed."""
    for one in shown:
        if one.of_pull_request:
            yield RecordDeployment(
                id=f"record:{one.service.name}",
                repository=one.service.repository,
                commit=one.version.commit,
                environment=place.environment,
                description=summary[:140],
                transient=True,
            )


def conclusions(shown: Iterable[Shown], place: Place, urls: Mapping[str, str]) -> Iterator[Effect]:
    """Tell it how that has ended, and where each answers."""
    for one in shown:
        name = one.service.name
        if one.of_pull_request:
            yield ConcludeDeployment(
                id=f"conclude:{name}",
                repository=one.service.repository,
                environment=place.environment,
                deployment=Late(parts=(OutputRef(effect=f"record:{name}", output="deployment"),)),
                ended=Late(parts=(OutputRef(effect=f"healthy:{name}", output="state"),)),
                url=urls.get(name, ""),
                transient=True,
            )


def offers(name: str, *, asleep: bool = False) -> tuple[Offer, ...]:
    """Return what can be asked for from a preview's card."""
    sleep = Offer(action="sleep", label="Sleep", command="preview.sleep", request={"name": name})
    wake = Offer(action="wake", label="Wake", command="preview.wake", request={"name": name})
    return (
        Offer(action="extend", label="Extend", command="preview.extend", request={"name": name}),
        wake if asleep else sleep,
        Offer(
            action="delete",
            label="Delete now",
            command="preview.down",
            request={"name": name},
            confirm=f"{name} goes with its services, databases and addresses. Nothing of it is kept.",
        ),
    )


def _image(workload: Object, service: str) -> str:
    """Return the image of the container that is the service's own."""
    spec = _map(workload.get("spec"))
    if workload.get("kind") == "CronJob":
        spec = _map(_map(spec.get("jobTemplate")).get("spec"))
    containers = _map(_map(spec.get("template")).get("spec")).get("containers")
    listed = [one for one in containers if isinstance(one, dict)] if isinstance(containers, list) else []
    own = next((one for one in listed if one.get("name") == service), listed[0] if listed else {})
    return str(own.get("image", ""))


def _map(value: object) -> Mapping[str, JSON]:
    return value if isinstance(value, Mapping) else {}
