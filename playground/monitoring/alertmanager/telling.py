"""Who is told of which group when: every receiver by itself, again and again until it has heard."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

from playground.monitoring.alertmanager.alerts import Alert
from playground.monitoring.alertmanager.groups import (
    GROUP_INTERVAL,
    GROUP_WAIT,
    REPEAT_INTERVAL,
    Group,
    Told,
    grouped,
    is_news,
    split,
    webhook,
)
from playground.monitoring.alertmanager.keeping import Kept

FIRST_PAUSE_S, GROWTH, LONGEST_PAUSE_S = 0.3, 1.6, 5.0
TIMEOUT_S = 10.0
LOG_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Delivery:
    number: int
    time: datetime
    url: str
    group: str
    status: str
    alerts: int
    answer: int
    """HTTP status; 0 where there was no answer."""


class Telling:
    """Look at all groups whenever something has changed or a moment has come; nothing is told twice that was heard."""

    def __init__(
        self, kept: Kept, clock: Callable[[], datetime], *, urls: Sequence[str], token: str, external_url: str
    ) -> None:
        self._kept = kept
        self._clock = clock
        self._urls = tuple(urls)
        self._token = token
        self._external_url = external_url
        self._changed = asyncio.Event()
        self._begun: dict[str, datetime] = {}
        self._senders: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None
        self._task: asyncio.Task[None] | None = None
        self._next = 1
        self.log: deque[Delivery] = deque(maxlen=LOG_LENGTH)

    def start(self) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        tasks = [*self._senders.values(), *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session:
            await self._session.close()

    def look(self) -> None:
        """Say that something has changed: an alert, a silence or the time."""
        self._changed.set()

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            due = self._pass(self._clock())
            left = None if due is None else max((due - self._clock()).total_seconds(), 0.0)
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                pass

    def _pass(self, now: datetime) -> datetime | None:
        """Set to work what is to be told now. Return when to look again even if nothing changes."""
        self._kept.silences.forget(now)
        moments = [self._kept.silences.next_change(now)]
        groups = grouped(self._kept.alerts.values())
        self._begun = {group.key: self._begun.get(group.key, now) for group in groups}
        for group in groups:
            moments += [alert.ends_at for alert in group.alerts if not alert.is_resolved(now)]
            moments += [self._tell(group, url, now) for url in self._urls]
            self._forget(group, now)
        return min((moment for moment in moments if moment is not None), default=None)

    def _tell(self, group: Group, url: str, now: datetime) -> datetime | None:
        told = self._kept.told.get((group.key, url))
        if not self._news(group, url, now):
            return told.at + REPEAT_INTERVAL if told and told.firing else None
        ready = max(self._begun[group.key] + GROUP_WAIT, told.at + GROUP_INTERVAL if told else now)
        if now < ready:
            return ready
        if (group.key, url) not in self._senders:
            self._senders[group.key, url] = asyncio.create_task(self._send(group.key, url))
        return None

    def _loud(self, group: Group, now: datetime) -> list[Alert]:
        return [alert for alert in group.alerts if not self._kept.silences.silencing(alert.labels, now)]

    def _news(self, group: Group, url: str, now: datetime) -> bool:
        return is_news(self._kept.told.get((group.key, url)), *split(self._loud(group, now), now), now)

    def _forget(self, group: Group, now: datetime) -> None:
        """Let go what has ended, once everybody has heard of it who is to hear."""
        loud = {alert.fingerprint for alert in self._loud(group, now)}
        for alert in group.alerts:
            owed = any(
                (told := self._kept.told.get((group.key, url))) and alert.fingerprint in told.firing
                for url in self._urls
            )
            if alert.is_resolved(now) and not (owed and alert.fingerprint in loud):
                self._kept.drop(alert)

    async def _send(self, key: str, url: str) -> None:
        try:
            await self._send_until_heard(key, url)
        finally:
            self._senders.pop((key, url), None)
            self.look()

    async def _send_until_heard(self, key: str, url: str) -> None:
        """Tell one receiver of one group, until it has heard or there is no news any more."""
        pause_s = FIRST_PAUSE_S
        while True:
            now = self._clock()
            group = next((one for one in grouped(self._kept.alerts.values()) if one.key == key), None)
            if group is None or not self._news(group, url, now):
                return
            alerts = self._loud(group, now)
            body = webhook(group, alerts, self._external_url, now)
            answer = await self._post(url, body)
            self._note(url, body, answer)
            if 200 <= answer < 300:
                self._kept.tell((key, url), Told(*split(alerts, now), now))
                return
            refused = 400 <= answer < 500
            await asyncio.sleep(GROUP_INTERVAL.total_seconds() if refused else pause_s)
            pause_s = min(pause_s * GROWTH, LONGEST_PAUSE_S)

    async def _post(self, url: str, body: Mapping[str, Any]) -> int:
        """Return the status that was answered; 0 for none."""
        headers = {"Content-Type": "application/json", "User-Agent": "Alertmanager/0.25.0"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if self._session is None:
            return 0
        try:
            async with self._session.post(url, data=json.dumps(body).encode(), headers=headers) as response:
                return response.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            return 0

    def _note(self, url: str, body: Mapping[str, Any], answer: int) -> None:
        count = len(body["alerts"])
        line = Delivery(self._next, self._clock(), url, body["groupKey"], body["status"], count, answer)
        self.log.append(line)
        self._next += 1
