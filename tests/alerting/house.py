"""A desk with its rows, an outbox and a Slack that keeps what it is told; time moves only when a test moves it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from bot.alerting.book import Book
from bot.alerting.figures import Figures
from bot.alerting.identity import DIGEST, GROUP, fingerprint_of
from bot.alerting.opening import Terms, open_office
from bot.alerting.source import AlertCards, CardsByPrefix, DigestCards, catalog_names
from bot.catalog.documents import Document, read
from bot.catalog.index import Index
from bot.model.alerts import AlertGroup
from bot.model.notifications import TeamWishes
from bot.model.platform import Environment, Platform
from bot.slack.delivery import Card
from bot.slack.outbox import Outbox
from bot.storage.alerts import alert_groups, alert_intake
from bot.storage.database import Database
from bot.storage.migrate import upgrade
from bot.storage.operations import ledger_entries
from tests.fakes.slack import FakeSlack, FakeTimer, Posted

MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)

CATALOG = """
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team-orders, annotations: {causeway.io/slack-channel: team-orders}}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team-checkout, annotations: {causeway.io/slack-channel: team-checkout}}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: author}
spec: {profile: {displayName: Sample Author, email: author@acme.example}, memberOf: [team-orders]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: orders-db}
spec: {type: service, lifecycle: production, owner: team-orders}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: orders-api}
spec: {type: service, lifecycle: production, owner: team-orders, dependsOn: [component:orders-db]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout-web}
spec: {type: service, lifecycle: production, owner: team-checkout, dependsOn: [component:orders-api]}
"""
INDEX = Index([read(Document("github:acme/catalog", "1", CATALOG))])
PLATFORM = Platform(environments={"staging": Environment(), "production": Environment()})

CHANNELS = {"team-orders": "CORDERS", "team-checkout": "CCHECKOUT", "platform": "CPLATFORM"}
TERMS = Terms(
    wait=timedelta(seconds=5),
    unposted=timedelta(minutes=10),
    budget=20,
    budgets={},
    platform_channel="platform",
    channels={},
)


class KnownChannels:
    def id_of(self, name: str) -> str | None:
        return CHANNELS.get(name.lstrip("#"))


class Nobody:
    async def card(self, operation_id: str) -> Card | None:
        return None


def alert(
    name: str = "HighLatency",
    *,
    at: datetime = MONDAY,
    status: str = "firing",
    ended: datetime | None = None,
    annotations: Mapping[str, str] | None = None,
    more: Mapping[str, str] | None = None,
    **labels: str,
) -> dict[str, Any]:
    """Return one alert as Alertmanager sends it."""
    all_labels = {"alertname": name, "severity": "critical", **labels, **(more or {})}
    return {
        "status": status,
        "labels": all_labels,
        "annotations": dict(annotations or {"summary": f"{name} is on."}),
        "startsAt": at.isoformat().replace("+00:00", "Z"),
        "endsAt": ended.isoformat() if ended else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus-0:9090/graph?g0.expr=up",
        "fingerprint": fingerprint_of(None, all_labels)[:16],
    }


def resolved(one: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    return {**one, "status": "resolved", "endsAt": at.isoformat()}


def delivery(*alerts: Mapping[str, Any], by: Sequence[str] = ("alertname", "service"), **more: Any) -> dict[str, Any]:
    """Return a webhook's body (version 4) for alerts that are grouped by these labels."""
    first = alerts[0]["labels"] if alerts else {}
    labels = {name: first[name] for name in by if name in first}
    return {
        "version": "4",
        "receiver": "causeway",
        "status": "firing" if any(one["status"] == "firing" for one in alerts) else "resolved",
        "groupKey": f"{{}}:{labels}",
        "groupLabels": labels,
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager-0:9093",
        "truncatedAlerts": 0,
        "alerts": list(alerts),
        **more,
    }


@dataclass
class House:
    database: Database
    terms: Terms = TERMS
    now: datetime = MONDAY
    index: Index = INDEX
    replica: str = "replica-1"
    wishes: dict[str | None, TeamWishes] = field(default_factory=dict)
    """By full reference of a group."""
    slack: FakeSlack = field(init=False)

    def __post_init__(self) -> None:
        self.timer = FakeTimer(self.now.timestamp())
        self.slack = FakeSlack(self.timer)
        self.figures = Figures()
        self.start()

    def start(self, replica: str = "") -> None:
        """A process begins, on the same rows."""
        self.replica = replica or self.replica
        clock = self.clock
        alerts = AlertCards(self.database, clock, catalog_names(lambda: self.index))
        cards = CardsByPrefix(Nobody(), {GROUP: alerts, DIGEST: DigestCards(self.database)})
        self.outbox = Outbox(
            self.database, self.slack, cards, fallback_channel="CPLATFORM", timer=self.timer, owner=self.replica
        )
        self.book = Book(self.database, clock)
        self.book.told_through(self.outbox)
        self.office = open_office(
            self.database,
            self.outbox,
            KnownChannels(),
            lambda: self.index,
            platform=PLATFORM,
            terms=self.terms,
            clock=clock,
            replica=self.replica,
            figures=self.figures,
            wishes_of=lambda owner: self.wishes.get(owner, TeamWishes()),
        )
        self.desk = self.office.desk

    def clock(self) -> datetime:
        return self.now

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)
        self.timer.at = max(self.timer.at, self.now.timestamp())

    async def store(self, *bodies: Mapping[str, Any] | str) -> None:
        rows = [
            {
                "body": one if isinstance(one, str) else json.dumps(one),
                "received_at": self.now.timestamp(),
                "attempts": 0,
                "failed": False,
            }
            for one in bodies
        ]
        async with self.database.write() as connection:
            await connection.execute(insert(alert_intake), rows)

    async def hear(self, *bodies: Mapping[str, Any] | str, wait: float = 6.0) -> None:
        """Take bodies in, let what waits for its cause become due, and let Slack hear of it."""
        await self.store(*bodies)
        await self.desk.work_off()
        self.later(seconds=wait)
        await self.settle()

    async def settle(self) -> None:
        await self.desk.work_off()
        await self.outbox.drain()

    async def groups(self) -> list[AlertGroup]:
        """All there are, the first that began first."""
        async with self.database.read() as connection:
            ids = (await connection.execute(select(alert_groups.c.id).order_by(alert_groups.c.number))).scalars().all()
        return [group for id_ in ids if (group := await self.book.group(id_)) is not None]

    async def ledger(self) -> list[tuple[str, str]]:
        async with self.database.read() as connection:
            rows = await connection.execute(select(ledger_entries).order_by(ledger_entries.c.id))
            return [(row.kind, row.operation) for row in rows]

    def roots(self, channel: str | None = None) -> list[Posted]:
        """Top-level messages, in the order in which they were posted."""
        return [one for one in self.slack.messages if not one.thread_ts and channel in (None, one.channel)]

    def thread(self, root: Posted) -> list[str]:
        return [one.text for one in self.slack.messages if one.thread_ts == root.ts and one.channel == root.channel]


@asynccontextmanager
async def a_house(url: str, **options: Any) -> AsyncIterator[House]:
    upgrade(url)
    database = Database(url)
    try:
        yield House(database, **options)
    finally:
        await database.close()


def seen(message: Posted) -> str:
    """Everything that stands in a message."""
    return json.dumps([message.text, message.blocks], ensure_ascii=False)


def buttons(message: Posted) -> list[str]:
    return [one["action_id"] for block in message.blocks if block["type"] == "actions" for one in block["elements"]]
