"""What a new preview, or a new version of one that stands, is planned from; and the plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from bot.command import Context
from bot.databases.inventory import Held, read_inventory
from bot.deps import Deps
from bot.errors import Conflict, Refused
from bot.model.environment import Environment
from bot.model.previews import Previews, PreviewTerms, PullRequestSource
from bot.ports import EnvironmentRecord, ObjectRef
from bot.previews.asking import PreviewUp, document_of, is_image, span_of
from bot.previews.budgets import Spent, limits_cost, spent
from bot.previews.databases import with_databases
from bot.previews.keeping import here_at, standing_record
from bot.previews.naming import of_pull_request, of_services, refuse_name
from bot.previews.reading import Preview, read_preview, read_previews
from bot.previews.sources import (
    Pulled,
    Shown,
    Surroundings,
    is_foreign,
    read_pull_request,
    read_shown,
    read_surroundings,
)
from bot.previews.terms import first_span
from bot.previews.wording import day, person
from bot.releases.reading import Here
from bot.releases.services import service_for, services_of
from bot.rendering.delivery import Place
from bot.rendering.previews import LABEL, place_of, previews_of
from bot.rendering.previews.change import document_of as document_as_it_is


@dataclass(frozen=True, slots=True, kw_only=True)
class UpFacts:
    """A place, and what is to run there."""

    here: Here
    policy: Previews
    document: Environment
    """With the image of each service."""
    shown: tuple[Shown, ...]
    source: PullRequestSource | None
    around: Surroundings
    span: timedelta
    """How long it lives from now on, where it is new."""
    has: Spent
    record: EnvironmentRecord | None = None
    """The line of the book that stands."""
    by: str = ""
    """Display name of whoever asks."""
    foreign: frozenset[str] = frozenset()
    """Services of teams that whoever asks is not in, which run with an image of their own choice."""

    @property
    def standing(self) -> PreviewTerms | None:
        """The terms of the preview that is there already."""
        return self.here.release.preview if self.here.release is not None else None


async def read_up(request: PreviewUp, context: Context, deps: Deps) -> UpFacts:
    """Raise `PlatformError` for what cannot be a preview, or may not."""
    policy = previews_of(deps.platform)
    pulled = await read_pull_request(request.pull_request, deps) if request.pull_request else None
    name = request.name or (of_pull_request(pulled.repository, pulled.pull_request.number) if pulled else "")
    before = await _shown_before(request, pulled, name, deps)
    if before is not None:
        services: Mapping[str, str] = {}
        document = _of_now(before, pulled)
    else:
        services = await _services(request, pulled, context, deps)
        document = document_of(request, name or of_services(tuple(services), context.operation), services, policy)
    refuse_name(document.name, deps.platform)
    span = first_span(span_of(request, document), policy)
    refs = {service: of_it for service, of_it in services.items() if of_it and not is_image(of_it)}
    shown = await read_shown(document, refs, pulled, deps, before=before)
    if before is None and not request.document:
        document = await with_databases(document, shown, request.seed, deps)
    owner = await _owner(shown, pulled, context, deps)
    here = await _read_here(document.name, owner, context, deps)
    facts = UpFacts(
        here=here,
        policy=policy,
        document=_with_images(document, shown),
        shown=shown,
        source=pulled.source if pulled else None,
        around=await read_surroundings(document, shown, deps),
        span=span,
        has=await _spent(here.place, policy, deps),
        record=await standing_record(here.place, deps),
        by=context.principal.display_name,
        foreign=frozenset(
            one.service.name
            for one in shown
            if before is None
            and is_foreign(one, deps.platform)
            and not context.principal.is_or_belongs_to(one.service.owner)
        ),
    )
    _refuse_another(facts, by_document=bool(request.document))
    await _refuse_over(facts, context, deps)
    if facts.standing is None:
        _refuse_kept_namespace(here.place, deps)
        await _refuse_taken_namespace(here.place, deps)
    return facts


async def _shown_before(request: PreviewUp, pulled: Pulled | None, name: str, deps: Deps) -> Preview | None:
    """Return the preview that shows this pull request already, where nothing else is said of it: a push changes what
    it shows, and not what it consists of."""
    if pulled is None or request.services or request.document or request.seed:
        return None
    refuse_name(name, deps.platform)
    found, _ = await read_preview(name, deps)
    source = found.terms.source if found is not None else None
    if source is None or (source.repository, source.number) != (pulled.source.repository, pulled.source.number):
        return None
    return found


def _of_now(before: Preview, pulled: Pulled | None) -> Environment:
    """Return its document, with the image of the pull request's service left open."""
    document = document_as_it_is(before.release, before.place)
    name = pulled.service.name if pulled is not None else ""
    services = tuple(
        one.model_copy(update={"image": ""}) if one.name == name else one for one in document.spec.services
    )
    return document.model_copy(update={"spec": document.spec.model_copy(update={"services": services})})


async def _services(request: PreviewUp, pulled: Pulled | None, context: Context, deps: Deps) -> Mapping[str, str]:
    """Return service → what of it, as far as the request says so; without a word, what the channel's team has."""
    if request.document:
        return {}
    services = dict(request.services)
    if pulled is not None:
        services.setdefault(pulled.service.name, "")
    if not services:
        services[(await service_for("", context, deps)).name] = ""
    return services


async def _owner(shown: tuple[Shown, ...], pulled: Pulled | None, context: Context, deps: Deps) -> str:
    """Return whose it is: who owns the pull request's service; else the channel's team or one's own, if it owns one of
    the services; else who owns the first."""
    if pulled is not None:
        return pulled.service.owner
    owners = list(dict.fromkeys(one.service.owner for one in shown))
    here = await deps.groups_of_channel(context.channel) if context.channel else ()
    for mine in (here, context.principal.groups):
        if (found := next((owner for owner in owners if owner in mine), None)) is not None:
            return found
    return owners[0]


async def _read_here(name: str, owner: str, context: Context, deps: Deps) -> Here:
    place = place_of(deps.platform, name, owner.rpartition("/")[2])
    return await here_at(place, owner, context, deps)


async def _spent(place: Place, policy: Previews, deps: Deps) -> Spent:
    """Return what the team has beside this preview."""
    platform = deps.platform
    previews = (await read_previews(deps)).previews
    lines = await deps.environments.standing("preview") if deps.environments is not None else ()
    found = spent(previews, place.team, place.environment, platform.currency, lines=lines)
    if not limits_cost(platform, policy.base, place.team):
        return found
    held = await read_inventory(deps, [place.team])
    return replace(
        found,
        databases_in_base=_cost(one for one in held if one.place.environment == policy.base),
        databases=_cost(held),
    )


def _cost(held: Iterable[Held]) -> Decimal:
    return sum((one.store.monthly_cost for one in held), Decimal(0))


def _refuse_another(facts: UpFacts, *, by_document: bool) -> None:
    """Raise `Conflict` where the name is another preview's. The same pull request, or a document of the same team, is
    a new version of it."""
    release, terms, name = facts.here.release, facts.standing, facts.here.place.environment
    if release is None or terms is None:
        return
    same_team = release.team == facts.here.place.team
    if facts.source is not None and terms.source is not None:
        there = (terms.source.repository, terms.source.number)
        if (facts.source.repository, facts.source.number) == there:
            return
    elif by_document and same_team and terms.source is None:
        return
    raise Conflict(
        f"There is a preview `{name}` already: {person(terms.by)} of {release.team} has it until "
        f"{day(terms.expires_at)}.",
        hint=f"Choose another name, or look at it: `/preview show {name}`.",
    )


async def _refuse_over(facts: UpFacts, context: Context, deps: Deps) -> None:
    """Raise `Conflict` for a new version of what has ended: it would be deleted at once. Behind a teardown that has
    begun it stands in line, and then it is new."""
    terms, place = facts.standing, facts.here.place
    if terms is None or terms.expires_at > context.now:
        return
    if any(one.operation != context.operation for one in await deps.in_lane(place.lane)):
        return
    raise Conflict(f"{place.environment} has ended, and is about to be deleted.", hint="Ask again when it is gone.")


def _refuse_kept_namespace(place: Place, deps: Deps) -> None:
    """Raise `Conflict` where a service would be delivered to that namespace, even if it has never been yet: what is
    there goes with the preview."""
    for service in services_of(deps.catalog()):
        for environment, there in deps.platform.environments.items():
            namespace = deps.platform.namespace(service.name, service.team, environment)
            if namespace == place.namespace and there.cluster == place.settings.cluster:
                raise Conflict(
                    f"`{place.environment}` is kept for {service.name} in {environment}.", hint="Choose another name."
                )


async def _refuse_taken_namespace(place: Place, deps: Deps) -> None:
    """Raise `Conflict` where others live under that name in the cluster, or an earlier preview is still leaving."""
    cluster = deps.clusters.get(place.settings.cluster)
    if cluster is None:
        return
    try:
        live = await cluster.get(ObjectRef("v1", "Namespace", place.namespace))
    except Refused:
        return  # who may not look there makes nothing there either
    metadata = live.get("metadata") if live is not None else None
    if not isinstance(metadata, dict):
        return
    if metadata.get("deletionTimestamp"):
        raise Conflict(
            f"An earlier preview `{place.environment}` is still being deleted.",
            hint="Ask again in a minute, or choose another name.",
        )
    labels = metadata.get("labels")
    if not isinstance(labels, dict) or labels.get(LABEL) != place.environment:
        raise Conflict(
            f"The cluster has a namespace `{place.namespace}` already, which is no preview's.",
            hint="Choose another name.",
        )


def _with_images(document: Environment, shown: tuple[Shown, ...]) -> Environment:
    """Return the document as it is kept: another look at it renders the same, whatever the base runs by then."""
    images = {one.service.name: one.version.image for one in shown}
    services = tuple(one.model_copy(update={"image": images[one.name]}) for one in document.spec.services)
    spec = document.spec.model_copy(update={"services": services})
    return Environment.model_validate(
        document.model_copy(update={"spec": spec}).written(), by_alias=True, by_name=False
    )
