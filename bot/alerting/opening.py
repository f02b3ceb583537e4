"""Everything about alerts that one process runs, put together in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.alerting.applying import Applying
from bot.alerting.channels import KnownChannels, OwnerChannels
from bot.alerting.deciding import Deciding, WishesOf, everything
from bot.alerting.desk import Desk
from bot.alerting.drawing import Drawing
from bot.alerting.figures import Figures, Measuring
from bot.alerting.owning import Owners
from bot.alerting.urging import Urging
from bot.catalog.dependencies import chain_of
from bot.catalog.index import Index
from bot.model.platform import Platform
from bot.ports import Clock
from bot.slack.outbox import Outbox
from bot.storage.database import Database

DEPTH = 5
"""How far a chain of dependencies is followed to a cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the installation decides about alerts."""

    wait: timedelta
    unposted: timedelta
    budget: int
    budgets: Mapping[str, int]
    """By channel, as people call it."""
    platform_channel: str
    channels: Mapping[str, str]
    """Full reference of a group → its channel, where the catalog does not say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The running parts."""

    desk: Desk
    urging: Urging
    measuring: Measuring


def open_office(
    database: Database,
    outbox: Outbox,
    channels: KnownChannels,
    index: Callable[[], Index],
    *,
    platform: Platform,
    terms: Terms,
    clock: Clock,
    replica: str,
    figures: Figures,
    wishes_of: WishesOf = everything,
) -> Office:
    """Put the parts together; nothing runs before `desk.start`."""
    owners = OwnerChannels(index, channels, terms.channels, terms.platform_channel)
    drawing = Drawing(outbox)

    def budget(channel: str) -> int:
        named = {channels.id_of(name) or name.lstrip("#"): most for name, most in terms.budgets.items()}
        return named.get(channel, terms.budget)

    desk = Desk(
        database,
        Applying(Owners(index, platform), owners, drawing, wait=terms.wait),
        Deciding(drawing, lambda service: chain_of(index(), service, depth=DEPTH), budget, wishes_of),
        clock,
        replica=replica,
        counted=figures.took,
    )
    urging = Urging(database, outbox, owners, budget, clock, replica=replica, unposted=terms.unposted)
    return Office(desk=desk, urging=urging, measuring=Measuring(database, clock, figures))
