"""What a provider answers about a store, and which module answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from bot.model.databases import Maker
from bot.model.platform import Platform
from bot.rendering.stores import claim, cloudnativepg, crossplane, git
from bot.rendering.stores.store import Store

Values = dict[str, Any]


class Provider(Protocol):
    """A way to get a database. Everything that it answers is data."""

    def bound(self, store: Store) -> Store:
        """Return the store with what only this provider knows: the Secret and its keys, the main object, its names."""

    def values(self, store: Store) -> Values:
        """Return what its templates see of the store, beside what every store tells."""

    def templates(self, store: Store, values: Mapping[str, Any]) -> Iterator[tuple[str, Values]]:
        """Yield its templates in order, each with the values that only it sees."""

    def reach(self, store: Store) -> Iterable[Values]:
        """Return the rules of a network policy by which a client's pods get out to it."""

    def refused(self, store: Store, platform: Platform) -> Iterator[str]:
        """Yield a sentence for all that cannot be had from it, each beginning with a verb: `keeps backups …`."""


_PROVIDERS: Mapping[Maker, Provider] = {
    "cloudnativepg": cloudnativepg,
    "crossplane": crossplane,
    "claim": claim,
    "git": git,
}


def provider_of(store: Store) -> Provider:
    return _PROVIDERS[store.settings.provider]
