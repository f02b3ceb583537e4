"""Where a preview is delivered to."""

from __future__ import annotations

from bot.model.platform import Platform
from bot.rendering.delivery import Place
from bot.rendering.previews.places import SERVICE, platform_for


def place_of(platform: Platform, name: str, team: str) -> Place:
    """Return the one place of a whole preview. Raise `Refused` where there are no previews, `Invalid` for a name that
    is somebody else's."""
    return Place(platform=platform_for(platform, name), service=SERVICE, environment=name, team=team)
