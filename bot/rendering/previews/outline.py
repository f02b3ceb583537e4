"""What a preview consists of, before it is objects: services, databases, what it borrows, what people must know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.errors import Invalid, Mistake
from bot.model.duration import format_duration
from bot.model.environment import Environment
from bot.model.environment.parts import allowed
from bot.model.platform import Platform
from bot.model.previews import Previews
from bot.model.web_service import WebService
from bot.rendering.ceilings import beyond
from bot.rendering.previews.borrowed import Borrowed, borrowed_by
from bot.rendering.previews.databases import Bound, bind
from bot.rendering.previews.members import Around, members_of
from bot.rendering.previews.places import platform_for, previews_of
from bot.rendering.rollout import Rollout
from bot.rendering.stores import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A preview whose parts fit together."""

    document: Environment
    platform: Platform
    """With the preview's environment in it."""
    team: str
    fork: bool
    asleep: bool
    members: tuple[Bound, ...]
    borrowed: tuple[Borrowed, ...]

    @property
    def name(self) -> str:
        return self.document.name

    @property
    def policy(self) -> Previews:
        return previews_of(self.platform)

    @property
    def stores(self) -> tuple[Store, ...]:
        """Its databases."""
        return tuple(bound.store for bound in self.members if bound.store is not None)

    @property
    def masked(self) -> str:
        """Version of the rules by which its data is masked; empty where none is."""
        return next((bound.masking.version for bound in self.members if bound.masking is not None), "")

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the card."""
        return tuple(_notes(self))


def outline(
    document: Environment,
    services: Mapping[str, WebService],
    platform: Platform,
    rollouts: Mapping[str, Rollout] | None = None,
    *,
    team: str = "unowned",
    owners: Mapping[str, str] | None = None,
    sources: Mapping[str, Store] | None = None,
    fork: bool = False,
    asleep: bool = False,
    standing: bool = False,
) -> Outline:
    """Return what a preview consists of.

    `services` are the platform documents of its services, as far as they are known; `rollouts` say version and image
    where these were asked for. `owners` knows the teams of other services, and `sources` the databases of other
    environments, by service; None where nobody has looked. Of a `fork` no service gets a Secret and no database is
    filled. One that is `standing` is refused neither for its term nor for what its databases were filled from.

    Raise `Invalid` with every mistake where it cannot be had, `Refused` where the platform has no previews.
    """
    here = platform_for(platform, document.name)
    around = Around(
        document=document,
        services=services,
        rollouts=rollouts or {},
        platform=here,
        team=team,
        owners=owners or {},
        sources=sources,
        fork=fork,
        asleep=asleep,
        standing=standing,
    )
    members, mistakes = members_of(around)
    bound, more = bind(members, around)
    mistakes = [*(() if standing else _term(document, here)), *mistakes, *more, *_beyond(bound, around)]
    if mistakes:
        raise invalid(document, mistakes)
    borrowed = borrowed_by(
        [one.member for one in bound], name=document.name, team=team, owners=owners or {}, platform=here, fork=fork
    )
    return Outline(
        document=document,
        platform=here,
        team=team,
        fork=fork,
        asleep=asleep,
        members=tuple(bound),
        borrowed=tuple(borrowed),
    )


def _beyond(members: Iterable[Bound], around: Around) -> Iterator[Mistake]:
    """Yield what the platform does not have or allow, where the person has written it."""
    for bound in members:
        member = bound.member
        entry = around.document.spec.services[member.number]
        mine = {"spec.size": entry.size, "replicas": entry.replicas}
        for mistake in beyond(
            member.document, environment=around.document.name, platform=around.platform, rollout=member.rollout
        ):
            if mine.get(mistake.path) is not None:
                field = mistake.path.removeprefix("spec.")
                yield Mistake(f"spec.services[{member.number}].{field}", mistake.message)
            else:
                yield member.mistake(mistake.path, mistake.message)


def invalid(document: Environment, mistakes: list[Mistake]) -> Invalid:
    told = f"{document.name} cannot be a preview as its documents say."
    return Invalid(told, dict.fromkeys(mistakes), hint="Mend each and try again.")


def _term(document: Environment, platform: Platform) -> Iterator[Mistake]:
    longest = previews_of(platform).longest
    if document.lifetime is not None and document.lifetime > longest:
        told = f"`{document.spec.ttl}` is longer than {format_duration(longest)}; {allowed(longest)}"
        yield Mistake("spec.ttl", told)


def _notes(here: Outline) -> Iterator[str]:
    for bound in here.members:
        if bound.seed is not None and bound.store is not None:
            masked = f", masked by version {bound.masking.version}" if bound.masking else ""
            yield f"The database of {bound.member.name} is filled from {bound.seed.source}{masked}."
    if here.fork:
        if any(database.seed_from for database in here.document.spec.databases):
            yield "Its databases begin empty: it shows a fork's source."
        if any(bound.member.own is not None and bound.member.own.spec.secrets for bound in here.members):
            yield "Its services get no Secrets: it shows a fork's source."
    yield from (one.note for one in here.borrowed)
