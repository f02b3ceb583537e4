"""The end of a preview: what is deleted of it, and how it is proved that nothing is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.command import Context
from bot.deps import Deps
from bot.effects import EndDeployments, Note, ProveGone
from bot.errors import Conflict, NotFound
from bot.model.effect import Effect
from bot.model.entities import full_ref
from bot.model.plan import Plan
from bot.model.previews import PREVIEW, PreviewTerms
from bot.model.principal import Door
from bot.ports import EnvironmentRecord
from bot.previews import comments
from bot.previews.keeping import environment_of, standing_record
from bot.previews.naming import pull_request_of
from bot.previews.reading import Preview, read_preview, wanted_preview
from bot.previews.sources import shown_in
from bot.previews.wording import day, listed
from bot.releases.changes import Asker
from bot.rendering.delivery import Place, Standing, direct
from bot.rendering.delivery.gitops import repository_url
from bot.rendering.previews import place_of
from bot.teardown import Contents, read_contents, teardown_effects

UNATTENDED = frozenset({Door.FORGE, Door.AGENDA})
"""Doors at which nobody waits for an answer: what is gone already is no mistake of anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A preview that is to go, or what is left of one."""

    place: Place
    standing: Standing
    contents: Contents | None
    """None where its cluster is not connected."""
    record: EnvironmentRecord | None
    asker: Asker
    repo_url: str = ""
    was_there: bool = False
    """Whether it was there when its end was asked for, and has gone since."""
    is_closed: bool = False
    """Whether the forge asks, and the pull request that it shows is closed: with that it ends, whoever closed it."""
    others: bool = False
    """Whether something else of it runs or stands in line."""
    takes_over: bool = True
    """Whether what is being made under its name is taken back: not by the clock, which knew an earlier one."""
    owner: str = ""
    """Full reference of the group whose it is, or, where nothing of it is there yet, would be; empty: nobody knows."""

    @property
    def terms(self) -> PreviewTerms | None:
        return self.standing.release.preview if self.standing.release is not None else None

    @property
    def is_nothing(self) -> bool:
        """Whether nothing of it is there: no release, no line in the book, no namespace of its own."""
        there = self.contents is not None and self.contents.uid and self.contents.label
        return self.terms is None and self.record is None and not there


async def read_ending(name: str, context: Context, deps: Deps) -> Ending:
    """Raise `NotFound` where somebody asks for the end of what is not there, `Conflict` where the clock asks for the
    end of what has been extended meanwhile."""
    groups = await deps.groups_of_channel(context.channel) if context.channel else ()
    if not name:
        name = (await wanted_preview("", groups or tuple(context.principal.groups), deps))[0].name
    preview, standing = await read_preview(name, deps)
    if preview is not None and context.door is Door.AGENDA and preview.terms.expires_at > context.now:
        raise Conflict(f"{name} has been extended until {day(preview.terms.expires_at)}, so it stays.")
    place = preview.place if preview is not None else place_of(deps.platform, name, "")
    record = await standing_record(place, deps)
    if preview is None and record is not None:
        place = place_of(deps.platform, name, record.team)
    known = await _line(place, deps)
    shows = _shows(name, preview, record, deps) if context.door is Door.FORGE else None
    found = Ending(
        place=place,
        standing=standing,
        contents=await _contents(place, standing, deps),
        record=record,
        asker=Asker(user=context.principal.user, operation=context.operation, now=context.now),
        repo_url=await _repo_url(place, deps),
        was_there=known is not None and known.ended_at is not None and known.ended_at >= context.now,
        is_closed=shows is not None and await _is_closed(shows, deps),
        others=any(one.operation != context.operation for one in await deps.in_lane(place.lane)),
        takes_over=context.door is not Door.AGENDA,
        owner=full_ref(place.team, kind="group") if place.team else shows.owner if shows is not None else "",
    )
    if found.is_nothing and not found.was_there and context.door not in UNATTENDED:
        await wanted_preview(name, groups, deps)  # says which there are
        raise NotFound(f"There is no preview `{name[:63]}`.")
    return found


@dataclass(frozen=True, slots=True)
class _Shows:
    """The pull request that a preview shows, and who owns what it is about."""

    repository: str
    number: int
    owner: str


def _shows(name: str, preview: Preview | None, record: EnvironmentRecord | None, deps: Deps) -> _Shows | None:
    """Return it by the release, or, as long as there is none, by the book or the name that previews of pull requests
    get."""
    if preview is not None:
        source = preview.terms.source
        return _Shows(source.repository, source.number, preview.owner) if source is not None else None
    if record is not None and (named := shown_in(record.holds)) is not None:
        return _Shows(*named, full_ref(record.team, kind="group"))
    found = pull_request_of(name, deps.catalog())
    return _Shows(found[0].repository, found[1], found[0].owner) if found is not None else None


async def _is_closed(shows: _Shows, deps: Deps) -> bool:
    found = await deps.forge.pull_request(shows.repository, shows.number)
    return found is not None and found.state != "open"


async def _line(place: Place, deps: Deps) -> EnvironmentRecord | None:
    """Return the line of the book, whether it has ended or not."""
    if deps.environments is None:
        return None
    return await deps.environments.get("preview", place.settings.cluster, place.environment)


async def _contents(place: Place, standing: Standing, deps: Deps) -> Contents | None:
    cluster = deps.clusters.get(place.settings.cluster)
    if cluster is None:
        return None
    delivered = direct.objects_of(standing.files)
    return await read_contents(cluster, place.namespace, direct.inventory(place), delivered, preview=place.environment)


async def _repo_url(place: Place, deps: Deps) -> str:
    if not place.is_gitops or place.platform.gitops.repo_url:
        return place.platform.gitops.repo_url
    found = await deps.forge.repository(place.platform.gitops.repository)
    return repository_url(place.platform, found.clone_url) if found is not None else ""


def ending_plan(facts: Ending) -> Plan:
    """Delete all of it, and prove that it is gone. One that is over, or whose pull request is closed, may be ended by
    anybody: its end was agreed on. What is still being made is taken back by nobody but its owners."""
    place, terms, name = facts.place, facts.terms, facts.place.environment
    is_over = terms is not None and terms.expires_at <= facts.asker.now
    agreed = is_over or facts.is_closed
    if facts.is_nothing:
        note = Note(id="gone", message=f"Nothing of the preview {name} is there any more.")
        plan = Plan.of(
            f"The preview {name} is gone already",
            [note],
            owner=facts.owner or None,
            environment=PREVIEW,
            lane=place.lane,
        )
        free = facts.is_closed or not facts.others
        return plan.model_copy(update={"undo_later": False, "agreed": free, "takes_over": facts.takes_over})
    summary = f"Delete the preview {name}" + (", which has ended" if is_over else "")
    contents = [facts.contents.revision] if facts.contents is not None else []
    team = place.team or (facts.record.team if facts.record is not None else "")
    if not team and facts.contents is not None:
        team = facts.contents.team  # of what nobody remembers
    return Plan.of(
        summary,
        _effects(facts, summary),
        revisions=[facts.standing.revision, *contents],
        owner=full_ref(team, kind="group") if team else None,
        highlights=_highlights(facts, is_over=is_over),
        environment=environment_of(terms) if terms is not None else PREVIEW,
        lane=place.lane,
    ).model_copy(update={"undo_later": False, "agreed": agreed, "takes_over": True})


def _effects(facts: Ending, summary: str) -> Iterator[Effect]:
    place, terms = facts.place, facts.terms
    removing = teardown_effects(
        facts.contents,
        place,
        facts.standing,
        what="preview",
        name=place.environment,
        summary=summary,
        made_by=facts.record.operation if facts.record is not None else "",
        repo_url=facts.repo_url,
        contact=place.settings.database.contact,
    )
    yield from removing
    if terms is not None and terms.source is not None:
        yield EndDeployments(id="end-deployments", repository=terms.source.repository, environment=place.environment)
        proofs = {check.told(): one.id for one in removing if isinstance(one, ProveGone) for check in one.checks[:1]}
        yield from comments.ended(place.environment, terms, proofs)


def _highlights(facts: Ending, *, is_over: bool) -> Iterator[str]:
    contents, terms = facts.contents, facts.terms
    if terms is not None and is_over:
        yield f"It ended {day(terms.expires_at)}, and nobody extended it."
    if contents is None:
        return
    if contents.databases:
        yield f"Its databases go with all that is in them: {listed(list(contents.databases))}."
    if contents.hosts:
        yield f"Its addresses go: {listed(list(contents.hosts[:6]))}."
