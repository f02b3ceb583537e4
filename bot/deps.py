"""What commands may reach while they read facts and answer questions; built once, in `bot/app.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.catalog.index import Index
from bot.errors import Mistake
from bot.golden_paths.sources import TemplateLibrary
from bot.golden_paths.steps import Runner
from bot.model.operation import Behind, OperationView
from bot.model.platform import Platform
from bot.ports import (
    Agenda,
    AlertBook,
    Alerts,
    Cluster,
    Deployments,
    Environments,
    Forge,
    Logs,
    Metrics,
    NotificationBook,
    Pictures,
    Traces,
)
from bot.queries import Queries, load_queries


async def _nobody(_: str) -> tuple[Behind, ...]:
    return ()


async def _no_history(_service: str, _begin: datetime, _end: datetime) -> tuple[OperationView, ...]:
    return ()


async def _no_groups(_: str) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """Reading only: nothing here is used to change anything."""

    forge: Forge
    catalog: Callable[[], Index]
    """The index of now; it is replaced at each refresh, so ask for it each time."""
    templates: TemplateLibrary
    runner: Runner
    broken: Callable[[], tuple[Mistake, ...]] = tuple
    """Catalog files and golden paths that cannot be used, each with its mistake."""
    organizations: frozenset[str] = frozenset()
    """Owners of repositories that golden paths may touch, in lower case; empty for any."""
    private_repositories: bool = True
    """Visibility of new repositories whose template says none."""
    platform: Platform = field(default_factory=Platform)
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    """Those of `platform.clusters` that are connected."""
    deployments: Deployments | None = None
    """None where there is no Argo CD."""
    agenda: Agenda | None = None
    environments: Environments | None = None
    metrics: Metrics | None = None
    alerts: Alerts | None = None
    logs: Logs | None = None
    traces: Traces | None = None
    """Each None where the installation has no such system: then it is simply not spoken of."""
    queries: Queries = field(default_factory=load_queries)
    """What those four are asked."""
    alert_book: AlertBook | None = None
    notification_book: NotificationBook | None = None
    pictures: Pictures | None = None
    history: Callable[[str, datetime, datetime], Awaitable[tuple[OperationView, ...]]] = _no_history
    """`(service, begin, end)`: operations about that service that ran at some time in between, newest first."""
    groups_of_channel: Callable[[str], Awaitable[tuple[str, ...]]] = _no_groups
    """`(channel id)`: full references of the groups whose channel it is."""
    in_lane: Callable[[str], Awaitable[tuple[Behind, ...]]] = _nobody
    """`(lane)`: the operations that run or stand in line there, first come first."""
