"""From what a preview is to be to the plan that makes it so. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.errors import Conflict, Refused
from bot.model.canonical import JSON
from bot.model.effect import Effect
from bot.model.plan import Plan, Revision
from bot.model.previews import PreviewTerms
from bot.model.release import Release
from bot.previews import changes, comments
from bot.previews.budgets import COST, refuse_beyond
from bot.previews.keeping import environment_of
from bot.previews.making import UpFacts
from bot.previews.sources import SHOWS, Shown
from bot.previews.wording import day
from bot.releases import differences
from bot.releases.changes import delivery
from bot.releases.reading import refuse_taken_hosts
from bot.rendering.costs import cost_of_preview
from bot.rendering.delivery import Change
from bot.rendering.previews import SERVICE, Outline, preview_change, preview_outline


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
    _refuse_strange_programs(facts, found)
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


def _refuse_strange_programs(facts: UpFacts, found: Outline) -> None:
    """Raise `Refused` where a program that a team has not built would read that team's data or Secrets, and nobody of
    the team asks for it."""
    for bound in found.members:
        name = bound.member.name
        reads_secrets = found.policy.secrets and bool(bound.member.document.spec.secrets)
        if name not in facts.foreign or not (bound.seed is not None or reads_secrets):
            continue
        team = facts.around.owners.get(name, "another team")
        what = "a copy of its data" if bound.seed is not None else "its Secrets"
        raise Refused(
            f"{name} is of {team}, and with an image of your own it would read {what}.",
            hint=f"Leave the image of {name} out, let the databases begin empty, or have somebody of {team} ask.",
        )


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
    running = [bound.member.document for bound in found.members]
    cost = cost_of_preview(running, found.stores, environment=place.environment, platform=found.platform)
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
    waited = frozenset(name for name, _ in changes.workloads(change.objects))
    before = facts.record if facts.standing is not None else None
    holds: dict[str, JSON] = {**changes.held(place, urls), COST: f"{terms.monthly_cost:f}"}
    if terms.source is not None:
        holds[SHOWS] = f"{terms.source.repository}#{terms.source.number}"
    yield changes.entry(place, terms, before, holds)
    yield from comments.making(place.environment, terms, by=facts.by)
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
    yield from comments.ready(place.environment, terms, found, urls=urls, waited=waited, by=facts.by)


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
