"""What a sweep has found of a team's own: one line in that team's channel, as it has chosen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from bot.model.entities import full_ref
from bot.model.notifications import News, TeamWishes
from bot.notifications.deciding import decide, next_summary
from bot.notifications.holding import HowHeld, hold
from bot.slack.blocks import fold
from bot.slack.mrkdwn import cut, escape
from bot.slack.outbox import Outbox
from bot.storage.database import Database
from bot.sweeping.report import Line, Orphan, Report

_NAMES = 5


class TeamOrphans:
    """Tells the teams, beside the report in the platform's channel."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        channel_of: Callable[[str | None], str],
        wishes_of: Callable[[str | None], TeamWishes],
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._channel_of = channel_of
        self._wishes_of = wishes_of

    async def tell(self, report: Report) -> None:
        """Each team once for each report, however often it is called."""
        now, day = report.at, f"{report.at:%Y-%m-%d}"
        for team, line in lines_of(report).items():
            wishes, id_ = self._wishes_of(team), f"orphans:{day}:{team}"[:64]
            decided = decide(News.ORPHANS, wishes, now, trouble=False)
            if decided.how == "never":
                continue
            if decided.how == "now":
                await self._outbox.message(channel=self._channel_of(team), text=line, key=id_)
                continue
            due = decided.at or next_summary(wishes, now)
            how: HowHeld = "later" if decided.how == "later" else "summary"
            async with self._database.write() as connection:
                await hold(connection, id_, subject=team, news=News.ORPHANS, how=how, due=due, line=line, now=now)


def lines_of(report: Report) -> dict[str, str]:
    """Return the line of each team that something was found of, by full reference; mrkdwn."""
    found: dict[str, list[str]] = defaultdict(list)
    everything: tuple[Orphan | Line, ...] = (*report.orphans, *report.lost)
    for one in everything:
        if one.team:
            found[full_ref(one.team, kind="group")].append(f"{escape(cut(one.name, 80))} {escape(cut(one.why, 120))}")
    return {
        team: f"🧹 The sweep found of yours: {'; '.join(fold(names, _NAMES))}. The platform's channel has the report."
        for team, names in found.items()
    }
