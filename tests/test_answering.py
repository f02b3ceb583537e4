"""Every door answers queries through one place, where policy is met first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from pydantic import BaseModel

from bot.answering import Answering
from bot.command import Answer, Context, Query, Subject
from bot.deps import Deps
from bot.errors import Refused, UpstreamUnavailable
from bot.model.principal import Door
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


def in_parts(complete: Callable[[], Awaitable[Answer]]) -> Query[Nothing]:
    async def answer(request: Nothing, context: Context, deps: Any) -> Answer:
        return Answer(text="So far.", data={"state": "unknown"}, complete=complete)

    return replace(Asked().query, answer=answer)


async def _the_whole() -> Answer:
    return Answer(text="The whole.", data={"state": "healthy"})


async def _fails() -> Answer:
    raise UpstreamUnavailable("Loki did not answer.")


async def _breaks() -> Answer:
    raise ZeroDivisionError


@pytest.mark.parametrize("door", [Door.HTTP, Door.CLI])
async def test_doors_that_are_told_once_wait_for_the_whole(door: Door) -> None:
    asked = replace(context("team-orders"), door=door)
    found = await answering()(in_parts(_the_whole), Nothing(), asked)
    assert (found.text, found.data, found.complete) == ("The whole.", {"state": "healthy"}, None)


async def test_slack_is_told_the_first_part_at_once() -> None:
    asked = replace(context("team-orders"), door=Door.SLACK)
    found = await answering()(in_parts(_the_whole), Nothing(), asked)
    assert (found.text, found.complete) == ("So far.", _the_whole)


@pytest.mark.parametrize(("rest", "why"), [(_fails, "Loki did not answer."), (_breaks, "It is our fault: quote `")])
async def test_a_first_part_says_what_never_came(rest: Callable[[], Awaitable[Answer]], why: str) -> None:
    asked = replace(context("team-orders"), door=Door.HTTP)
    found = await answering()(in_parts(rest), Nothing(), asked)
    assert found.text.startswith(f"So far.\nThe rest of this answer did not come. {why}")
    assert isinstance(found.data, dict)
    assert found.data["state"] == "unknown"
    assert why in str(found.data["incomplete"])


async def test_what_is_answered_is_what_was_judged() -> None:
    class Where(BaseModel):
        environment: str = ""

    async def settled(request: Where, context: Context, deps: Any) -> Subject:
        return Subject(owner=OWNER, environment="production", request=Where(environment="production"))

    async def told(request: Where, context: Context, deps: Any) -> Answer:
        return Answer(text=request.environment)

    query: Query[Where] = Query(
        name="service.logs", summary="", usage="", request=Where, parse=lambda _: Where(), answer=told, subject=settled
    )
    assert (await answering()(query, Where(), context("team-orders"))).text == "production"
