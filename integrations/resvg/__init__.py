"""The pictures port on resvg."""

from integrations.resvg.pictures import ResvgPictures, connect

__all__ = ["ResvgPictures", "connect"]
