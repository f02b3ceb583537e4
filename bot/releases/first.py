"""The first deploy of a service that is being created: its commit, and so its image, exist only once it is pushed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.command import Context
from bot.deps import Deps
from bot.errors import Conflict
from bot.model.canonical import JSON
from bot.model.effect import Effect
from bot.model.late import OutputRef, with_holes
from bot.model.plan import Detail, Revision
from bot.model.web_service import WebService
from bot.releases import differences
from bot.releases.changes import address, change_to, deployed, rollout
from bot.releases.reading import Here, read_place, refuse_taken_hosts
from bot.releases.services import Service, first_environment
from bot.releases.versions import version_of
from bot.rendering.delivery import Place, folder_of

PREFIX = "deploy:"
"""Before the ids of these effects: a golden path's own steps may be called `deliver` too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstDeploy:
    """What a new service's first deploy is planned from."""

    here: Here
    document: WebService
    pushed_by: str
    """Id of the effect that pushes the source; it yields `commitHash`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRollout:
    """What the first deploy adds to the plan of the creation."""

    effects: tuple[Effect, ...]
    details: tuple[Detail, ...]
    revisions: tuple[Revision, ...]
    links: Mapping[str, str]
    lane: str


def is_possible(deps: Deps) -> bool:
    """Return whether the platform says where a new service runs first."""
    first = next(iter(deps.platform.environments.values()), None)
    if first is None:
        return False
    return bool(deps.platform.gitops.repository) if first.delivery == "gitops" else first.cluster in deps.clusters


async def read_first(
    service: Service, document: WebService, pushed_by: str, context: Context, deps: Deps
) -> FirstDeploy:
    """Read the place where it will run. Raise `PlatformError` where that cannot be asked."""
    place = service.place(deps, first_environment(deps))
    here = await read_place(service, place, context, deps)
    return FirstDeploy(here=here, document=document, pushed_by=pushed_by)


def first_rollout(facts: FirstDeploy) -> FirstRollout:
    """Raise `Conflict` where something runs under that name already, or at its host; `Invalid` for a document that
    the platform refuses."""
    here = facts.here
    if here.release is not None and here.release.current is not None:
        raise Conflict(
            f"{here.service.name} of {here.release.repository} runs in {here.place.environment} already.",
            hint="Choose another name.",
        )
    unknown, short = _stand_in("1", here.asker.operation), _stand_in("2", here.asker.operation)
    holes = {
        unknown: OutputRef(effect=facts.pushed_by, output="commitHash"),
        short: OutputRef(effect=facts.pushed_by, output="commitShort"),
    }
    version = version_of(short, unknown, facts.document, here.service.repository, here.place.platform)
    release = deployed(here.release, here.place, here.service.repository, (version, facts.document), here.asker)
    change = change_to(here.place, release, f"Deploy {here.service.name} to {here.place.environment}")
    refuse_taken_hosts(here, change)
    url = address(change)
    return FirstRollout(
        effects=tuple(_once_pushed(here.asker.late(rollout(change, here.standing, here.repo_url)), holes)),
        details=tuple(
            Detail(
                title=_title(here.place, detail),
                text=detail.text.replace(unknown, "‹commit›").replace(short, "‹commit›"),
            )
            for detail in differences.files({}, change.files)
        ),
        revisions=(here.standing.revision,),
        links={"Open the service": url} if url else {},
        lane=here.place.lane,
    )


def _title(place: Place, detail: Detail) -> str:
    """Tell the objects from the files of the new repository: by the folder that they are committed to."""
    return f"{folder_of(place)}/{detail.title}" if place.is_gitops else detail.title


def _stand_in(first: str, operation: str) -> str:
    """Return what stands for the commit while objects are rendered: 40 digits, and so in quotes wherever YAML writes
    it. Without them a commit such as `1234567e8` would become a number when it takes its place."""
    return f"{first}{int(hashlib.sha256(operation.encode()).hexdigest(), 16):039d}"[:40]


def _once_pushed(effects: Iterable[Effect], holes: Mapping[str, OutputRef]) -> Iterable[Effect]:
    """Yield the effects with a late value wherever a stand-in for the commit is, and with ids of their own."""
    listed = list(effects)
    ids = {effect.id for effect in listed}
    for effect in listed:
        body = with_holes(_renamed(effect.model_dump(mode="json", by_alias=True), ids), holes)
        assert isinstance(body, dict)  # noqa: S101  # an effect is an object
        yield type(effect).model_validate({**body, "id": f"{PREFIX}{effect.id}"})


def _renamed(value: JSON, ids: set[str]) -> JSON:
    match value:
        case {"effect": str(effect), "output": str(output), **rest} if not rest and effect in ids:
            return {"effect": f"{PREFIX}{effect}", "output": output}
        case dict():
            return {key: _renamed(item, ids) for key, item in value.items()}
        case list():
            return [_renamed(item, ids) for item in value]
        case _:
            return value
