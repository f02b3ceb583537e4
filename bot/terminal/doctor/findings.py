"""What a check tells, and what it looks at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp

from bot.errors import Invalid, PlatformError
from bot.ports import Cluster, Deployments, Forge
from bot.releases.services import Service
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: whether all is well, and a sentence that says what is wrong and how to mend it."""

    fine: bool
    told: str


def fine(told: str) -> Finding:
    return Finding(True, told)


def mend(told: str) -> Finding:
    return Finding(False, told)


def trouble(error: PlatformError) -> list[Finding]:
    """Return the lines for an error that says what to do about it; one for each mistake of several."""
    if isinstance(error, Invalid) and error.mistakes:
        return [mend(f"{error.message} {mistake}.".replace("..", ".")) for mistake in error.mistakes]
    return [mend(str(error))]


class CheckedForge(Forge, Protocol):
    """The forge, and what it says of our own rights."""

    async def lacking(self, full_name: str) -> tuple[str, ...]:
        """Return the work that we may not do in a repository, each as “commit files (contents: write)”."""

    async def unheard(self, events: Collection[str]) -> tuple[str, ...]:
        """Return those of these webhook events that we are not sent, as far as is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Everything that is looked at, opened as the bot opens it."""

    settings: Settings
    session: aiohttp.ClientSession
    forge: CheckedForge
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    clusters_trouble: tuple[Finding, ...] = ()
    """Why there are none, where the kubeconfig cannot be used."""
    deployments: Deployments | None = None
    services: Sequence[Service] = ()
    """Those that the catalog knows, as the bot has stored it."""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    """With which its lines begin."""
    look: Callable[[Installation], Awaitable[Sequence[Finding]]]
    """May raise `PlatformError`, which becomes a line of its own."""


def listed(words: Sequence[str], most: int = 8) -> str:
    """Return them as a person lists them: `a, b and c`."""
    if len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most} more"
    return " and ".join([*([", ".join(words[:-1])] if words[1:] else []), *words[-1:]])
