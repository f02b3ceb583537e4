from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.health.verdict import State as Health
from bot.model.operation import State
from bot.slack.home import Creation, Home, HomePublisher, Line, ServiceLine, home
from bot.storage.database import Database, metadata
from tests.fakes.slack import FakeSlack, FakeTimer
from tests.golden import assert_golden
from tests.slack.checker import view_violations
from tests.slack.views import MONDAY

PAGE = Home(
    name="Sample",
    create=(
        Creation(label="Create a Python service", command="service.create python-service"),
        Creation(label="Create a Node service", command="service.create node-service"),
    ),
    approvals=(Line(title="Create service billing for team-orders", state=State.AWAITING_APPROVAL, at=MONDAY),),
    operations=(
        Line(title="Create service orders", state=State.SUCCEEDED, at=MONDAY, url="https://acme.slack.example/p1"),
    ),
    services=(
        ServiceLine(
            service="orders", health=Health.DOWN, environment="production", told="Its pod crashes; `see` <its> log."
        ),
        ServiceLine(service="billing", health=Health.HEALTHY, environment="staging", told="2 of 2 pods are ready."),
        ServiceLine(service="stock"),
    ),
    documentation=(("How to create a service", "https://docs.example.com/create"),),
)


class Pages:
    def __init__(self) -> None:
        self.pages: dict[str, Home] = {"U1": PAGE}
        self.asked = 0

    async def home(self, slack_user: str) -> Home | None:
        self.asked += 1
        return self.pages.get(slack_user)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'home.db'}")
    async with made.write() as connection:
        await connection.run_sync(metadata.create_all)
    yield made
    await made.close()


@pytest.fixture
async def room(database: Database) -> tuple[HomePublisher, FakeSlack, Pages]:
    timer = FakeTimer()
    slack, pages = FakeSlack(timer), Pages()
    return HomePublisher(slack, pages, database, timer=timer), slack, pages


def test_the_page_looks_as_agreed() -> None:
    assert_golden("slack/home.json", json.dumps(home(PAGE), indent=2, ensure_ascii=False) + "\n")


def test_an_empty_page_says_where_to_begin() -> None:
    text = json.dumps(home(Home(name="Sample")))
    assert "Nothing waits for you." in text
    assert view_violations(home(Home(name="Sample"))) == []


def test_whoever_may_not_use_it_reads_whom_to_ask() -> None:
    view = home(replace(PAGE, notice="Guests cannot use Causeway. Ask the platform team."))
    assert "Ask the platform team" in json.dumps(view)
    assert "Create a Python service" not in json.dumps(view)


@given(
    titles=st.lists(st.text(max_size=4_000), max_size=150),
    labels=st.lists(st.text(max_size=400), max_size=40, unique=True),
    name=st.text(max_size=400),
)
def test_slack_takes_the_page_whatever_stands_on_it(titles: list[str], labels: list[str], name: str) -> None:
    page = Home(
        name=name,
        create=[Creation(label=label, command=f"{n} {label}") for n, label in enumerate(labels)],
        approvals=[Line(title=title, state=State.RUNNING, at=MONDAY) for title in titles],
        operations=[Line(title=title, state=State.FAILED, at=MONDAY, url=f"https://x/{title}") for title in titles],
        documentation=[(title, "https://docs.example") for title in titles],
    )
    assert view_violations(home(page)) == []


async def test_a_page_is_published_only_when_it_looks_different(room: tuple[HomePublisher, FakeSlack, Pages]) -> None:
    publisher, slack, pages = room
    assert await publisher.publish("U1")
    assert not await publisher.publish("U1")
    pages.pages["U1"] = replace(PAGE, name="Sample A.")
    assert await publisher.publish("U1")
    assert slack.published == 2


async def test_a_page_that_slack_lost_is_published_again(room: tuple[HomePublisher, FakeSlack, Pages]) -> None:
    publisher, slack, _ = room
    await publisher.publish("U1")
    assert await publisher.publish("U1", force=True)
    assert slack.published == 2


async def test_news_in_quick_succession_are_one_publication(room: tuple[HomePublisher, FakeSlack, Pages]) -> None:
    publisher, slack, pages = room
    for _ in range(20):
        publisher.changed("U1")
    await publisher.settle()
    assert (slack.published, pages.asked) == (1, 1)


async def test_a_refused_publication_is_tried_with_the_next_news(
    room: tuple[HomePublisher, FakeSlack, Pages], caplog: Any
) -> None:
    publisher, slack, _ = room
    slack.refusals["views.publish"] = "not_enabled"
    publisher.changed("U1")
    await publisher.settle()
    slack.refusals.clear()
    publisher.changed("U1")
    await publisher.settle()
    assert slack.published == 1
    assert "home_not_published" in caplog.text


async def test_whoever_sees_nothing_gets_no_page(room: tuple[HomePublisher, FakeSlack, Pages]) -> None:
    publisher, slack, _ = room
    assert not await publisher.publish("U2")
    assert slack.published == 0
