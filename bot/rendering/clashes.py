"""What only shows when documents are laid side by side: names and hosts that two services want."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.errors import Mistake
from bot.model.platform import Platform
from bot.model.web_service import WebService
from bot.rendering.values import host_of

_OF_A_DATABASE = ("db", "db-rw", "db-ro", "db-r", "db-pooler")
"""CloudNativePG makes a Service of each of the latter names."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A document, whose it is and where it stands."""

    document: WebService
    team: str = ""
    source: str = ""
    """Begins the path of its mistakes: a file or a repository."""

    def mistake(self, path: str, message: str) -> Mistake:
        return Mistake(f"{self.source}: {path}" if self.source else path, message)

    @property
    def told(self) -> str:
        return f"{self.document.name}{f' of {self.team}' if self.team else ''}"


def clashes(documents: Iterable[Owned], *, platform: Platform) -> list[Mistake]:
    """Return a mistake for each document whose name or host an earlier one has already.

    A name may be given once; where services share a namespace, that counts for the names of their caches and databases
    too. A host may be shared only by services of one team, under different paths.
    """
    mistakes: list[Mistake] = []
    earlier: list[Owned] = []
    for owned in documents:
        mistakes += _name(owned, earlier, platform)
        mistakes += _hosts(owned, earlier, platform)
        earlier.append(owned)
    return mistakes


def _name(owned: Owned, earlier: Sequence[Owned], platform: Platform) -> list[Mistake]:
    for other in earlier:
        same = other.document.name == owned.document.name
        if same or any(_overlap(owned, other, name, platform) for name in platform.environments):
            where = f" ({other.source})" if other.source else ""
            told = f"the name is taken by {other.told}{where}; choose another"
            return [owned.mistake("metadata.name", told)]
    return []


def _overlap(one: Owned, other: Owned, environment: str, platform: Platform) -> bool:
    namespaces = {platform.namespace(part.document.name, part.team, environment) for part in (one, other)}
    return len(namespaces) == 1 and not _names(one, environment).isdisjoint(_names(other, environment))


def _names(owned: Owned, environment: str) -> set[str]:
    """Return the names of what stands beside the service in its namespace, its own included."""
    document = owned.document.for_environment(environment)
    stores = ((("cache",), document.spec.cache), (_OF_A_DATABASE, document.spec.database))
    beside = [suffix for suffixes, store in stores if store is not None for suffix in suffixes]
    return {document.name, *(f"{document.name}-{suffix}" for suffix in beside)}


def _hosts(owned: Owned, earlier: Sequence[Owned], platform: Platform) -> list[Mistake]:
    mistakes = []
    for name, environment in platform.environments.items():
        mine = owned.document.for_environment(name)
        host = host_of(mine, environment)
        for other in earlier:
            theirs = other.document.for_environment(name)
            if not host or host != host_of(theirs, environment) or other.document.name == owned.document.name:
                continue
            shared = sorted(_paths(mine) & _paths(theirs))
            if owned.team and owned.team == other.team and not shared:
                continue
            path = _where(owned.document, name)
            what = f"`{host}{shared[0] if shared and shared != ['/'] else ''}`"
            mistakes.append(owned.mistake(path, f"{what} is taken in {name} by {other.told}; choose another"))
            break
    return list(dict.fromkeys(mistakes))


def _paths(document: WebService) -> set[str]:
    ingress = document.spec.ingress
    return {path.rstrip("/") or "/" for path in (ingress.paths if ingress else ("/",))}


def _where(document: WebService, environment: str) -> str:
    over = document.spec.environments.get(environment)
    if over is not None and over.ingress is not None and over.ingress.host:
        return f"spec.environments.{environment}.ingress.host"
    return "spec.ingress.host"
