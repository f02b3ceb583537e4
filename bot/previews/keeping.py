"""What changes of a preview while it stands: its end, and whether it sleeps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot.command import Context
from bot.deps import Deps
from bot.errors import Conflict
from bot.model.effect import Effect
from bot.model.plan import Plan
from bot.model.previews import FORK, PREVIEW, Previews, PreviewTerms
from bot.model.principal import Door
from bot.model.release import Release
from bot.ports import EnvironmentRecord
from bot.previews import changes, comments
from bot.previews.idleness import rested
from bot.previews.reading import Preview, wanted_preview
from bot.previews.sources import Shown, Surroundings, read_again, read_surroundings
from bot.previews.terms import extended, latest
from bot.previews.wording import day, person
from bot.releases import differences
from bot.releases.changes import delivery
from bot.releases.reading import Here, read_place
from bot.releases.services import Service
from bot.rendering.delivery import Change, Place
from bot.rendering.delivery.direct import objects_of
from bot.rendering.previews import SERVICE, Outline, preview_change, preview_outline, previews_of
from bot.rendering.previews.change import document_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A preview as it stands."""

    here: Here
    preview: Preview
    policy: Previews
    record: EnvironmentRecord | None = None
    """The line of the book that stands."""
    shown: tuple[Shown, ...] = ()
    """Its services; read only where it is rendered anew."""
    around: Surroundings | None = None
    """The same of what lies around it."""
    by_itself: bool = False
    """Whether nobody asks: the platform's own words on previews do, which were agreed on when it was made."""

    @property
    def release(self) -> Release:
        return self.preview.release

    @property
    def terms(self) -> PreviewTerms:
        return self.preview.terms


def environment_of(terms: PreviewTerms) -> str:
    """Return what policy calls the environment of a preview."""
    return FORK if terms.source is not None and terms.source.fork else PREVIEW


async def read_kept(name: str, context: Context, deps: Deps, *, rendered: bool = False) -> Kept:
    """Raise `NotFound` that lists those there are; without a name the only one of the channel's team is meant."""
    groups = await deps.groups_of_channel(context.channel) if context.channel else ()
    preview, _ = await wanted_preview(name, groups or tuple(context.principal.groups), deps)
    kept = Kept(
        here=await here_at(preview.place, preview.owner, context, deps),
        preview=preview,
        policy=previews_of(deps.platform),
        record=await standing_record(preview.place, deps),
        by_itself=context.door is Door.AGENDA,
    )
    if not rendered:
        return kept
    document = document_of(preview.release, preview.place)
    shown = await read_again(document, preview, deps)
    return replace(kept, shown=shown, around=await read_surroundings(document, shown, deps))


async def here_at(place: Place, owner: str, context: Context, deps: Deps) -> Here:
    """Read the place of a preview, as every change of what runs there is planned from."""
    here = await read_place(Service(name=SERVICE, owner=owner, repository=""), place, context, deps)
    # Its own services are called by their own names, and not by that of the place.
    others = {host: whose for host, whose in here.hosts.items() if not whose.endswith(f" in {place.environment}")}
    return replace(here, hosts=others)


async def standing_record(place: Place, deps: Deps) -> EnvironmentRecord | None:
    """Return the line of the book that stands; None where there is none."""
    if deps.environments is None:
        return None
    found = await deps.environments.get("preview", place.settings.cluster, place.environment)
    return found if found is not None and found.ended_at is None else None


def extend_plan(facts: Kept, by: timedelta | None) -> Plan:
    """Move the end: nothing but the release changes. Raise `Refused` at the ceiling."""
    now = facts.here.asker.now
    end = extended(facts.terms, by, facts.policy, now)
    release = _with_terms(facts, expires_at=end, used_at=now)
    summary = f"Let the preview {facts.preview.name} stand until {day(end)}"
    change = changes.unchanged(facts.preview.place, release, facts.here.standing, summary)
    last = latest(facts.terms, facts.policy)
    notes = [f"It can be extended until {day(last)}." if end < last else "It cannot be extended any more."]
    return _plan(facts, change, notes=notes)


def sleep_plan(facts: Kept) -> Plan:
    """Scale everything to nothing; data stays. Raise `Conflict` where it sleeps already, or where nobody asks and
    somebody has made something of it since it was seen to be idle."""
    if facts.terms.asleep_since is not None:
        raise Conflict(
            f"{facts.preview.name} sleeps already.", hint=f"Wake it with `/preview wake {facts.preview.name}`."
        )
    now, after = facts.here.asker.now, facts.policy.idle_after
    if facts.by_itself and after is not None and not rested(facts.preview, after, now):
        raise Conflict(f"{facts.preview.name} has been used meanwhile, so it stays awake.")
    release = _with_terms(facts, asleep_since=now)
    _, change = _rendered(facts, release, f"Put the preview {facts.preview.name} to sleep")
    wake = f"Wake it with `/preview wake {facts.preview.name}`"
    notes = [f"Its data stays. {wake}; it ends {day(facts.terms.expires_at)} all the same."]
    return _plan(facts, change, more=changes.healthy(change), notes=notes)


def wake_plan(facts: Kept) -> Plan:
    """Start everything again, as it was. Raise `Conflict` where it is awake."""
    if facts.terms.asleep_since is None:
        raise Conflict(f"{facts.preview.name} is awake.", hint=f"Look at it: `/preview show {facts.preview.name}`.")
    release = _with_terms(facts, asleep_since=None, used_at=facts.here.asker.now)
    found, change = _rendered(facts, release, f"Wake the preview {facts.preview.name}")
    return _plan(facts, change, more=[*changes.databases(found.stores), *changes.healthy(change)])


def remind_plan(facts: Kept) -> Plan:
    """Change nothing: the card itself is the question."""
    name, terms = facts.preview.name, facts.terms
    last = latest(terms, facts.policy)
    lines = [
        f"{person(terms.by)}: it ends {day(terms.expires_at)}, and then all of it is deleted. Do you still need it?"
    ]
    if last <= terms.expires_at:
        lines.append("It cannot be extended any more.")
    return Plan.of(
        f"The preview {name} ends {day(terms.expires_at)}",
        [],
        owner=facts.preview.owner,
        links={f"Open {service}": url for service, url in _addresses(facts).items()},
        highlights=lines,
        environment=environment_of(terms),
        offers=[
            offer
            for offer in changes.offers(name, asleep=terms.asleep_since is not None)
            if offer.action != "extend" or last > terms.expires_at
        ],
    ).model_copy(update={"undo_later": False, "agreed": facts.by_itself})


def _plan(facts: Kept, change: Change, *, more: Iterable[Effect] = (), notes: Iterable[str] = ()) -> Plan:
    here, place = facts.here, facts.preview.place
    terms = change.release.preview
    assert terms is not None  # noqa: S101  # it has been put there
    ends_anew = facts.record is not None and terms.expires_at != facts.terms.expires_at
    book = [changes.entry(place, terms, facts.record)] if ends_anew else []
    return Plan.of(
        change.summary,
        [
            *book,
            *here.asker.late([*delivery(change, here.standing, here.repo_url), *more]),
            *comments.standing(facts.preview.name, terms, changes.addresses(change.objects)),
        ],
        revisions=[here.standing.revision],
        owner=facts.preview.owner,
        details=differences.files(here.standing.files, change.files),
        links={} if terms.asleep_since else {f"Open {name}": url for name, url in _addresses(facts).items()},
        notes=notes,
        environment=environment_of(terms),
        lane=place.lane,
        offers=changes.offers(facts.preview.name, asleep=terms.asleep_since is not None),
    ).model_copy(update={"undo_later": False, "agreed": facts.by_itself})


def _with_terms(facts: Kept, **changed: Any) -> Release:
    return facts.release.model_copy(update={"preview": facts.terms.model_copy(update=changed)})


def _rendered(facts: Kept, release: Release, summary: str) -> tuple[Outline, Change]:
    place, around = facts.preview.place, facts.around
    assert around is not None  # noqa: S101  # whoever renders has read it
    documents, rollouts = changes.documents_of(facts.shown), changes.rollouts_of(facts.shown, place)
    owners, sources = around.owners, around.databases
    found = preview_outline(place, release, documents, rollouts=rollouts, owners=owners, sources=sources, standing=True)
    change = preview_change(
        place, release, documents, summary=summary, rollouts=rollouts, owners=owners, sources=sources, standing=True
    )
    return found, change


def _addresses(facts: Kept) -> dict[str, str]:
    return changes.addresses(objects_of(facts.here.standing.files))
