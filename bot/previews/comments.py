"""What a pull request is told of its preview, in its one comment. Nothing where it shows none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from bot.effects import LivingComment
from bot.effects.comment_text import CommentedDatabase, CommentedService, Proved, Stage, Told
from bot.model.databases import ENGINES
from bot.model.effect import Effect
from bot.model.late import Late, OutputRef
from bot.model.previews import PreviewTerms
from bot.rendering.previews import Outline


def making(name: str, terms: PreviewTerms, *, by: str) -> Iterator[Effect]:
    yield from _comment("comment-making", name, terms, "making", by=by)


def ready(
    name: str,
    terms: PreviewTerms,
    found: Outline,
    *,
    urls: Mapping[str, str],
    waited: Collection[str],
    by: str,
) -> Iterator[Effect]:
    """Say where it answers, and what its data came from. `waited` are the services that the plan waits for."""
    services = tuple(
        CommentedService(
            name=one.name,
            url=urls.get(one.name, ""),
            version=terms.commits.get(one.name, "")[:7],
            went=_went(one.name) if one.name in waited else "success",
        )
        for one in found.document.spec.services
    )
    databases = tuple(
        CommentedDatabase(
            name=bound.store.name,
            engine=ENGINES[bound.store.engine],
            seeded_from=bound.seed.source if bound.seed is not None else "",
            masked=bound.masking.version if bound.masking is not None else "",
        )
        for bound in found.members
        if bound.store is not None
    )
    yield from _comment("comment", name, terms, "ready", by=by, services=services, databases=databases)


def _went(service: str) -> Late:
    return Late(parts=(OutputRef(effect=f"healthy:{service}", output="state"),))


def standing(name: str, terms: PreviewTerms, urls: Mapping[str, str]) -> Iterator[Effect]:
    """Say how it is doing after its end was moved, or it went to sleep."""
    services = tuple(
        CommentedService(name=service, url=urls.get(service, ""), version=commit[:7])
        for service, commit in sorted(terms.commits.items())
    )
    stage: Stage = "asleep" if terms.asleep_since is not None else "ready"
    yield from _comment("comment", name, terms, stage, services=services)


def ended(name: str, terms: PreviewTerms, proofs: Mapping[str, str]) -> Iterator[Effect]:
    """`proofs` maps what was looked for to the effect that has looked."""
    told = tuple(
        Proved(what=what, proved=Late(parts=(OutputRef(effect=effect, output="proved"),)))
        for what, effect in proofs.items()
    )
    yield from _comment("comment", name, terms, "ended", proofs=told)


def _comment(
    effect: str,
    name: str,
    terms: PreviewTerms,
    stage: Stage,
    *,
    by: str = "",
    services: Iterable[CommentedService] = (),
    databases: Iterable[CommentedDatabase] = (),
    proofs: Iterable[Proved] = (),
) -> Iterator[Effect]:
    source = terms.source
    if source is None:
        return
    yield LivingComment(
        id=effect,
        repository=source.repository,
        number=source.number,
        preview=name,
        told=Told(
            stage=stage,
            head=source.head,
            by=by,
            ends=None if stage in ("making", "ended") else terms.expires_at,
            services=tuple(services),
            databases=tuple(databases),
            proofs=tuple(proofs),
        ),
    )
