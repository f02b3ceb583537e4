"""The buttons of an alert's card ask in the name of whoever presses them; where the outcome is told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import insert

from bot.alerting.cards import card
from bot.alerting.clicking import AlertButtons, by_value
from bot.alerting.steps import fingerprint
from bot.announcing import Announcements
from bot.errors import NotFound, PlatformError, UsageError
from bot.intake import Registry
from bot.model.alerts import AlertGroup
from bot.model.operation import Asked, OperationView, Origin, State
from bot.model.plan import Plan
from bot.model.principal import Door, Principal
from bot.operations.contracts import Allowed, Denied, Planned
from bot.slack.contracts import Click
from bot.slack.outbox import Outbox
from bot.storage.database import Database
from bot.storage.migrate import upgrade
from bot.storage.operations import operations
from commands import COMMANDS
from tests.effects.alarms import GROUP as FIRING
from tests.effects.scenes import MONDAY
from tests.fakes.alert_book import FakeAlertBook
from tests.slack.views import plan, view

GROUP = FIRING.model_copy(update={"service": "orders-api", "environment": "production"})
AUTHOR = Principal(user="user:default/author", display_name="Sample <Author>", slack_user="U0AUTHOR01")
STEP = "/service restart orders-api production"


@dataclass
class Engine:
    decision: Allowed | Denied = field(default_factory=Allowed)
    over: State | None = None
    """How what was asked before has ended."""
    asked: list[Asked] = field(default_factory=list)

    async def dry_run(self, asked: Asked) -> Planned:
        return Planned(plan(), self.decision)

    async def submit(self, asked: Asked) -> OperationView:
        self.asked.append(asked)
        first = len(self.asked) == 1
        return view(self.over if self.over and first else State.RUNNING)


async def press(action: str, engine: Engine | None = None, group: AlertGroup = GROUP, value: str = "") -> Any:
    book, used = FakeAlertBook(), engine or Engine()
    book.put(group)
    buttons = AlertButtons(book, used, Registry(COMMANDS), lambda: MONDAY)
    click = Click(
        action=action,
        value=value or (f"{group.id}.{fingerprint(group.runbook_step)}" if action == "runbook" else group.id),
        principal=AUTHOR,
        user="U0AUTHOR01",
        channel="C0TEAMORDER",
        message_ts="1.0",
        trigger="t",
    )
    return await buttons(click), used.asked


@pytest.mark.parametrize(
    ("action", "command", "beside"),
    [
        ("acknowledge", "alert.acknowledge", GROUP.id),
        ("escalate", "alert.escalate", GROUP.id),
        ("incident", "incident.open", GROUP.id),
        ("runbook", "service.restart", GROUP.id),
        ("rollback", "service.rollback", ""),
    ],
)
async def test_a_button_asks_its_command_and_says_where_it_is_told(action: str, command: str, beside: str) -> None:
    said, (asked,) = await press(action, group=GROUP.model_copy(update={"runbook_step": STEP}))
    assert said is None
    assert (asked.command, asked.origin.beside, asked.principal) == (command, beside, AUTHOR)
    assert asked.request.get("group", GROUP.id) == GROUP.id
    if not beside or action == "runbook":
        assert (asked.request["service"], asked.request["environment"]) == ("orders-api", "production")


async def test_two_presses_are_one_operation_and_two_people_are_two() -> None:
    engine = Engine()
    await press("acknowledge", engine)
    await press("acknowledge", engine)
    await press("escalate", engine)
    first, second, other = (asked.operation for asked in engine.asked)
    assert first == second != other


async def test_what_came_to_nothing_is_asked_again_and_what_is_done_is_said() -> None:
    engine = Engine(over=State.UNDONE)
    said, asked = await press("acknowledge", engine)
    assert said is None
    assert len({one.operation for one in asked}) == 2
    said, asked = await press("acknowledge", Engine(over=State.SUCCEEDED))
    assert "asked for this from this alert before" in said
    assert len(asked) == 1


async def test_who_may_not_hears_why_and_nothing_is_asked() -> None:
    said, asked = await press("acknowledge", Engine(decision=Denied("Only <them>.")))
    assert "Only &lt;them&gt;." in said
    assert asked == []


@pytest.mark.parametrize(
    ("action", "changes", "value", "error"),
    [
        ("runbook", {}, "", UsageError),
        ("runbook", {"runbook_step": "/database delete orders-api production"}, "", UsageError),
        ("rollback", {"environment": ""}, "", UsageError),
        ("acknowledge", {}, "ag-" + "f" * 20, NotFound),
        ("acknowledge", {}, "op-7f3k2", NotFound),
    ],
)
async def test_a_button_that_means_nothing_now_says_so(
    action: str, changes: dict[str, Any], value: str, error: type[PlatformError]
) -> None:
    with pytest.raises(error):
        await press(action, group=GROUP.model_copy(update=changes), value=value)


@pytest.mark.parametrize("shown", [f".{fingerprint('/service scale orders-api production 3')}", "", "."])
async def test_a_step_that_has_changed_since_it_was_shown_is_not_run(shown: str) -> None:
    engine, group = Engine(), GROUP.model_copy(update={"runbook_step": STEP})
    with pytest.raises(UsageError, match="something else by now"):
        await press("runbook", engine, group=group, value=f"{group.id}{shown}")
    assert engine.asked == []


async def test_the_card_says_which_step_its_button_runs() -> None:
    shown = card(GROUP.model_copy(update={"runbook_step": STEP}), now=MONDAY, names=str)
    drawn = [one for block in shown.blocks if block["type"] == "actions" for one in cast("Any", block["elements"])]
    (button,) = [one for one in drawn if one["action_id"] == "runbook"]
    assert button["value"] == f"{GROUP.id}.{fingerprint(STEP)}"
    said, (asked,) = await press(
        "runbook", group=GROUP.model_copy(update={"runbook_step": STEP}), value=str(button["value"])
    )
    assert (said, asked.command) == (None, "service.restart")


async def test_a_button_that_two_kinds_of_cards_have_goes_to_the_one_that_was_pressed() -> None:
    async def alerts(_: Click) -> str | None:
        return "alert"

    async def others(_: Click) -> str | None:
        return "operation"

    both = by_value(alerts, others)
    for value, wanted in ((GROUP.id, "alert"), ("op-7f3k2", "operation")):
        click = Click(action="rollback", value=value, principal=AUTHOR, user="U", channel="", message_ts="", trigger="")
        assert await both(click) == wanted


# --- where it is told


class Told:
    """An outbox that notes what it is asked for."""

    def __init__(self) -> None:
        self.cards: list[str] = []
        self.threads: list[tuple[str, str]] = []
        self.people: list[str] = []

    async def has_card(self, _: Any, operation: str) -> bool:
        return operation in self.cards

    async def operation_changed(self, _: Any, operation: str, __: int, **___: Any) -> None:
        self.cards.append(operation)

    async def thread(self, card: str, messages: Any, **_: Any) -> None:
        self.threads += [(card, message.text) for message in messages]

    async def ephemeral(self, *, text: str, **_: Any) -> None:
        self.people.append(text)


async def told(tmp_path: Path, command: str, *states: State, **columns: Any) -> Told:
    """Return what is told of an operation that goes through these states."""
    url = f"sqlite:///{tmp_path / 'told.db'}"
    upgrade(url)
    outbox = Told()
    announcements = Announcements(cast("Outbox", outbox), lambda _: None)
    origin = Origin(slack_channel="C0TEAMORDER", slack_user="U0AUTHOR01", beside=GROUP.id)
    asked = Asked(
        operation="op-1", command=command, request={}, principal=AUTHOR, door=Door.SLACK, now=MONDAY, origin=origin
    )
    database = Database(url)
    for state in states:
        made = Plan.of("Restart <orders-api>", ())
        row = {
            "id": "op-1",
            "command": command,
            "user": AUTHOR.user,
            "asked": asked.model_dump_json(),
            "state": state.value,
            "stage": "plan",
            "cause": "",
            "problem": "",
            "plan": made.model_dump_json(),
            "digest": made.digest,
            "approvals": "[]",
            "voided": "[]",
            "steps": "[]",
            "buttons": "{}",
            "created_at": 0.0,
            "updated_at": 0.0,
            "revision": 1,
            "lease_token": 0,
            "lease_holder": "",
            **columns,
        }
        async with database.write() as connection:
            await connection.execute(operations.delete())
            await connection.execute(insert(operations).values(row))
            await announcements.operation_changed(connection, "op-1", 1)
    await database.close()
    return outbox


async def test_what_was_done_is_said_in_the_alerts_thread_without_a_card(tmp_path: Path) -> None:
    found = await told(tmp_path, "service.restart", State.PLANNED, State.RUNNING, State.SUCCEEDED)
    assert found.cards + found.people == []
    assert found.threads == [(GROUP.id, "✅ Restart &lt;orders-api&gt;, asked by Sample &lt;Author&gt;.")]


async def test_what_people_decide_about_an_alert_says_so_itself(tmp_path: Path) -> None:
    found = await told(tmp_path, "alert.acknowledge", State.RUNNING, State.SUCCEEDED)
    assert (found.cards, found.people, found.threads) == ([], [], [])


async def test_what_failed_is_told_to_whoever_asked(tmp_path: Path) -> None:
    found = await told(tmp_path, "alert.silence", State.UNDONE, problem="Alertmanager did not answer.")
    assert found.people == ["Alertmanager did not answer."]
    assert (found.cards, found.threads) == ([], [])


@pytest.mark.parametrize(
    ("state", "columns"),
    [
        (State.AWAITING_APPROVAL, {}),
        (State.RUNNING, {"steps": json.dumps([{"stalled": False}, {"stalled": True}])}),
        (State.FAILED, {}),
    ],
)
async def test_what_somebody_has_to_decide_about_gets_a_card(
    tmp_path: Path, state: State, columns: dict[str, Any]
) -> None:
    found = await told(tmp_path, "service.restart", state, **columns)
    assert (found.cards, found.people, found.threads) == (["op-1"], [], [])
