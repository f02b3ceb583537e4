"""What somebody wants to hear of: the form, the request, the plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from typing import Any

import pytest

from bot.deps import Deps
from bot.effects import SetNotifications, effect_catalog
from bot.errors import Conflict, NotFound, UsageError
from bot.forms.answers import check, visible
from bot.model.canonical import JSON
from bot.model.notifications import News, Personal, PersonalWishes, QuietHours, TeamWishes, Wish
from bot.model.plan import Plan
from commands.notifications import Notifications, NotificationsForm, plan, read_facts
from tests.commands.company import context, deps, person
from tests.fakes.notification_book import FakeNotificationBook

ORDERS = "group:default/team-orders"
AUTHOR = person("team-orders")
NIGHT = QuietHours(begin=time(20), end=time(8), zone="Europe/Berlin")
KEPT = TeamWishes(news={News.DEPLOYS: Wish.DAILY}, quiet=NIGHT)


def here(**kept: Any) -> Deps:
    book = FakeNotificationBook()
    for subject, wishes in kept.items():
        book.put({"team": ORDERS, "person": AUTHOR.user}[subject], wishes)
    return replace(deps(), notification_book=book)


async def planned(made: Deps, **request: Any) -> Plan:
    asked = Notifications.model_validate(request)
    return plan(asked, await read_facts(asked, context(), made))


def effect_of(found: Plan) -> SetNotifications:
    (step,) = found.steps
    effect = effect_catalog().load(step.effect)
    assert isinstance(effect, SetNotifications)
    return effect


async def test_a_groups_wishes_are_one_step_that_shows_all_that_holds_then() -> None:
    news = {"deploys": "trouble", "ci": "each", "alerts": "nothing"}
    found = await planned(here(team=KEPT), subject="team-orders", news=news, quiet_from="22:00", quiet_to="6:30")
    step = effect_of(found)
    quiet = QuietHours(begin=time(22), end=time(6, 30), zone="UTC")
    assert step.team == TeamWishes(news={News.DEPLOYS: Wish.TROUBLE, News.ALERTS: Wish.NOTHING}, quiet=quiet)
    assert (step.team_before, step.person, found.owner) == (KEPT, None, ORDERS)
    assert tuple(found.highlights) == (
        "Automatic deploys: only trouble.",
        "Warnings: nothing but what needs somebody.",
        "Quiet from 22:00 to 06:30, UTC.",
        "Critical alerts, and what waits for a decision, are told at any time.",
    )


async def test_a_person_says_what_they_are_told_directly() -> None:
    found = await planned(here(), subject="user:author", told=["approvals"], weekends=True)
    step = effect_of(found)
    assert step.person is not None
    assert (step.subject, step.person.told) == ("user:default/author", frozenset({Personal.APPROVALS}))
    assert step.person.quiet is not None
    assert (step.person.quiet.days, step.person.quiet.whole_days) == ((), ("saturday", "sunday"))
    nothing = await planned(here(), subject="user:author", told=[])
    assert tuple(nothing.highlights) == ("Told directly: nothing.", "No quiet hours.")


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"subject": "team-orders", "quiet_from": "20:00"}, "a begin and an end"),
        ({"subject": "team-orders", "quiet_from": "25:00", "quiet_to": "08:00"}, "no time of the day"),
        ({"subject": "team-orders", "quiet_from": "20:00", "quiet_to": "08:00", "zone": "Mars"}, "no time zone"),
        ({"subject": "team-orders", "told": ["approvals"]}, "wishes of a person"),
        ({"subject": "user:author", "news": {"ci": "each"}}, "wishes of a group"),
    ],
)
async def test_what_does_not_fit_is_a_sentence(request_: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        await planned(here(), **request_)


async def test_what_nobody_knows_and_what_changes_nothing() -> None:
    with pytest.raises(NotFound, match="no `team-nowhere`"):
        await planned(here(), subject="team-nowhere")
    with pytest.raises(NotFound, match="keeps no wishes"):
        await planned(deps(), subject="team-orders")
    with pytest.raises(Conflict, match="Nothing changes"):
        await planned(
            here(team=KEPT),
            subject="team-orders",
            news={"deploys": "daily"},
            quiet_from="20:00",
            quiet_to="08:00",
            zone="Europe/Berlin",
        )


def shown(form: NotificationsForm, values: dict[str, JSON]) -> dict[str, JSON]:
    """What stands in the form: the names of its fields, without whose they are, with their values."""
    start = form.resume(values, AUTHOR)
    assert not check(start.form.fields(), values)
    fields = visible(start.form.fields(), {"subject": AUTHOR.user, **values})
    return {field.name.partition("@")[0]: field.default for field in fields}


def test_whose_decides_what_the_form_shows_and_what_stands_there() -> None:
    form = NotificationsForm(here(team=KEPT, person=PersonalWishes(told=frozenset({Personal.ENDED}))))
    mine = shown(form, {})
    assert (mine["told"], mine["quiet_from"], mine["zone"]) == (["ended"], None, "UTC")
    assert "deploys" not in mine
    team = shown(form, {"subject": ORDERS})
    assert (team["deploys"], team["ci"], team["quiet_from"], team["zone"]) == (
        "daily",
        "each",
        "20:00",
        "Europe/Berlin",
    )
    assert "told" not in team


def test_what_was_filled_in_for_another_stays_theirs() -> None:
    form = NotificationsForm(here(team=KEPT))
    mine: dict[str, JSON] = {f"quiet_from@{AUTHOR.user}": "12:00", f"quiet_to@{AUTHOR.user}": "13:00"}
    start = form.resume({"subject": ORDERS, **mine}, AUTHOR)
    request = form.request(start.values)
    wanted = Notifications.model_validate(request)
    assert (wanted.quiet(), wanted.news[News.DEPLOYS], wanted.told) == (NIGHT, Wish.DAILY, None)


def test_words_name_a_group_of_ones_own() -> None:
    form = NotificationsForm(here())
    assert form.start(["team-orders"], AUTHOR).values == {"subject": ORDERS}
    assert form.start(["me"], AUTHOR).values == {"subject": AUTHOR.user}
    with pytest.raises(UsageError, match="no group of yours"):
        form.start(["team-checkout"], AUTHOR)


def test_the_form_says_at_once_what_does_not_fit() -> None:
    form = NotificationsForm(here())
    with pytest.raises(UsageError, match="no time zone"):
        form.request({"subject": ORDERS, f"zone@{ORDERS}": "Mars", f"weekends@{ORDERS}": True})
