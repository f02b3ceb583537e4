"""What an Environment document becomes: the objects of a preview, and the change that brings them to their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.rendering.previews.outline import Outline, outline
from bot.rendering.previews.places import MOST_REPLICAS, SERVICE, platform_for, previews_of
from bot.rendering.previews.render import LABEL, render_preview

if TYPE_CHECKING:
    from bot.rendering.previews.change import place_of, preview_change, preview_outline

__all__ = [
    "LABEL",
    "MOST_REPLICAS",
    "SERVICE",
    "Outline",
    "outline",
    "place_of",
    "platform_for",
    "preview_change",
    "preview_outline",
    "previews_of",
    "render_preview",
]
_DELIVERED = ("place_of", "preview_change", "preview_outline")


def __getattr__(name: str) -> Any:
    """Import what knows of delivery only where it is asked for: rendering alone needs no ports and starts quickly."""
    if name in _DELIVERED:
        from bot.rendering.previews import change  # noqa: PLC0415 - see above

        return getattr(change, name)
    raise AttributeError(name)
