"""Every door answers queries through one place, where policy is met first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from pydantic import BaseModel

from bot.answering import Answering
from bot.command import Answer, Context, Query, Subject
from bot.deps import Deps
from bot.errors import Refused
from bot.policy.rules import Rule, Rules, Who
from tests.commands.company import context

OWNER = "group:default/team-orders"


class Nothing(BaseModel):
    pass


async def _subject(request: Nothing, context: Context, deps: Any) -> Subject:
    return Subject(owner=OWNER, environment="production")


class Asked:
    """A query that remembers whether it was answered."""

    def __init__(self) -> None:
        self.answered = 0
        self.query: Query[Nothing] = Query(
            name="service.logs",
            summary="",
            usage="",
            request=Nothing,
            parse=lambda words: Nothing(),
            answer=self._answer,
            subject=_subject,
        )

    async def _answer(self, request: Nothing, context: Context, deps: Any) -> Answer:
        self.answered += 1
        return Answer(text="Done.")


def answering(*rules: Rule) -> Answering:
    return Answering(cast("Deps", None), Rules(rules=rules or (Rule(),)))


async def test_whoever_may_not_ask_is_told_who_may_before_anything_is_read() -> None:
    asked = Asked()
    with pytest.raises(Refused, match="Only members of team-orders may use `/service logs` in production"):
        await answering()(asked.query, Nothing(), context("team-checkout"))
    assert asked.answered == 0


@pytest.mark.parametrize("group", ["team-orders", "platform"])
async def test_owners_and_administrators_are_answered_without_an_approval(group: str) -> None:
    asked = Asked()
    assert (await answering()(asked.query, Nothing(), context(group))).text == "Done."


async def test_a_rule_that_names_the_environment_decides() -> None:
    only = Rule(command="service.logs", environment="production", may_ask=("group:security",), approve=Who.NONE)
    with pytest.raises(Refused, match="Only security may use"):
        await answering(only)(Asked().query, Nothing(), context("team-orders"))


async def test_what_is_about_nothing_is_for_everybody() -> None:
    query = replace(Asked().query, subject=None)
    assert (await answering()(query, Nothing(), context())).text == "Done."
