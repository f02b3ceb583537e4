from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.errors import Refused
from bot.slack.identity import GREETING_S, REFUSED_S, WELCOME_S, Identities
from bot.storage.database import Database
from tests.fakes.slack_inbound import AUTHOR, HOME, USER, FakeClock, FakeDirectory, FakeWeb, account, opened, rig


def identities(database: Database, web: FakeWeb, clock: FakeClock, home_team: str = HOME) -> Identities:
    return Identities(
        database=database,
        web=web,
        directory=FakeDirectory(AUTHOR),
        clock=clock,
        contact="#platform",
        home_team=home_team,
    )


async def test_a_person_is_their_verified_email_in_the_catalog(tmp_path: Path) -> None:
    async with opened(tmp_path / "slack.db") as database:
        person = await identities(database, FakeWeb({USER: account()}), FakeClock()).resolve(USER, HOME)
        assert person.user == "user:default/author"
        assert person.slack_user == USER


@pytest.mark.parametrize(
    ("about", "team", "word"),
    [
        (account(is_restricted=True), HOME, "Guests"),
        (account(is_ultra_restricted=True, is_restricted=True), HOME, "Guests"),
        (account(is_bot=True), HOME, "Bots"),
        (account(deleted=True), HOME, "deactivated"),
        (account(is_stranger=True), HOME, "other organisations"),
        (account(team_id="T0PARTNER"), "T0PARTNER", "other organisations"),
        (account(), "T0PARTNER", "other organisations"),
        ({}, HOME, "other organisations"),
        (account(email=""), HOME, "no verified e-mail"),
        (account(is_email_confirmed=False), HOME, "no verified e-mail"),
        (account(email="nobody@acme.example"), HOME, "catalog"),
    ],
)
async def test_everybody_else_hears_whom_to_ask(tmp_path: Path, about: dict[str, Any], team: str, word: str) -> None:
    async with rig(tmp_path) as slack:
        slack.api.users[USER] = about
        await slack.command("/service", "restart orders", team_id=team)
        [said] = slack.replies.texts
        assert word in said
        assert "Ask in #platform for access." in said
        assert slack.operations.submitted == []


async def test_an_outsiders_click_in_a_shared_channel_decides_nothing(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        slack.api.users["U9"] = account("U9", team_id="T0PARTNER", email="author@acme.example")
        await slack.click("approve", "opaque", user={"id": "U9", "team_id": "T0PARTNER"})
        assert slack.operations.pressed == []
        assert "other organisations" in slack.replies.texts[0]


async def test_a_member_of_another_workspace_of_the_same_organisation_is_welcome(tmp_path: Path) -> None:
    async with opened(tmp_path / "slack.db") as database:
        about = account(team_id="T0OTHER", enterprise_user={"teams": [HOME, "T0OTHER"]})
        assert await identities(database, FakeWeb({USER: about}), FakeClock()).resolve(USER, "T0OTHER")


async def test_slack_is_asked_once_for_both_replicas_until_it_is_old(tmp_path: Path) -> None:
    clock, web = FakeClock(), FakeWeb({USER: account()})
    async with opened(tmp_path / "slack.db") as database:
        for _ in range(2):
            replica = identities(database, web, clock)
            for _ in range(3):
                await replica.resolve(USER, HOME)
        assert web.methods() == ["users.info"]
        clock.advance(WELCOME_S + 1)
        assert await replica.known(USER, HOME), "good enough to open a form"
        await replica.resolve(USER, HOME)
        assert web.methods() == ["users.info", "users.info"]


async def test_after_a_day_a_form_asks_slack_too(tmp_path: Path) -> None:
    clock, web = FakeClock(), FakeWeb({USER: account()})
    async with opened(tmp_path / "slack.db") as database:
        people = identities(database, web, clock)
        await people.resolve(USER, HOME)
        clock.advance(GREETING_S + 1)
        assert await people.known(USER, HOME) is None


async def test_the_catalogs_people_are_known_before_they_ask_for_anything(tmp_path: Path) -> None:
    users = {"U0BOT": account(is_bot=True), USER: account(), "U0NOBODY": account(email="nobody@acme.example")}
    web = FakeWeb(users)
    async with opened(tmp_path / "slack.db") as database:
        people = identities(database, web, FakeClock())
        await people.warm()
        assert await people.known(USER, HOME)
        assert await people.known("U0NOBODY", HOME) is None
    assert web.methods().count("users.list") == 2


async def test_a_refusal_is_looked_at_again_soon(tmp_path: Path) -> None:
    clock, web = FakeClock(), FakeWeb({USER: account(is_restricted=True)})
    async with opened(tmp_path / "slack.db") as database:
        people = identities(database, web, clock)
        with pytest.raises(Refused):
            await people.resolve(USER, HOME)
        web.users[USER] = account()
        with pytest.raises(Refused):
            await people.known(USER, HOME)
        clock.advance(REFUSED_S + 1)
        assert await people.resolve(USER, HOME)


async def test_who_leaves_the_catalog_is_refused_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path / "slack.db") as database:
        people = identities(database, FakeWeb({USER: account()}), FakeClock())
        await people.resolve(USER, HOME)
        people._directory = FakeDirectory()
        with pytest.raises(Refused, match="catalog"):
            await people.resolve(USER, HOME)


async def test_the_home_team_is_asked_for_once_where_it_is_not_configured(tmp_path: Path) -> None:
    async with opened(tmp_path / "slack.db") as database:
        web = FakeWeb({USER: account(), "U2": account("U2")})
        people = identities(database, web, FakeClock(), home_team="")
        await people.resolve(USER, HOME)
        await people.resolve("U2", HOME)
        assert web.methods() == ["auth.test", "users.info", "users.info"]
