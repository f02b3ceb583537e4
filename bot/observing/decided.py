"""What people decided of a service in an environment: its release, what that promises, and who changed it last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import ValidationError

from bot.deps import Deps
from bot.errors import UpstreamUnavailable
from bot.health.verdict import ChangeFact
from bot.model.objectives import Objective, objectives_of
from bot.model.operation import OperationView, State
from bot.model.release import Release
from bot.model.web_service import WebService
from bot.model.web_service.spec import Spec
from bot.rendering.delivery import Place, read_standing
from bot.rendering.delivery.change import release_file
from bot.rendering.delivery.reading import parsed

LAST_DAYS = timedelta(days=14)
"""So far back a change is looked for."""
KEPT = 2_000
"""Most releases that are remembered."""
_CHANGED = frozenset({State.SUCCEEDED, State.RUNNING, State.FAILED})
_known: OrderedDict[tuple[str, str, str], Release | None] = OrderedDict()
"""Repository, service and environment → the release as it was read last: while Git is away it still tells what is
promised."""


def keeps_release(place: Place) -> bool:
    """Return whether there is a place where this environment's releases are written down."""
    return not place.is_gitops or bool(place.platform.gitops.repository)


async def read_release(place: Place, deps: Deps) -> Release | None:
    """Return the release; the one that was read before while Git cannot be asked. Raise what a forge and a cluster
    raise."""
    if not place.is_gitops:
        return (await read_standing(place, deps.forge, deps.clusters)).release
    gitops = place.platform.gitops
    key = (gitops.repository, place.service, place.environment)
    try:
        content = await deps.forge.file(gitops.repository, gitops.branch, release_file(place))
    except UpstreamUnavailable:
        if key in _known:
            return _known[key]
        raise
    release = parsed(content.decode(errors="replace") if content is not None else None, release_file(place))
    _known[key] = release
    _known.move_to_end(key)
    while len(_known) > KEPT:
        _known.popitem(last=False)
    return release


def promised(place: Place, release: Release | None) -> tuple[Objective, ...]:
    """Return what the service promises there: what its document says, or else the platform for all."""
    if release is None or release.current is None or release.preview is not None:
        return objectives_of(Spec(), place.platform.slo)
    try:
        spec = WebService.model_validate(release.document).for_environment(place.environment).spec
    except ValidationError:  # a document of an older form: it runs, but says nothing that we can hold it to
        return ()
    return objectives_of(spec, place.platform.slo)


async def read_change(place: Place, deps: Deps, now: datetime) -> ChangeFact | None:
    """Return the last change, from our own history; None where there was none lately."""
    return _last(await deps.history(place.service, now - LAST_DAYS, now), place)


def _last(views: Sequence[OperationView], place: Place) -> ChangeFact | None:
    here = [one for one in views if one.plan is not None and one.plan.lane == place.lane and one.state in _CHANGED]
    if not here:
        return None
    newest = max(here, key=lambda one: one.created_at)
    assert newest.plan is not None  # noqa: S101  # only those with a plan are looked at
    return ChangeFact(
        what=newest.plan.summary,
        by=newest.principal.display_name,
        at=newest.created_at,
        is_deploy=newest.command in DEPLOYS,
    )


DEPLOYS = frozenset({"service.deploy", "service.promote", "service.rollback", "service.create"})
"""Commands that bring another version."""


def change_of(release: Release | None) -> ChangeFact | None:
    """Return the deploy that made a release what it is."""
    if release is None or release.current is None:
        return None
    current = release.current
    return ChangeFact(
        what=f"Deploy {release.service} {current.version.name} to {release.environment}",
        by=current.by.rpartition("/")[2],
        at=current.at,
        is_deploy=True,
    )
