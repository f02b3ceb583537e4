"""What a new preview, or a new version of one that stands, is planned from; and the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.command import Context
from bot.deps import Deps
from bot.errors import Conflict, Refused
from bot.model.effect import Effect
from bot.model.environment import Environment
from bot.model.plan import Plan, Revision
from bot.model.previews import Previews, PreviewTerms, PullRequestSource
from bot.model.release import Release
from bot.ports import EnvironmentRecord, ObjectRef
from bot.previews import changes
from bot.previews.asking import PreviewUp, document_of, is_image, span_of
from bot.previews.budgets import Spent, monthly_cost, refuse_beyond, spent
from bot.previews.keeping import environment_of, here_at, standing_record
from bot.previews.naming import of_pull_request, of_services, refuse_name
from bot.previews.reading import read_previews
from bot.previews.sources import Pulled, Shown, Surroundings, read_pull_request, read_shown, read_surroundings
from bot.previews.terms import first_span
from bot.previews.wording import day, person
from bot.releases import differences
from bot.releases.changes import delivery
from bot.releases.reading import Here, refuse_taken_hosts
from bot.releases.services import service_for
from bot.rendering.delivery import Change, Place
from bot.rendering.previews import LABEL, SERVICE, Outline, place_of, preview_change, preview_outline, previews_of


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

    @property
    def standing(self) -> PreviewTerms | None:
        """The terms of the preview that is there already."""
        return self.here.release.preview if self.here.release is not None else None


async def read_up(request: PreviewUp, context: Context, deps: Deps) -> UpFacts:
    """Raise `PlatformError` for what cannot be a preview, or may not."""
    policy = previews_of(deps.platform)
    pulled = await read_pull_request(request.pull_request, deps) if request.pull_request else None
    services = await _services(request, pulled, context, deps)
    name = request.name or (of_pull_request(pulled.repository, pulled.pull_request.number) if pulled else "")
    document = document_of(request, name or of_services(tuple(services), context.operation), services, policy)
    refuse_name(document.name, deps.platform)
    span = first_span(span_of(request, document), policy)
    refs = {service: of_it for service, of_it in services.items() if of_it and not is_image(of_it)}
    shown = await read_shown(document, refs, pulled, deps)
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
        has=spent((await read_previews(deps)).previews, here.place.team, document.name, deps.platform.currency),
        record=await standing_record(here.place, deps),
    )
    _refuse_another(facts, by_document=bool(request.document))
    if facts.standing is None:
        await _refuse_taken_namespace(here.place, deps)
    return facts


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


def up_plan(facts: UpFacts) -> Plan:
    """Raise `Conflict` where nothing would change, or a host is somebody else's; `Refused` beyond the team's budget;
    `Invalid` with every mistake where the platform cannot make it."""
    here, place = facts.here, facts.here.place
    found, change = _rendered(facts)
    terms = change.release.preview
    assert terms is not None  # noqa: S101  # it has been put there
    refuse_beyond(
        place.platform, facts.policy.base, place.team, terms.monthly_cost, facts.has, new=facts.standing is None
    )
    refuse_taken_hosts(here, change)
    details = differences.files(here.standing.files, change.files)
    if facts.standing is not None and not details:
        raise Conflict(
            f"{place.environment} shows exactly this already.",
            hint=f"To keep it longer: `/preview extend {place.environment}`.",
        )
    return Plan.of(
        change.summary,
        _effects(facts, found, change, terms),
        revisions=[here.standing.revision, *_revisions(facts)],
        owner=here.service.owner,
        details=details,
        links={f"Open {service}": url for service, url in changes.addresses(change.objects).items()},
        highlights=_highlights(facts, found, terms),
        environment=environment_of(terms),
        lane=place.lane,
        offers=changes.offers(place.environment),
    ).model_copy(update={"undo_later": False})


def _rendered(facts: UpFacts) -> tuple[Outline, Change]:
    """Return what the preview consists of, and the change that makes it so."""
    here, place = facts.here, facts.here.place
    documents, rollouts = changes.documents_of(facts.shown), changes.rollouts_of(facts.shown, place)
    around = facts.around
    release = Release(
        service=SERVICE,
        environment=place.environment,
        team=place.team,
        repository=facts.source.repository if facts.source is not None else "",
        document=facts.document.written(),
        preview=_terms(facts, here.asker.user, here.asker.now),
    )
    found = preview_outline(
        place, release, documents, rollouts=rollouts, owners=around.owners, sources=around.databases
    )
    assert release.preview is not None  # noqa: S101  # see above
    cost = monthly_cost(facts.document, documents, (one.monthly_cost for one in found.stores), place.platform)
    terms = release.preview.model_copy(update={"monthly_cost": cost, "masked": found.masked})
    what = f"{facts.source.repository}#{facts.source.number}" if facts.source else _names(facts.shown)
    verb = "Show" if facts.standing is None else "Update"
    change = preview_change(
        place,
        release.model_copy(update={"preview": terms}),
        documents,
        summary=f"{verb} {what} in the preview {place.environment}",
        rollouts=rollouts,
        owners=around.owners,
        sources=around.databases,
    )
    return found, change


def _terms(facts: UpFacts, user: str, now: datetime) -> PreviewTerms:
    """A new version keeps owner and end, and wakes what sleeps."""
    commits = {one.service.name: one.version.commit for one in facts.shown}
    if facts.standing is not None:
        return facts.standing.model_copy(
            update={"source": facts.source, "commits": commits, "used_at": now, "asleep_since": None}
        )
    return PreviewTerms(
        by=user, created_at=now, expires_at=now + facts.span, source=facts.source, commits=commits, used_at=now
    )


def _effects(facts: UpFacts, found: Outline, change: Change, terms: PreviewTerms) -> Iterator[Effect]:
    here, place = facts.here, facts.here.place
    urls = changes.addresses(change.objects)
    before = facts.record if facts.standing is not None else None
    yield changes.entry(place, terms, before, changes.held(place, urls))
    yield from changes.builds(facts.shown)
    yield from changes.records(facts.shown, place, change.summary)
    yield from here.asker.late(
        [
            *delivery(change, here.standing, here.repo_url),
            *changes.databases(found.stores),
            *changes.healthy(change, first=facts.standing is None),
        ]
    )
    yield from changes.conclusions(facts.shown, place, urls)


def _revisions(facts: UpFacts) -> Iterator[Revision]:
    for one in facts.shown:
        if one.is_new or one.of_pull_request:
            yield Revision(of=f"github:{one.service.repository}", at=one.version.commit)


def _highlights(facts: UpFacts, found: Outline, terms: PreviewTerms) -> Iterator[str]:
    if facts.source is not None and facts.source.fork:
        yield "What it shows comes from a fork: anybody can have written it. It gets no secrets."
    for one in facts.shown:
        yield f"{one.service.name} {one.version.name} ({one.version.commit[:7]} of {one.service.repository})"
    yield from found.notes
    yield f"It ends {day(terms.expires_at)}, unless somebody extends it."
    if terms.monthly_cost:
        yield f"A month of it would cost {terms.monthly_cost:f} {facts.here.place.platform.currency}."


def _names(shown: tuple[Shown, ...]) -> str:
    names = [one.service.name for one in shown]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
