"""Channels that an app makes: what the playground's Slack does, and what it refuses by Slack's own names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.playground.slack.rig import AUTHOR, SCOPES, Bot, Rig, running


@pytest.fixture
async def slack(tmp_path: Path, bot: Bot) -> AsyncIterator[Rig]:
    async with running(tmp_path / "slack", bot, scopes=SCOPES | {"channels:manage"}) as rig:
        yield rig


async def test_a_channel_is_made_named_filled_and_archived(slack: Rig) -> None:
    made = (await slack.ok("conversations.create", name="inc-2026-03-02-orders"))["channel"]
    assert made["is_member"]
    assert made["creator"] == "U0CAUSEWAY1"
    told = await slack.ok("conversations.setTopic", channel=made["id"], topic="Slow orders & <more>")
    assert told["channel"]["topic"]["value"] == "Slow orders &amp; &lt;more&gt;"
    await slack.ok("conversations.invite", channel=made["id"], users=AUTHOR)
    members = (await slack.ok("conversations.members", channel=made["id"]))["members"]
    assert set(members) == {AUTHOR, "U0CAUSEWAY1"}
    await slack.ok("conversations.archive", channel=made["id"])
    for method in ("conversations.archive", "conversations.setTopic", "chat.postMessage"):
        answer = await slack.api(method, channel=made["id"], text="x", topic="x")
        assert answer["error"] in {"already_archived", "is_archived"}
    assert (await slack.api("conversations.create", name="inc-2026-03-02-orders"))["error"] == "name_taken"


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("conversations.create", {}, "invalid_name_required"),
        ("conversations.create", {"name": "With Capitals"}, "invalid_name_specials"),
        ("conversations.create", {"name": "x" * 81}, "invalid_name_maxlength"),
        ("conversations.create", {"name": "team-orders"}, "name_taken"),
        ("conversations.setTopic", {"channel": "team-orders", "topic": "x" * 251}, "too_long"),
        ("conversations.setTopic", {"channel": "nowhere", "topic": "x"}, "channel_not_found"),
        ("conversations.invite", {"channel": "team-orders", "users": AUTHOR}, "already_in_channel"),
        ("conversations.invite", {"channel": "team-orders", "users": "U0NOBODY001"}, "user_not_found"),
        ("conversations.invite", {"channel": "team-orders", "users": "U0GUEST0001"}, "user_is_ultra_restricted"),
        ("conversations.invite", {"channel": "team-orders", "users": "U0OUTSIDER1"}, "cant_invite"),
        ("conversations.archive", {"channel": "general"}, "cant_archive_general"),
    ],
)
async def test_what_slack_refuses_is_refused(slack: Rig, method: str, arguments: dict[str, Any], error: str) -> None:
    assert (await slack.api(method, **arguments))["error"] == error
