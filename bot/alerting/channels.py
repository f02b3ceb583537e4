"""Where a group of alerts is told: in its owner's channel. Answers from memory, so that a storm asks Slack nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from bot.catalog.index import Index

LONGEST = 64


class KnownChannels(Protocol):
    def id_of(self, name: str) -> str | None: ...


class OwnerChannels:
    """The channel that the configuration or the catalog names; the platform's for what is nobody's."""

    def __init__(
        self, index: Callable[[], Index], channels: KnownChannels, configured: Mapping[str, str], platform: str
    ) -> None:
        """`configured` maps full group references to channels and wins over the catalog's annotation."""
        self._index = index
        self._channels = channels
        self._configured = configured
        self._platform = platform

    def __call__(self, owner: str | None) -> str:
        """Return the channel's id. Its name where Slack has told no id of it: the outbox says so, and where it went."""
        named = (self._configured.get(owner) or self._index().channel_of(owner)) if owner else None
        return self._id(named or self._platform)

    @property
    def platform(self) -> str:
        return self._id(self._platform)

    def _id(self, name: str) -> str:
        return (self._channels.id_of(name) or name.lstrip("#"))[:LONGEST]
