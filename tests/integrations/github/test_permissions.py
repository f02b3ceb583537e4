"""What our credentials may not do is told without doing it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import NotFound, Refused
from bot.terminal.doctor.github import EVENTS, EVENTS_OF_PREVIEWS
from integrations.github.webhooks import _READERS
from tests.integrations.github.conftest import Rig
from tests.integrations.github.stub import REPOSITORY, Asked, Say, Stub
from tests.integrations.github.test_credentials import NAME, AppStub, pem


class StingyStub(AppStub):
    """An App that was not given some permissions."""

    def __init__(self, *without: str) -> None:
        super().__init__()
        self.without = set(without)

    def answer(self, asked: Asked) -> Say:
        wanted: dict[str, Any] = (asked.body or {}).get("permissions", {})
        if self.without & set(wanted):
            return Say(422, {"message": "The permissions requested are not granted to this installation."})
        return super().answer(asked)


async def test_an_app_with_every_permission_lacks_nothing() -> None:
    stub = AppStub()
    async with stub.forge(app_id="7", app_key=pem()) as forge:
        assert await forge.lacking(NAME) == ()
    assert {asked.method for asked in stub.asked if asked.path.startswith("/repos/")} == {"GET"}


async def test_an_app_without_a_permission_is_told_which_and_what_for() -> None:
    stub = StingyStub("packages", "deployments")
    async with stub.forge(app_id="7", app_key=pem()) as forge:
        assert await forge.lacking(NAME) == ("find images (packages: read)", "record deployments (deployments: write)")


async def test_a_personal_token_that_may_only_read_lacks_the_right_to_commit() -> None:
    stub = Stub()
    stub.otherwise = lambda _: Say(200, REPOSITORY | {"permissions": {"pull": True, "push": False}})
    async with stub.forge() as forge:
        (told,) = await forge.lacking(NAME)
    assert told.startswith("commit files (contents: write")


async def test_a_repository_that_nobody_lets_us_see_is_not_there() -> None:
    async with Stub().forge() as forge:
        with pytest.raises(NotFound):
            await forge.lacking(NAME)


async def test_credentials_that_are_not_accepted_are_no_lack_of_permissions() -> None:
    stub = Stub()
    stub.otherwise = lambda _: Say(401, {"message": "Bad credentials"})
    async with stub.forge() as forge:
        with pytest.raises(Refused, match="did not accept our credentials"):
            await forge.lacking(NAME)


async def test_an_app_says_which_events_it_is_not_sent() -> None:
    stub = AppStub()
    answer = stub.answer
    stub.otherwise = lambda asked: Say(200, {"events": ["push"]}) if asked.path == "/app" else answer(asked)
    async with stub.forge(app_id="7", app_key=pem()) as forge:
        assert await forge.unheard(["push", "pull_request", "issue_comment"]) == ("issue_comment", "pull_request")


async def test_nothing_is_known_of_the_events_of_a_personal_token() -> None:
    async with Stub().forge() as forge:
        assert await forge.unheard(["push"]) == ()


async def test_the_playgrounds_app_hears_of_everything_that_we_act_on(rig: Rig) -> None:
    assert await (await rig.as_app()).unheard([*EVENTS, *EVENTS_OF_PREVIEWS]) == ()
    assert set(_READERS) == {*EVENTS, *EVENTS_OF_PREVIEWS}


async def test_on_the_playground_neither_a_person_nor_the_app_lacks_anything(rig: Rig) -> None:
    for forge in (rig.as_person, await rig.as_app()):
        repository = (await forge.repositories("acme"))[0]
        assert await forge.lacking(repository.full_name) == ()
