"""`/service show`: one service, who owns it, what runs of it where, and what could be deployed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from bot.catalog.index import Found, owner_of
from bot.command import Answer, Context, Query
from bot.deps import Deps
from bot.errors import UsageError
from bot.health.facts import Workload
from bot.model.release import Release
from bot.ports import Application
from bot.releases.overview import Overview, Stand, address_of, read_overview, runs_in
from bot.releases.services import Service, found_in, service_for, service_of
from bot.slack import blocks
from bot.slack.mrkdwn import code, escape, link, local_time

USAGE = "[service]"
VERSIONS = 5
"""Newest versions that are listed."""
IN_LINE = 3
"""Operations of one environment that are listed."""


class ServiceShow(BaseModel, frozen=True, extra="forbid"):
    """Which service."""

    service: str = Field(
        default="", max_length=200, description="Its name; empty: the channel's", examples=["orders-api"]
    )


def parse(words: Sequence[str]) -> ServiceShow:
    match words:
        case []:
            return ServiceShow()
        case [service]:
            return ServiceShow(service=service)
    raise UsageError("Which service?", hint="Try `/service show orders-api`, or `/service list` to see them all.")


async def answer(request: ServiceShow, context: Context, deps: Deps) -> Answer:
    """Say what the catalog, Git, Argo CD and the cluster know. Raise `NotFound` that names the nearest services."""
    name = request.service or (await service_for("", context, deps)).name
    found = found_in(deps.catalog(), name)
    entity, owner = found.entity, owner_of(found.entity)
    body = [blocks.header(found.label)]
    if entity.metadata.description.strip():
        body.append(blocks.section(escape(entity.metadata.description.strip())))
    body += _of_the_catalog(found, owner, deps)
    told: dict[str, Any] = entity.model_dump(mode="json")
    service = _service(found)
    if service is not None:
        overview = await read_overview(service, deps)
        body += _environments(found, service, overview, context.now, deps)
        told |= _for_machines(overview)
    named = escape(owner.rpartition("/")[2]) if owner else "nobody"
    return Answer(text=f"{found.label}, owned by {named}", blocks=blocks.guarded(body), data=told)


def _service(found: Found) -> Service | None:
    """Return what the platform can run of it; None where the catalog says too little."""
    try:
        return service_of(found)
    except UsageError:
        return None


# --- What the catalog knows


def _of_the_catalog(found: Found, owner: str | None, deps: Deps) -> list[dict[str, Any]]:
    channel = deps.catalog().channel_of(owner) if owner else None
    spec = found.entity.spec
    shown = {
        "Owner": escape(owner.rpartition("/")[2]) if owner else "nobody",
        "Channel": f"#{escape(channel)}" if channel else "none",
        "Type": escape(str(getattr(spec, "type", ""))) or "unknown",
        "Lifecycle": escape(str(getattr(spec, "lifecycle", ""))) or "unknown",
    }
    links = [link(item.url, item.title or item.url) for item in found.entity.metadata.links]
    repository = found.web_url.partition("/blob/")[0]
    links = [*([link(repository, "Repository")] if repository else []), *links]
    return [blocks.fields(shown), *([blocks.context(" · ".join(links))] if links else [])]


# --- What runs where


def _environments(
    found: Found, service: Service, overview: Overview, now: datetime, deps: Deps
) -> Iterator[dict[str, Any]]:
    if not overview.stands:
        return
    source = _source_url(found, service)
    yield blocks.divider()
    for stand in overview.stands:
        yield from blocks.lines(list(_stand(stand, source, now, deps)))
    yield blocks.divider()
    yield from blocks.lines(list(_versions(service, overview)))


def _stand(stand: Stand, source: str, now: datetime, deps: Deps) -> Iterator[str]:
    yield f"*{escape(stand.place.environment)}* · {_version(stand, source)}"
    state = [*_state(stand, deps)]
    url = address_of(stand.place, stand.running) if stand.running else None
    if url:
        state.append(link(url, url.partition("://")[2]))
    if state:
        yield " · ".join(state)
    if stand.release.value is not None:
        yield from _decisions(stand.release.value, now)
    yield from _in_line(stand)


def _version(stand: Stand, source: str) -> str:
    if stand.release.problem:
        return f"what runs is not known: {escape(stand.release.problem)}"
    release = stand.running
    if release is None or release.current is None:
        return "not deployed yet"
    version, current = release.current.version, release.current
    commit = link(f"{source}/commit/{version.commit}", version.commit[:7])
    name = commit if version.commit.startswith(version.name) else f"{code(version.name)} ({commit})"
    return f"{name} since {local_time(current.at)} by {_person(current.by)}"


def _state(stand: Stand, deps: Deps) -> Iterator[str]:
    """Health and sync as Argo CD sees them, and how many replicas the cluster has ready."""
    if stand.application is not None:
        if stand.application.problem:
            yield escape(stand.application.problem)
        elif stand.application.value is not None:
            yield _application(stand.application.value, deps)
        elif stand.running is not None:
            yield "Argo CD does not know it"
    if stand.workload is not None and (stand.running is not None or stand.workload.value is not None):
        if stand.workload.problem:
            yield escape(stand.workload.problem)
        elif stand.workload.value is not None:
            yield _replicas(stand.workload.value)


def _application(application: Application, deps: Deps) -> str:
    url = deps.deployments.web_url(application.name) if deps.deployments is not None else ""
    state = f"{application.health}, {application.sync}"
    told = link(url, state) if url else escape(state)
    operation = application.operation
    if application.health not in ("Healthy", "Progressing") and application.health_message:
        return f"{told} ({escape(application.health_message[:200])})"
    if operation is not None and operation.phase in ("Failed", "Error"):
        return f"{told}, the last sync failed ({escape(operation.message[:200])})"
    return told


def _replicas(workload: Workload) -> str:
    return f"{workload.ready_replicas} of {workload.replicas} replica{'' if workload.replicas == 1 else 's'} ready"


def _decisions(release: Release, now: datetime) -> Iterator[str]:
    """What people have decided about the place, as long as it holds: pin, number of replicas, freeze."""
    pin, scaled, freeze = release.pin, release.scaled, release.freeze
    if pin is not None and pin.until > now:
        yield (
            f"Held until {local_time(pin.until)} by {_person(pin.by)}, who left {code(pin.bad.name)}: "
            f"{escape(pin.reason)}"
        )
    if scaled is not None and (scaled.until is None or scaled.until > now):
        yield f"Scaled to {scaled.replicas}{_until(scaled.until)} by {_person(scaled.by)}"
    if freeze is not None and (freeze.until is None or freeze.until > now):
        yield f"Frozen{_until(freeze.until)} by {_person(freeze.by)}: {escape(freeze.reason)}"


def _in_line(stand: Stand) -> Iterator[str]:
    if stand.in_line.problem:
        yield f"What stands in line is not known: {escape(stand.in_line.problem)}"
    waiting = stand.in_line.value or ()
    lines = [
        f"{'Then' if number else 'Under way'}: {escape(one.summary)} ({escape(one.by)})"
        for number, one in enumerate(waiting)
    ]
    yield from blocks.fold(lines, IN_LINE)


# --- What could be deployed


def _versions(service: Service, overview: Overview) -> Iterator[str]:
    """The newest versions, each with the line that brings it to the first environment where it does not run."""
    yield "*Versions, newest first*"
    if overview.versions.problem:
        yield f"They are not known: {escape(overview.versions.problem)}"
    for candidate in (overview.versions.value or ())[:VERSIONS]:
        there = runs_in(overview.stands, candidate.commit)
        name = candidate.name if candidate.name != candidate.commit[:7] else ""
        told = [escape(candidate.told[:80])] if candidate.told else []
        told += ["built"] if candidate.built else []
        told += [f"runs in {', '.join(map(escape, there))}"] if there else []
        yield f"• {code(name or candidate.commit[:7])} {' · '.join(told)}".rstrip()
        missing = [stand.place.environment for stand in overview.stands if stand.place.environment not in there]
        if missing:
            line = f"/service deploy {service.name} {name or candidate.commit[:7]} to {missing[0]}"
            yield f"    {code(line)}"


# --- For machines


def _for_machines(overview: Overview) -> dict[str, Any]:
    found = overview.versions.value or ()
    return {
        "environments": [_stand_for_machines(stand) for stand in overview.stands],
        "versions": [
            {"name": one.name, "commit": one.commit, "told": one.told, "built": one.built} for one in found[:VERSIONS]
        ],
    }


def _stand_for_machines(stand: Stand) -> dict[str, Any]:
    release = stand.release.value
    application = stand.application.value if stand.application else None
    workload = stand.workload.value if stand.workload else None
    asked = [stand.release, stand.application, stand.workload, stand.in_line]
    decided = release.model_dump(mode="json", include={"current", "pin", "scaled", "freeze"}) if release else {}
    return {
        "environment": stand.place.environment,
        "namespace": stand.place.namespace,
        **({"current": None, "pin": None, "scaled": None, "freeze": None} | decided),
        "health": application.health if application else None,
        "sync": application.sync if application else None,
        "replicas": workload.replicas if workload else None,
        "ready": workload.ready_replicas if workload else None,
        "url": address_of(stand.place, stand.running) if stand.running else None,
        "in_line": [one.model_dump(mode="json") for one in stand.in_line.value or ()],
        "problems": [one.problem for one in asked if one is not None and one.problem],
    }


# --- Words


def _until(at: datetime | None) -> str:
    return f" until {local_time(at)}" if at is not None else ""


def _person(reference: str) -> str:
    return escape(reference.rpartition("/")[2])


def _source_url(found: Found, service: Service) -> str:
    """Return the service's repository on the forge that declares it: the catalog's link with another name."""
    declared = found.web_url.partition("/blob/")[0]
    return f"{declared.rsplit('/', 2)[0]}/{service.repository}" if declared.count("/") > 2 else ""


QUERY: Query[ServiceShow] = Query(
    name="service.show",
    summary="Show a service: owner, what runs where, versions",
    usage=USAGE,
    request=ServiceShow,
    parse=parse,
    answer=answer,
)
