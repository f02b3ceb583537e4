"""What the simulator sends and answers, held against Slack's own type declarations by the TypeScript compiler."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.peers.slack.node import node
from tests.peers.tools import need
from tests.playground.slack.forms import field, home, modal, option, plain
from tests.playground.slack.rig import AUTHOR, ORDERS, Bot, Json, Rig, running, running_bot

PAYLOADS = {
    "command": "bolt.SlashCommand",
    "block_actions": "bolt.BlockAction",
    "view_submission": "bolt.ViewSubmitAction",
    "view_closed": "bolt.ViewClosedAction",
    "block_suggestion": "bolt.BlockSuggestion",
    "app_home_opened": "bolt.EnvelopedEvent<types.AppHomeOpenedEvent>",
    "app_mention": "bolt.EnvelopedEvent<types.AppMentionEvent>",
}
ANSWERS = {
    "auth.test": "AuthTestResponse",
    "bots.info": "BotsInfoResponse",
    "chat.getPermalink": "ChatGetPermalinkResponse",
    "chat.postEphemeral": "ChatPostEphemeralResponse",
    "chat.postMessage": "ChatPostMessageResponse",
    "chat.update": "ChatUpdateResponse",
    "conversations.history": "ConversationsHistoryResponse",
    "conversations.info": "ConversationsInfoResponse",
    "conversations.list": "ConversationsListResponse",
    "conversations.members": "ConversationsMembersResponse",
    "conversations.open": "ConversationsOpenResponse",
    "conversations.replies": "ConversationsRepliesResponse",
    "files.completeUploadExternal": "FilesCompleteUploadExternalResponse",
    "files.getUploadURLExternal": "FilesGetUploadURLExternalResponse",
    "reactions.add": "ReactionsAddResponse",
    "team.info": "TeamInfoResponse",
    "usergroups.list": "UsergroupsListResponse",
    "users.info": "UsersInfoResponse",
    "users.list": "UsersListResponse",
    "users.lookupByEmail": "UsersLookupByEmailResponse",
    "views.open": "ViewsOpenResponse",
    "views.publish": "ViewsPublishResponse",
    "views.update": "ViewsUpdateResponse",
}


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    async with running_bot() as bot:
        bot.answers["block_suggestion"] = {"options": [option("orders")]}
        yield bot


@pytest.fixture
async def slack(tmp_path: Path, bot: Bot) -> AsyncIterator[Rig]:
    async with running(tmp_path / "slack", bot) as rig:
        yield rig


async def a_bit_of_everything(slack: Rig) -> None:
    """Make every kind of payload and answer at least once."""
    button = {"type": "button", "action_id": "go", "text": plain("Go"), "value": "op-1", "style": "primary"}
    select = {"type": "static_select", "action_id": "pick", "options": [option("a")], "placeholder": plain("Pick")}
    posted = await slack.ok(
        "chat.postMessage",
        channel=ORDERS,
        text="card",
        blocks=[{"type": "actions", "elements": [button, select]}],
        metadata={"event_type": "x", "event_payload": {"a": "1"}},
    )
    where = {"user": "author", "channel": "team-orders", "message_ts": posted["ts"]}
    await slack.sim("actions", **where, action_id="go")
    await slack.sim("actions", **where, action_id="pick", value="a")
    await slack.ok("chat.postMessage", channel=ORDERS, text="reply", thread_ts=posted["ts"])
    await slack.ok("reactions.add", channel=ORDERS, timestamp=posted["ts"], name="eyes")
    await slack.ok("chat.update", channel=ORDERS, ts=posted["ts"], text="changed")
    await slack.ok("chat.postEphemeral", channel=ORDERS, user=AUTHOR, text="psst")
    fields = [
        field("name", {"type": "plain_text_input", "initial_value": "orders"}),
        field("service", {"type": "external_select", "min_query_length": 0}, optional=True),
        field("days", {"type": "checkboxes", "options": [option("mon")]}, optional=True),
        field("at", {"type": "timepicker", "initial_time": "09:30"}),
    ]
    view = await slack.open_modal(modal(*fields, notify_on_close=True))
    await slack.ok("views.update", view_id=view["id"], view=modal(*fields, notify_on_close=True))
    await slack.see("options", user="author", view_id=view["id"], action_id="service", query="")
    await slack.sim("views/submit", user="author", view_id=view["id"], values={"service": {"service": "orders"}})
    view = await slack.open_modal(modal(notify_on_close=True))
    await slack.sim("views/close", user="author", view_id=view["id"])
    published = await slack.ok("views.publish", user_id=AUTHOR, view=home({"type": "actions", "elements": [button]}))
    await slack.sim("actions", user="author", view_id=published["view"]["id"], action_id="go")
    step = await slack.ok("files.getUploadURLExternal", filename="plan.txt", length=1)
    async with slack.http.post(step["upload_url"], data=b"x") as response:
        assert response.status == 200
    await slack.ok("files.completeUploadExternal", files=[{"id": step["file_id"]}], channel_id=ORDERS)
    before = len(slack.bot.heard)
    await slack.sim("home", user="author")
    await slack.sim("messages", user="author", channel="team-orders", text="@causeway hi")
    await slack.bot.wait_for(before + 2)
    await read_everything(slack, posted["ts"])


async def read_everything(slack: Rig, ts: str) -> None:
    for method in ("auth.test", "bots.info", "team.info", "usergroups.list", "users.list", "conversations.list"):
        await slack.ok(method)
    await slack.ok("users.info", user=AUTHOR)
    await slack.ok("users.lookupByEmail", email="author@acme.example")
    await slack.ok("conversations.info", channel=ORDERS)
    await slack.ok("conversations.members", channel=ORDERS)
    await slack.ok("conversations.open", users=AUTHOR, return_im=True)
    await slack.ok("conversations.history", channel=ORDERS, include_all_metadata=True)
    await slack.ok("conversations.replies", channel=ORDERS, ts=ts)
    await slack.ok("chat.getPermalink", channel=ORDERS, message_ts=ts)


LOOSE = """
import type * as bolt from "@slack/bolt";
import type * as web from "@slack/web-api";
import type * as types from "@slack/types";
type Loose<T> = T extends string ? string
  : T extends readonly (infer U)[] ? readonly Loose<U>[]
  : T extends object ? { [K in keyof T]: Loose<T[K]> }
  : T;
type LooseOrNull<T> = T extends string ? string | null
  : T extends readonly (infer U)[] ? readonly LooseOrNull<U>[]
  : T extends object ? { [K in keyof T]: LooseOrNull<T[K]> | null }
  : T;
"""
"""The declarations lag behind Slack: they name fewer fields than it sends, list enums that are not complete, and (those
of answers, generated from samples) do not know null. What they require, and the type of what they name, is held."""

NULL_AT_SLACK = ("enterprise", "context_enterprise_id")
"""Null in what Slack sends for an app without an organisation, and only optional in the declarations."""


def program(entries: list[Json]) -> str:
    lines = [LOOSE]
    for number, entry in enumerate(entries):
        if entry["kind"] == "call":
            declared, value = f"LooseOrNull<web.{ANSWERS[entry['name']]}>", entry["result"]
        else:
            declared = f"Loose<{_declared(entry)}>"
            value = {name: inner for name, inner in entry["arguments"].items() if name not in NULL_AT_SLACK}
        lines.append(f"const raw{number} = {json.dumps(value)};")
        lines.append(f"export const entry{number}: {declared} = raw{number}; // {entry['name']}")
    return "\n".join(lines)


def _declared(entry: Json) -> str:
    """Return the declared type; a click in a view has no response URL at Slack, whatever the declaration says."""
    name = PAYLOADS[entry["name"]]
    in_view = entry["name"] == "block_actions" and "view" in entry["arguments"]
    return f'Omit<{name}, "response_url">' if in_view else name


def compiled(folder: Path) -> str:
    """Return what the TypeScript compiler objects to in `seen.ts`; empty when it accepts the file."""
    modules = need("node_modules")
    (folder / "node_modules").symlink_to(modules)
    options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext"]
    command = [node(), str(modules / "typescript/bin/tsc"), *options, "seen.ts"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


async def test_payloads_and_answers_have_slacks_types(slack: Rig, tmp_path: Path) -> None:
    need("node_modules")
    await a_bit_of_everything(slack)
    entries = [entry for entry in await slack.log() if entry["kind"] != "response_url"]
    assert {entry["name"] for entry in entries} == PAYLOADS.keys() | ANSWERS.keys(), "each kind was seen"
    assert [entry["violations"] for entry in entries if entry["violations"]] == []
    (tmp_path / "seen.ts").write_text(program(entries))
    assert compiled(tmp_path) == ""
