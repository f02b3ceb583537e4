"""How a person's services were when they were seen last, for the home tab: from memory, looked at again behind it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.catalog.index import Found
from bot.checkups.asking import places_of, services_of_groups, verdicts_there
from bot.checkups.several import worst_first
from bot.deps import Deps
from bot.health.verdict import Verdict
from bot.model.principal import Principal
from bot.observing import Look
from bot.ports import Clock
from bot.slack.home import ServiceLine

log = logging.getLogger(__name__)

FRESH = timedelta(minutes=1)
"""What was seen before is looked at again when somebody opens the tab."""
MOST = 15
"""Services of one person that are looked at."""


@dataclass(frozen=True, slots=True)
class _Seen:
    at: datetime
    verdicts: tuple[Verdict, ...]


class Watch:
    """Never waits: `lines` tells what is known, and `changed` is called once more is known."""

    def __init__(self, deps: Deps, clock: Clock, changed: Callable[[str], None]) -> None:
        """`changed` takes the Slack user whose page is to be drawn again."""
        self._deps = deps
        self._clock = clock
        self._changed = changed
        self._seen: dict[str, _Seen] = {}
        self._looks: dict[str, asyncio.Task[None]] = {}

    def lines(self, person: Principal, slack_user: str) -> list[ServiceLine]:
        """Return the person's services, the worst first; what runs nowhere is left out."""
        services = services_of_groups(sorted(person.groups), self._deps.catalog())[:MOST]
        old = [one for one in services if not self._is_fresh(one)]
        if old and slack_user not in self._looks:
            task = asyncio.create_task(self._look(old, slack_user), name="look: home")
            self._looks[slack_user] = task
            task.add_done_callback(lambda _: self._looks.pop(slack_user, None))
        unknown = [ServiceLine(service=one.label) for one in services if one.ref not in self._seen]
        known = [self._seen[one.ref].verdicts for one in services if one.ref in self._seen]
        worst = worst_first([worst_first(verdicts)[0] for verdicts in known if verdicts])
        return [*map(_line, worst), *unknown]

    async def settle(self) -> None:
        """Wait until every look that has begun is over."""
        await asyncio.gather(*self._looks.values())

    async def close(self) -> None:
        tasks = list(self._looks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _is_fresh(self, service: Found) -> bool:
        seen = self._seen.get(service.ref)
        return seen is not None and self._clock() - seen.at < FRESH

    async def _look(self, services: Sequence[Found], slack_user: str) -> None:
        try:
            now = self._clock()
            places = {one.ref: places_of(one, "", self._deps) for one in services}
            look = Look(self._deps, now)
            look.begin(place for group in places.values() for place in group)
            await look.rest()
            for ref, group in places.items():
                self._seen[ref] = _Seen(now, tuple(verdicts_there(look, group)))
        except Exception:
            log.exception("home_not_looked")  # the tab shows what was known before
            return
        self._changed(slack_user)


def _line(verdict: Verdict) -> ServiceLine:
    return ServiceLine(
        service=verdict.service,
        health=verdict.state,
        environment=verdict.environment,
        told=verdict.deciding.sentence,
    )
