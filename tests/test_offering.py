"""An offered button, of a card or an answer, asks in the name of whoever clicks, once, and only what can be planned."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bot.errors import Conflict, UsageError
from bot.model.operation import Asked, Decided, OperationView, State
from bot.model.plan import Offer
from bot.model.principal import Door, Principal
from bot.offering import AnswerOffers, Offers, by_value
from bot.operations.contracts import Allowed, Denied, Planned
from bot.slack.contracts import Click
from bot.slack.offers import offer_button, offered
from tests.slack.views import CRASHES, DEPLOY, LEAD, MONDAY, STORIES, deploying, plan, view

CLICK = Click(
    action="rollback",
    value="op-7f3k2",
    principal=LEAD,
    user="U0LEAD",
    channel="C0ORDERS",
    message_ts="1.0",
    trigger="t",
)


@dataclass
class Engine:
    """Knows one operation; notes what is done."""

    shown: OperationView
    decision: Allowed | Denied = field(default_factory=Allowed)
    error: Exception | None = None
    keeps: bool = True
    done: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    ended: dict[str, State] = field(default_factory=dict)
    """Operations that were asked for before, and are over."""

    async def view(self, operation: str) -> OperationView:
        assert operation == self.shown.id
        return self.shown

    async def dry_run(self, asked: Asked) -> Planned:
        self.done.append("plan")
        if self.error:
            raise self.error
        return Planned(plan(), self.decision)

    async def submit(self, asked: Asked) -> OperationView:
        self.done.append("submit")
        self.asked.append(asked)
        state = self.ended.get(asked.operation)
        return self.shown.model_copy(update={"state": state}) if state else self.shown

    async def keep(self, operation: str, principal: Principal) -> Decided:
        self.done.append("keep")
        return Decided(accepted=self.keeps, text="Nothing is stuck here any more.", operation=operation)


async def test_it_asks_in_the_name_of_whoever_clicks_and_ends_the_wait_first() -> None:
    engine = Engine(deploying(CRASHES, stalled=True))
    assert await Offers(engine, lambda: MONDAY)(CLICK) is None
    assert engine.done == ["plan", "keep", "submit"]
    [asked] = engine.asked
    assert (asked.command, asked.principal, asked.door) == ("service.rollback", LEAD, Door.SLACK)
    assert asked.request == {"service": "orders", "environment": "staging"}
    assert asked.origin.slack_channel == "C0ORDERS"


async def test_a_second_press_is_the_same_operation_and_another_person_is_another() -> None:
    engine = Engine(deploying(CRASHES, stalled=True))
    offers = Offers(engine, lambda: MONDAY)
    await offers(CLICK)
    await offers(CLICK)
    other = Principal(user="user:default/other", display_name="Sample Other")
    await offers(Click(**{name: getattr(CLICK, name) for name in Click.__slots__} | {"principal": other}))
    ids = [asked.operation for asked in engine.asked]
    assert ids[0] == ids[1] != ids[2]


async def test_what_came_to_nothing_is_asked_again_by_the_same_button_and_what_is_done_is_said() -> None:
    """A button that does nothing and says nothing would be the worst."""
    engine = Engine(deploying(CRASHES, stalled=True))
    offers = Offers(engine, lambda: MONDAY)
    await offers(CLICK)
    engine.ended[engine.asked[0].operation] = State.FAILED
    assert await offers(CLICK) is None
    first, same, second = (asked.operation for asked in engine.asked)
    assert first == same != second
    engine.ended[second] = State.SUCCEEDED
    told = await offers(CLICK)
    assert (
        told == "You have asked for this by this card before. To ask once more: `/service rollback orders in staging`."
    )


async def test_what_policy_refuses_ends_no_wait() -> None:
    engine = Engine(deploying(CRASHES, stalled=True), decision=Denied("Only team-orders may use `/service rollback`."))
    told = await Offers(engine, lambda: MONDAY)(CLICK)
    assert told == "Only team-orders may use `/service rollback`."
    assert engine.done == ["plan"]


async def test_what_cannot_be_planned_ends_no_wait() -> None:
    engine = Engine(deploying(CRASHES, stalled=True), error=Conflict("There is nothing to go back to."))
    with pytest.raises(Conflict):
        await Offers(engine, lambda: MONDAY)(CLICK)
    assert engine.done == ["plan"]


async def test_after_the_end_there_is_no_wait_to_end() -> None:
    engine = Engine(STORIES["deployed"])
    await Offers(engine, lambda: MONDAY)(CLICK)
    assert engine.done == ["plan", "submit"]


async def test_a_button_of_an_older_card_does_nothing() -> None:
    engine = Engine(view(State.SUCCEEDED, plan=DEPLOY.model_copy(update={"offers": ()})))
    told = await Offers(engine, lambda: MONDAY)(CLICK)
    assert told == "This is not offered any more. Look at the card as it is now."
    assert engine.done == []


# --- beside an answer

OFFER = Offer(
    action="rollback",
    label="Roll back",
    command="service.rollback",
    request={"service": "orders", "environment": "staging"},
    confirm="orders in staging goes back.",
)


def pressed(value: str, **changes: object) -> Click:
    given = {name: getattr(CLICK, name) for name in Click.__slots__} | {"value": value, "channel": "C0ORDERS"}
    return Click(**(given | changes))


def value_of(offer: Offer) -> str:
    button = offer_button(offer)
    assert button is not None
    assert (button["action_id"], "confirm" in button) == (offer.action, bool(offer.confirm))
    return str(button["value"])


async def test_a_button_beside_an_answer_asks_as_whoever_presses_it_once_for_each_answer() -> None:
    engine = Engine(deploying(CRASHES))
    offers = AnswerOffers(engine, lambda: MONDAY)
    value = value_of(OFFER)
    assert await offers(pressed(value)) is None
    assert engine.done == ["plan", "submit"]
    await offers(pressed(value))
    await offers(pressed(value, message_ts="2.0"))
    await offers(pressed(value, principal=Principal(user="user:default/other", display_name="Sample Other")))
    [asked, same, of_another_answer, by_another] = engine.asked
    assert (asked.command, asked.request, asked.principal) == ("service.rollback", dict(OFFER.request), LEAD)
    assert asked.operation == same.operation
    assert len({asked.operation, of_another_answer.operation, by_another.operation}) == 3


async def test_policy_judges_a_button_beside_an_answer_when_it_is_pressed() -> None:
    engine = Engine(deploying(CRASHES), decision=Denied("Only team-orders may use `/service rollback`."))
    told = await AnswerOffers(engine, lambda: MONDAY)(pressed(value_of(OFFER)))
    assert told == "Only team-orders may use `/service rollback`."
    assert engine.done == ["plan"]


async def test_what_was_done_by_an_answer_is_not_done_twice() -> None:
    engine = Engine(deploying(CRASHES))
    offers = AnswerOffers(engine, lambda: MONDAY)
    await offers(pressed(value_of(OFFER)))
    engine.ended[engine.asked[0].operation] = State.SUCCEEDED
    told = await offers(pressed(value_of(OFFER)))
    line = "`/service rollback orders in staging`"
    assert told == f"You have asked for this by this button before. To ask once more: {line}."


@pytest.mark.parametrize("value", ["", "of:", "of:{", "of:[1,2]", 'of:["service.rollback"]', "op-1"])
async def test_a_value_that_is_none_of_ours_asks_nothing(value: str) -> None:
    engine = Engine(deploying(CRASHES))
    assert offered(value) is None
    with pytest.raises(UsageError):
        await AnswerOffers(engine, lambda: MONDAY)(pressed(value))
    assert engine.done == []


def test_a_request_that_fits_into_no_button_has_none() -> None:
    assert offer_button(OFFER.model_copy(update={"request": {"reason": "x" * 3_000}})) is None


async def test_the_beginning_of_a_value_tells_where_a_button_stands() -> None:
    heard: list[str] = []

    async def answers(click: Click) -> str | None:
        heard.append(f"answer {click.value}")
        return None

    async def cards(click: Click) -> str | None:
        heard.append(f"card {click.value}")
        return None

    handle = by_value({"of:": answers}, cards)
    await handle(pressed("of:1"))
    await handle(pressed("op-1"))
    assert heard == ["answer of:1", "card op-1"]
