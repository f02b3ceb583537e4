"""What an Environment document becomes: the objects of a preview, and the change that brings them to their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.rendering.previews.places import MOST_REPLICAS, SERVICE, platform_for, previews_of

if TYPE_CHECKING:
    from bot.rendering.previews.change import place_of

__all__ = ["MOST_REPLICAS", "SERVICE", "place_of", "platform_for", "previews_of"]


def __getattr__(name: str) -> Any:
    """Import what knows of delivery only where it is asked for: rendering alone needs no ports and starts quickly."""
    if name == "place_of":
        from bot.rendering.previews import change  # noqa: PLC0415 - see above

        return getattr(change, name)
    raise AttributeError(name)
