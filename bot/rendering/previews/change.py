"""From the release of a preview to the change that makes it so. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from bot.errors import Invalid
from bot.model.environment import Environment
from bot.model.platform import Platform
from bot.model.release import Release
from bot.model.web_service import WebService
from bot.rendering.delivery import Change, Place
from bot.rendering.delivery.change import release_file
from bot.rendering.delivery.reading import not_ours
from bot.rendering.environments import read_environment
from bot.rendering.previews.outline import Outline, outline
from bot.rendering.previews.places import SERVICE, platform_for
from bot.rendering.previews.render import namespace_labels, objects_of
from bot.rendering.printing import files, to_yaml
from bot.rendering.rollout import Rollout
from bot.rendering.stores import Store


def place_of(platform: Platform, name: str, team: str) -> Place:
    """Return the one place of a whole preview. Raise `Refused` where there are no previews, `Invalid` for a name that
    is somebody else's."""
    return Place(platform=platform_for(platform, name), service=SERVICE, environment=name, team=team)


def preview_outline(
    place: Place,
    release: Release,
    services: Mapping[str, WebService],
    *,
    rollouts: Mapping[str, Rollout] | None = None,
    owners: Mapping[str, str] | None = None,
    sources: Mapping[str, Store] | None = None,
    standing: bool = False,
) -> Outline:
    """Return what a preview consists of by its release: the Environment document, asleep or awake, of a fork or not.

    The other arguments are those of `outline`. Raise `Invalid` with every mistake where the platform refuses it, or
    where somebody has edited the release so that it says nothing any more.
    """
    terms = release.preview
    source = terms.source if terms is not None else None
    return outline(
        document_of(release, place),
        services,
        place.platform,
        rollouts,
        team=place.team,
        owners=owners,
        sources=sources,
        fork=source is not None and source.fork,
        asleep=terms is not None and terms.asleep_since is not None,
        standing=standing,
    )


def preview_change(
    place: Place,
    release: Release,
    services: Mapping[str, WebService],
    *,
    summary: str,
    rollouts: Mapping[str, Rollout] | None = None,
    owners: Mapping[str, str] | None = None,
    sources: Mapping[str, Store] | None = None,
    standing: bool = False,
) -> Change:
    """Return the change that makes a preview what its release says. The arguments and errors are those of
    `preview_outline`.

    The namespace is none of the change's objects: either way of delivery makes it, with the labels that stand in the
    change, and nothing that is delivered later takes it away.
    """
    here = preview_outline(
        place, release, services, rollouts=rollouts, owners=owners, sources=sources, standing=standing
    )
    objects = tuple(obj for obj in objects_of(here) if obj["kind"] != "Namespace")
    return Change(
        place=place,
        release=release,
        files=files(objects),
        objects=objects,
        summary=summary,
        namespace=namespace_labels(here),
    )


def document_of(release: Release, place: Place) -> Environment:
    """Return the document that a preview was rendered from. Raise `Invalid` where somebody has edited it."""
    try:
        document = read_environment(to_yaml(dict(release.document)))
    except Invalid:
        document = None
    if document is None or document.name != place.environment:
        raise not_ours(release_file(place))
    return document
