"""What becomes of previews by themselves: owners are asked before the end, idle ones sleep, and what is over goes.

Everything is computed from what exists and the clock: no row of ours has to survive for a teardown to happen. It is
asked in the name of whoever made the preview, through the same policy as everything else.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from bot.deps import Deps
from bot.model.operation import Asked, OperationView
from bot.model.previews import Previews
from bot.model.principal import Door, Principal
from bot.ports import Clock
from bot.previews.idleness import Senses, is_idle, rested
from bot.previews.reading import Preview, read_previews
from bot.previews.terms import Due, due

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=1)
"""How often it is looked, by the clock that the previews live by."""
AT_ONCE = 10
"""Most previews that are torn down at the same time: more would only stand in one another's way."""
MOST_ASKED = 20
"""Owners that one look asks; the next one goes on."""
MEASURED = 5
"""Previews that one look measures the use of."""
MEASURE_AGAIN = timedelta(minutes=15)
AGAIN = timedelta(hours=1)
"""What was asked for and has not happened, such as a teardown that failed, is asked for again after this long."""

NameInSlack = Callable[[str], Awaitable[str | None]]
"""`(e-mail)`: the Slack user with that address, as far as known."""


class Previewing:
    """Looks at all previews, once a minute. Every replica may: what they ask has the same id."""

    def __init__(
        self,
        deps: Deps,
        ask: Callable[[Asked], Awaitable[object]],
        view: Callable[[str], Awaitable[OperationView]],
        clock: Clock,
        *,
        senses: Senses | None = None,
        name_in_slack: NameInSlack | None = None,
    ) -> None:
        """`ask` submits a request; `view` shows an operation."""
        self._deps = deps
        self._ask = ask
        self._view = view
        self._clock = clock
        self._senses = senses or Senses()
        self._name_in_slack = name_in_slack
        self._looked_at: datetime | None = None
        self._asked: set[str] = set()
        """Operations that this process has asked for, as long as they would be asked for."""
        self._measured: dict[str, datetime] = {}

    async def tick(self) -> int:
        """Look, where it is time to; return how much was asked for. Raise `PlatformError` where nothing can be read."""
        now = self._clock()
        if self._looked_at is not None and now - self._looked_at < EVERY:
            return 0
        self._looked_at = now
        return await self.look(now)

    async def look(self, now: datetime) -> int:
        """Ask for what is due at `now`."""
        policy = self._deps.platform.previews
        if policy is None:
            return 0
        found = await read_previews(self._deps)
        if found.problem:
            log.warning("previews_unread", extra={"problem": found.problem})
        over = [one for one in found.previews if due(one.terms, policy, now) is Due.DOWN]
        ending = [one for one in found.previews if due(one.terms, policy, now) is Due.REMIND]
        living = [one for one in found.previews if due(one.terms, policy, now) is not Due.DOWN]
        downs = await self._downs(over, now)
        reminders = self._reminders(ending)
        sleeps = await self._sleeps(living, policy, now)
        new = [one for one in reminders if self._id(*one) not in self._asked]
        asked = [await self._submit(*one, now) for one in (*downs, *new[:MOST_ASKED], *sleeps)]
        self._asked &= {self._id(*one) for one in (*downs, *reminders, *sleeps)}
        return sum(asked)

    # --- what is due

    async def _downs(self, over: Sequence[Preview], now: datetime) -> list[tuple[Preview, str, str]]:
        """Return the teardowns to ask for: those that have ended first come first, and never more than `AT_ONCE` at a
        time. One that is stuck takes nobody's place."""
        found: list[tuple[Preview, str, str]] = []
        under_way = 0
        for preview in sorted(over, key=lambda one: (one.terms.expires_at, one.name)):
            if under_way >= AT_ONCE:
                break
            lane = await self._lane_of(preview)
            if any(one.command == "preview.extend" and one.stalled is None for one in lane):
                continue  # asked for in time: a teardown would take it back
            begun = next((one for one in lane if one.command == "preview.down"), None)
            if begun is None:
                hour = (now - preview.terms.expires_at) // AGAIN
                found.append((preview, "preview.down", f"{preview.terms.expires_at.timestamp()}/{hour}"))
            if begun is None or begun.stalled is None:
                under_way += 1
        return found

    async def _lane_of(self, preview: Preview) -> list[OperationView]:
        """Return what runs or stands in line for it."""
        return [await self._view(one.operation) for one in await self._deps.in_lane(preview.place.lane)]

    def _reminders(self, ending: Sequence[Preview]) -> list[tuple[Preview, str, str]]:
        """Return whom to ask. The same end is asked about once; another end is another question."""
        nearest = sorted(ending, key=lambda one: (one.terms.expires_at, one.name))
        return [(one, "preview.remind", str(one.terms.expires_at.timestamp())) for one in nearest]

    async def _sleeps(
        self, living: Sequence[Preview], policy: Previews, now: datetime
    ) -> list[tuple[Preview, str, str]]:
        after = policy.idle_after
        if after is None:
            return []
        names = {one.name for one in living}
        self._measured = {name: at for name, at in self._measured.items() if name in names}
        waiting = [one for one in living if rested(one, after, now) and self._may_measure(one, now)]
        waiting.sort(key=lambda one: (self._measured.get(one.name, one.terms.created_at), one.name))
        found: list[tuple[Preview, str, str]] = []
        for preview in waiting[:MEASURED]:
            self._measured[preview.name] = now
            if await is_idle(preview, after, now, self._senses, self._deps):
                used = preview.terms.used_at or preview.terms.created_at
                found.append((preview, "preview.sleep", f"{used.timestamp()}/{(now - used) // AGAIN}"))
        return found

    def _may_measure(self, preview: Preview, now: datetime) -> bool:
        at = self._measured.get(preview.name)
        return at is None or now - at >= MEASURE_AGAIN

    # --- asking

    async def _submit(self, preview: Preview, command: str, when: str, now: datetime) -> bool:
        operation = self._id(preview, command, when)
        if operation in self._asked:
            return False
        await self._ask(
            Asked(
                operation=operation,
                command=command,
                request={"name": preview.name},
                principal=await self._owner(preview),
                door=Door.AGENDA,
                now=now,
            )
        )
        self._asked.add(operation)
        return True

    def _id(self, preview: Preview, command: str, when: str) -> str:
        """The same preview, the same reason: one operation, whoever asks and however often."""
        begun = preview.terms.created_at.timestamp()
        digest = hashlib.sha256(f"{command}\n{preview.name}\n{begun}\n{when}".encode()).hexdigest()
        return f"op-{digest[:20]}"

    async def _owner(self, preview: Preview) -> Principal:
        """Return whoever made it, as the catalog knows them, with the team that they made it for: they may have left
        it, or the company, and the preview still ends."""
        by = preview.terms.by
        person = self._deps.catalog().principal(by) or Principal(user=by, display_name=by.rpartition("/")[2])
        name = None
        if self._name_in_slack is not None and person.email:
            name = await self._name_in_slack(person.email)
        return person.model_copy(update={"groups": person.groups | {preview.owner}, "slack_user": name})
