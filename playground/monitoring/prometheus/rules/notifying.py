"""What fires and what has ended, sent to Alertmanager as Prometheus does: again every minute while it lasts."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

import aiohttp

from playground.monitoring.prometheus.answers import stamp
from playground.monitoring.prometheus.rules.book import Book
from playground.monitoring.prometheus.rules.evaluating import Active

log = logging.getLogger(__name__)
RESEND_MS = 60_000
VALID_MS = 4 * RESEND_MS
"""An alert that is not sent again for so long has ended for Alertmanager."""
TIMEOUT_S = 5.0


class Notifier:
    def __init__(self, alertmanager_url: str, external_url: str) -> None:
        self._url = f"{alertmanager_url}/api/v2/alerts"
        self._external_url = external_url
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, book: Book, now: int) -> None:
        """Send what is due. What could not be sent is due again."""
        due = [(active, expr) for active, expr in _all(book) if _is_due(active, now)]
        if due and await self._posted([self._told(active, expr, now) for active, expr in due]):
            for active, _ in due:
                active.sent_at = now
            book.left.clear()

    async def _posted(self, alerts: list[dict[str, Any]]) -> bool:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        try:
            async with self._session.post(self._url, json=alerts) as response:
                if response.status < 300:
                    return True
                log.info("alerts_not_taken: status %s", response.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.info("alerts_not_sent: %s", type(error).__name__)
        return False

    def _told(self, active: Active, expr: str, now: int) -> dict[str, Any]:
        ends = active.resolved_at if active.state == "inactive" else now + VALID_MS
        return {
            "labels": dict(active.labels),
            "annotations": dict(active.annotations),
            "startsAt": stamp(active.fired_at),
            "endsAt": stamp(ends),
            "generatorURL": graph_url(self._external_url, expr),
        }


def graph_url(external_url: str, expr: str) -> str:
    return f"{external_url}/graph?g0.expr={quote(expr)}&g0.tab=1"


def _all(book: Book) -> Iterator[tuple[Active, str]]:
    for state, active in book.alerts():
        yield active, state.rule.expr
    for active in book.left:
        yield active, ""


def _is_due(active: Active, now: int) -> bool:
    if active.state == "pending" or active.fired_at is None:
        return False
    if active.resolved_at is not None and not active.has_told_its_end:
        return True
    return active.sent_at is None or active.sent_at + RESEND_MS < now


def firing(alerts: Iterable[Active]) -> list[Active]:
    return [active for active in alerts if active.state == "firing"]
