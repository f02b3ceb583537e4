from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.slack.envelope import Envelope, Kind
from bot.slack.inbox import KEEP_S, LEASE_S, MAX_ATTEMPTS, Inbox
from bot.storage.database import Database
from bot.storage.slack_inbound import inbox
from tests.fakes.slack_inbound import FakeClock, opened, rig


def command(clock: FakeClock, number: int, text: str = "list") -> Envelope:
    body = f"command=%2Fservice&user_id=U0AUTHOR01&team_id=T0ACME00001&channel_id=C1&text={text}&trigger_id={number}"
    payload = {
        "command": "/service",
        "user_id": "U0AUTHOR01",
        "team_id": "T0ACME00001",
        "channel_id": "C1",
        "text": text,
    }
    return Envelope(Kind.COMMAND, f"command:{number}", payload, body, clock().timestamp())


async def all_rows(database: Database) -> list[Any]:
    async with database.read() as connection:
        return list((await connection.execute(select(inbox).order_by(inbox.c.key))).all())


class Dead(Inbox):
    """The inbox of a process that stores and then dies: it starts no work and renews nothing."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        super().__init__(database, clock, lambda _envelope: None)


async def test_work_of_a_dead_process_is_taken_up_once_its_lease_has_ended(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await Dead(slack.database, slack.clock).store(command(slack.clock, 1, "list left"))
        await slack.door.tick()
        await slack.door.idle()
        assert slack.replies.texts == []  # it may still be alive
        slack.clock.advance(LEASE_S + 1)
        await slack.door.tick()
        await slack.door.tick()
        await slack.door.idle()
        assert slack.replies.texts == ["Services: left"]


async def test_two_replicas_never_take_the_same_row(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path / "slack.db") as database:
        for number in range(5):
            await Dead(database, clock).store(command(clock, number))
        clock.advance(LEASE_S + 1)
        taken = [await Dead(database, clock).take_over(limit=3) for _ in range(3)]
        assert [len(one) for one in taken] == [3, 2, 0]
        assert len({envelope.key for one in taken for envelope in one}) == 5


async def test_our_own_running_work_is_never_taken_over_even_when_time_leaps(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path / "slack.db") as database:
        ours = Dead(database, clock)
        await ours.store(command(clock, 1))
        clock.advance(36 * 3600)
        await ours.renew()
        assert await ours.take_over() == []
        assert await Dead(database, clock).take_over() == []


async def test_a_row_that_kills_whoever_takes_it_is_given_up(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path / "slack.db") as database:
        await Dead(database, clock).store(command(clock, 1))
        attempts = []
        for _ in range(MAX_ATTEMPTS + 1):
            clock.advance(LEASE_S + 1)
            attempts += [envelope.attempt for envelope in await Dead(database, clock).take_over()]
        assert attempts == [2, 3]
        [row] = await all_rows(database)
        assert (row.state, row.body) == (2, "")


async def test_a_form_asked_for_before_a_crash_is_offered_by_a_button(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await Dead(slack.database, slack.clock).store(
            Envelope(
                Kind.COMMAND,
                "command:1",
                {},
                "command=%2Fservice&user_id=U0AUTHOR01&team_id=T0ACME00001&channel_id=C1&text=create+orders&trigger_id=1",
                slack.clock().timestamp(),
            )
        )
        slack.clock.advance(LEASE_S + 1)
        await slack.door.tick()
        await slack.door.idle()
        assert "views.open" not in slack.api.methods()
        assert "took too long" in slack.replies.texts[0]
        await slack.click("form.open", slack.replies.button("form.open"))
        [name] = [block for block in slack.api.last_view()["blocks"] if block.get("block_id") == "name"]
        assert name["element"]["initial_value"] == "orders"


async def test_a_completed_form_survives_a_crash_before_it_is_handed_over(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        slack.door._router._conversation._start_work = lambda _envelope: None  # the process dies right after the ack
        await slack.command("/service", "create orders")
        second = (await slack.submit(slack.api.last_view()))["view"]
        assert await slack.submit(second, {"owner": "group:default/team-orders"}) == {"response_action": "clear"}
        assert slack.operations.submitted == []
        slack.clock.advance(LEASE_S + 1)
        await slack.door.tick()
        await slack.door.idle()
        assert [asked.request["name"] for asked in slack.operations.submitted] == ["orders"]


async def test_keys_are_forgotten_only_when_no_delivery_can_come_again(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await slack.command("/service", "list")
        await slack.door.inbox.close()
        slack.clock.advance(KEEP_S - 10)
        await slack.door.tick()
        assert len(await all_rows(slack.database)) == 1
        slack.clock.advance(20)
        await slack.door.tick()
        assert await all_rows(slack.database) == []


async def test_a_row_that_this_release_cannot_read_is_put_aside(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path / "slack.db") as database:
        await Dead(database, clock).store(Envelope(Kind.COMMAND, "command:1", {}, "{broken", 0.0))
        clock.advance(LEASE_S + 1)
        other = Dead(database, clock)
        assert await other.take_over() == []
        await other.close()
        assert [row.state for row in await all_rows(database)] == [1]


async def test_what_is_closed_in_the_middle_stays_for_the_next_process(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await slack.door.close()
        response = await slack.command("/service", "list later")
        assert response.status == 200
        slack.clock.advance(LEASE_S + 1)
        (taken,) = await Dead(slack.database, slack.clock).take_over()
        assert taken.payload["text"] == "list later"
