"""What a team wants to hear of, before and after somebody has changed it."""

from __future__ import annotations

from datetime import time

from bot.effects import SetNotifications
from bot.model.notifications import News, Personal, PersonalWishes, QuietHours, TeamWishes, Wish

TEAM = "group:default/team-orders"
BEFORE = TeamWishes(news={News.PREVIEWS: Wish.DAILY})
WISHES = SetNotifications(
    id="wishes",
    subject=TEAM,
    called="team-orders",
    team=TeamWishes(news={News.DEPLOYS: Wish.TROUBLE}, quiet=QuietHours(begin=time(20), end=time(8), zone="UTC")),
    team_before=BEFORE,
)
FIRST_WISHES = SetNotifications(
    id="first-wishes",
    subject="user:default/author",
    called="author",
    person=PersonalWishes(told=frozenset({Personal.ENDED})),
)
