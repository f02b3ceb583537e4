"""A card's offered button asks in the name of whoever clicks, once, and only where it can be planned."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bot.errors import Conflict
from bot.model.operation import Asked, Decided, OperationView, State
from bot.model.principal import Door, Principal
from bot.offering import Offers
from bot.operations.contracts import Allowed, Denied, Planned
from bot.slack.contracts import Click
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
    assert told == "You have asked for this by this card before. To ask once more: `/service rollback`."


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
