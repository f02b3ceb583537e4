"""The button `why` of an alert's card answers in the card's thread, under the query's policy, and again if asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.command import Answer, Context, Picture
from bot.errors import Refused
from bot.explaining.clicking import LOOKING, WhyClicks
from bot.model.alerts import AlertGroup, AlertState, Severity
from bot.slack.contracts import Click
from bot.slack.message import Message
from bot.slack.outbox_rows import CardPlace
from tests.fakes.alert_book import FakeAlertBook
from tests.observing.scene import NOW
from tests.slack.views import LEAD

CLICK = Click(
    action="why", value="ag-1", principal=LEAD, user="U0LEAD", channel="C0CHECKOUT", message_ts="1.0", trigger="t1"
)
CHART = Picture(name="chart.png", title="latency", png=b"png", alt="now 1.2 s")
WHOLE = Answer(text="It is slow.", blocks=[{"type": "divider"}], picture=CHART, shared=True)


@dataclass
class Slack:
    """Notes what is told, and where."""

    stands: bool = True
    channel: str = "C0CHECKOUT"
    threads: list[tuple[str, Message]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    async def thread(self, operation_id: str, messages: Sequence[Message], *, key: str | None = None) -> None:
        self.threads += [(operation_id, message) for message in messages]
        self.keys.append(key)

    async def ephemeral(self, *, channel: str, user: str, text: str, blocks: Any = (), key: str | None = None) -> None:
        self.told.append(text)

    async def file(self, *, channel: str, user: str, file: Any, comment: str, key: str | None = None) -> None:
        self.files.append(file.name)

    async def place(self, operation_id: str) -> CardPlace | None:
        return CardPlace(self.channel, "1.0") if self.stands else None


@dataclass
class Door:
    """Answers what it is told to, and notes who asked about what."""

    answer: Answer | Exception = WHOLE
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def __call__(self, service: str, environment: str, context: Context) -> Answer:
        self.asked.append((service, environment, context.principal.user))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def group(**changes: Any) -> AlertGroup:
    given: dict[str, Any] = {
        "id": "ag-1",
        "key": "k",
        "state": AlertState.FIRING,
        "title": "HighLatency",
        "severity": Severity.CRITICAL,
        "service": "checkout-web",
        "environment": "production",
        "channel": "C0CHECKOUT",
        "alerts": (),
        "firing": 1,
        "total": 1,
        "started_at": NOW - timedelta(minutes=5),
    }
    return AlertGroup(**(given | changes))


def clicks(door: Door, slack: Slack, *groups: AlertGroup) -> WhyClicks:
    book = FakeAlertBook()
    book.put(*groups)
    return WhyClicks(book, door, slack, lambda: NOW, str)


async def test_the_answer_stands_in_the_cards_thread_with_its_picture_and_whoever_asked() -> None:
    door, slack = Door(), Slack()
    assert await clicks(door, slack, group())(CLICK) is None
    assert door.asked == [("checkout-web", "production", LEAD.user)]
    [(card, message)] = slack.threads
    assert (card, message.text, message.picture) == ("ag-1", "It is slow.", CHART)
    assert "<@U0LEAD> asked why." in str(message.blocks[-1])
    assert slack.told == []


async def test_it_may_be_pressed_again_and_a_redelivery_is_the_same_message() -> None:
    door, slack = Door(), Slack()
    handle = clicks(door, slack, group())
    for click in (CLICK, CLICK, replace(CLICK, trigger="t2")):
        await handle(click)
    assert slack.keys[0] == slack.keys[1] != slack.keys[2]


async def test_what_takes_a_while_is_announced_and_told_once() -> None:
    async def rest() -> Answer:
        return WHOLE

    door, slack = Door(replace(WHOLE, text="I am looking.", complete=rest)), Slack()
    await clicks(door, slack, group())(CLICK)
    assert slack.told == [LOOKING]
    assert [message.text for _, message in slack.threads] == ["It is slow."]


async def test_what_does_not_come_is_said() -> None:
    async def rest() -> Answer:
        raise Refused("Prometheus refuses our token.")

    door, slack = Door(replace(WHOLE, complete=rest)), Slack()
    await clicks(door, slack, group())(CLICK)
    [(_, message)] = slack.threads
    assert "The rest of this answer did not come. Prometheus refuses our token." in message.text


async def test_what_is_folded_is_told_below_the_card_of_its_cause() -> None:
    door, slack = Door(), Slack()
    await clicks(door, slack, group(cause="ag-0"))(CLICK)
    assert [card for card, _ in slack.threads] == ["ag-0"]


async def test_without_a_card_the_person_is_told() -> None:
    door, slack = Door(), Slack(stands=False)
    await clicks(door, slack, group())(CLICK)
    assert (slack.threads, slack.told, slack.files) == ([], ["It is slow."], ["chart.png"])


async def test_what_is_for_one_person_is_told_to_nobody_else() -> None:
    for answer, slack in ((replace(WHOLE, shared=False), Slack()), (WHOLE, Slack(channel="C0ORDERS"))):
        await clicks(Door(answer), slack, group(cause="ag-0"))(CLICK)
        assert (slack.threads, slack.told, slack.files) == ([], ["It is slow."], ["chart.png"])


async def test_whoever_may_not_ask_changes_and_reads_nothing() -> None:
    door, slack = Door(Refused("Only team-checkout may use `/health why`.")), Slack()
    with pytest.raises(Refused):
        await clicks(door, slack, group())(CLICK)
    assert (slack.threads, slack.told) == ([], [])


async def test_an_alert_of_no_service_and_one_that_is_unknown_are_said_to_be_so() -> None:
    door, slack = Door(), Slack()
    assert "about no service" in str(await clicks(door, slack, group(service=""))(CLICK))
    assert await clicks(door, slack)(CLICK) == "This alert is not known any more."
    assert door.asked == []
