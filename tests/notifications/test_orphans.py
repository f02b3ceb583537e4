"""What a sweep found of a team's own is one line in its channel, as the team has chosen."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select

from bot.model.notifications import News, QuietHours, TeamWishes, Wish
from bot.notifications.orphans import TeamOrphans
from bot.slack.outbox import Outbox
from bot.storage.database import Database
from bot.storage.migrate import upgrade
from bot.storage.notifications import held_news
from bot.sweeping.report import Line, Orphan, Report

NIGHT = datetime(2026, 11, 24, 3, tzinfo=UTC)
REPORT = Report(
    at=NIGHT,
    orphans=(
        Orphan(name="preview <pr-7>", parts=("namespace pr-7",), team="team-orders", why="is not in Causeway's book"),
        Orphan(name="database stray", parts=("cluster stray",), why="is nobody's"),
    ),
    lost=(Line(name="preview pr-8", team="team-orders", since=NIGHT, why="nothing is left of it"),),
)
QUIET = QuietHours(begin=time(20), end=time(8), zone="UTC")
LINE = (
    "🧹 The sweep found of yours: preview &lt;pr-7&gt; is not in Causeway's book; preview pr-8 nothing is left of it. "
    "The platform's channel has the report."
)


class Posts:
    def __init__(self) -> None:
        self.sent: dict[str, tuple[str, str]] = {}

    async def message(self, *, channel: str, text: str, key: str, **_: Any) -> None:
        self.sent[key] = (channel, text)


@pytest.mark.parametrize(
    ("wish", "quiet", "told", "held"),
    [
        (Wish.EACH, None, 1, []),
        (Wish.EACH, QUIET, 0, [("later", 8)]),
        (Wish.DAILY, None, 0, [("summary", 9)]),
        (Wish.TROUBLE, None, 0, []),
        (Wish.NOTHING, QUIET, 0, []),
    ],
)
async def test_wishes_decide(
    tmp_path: Path, wish: Wish, quiet: QuietHours | None, told: int, held: list[tuple[str, int]]
) -> None:
    url = f"sqlite:///{tmp_path / 'db'}"
    upgrade(url)
    database, posts = Database(url), Posts()
    wishes = TeamWishes(news={News.ORPHANS: wish}, quiet=quiet)
    teller = TeamOrphans(database, cast("Outbox", posts), lambda _: "CORDERS", lambda _: wishes)
    for _ in range(2):
        await teller.tell(REPORT)
    assert list(posts.sent.values()) == [("CORDERS", LINE)] * told
    async with database.read() as connection:
        rows = (await connection.execute(select(held_news))).all()
    assert [(row.how, datetime.fromtimestamp(row.due_at, UTC).hour) for row in rows] == held
    assert all((row.line, row.subject) == (LINE, "group:default/team-orders") for row in rows)
    await database.close()
