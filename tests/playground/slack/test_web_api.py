"""The Web API: what it takes, and each thing that it refuses, by Slack's own name for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from playground.slack.call import METHODS
from tests.playground.slack.rig import AUTHOR, ORDERS, SCOPES, TOKENS, Bot, Json, Rig, running

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000002000000030802000000368849d6"
    "000000104944415478da63f8cfc000440c28140044d005fb4cce710f0000000049454e44ae426082"
)
"""Red, 2 pixels by 3."""
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}


async def post(slack: Rig, **more: Any) -> Json:
    return await slack.ok("chat.postMessage", channel=ORDERS, text="hello", **more)


async def test_arguments_may_come_as_query_form_or_json(slack: Rig) -> None:
    headers = {"Authorization": f"Bearer {TOKENS.bot}"}
    url = f"{slack.url}/api/users.info"
    for request in (
        slack.http.get(url, params={"user": AUTHOR}, headers=headers),
        slack.http.post(url, params={"user": AUTHOR}, headers=headers),
        slack.http.post(url, data={"user": AUTHOR, "token": TOKENS.bot}),
        slack.http.post(url, json={"user": AUTHOR}, headers=headers),
    ):
        async with request as response:
            answer = await response.json()
            assert answer["user"]["id"] == AUTHOR, answer


@pytest.mark.parametrize(
    ("token", "error"),
    [("", "not_authed"), ("xoxb-of-nobody", "invalid_auth"), (TOKENS.app, "not_allowed_token_type")],
)
async def test_a_wrong_token_is_refused(slack: Rig, token: str, error: str) -> None:
    assert (await slack.api("auth.test", token=token)) == {"ok": False, "error": error}


async def test_an_unknown_method_is_refused(slack: Rig) -> None:
    assert (await slack.api("chat.shout"))["error"] == "unknown_method"


async def test_a_scope_that_was_not_granted_is_named(tmp_path: Path) -> None:
    async with running(tmp_path, scopes=frozenset({"users:read"})) as slack:
        answer = await slack.api("chat.postMessage", channel=ORDERS, text="hello")
        assert answer == {"ok": False, "error": "missing_scope", "needed": "chat:write", "provided": "users:read"}


async def test_a_scope_that_slack_does_not_know_cannot_be_installed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="chat:shout"):
        async with running(tmp_path, scopes=frozenset({"chat:shout"})):
            pass


async def test_addresses_need_their_own_scope(tmp_path: Path) -> None:
    async with running(tmp_path, scopes=frozenset({"users:read"})) as slack:
        assert "email" not in (await slack.ok("users.info", user=AUTHOR))["user"]["profile"]


async def test_guests_and_outsiders_can_be_told_apart(slack: Rig) -> None:
    guest = (await slack.ok("users.info", user="U0GUEST0001"))["user"]
    outsider = (await slack.ok("users.info", user="U0OUTSIDER1"))["user"]
    bot = (await slack.ok("users.info", user="U0CAUSEWAY1"))["user"]
    own_team = (await slack.ok("auth.test"))["team_id"]
    assert (guest["is_restricted"], guest["is_ultra_restricted"], guest["team_id"]) == (True, True, own_team)
    assert outsider["team_id"] != own_team
    assert bot["is_bot"]


async def test_people_are_found_by_their_address(slack: Rig) -> None:
    assert (await slack.ok("users.lookupByEmail", email="author@acme.example"))["user"]["id"] == AUTHOR
    for unknown in ("nobody@acme.example", "outsider@partner.example"):
        assert (await slack.api("users.lookupByEmail", email=unknown))["error"] == "users_not_found"


async def test_lists_are_paged(slack: Rig) -> None:
    first = await slack.ok("users.list", limit=3)
    second = await slack.ok("users.list", limit=100, cursor=first["response_metadata"]["next_cursor"])
    everyone = [user["id"] for user in first["members"] + second["members"]]
    assert len(everyone) == len(set(everyone)) == len((await slack.see("users"))["users"])
    assert second["response_metadata"]["next_cursor"] == ""
    assert (await slack.api("users.list", cursor="nonsense"))["error"] == "invalid_cursor"


async def test_groups_list_their_people(slack: Rig) -> None:
    groups = (await slack.ok("usergroups.list", include_users=True))["usergroups"]
    orders = next(group for group in groups if group["handle"] == "team-orders")
    assert AUTHOR in orders["users"]
    assert (await slack.ok("usergroups.users.list", usergroup=orders["id"]))["users"] == orders["users"]


async def test_a_posted_message_is_in_the_channel_and_on_the_stream(slack: Rig) -> None:
    posted = await post(slack, blocks=[SECTION])
    event = await slack.until("message_posted")
    [message] = await slack.messages()
    assert event["message"] == message
    assert (message["ts"], message["text"], message["bot_id"]) == (posted["ts"], "hello", "B0CAUSEWAY1")
    assert message["blocks"][0]["block_id"], "Slack gives an id to a block that has none"


async def test_timestamps_are_unique_and_grow(slack: Rig) -> None:
    stamps = [(await post(slack))["ts"] for _ in range(5)]
    assert stamps == sorted(set(stamps))
    assert all(len(ts) == 17 for ts in stamps)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"text": "x"}, "invalid_arguments"),
        ({"channel": ORDERS}, "no_text"),
        ({"channel": ORDERS, "text": "  "}, "no_text"),
        ({"channel": ORDERS, "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": ORDERS, "text": "x", "blocks": "not json"}, "invalid_blocks_format"),
        ({"channel": ORDERS, "text": "x", "blocks": {"type": "section"}}, "invalid_blocks_format"),
        ({"channel": ORDERS, "text": "x", "blocks": [SECTION] * 51}, "invalid_blocks"),
        ({"channel": ORDERS, "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": ORDERS, "text": "x", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        (
            {"channel": ORDERS, "text": "x", "metadata": {"event_type": "x", "event_payload": {"a": "x" * 9000}}},
            "metadata_too_large",
        ),
        ({"channel": ORDERS, "text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ({"channel": ORDERS, "markdown_text": "y" * 12_001}, "msg_too_long"),
        ({"channel": ORDERS, "text": "x", "username": "Somebody"}, "missing_scope"),
        ({"channel": ORDERS, "text": "x", "attachments": ["y"]}, "invalid_attachments"),
        ({"channel": ORDERS, "text": "x", "attachments": [{"text": "y"}] * 101}, "too_many_attachments"),
        ({"channel": ORDERS, "attachments": [{"blocks": [{"type": "nonsense"}]}]}, "invalid_blocks"),
    ],
)
async def test_a_message_that_slack_refuses_is_refused(slack: Rig, arguments: Json, error: str) -> None:
    answer = await slack.api("chat.postMessage", **arguments)
    assert (answer["ok"], answer["error"]) == (False, error)
    assert await slack.messages() == []


async def test_refused_blocks_are_pointed_at(slack: Rig) -> None:
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]
    answer = await slack.api("chat.postMessage", channel=ORDERS, text="x", blocks=blocks)
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]"
    ]


async def test_blocks_without_text_are_a_violation_not_a_refusal(slack: Rig) -> None:
    await slack.ok("chat.postMessage", channel=ORDERS, blocks=[SECTION])
    [entry] = await slack.log("call")
    assert "screen readers" in entry["violations"][0]


async def test_a_channel_that_the_app_is_not_in_refuses(slack: Rig) -> None:
    await slack.sim("channels/kick", channel="team-orders", user="causeway")
    assert (await slack.api("chat.postMessage", channel=ORDERS, text="x"))["error"] == "not_in_channel"
    assert (await slack.api("conversations.history", channel=ORDERS))["error"] == "not_in_channel"
    await slack.ok("conversations.join", channel=ORDERS)
    await post(slack)


async def test_public_channels_are_open_with_the_public_scope(tmp_path: Path) -> None:
    async with running(tmp_path, scopes=SCOPES | {"chat:write.public"}) as slack:
        await slack.sim("channels/kick", channel="team-orders", user="causeway")
        await post(slack)


async def test_a_private_channel_does_not_exist_for_those_outside(slack: Rig) -> None:
    hidden = await slack.sim("channels", name="secret", members=["author"], is_private=True)
    assert (await slack.api("chat.postMessage", channel=hidden["id"], text="x"))["error"] == "channel_not_found"
    listed = await slack.ok("conversations.list", types="public_channel,private_channel")
    assert hidden["id"] not in [channel["id"] for channel in listed["channels"]]


async def test_an_archived_channel_refuses(slack: Rig) -> None:
    await slack.sim("channels/archive", channel="team-orders")
    assert (await slack.api("chat.postMessage", channel=ORDERS, text="x"))["error"] == "is_archived"
    listed = await slack.ok("conversations.list", exclude_archived=True)
    assert ORDERS not in [channel["id"] for channel in listed["channels"]]
    status, answer = await slack.try_sim("messages", user="author", channel="team-orders", text="x")
    assert (status, answer["error"]) == (409, "is_archived")


async def test_a_message_to_a_person_goes_to_the_im_with_the_app(slack: Rig) -> None:
    opened = await slack.ok("conversations.open", users=AUTHOR)
    posted = await slack.ok("chat.postMessage", channel=AUTHOR, text="psst")
    assert posted["channel"] == opened["channel"]["id"]
    assert [message["text"] for message in await slack.messages(posted["channel"])] == ["psst"]


async def test_replies_stand_in_their_thread(slack: Rig) -> None:
    root = (await post(slack))["ts"]
    reply = (await post(slack, thread_ts=root))["ts"]
    assert [message["ts"] for message in await slack.messages()] == [root]
    assert [message["ts"] for message in await slack.messages(thread_ts=root)] == [root, reply]
    replies = await slack.ok("conversations.replies", channel=ORDERS, ts=root)
    assert (replies["messages"][0]["reply_count"], replies["messages"][1]["thread_ts"]) == (1, root)
    assert (await slack.api("conversations.replies", channel=ORDERS, ts="1.000001"))["error"] == "thread_not_found"


async def test_a_broadcast_reply_stands_in_the_channel_too(slack: Rig) -> None:
    root = (await post(slack))["ts"]
    reply = (await post(slack, thread_ts=root, reply_broadcast=True))["ts"]
    assert [message["ts"] for message in await slack.messages()] == [root, reply]


async def test_history_is_newest_first_in_pages(slack: Rig) -> None:
    stamps = [(await post(slack))["ts"] for _ in range(5)]
    first = await slack.ok("conversations.history", channel=ORDERS, limit=3)
    second = await slack.ok(
        "conversations.history", channel=ORDERS, limit=3, cursor=first["response_metadata"]["next_cursor"]
    )
    assert [message["ts"] for message in first["messages"] + second["messages"]] == stamps[::-1]
    assert (first["has_more"], second["has_more"]) == (True, False)
    between = await slack.ok("conversations.history", channel=ORDERS, oldest=stamps[1], latest=stamps[3])
    assert [message["ts"] for message in between["messages"]] == [stamps[2]]
    with_edges = await slack.ok(
        "conversations.history", channel=ORDERS, oldest=stamps[1], latest=stamps[3], inclusive=True
    )
    assert [message["ts"] for message in with_edges["messages"]] == stamps[3:0:-1]


async def test_metadata_is_shown_only_where_it_is_asked_for(slack: Rig) -> None:
    metadata = {"event_type": "causeway_operation", "event_payload": {"operation": "op-1"}}
    await post(slack, metadata=metadata)
    [plain] = (await slack.ok("conversations.history", channel=ORDERS))["messages"]
    [full] = (await slack.ok("conversations.history", channel=ORDERS, include_all_metadata=True))["messages"]
    assert "metadata" not in plain
    assert full["metadata"] == metadata


async def test_an_update_changes_the_message_in_place(slack: Rig) -> None:
    metadata = {"event_type": "causeway_operation", "event_payload": {"state": "running"}}
    posted = await post(slack, blocks=[SECTION], metadata=metadata)
    await slack.ok("chat.update", channel=ORDERS, ts=posted["ts"], text="done", blocks=[SECTION, {"type": "divider"}])
    [message] = await slack.messages()
    assert (message["text"], len(message["blocks"]), message["edited"]) == ("done", 2, None)
    assert message["metadata"] == metadata, "what is not given stays"


async def test_text_alone_takes_the_blocks_away_and_marks_the_message_as_edited(slack: Rig) -> None:
    posted = await post(slack, blocks=[SECTION])
    await slack.ok("chat.update", channel=ORDERS, ts=posted["ts"], text="done")
    [message] = await slack.messages()
    assert message["blocks"] == []
    assert message["edited"]["user"] == "U0CAUSEWAY1"


async def test_updates_that_slack_refuses(slack: Rig) -> None:
    theirs = (await slack.sim("messages", user="author", channel="team-orders", text="mine"))["ts"]
    own = (await post(slack))["ts"]
    private = await slack.ok("chat.postEphemeral", channel=ORDERS, user=AUTHOR, text="psst")
    for ts, text, error in (
        (theirs, "x", "cant_update_message"),
        ("1.000001", "x", "message_not_found"),
        (private["message_ts"], "x", "message_not_found"),
        (own, "x" * 4001, "msg_too_long"),
        (own, "", "no_text"),
    ):
        assert (await slack.api("chat.update", channel=ORDERS, ts=ts, text=text))["error"] == error


async def test_only_own_messages_are_deleted(slack: Rig) -> None:
    theirs = (await slack.sim("messages", user="author", channel="team-orders", text="mine"))["ts"]
    own = (await post(slack))["ts"]
    assert (await slack.api("chat.delete", channel=ORDERS, ts=theirs))["error"] == "cant_delete_message"
    await slack.ok("chat.delete", channel=ORDERS, ts=own)
    assert [message["ts"] for message in await slack.messages()] == [theirs]
    assert (await slack.api("chat.delete", channel=ORDERS, ts=own))["error"] == "message_not_found"


async def test_an_ephemeral_message_is_for_one_person_and_no_history(slack: Rig) -> None:
    await slack.ok("chat.postEphemeral", channel=ORDERS, user=AUTHOR, text="psst")
    assert [message["text"] for message in await slack.messages(user="author")] == ["psst"]
    assert await slack.messages(user="teammate") == []
    assert (await slack.ok("conversations.history", channel=ORDERS))["messages"] == []
    answer = await slack.api("chat.postEphemeral", channel=ORDERS, user="U0GUEST0001", text="psst")
    assert answer["error"] == "user_not_in_channel"


async def test_reactions_are_given_once_and_taken_back_once(slack: Rig) -> None:
    where = {"channel": ORDERS, "timestamp": (await post(slack))["ts"], "name": "eyes"}
    await slack.ok("reactions.add", **where)
    assert (await slack.messages())[0]["reactions"] == [{"name": "eyes", "count": 1, "users": ["U0CAUSEWAY1"]}]
    assert (await slack.api("reactions.add", **where))["error"] == "already_reacted"
    await slack.ok("reactions.remove", **where)
    assert (await slack.api("reactions.remove", **where))["error"] == "no_reaction"


async def test_a_permalink_names_channel_and_message(slack: Rig) -> None:
    ts = (await post(slack))["ts"]
    answer = await slack.ok("chat.getPermalink", channel=ORDERS, message_ts=ts)
    assert answer["permalink"].endswith(f"/archives/{ORDERS}/p{ts.replace('.', '')}")


async def test_a_file_is_uploaded_in_three_steps(slack: Rig) -> None:
    content = b"a long plan"
    step = await slack.ok("files.getUploadURLExternal", filename="plan.txt", length=len(content))
    async with slack.http.post(step["upload_url"], data=content) as response:
        assert (response.status, await response.text()) == (200, f"OK - {len(content)}")
    done = await slack.ok(
        "files.completeUploadExternal", files=[{"id": step["file_id"], "title": "The plan"}], channel_id=ORDERS
    )
    [message] = await slack.messages()
    assert message["files"][0]["title"] == "The plan"
    async with slack.http.get(done["files"][0]["url_private"]) as response:
        assert await response.read() == content


async def uploaded(slack: Rig, content: bytes, **about: Any) -> str:
    """Upload, without completing."""
    step = await slack.ok("files.getUploadURLExternal", length=len(content), **about)
    async with slack.http.post(step["upload_url"], data=content) as response:
        assert response.status == 200
    return str(step["file_id"])


async def test_a_picture_keeps_its_bytes_and_its_description(slack: Rig) -> None:
    file_id = await uploaded(slack, PNG, filename="chart.png", alt_txt="p99: now 412 ms.")
    await slack.ok("files.completeUploadExternal", files=[{"id": file_id, "title": "Latency"}], channel_id=ORDERS)
    [message] = await slack.messages()
    (file,) = message["files"]
    told = {
        "mimetype": "image/png",
        "alt_txt": "p99: now 412 ms.",
        "title": "Latency",
        "original_w": 2,
        "original_h": 3,
    }
    assert file.items() >= told.items()
    async with slack.http.get(file["url_private"]) as response:
        assert (response.content_type, await response.read()) == ("image/png", PNG)


async def test_a_text_that_is_called_a_picture_is_a_text(slack: Rig) -> None:
    file_id = await uploaded(slack, b"no picture", filename="chart.png")
    done = await slack.ok("files.completeUploadExternal", files=[{"id": file_id}])
    assert done["files"][0]["mimetype"] == "text/plain"


async def test_an_upload_is_completed_once_and_after_its_bytes(slack: Rig) -> None:
    step = await slack.ok("files.getUploadURLExternal", filename="chart.png", length=len(PNG))
    assert (await slack.api("files.completeUploadExternal", files=[{"id": step["file_id"]}]))[
        "error"
    ] == "file_not_found"
    async with slack.http.post(step["upload_url"], data=PNG) as response:
        assert response.status == 200
    await slack.ok("files.completeUploadExternal", files=[{"id": step["file_id"]}], channel_id=ORDERS)
    again = await slack.api("files.completeUploadExternal", files=[{"id": step["file_id"]}], channel_id=ORDERS)
    assert again["error"] == "file_not_found"
    assert len(await slack.messages()) == 1


async def test_a_description_of_more_than_1000_characters_is_refused(slack: Rig) -> None:
    refused = await slack.api("files.getUploadURLExternal", filename="chart.png", length=4, alt_txt="x" * 1001)
    assert refused["error"] == "alt_txt_too_large"


async def test_a_block_shows_a_picture_that_was_uploaded_in_full_and_no_other_file(slack: Rig) -> None:
    picture = await uploaded(slack, PNG, filename="chart.png")
    text = await uploaded(slack, b"text", filename="plan.txt")
    await slack.ok("files.completeUploadExternal", files=[{"id": text}])

    def block(file_id: str) -> list[Any]:
        return [{"type": "image", "alt_text": "a chart", "slack_file": {"id": file_id}}]

    for wrong in (picture, text, "F0UNKNOWN"):
        refused = await slack.api("chat.postMessage", channel=ORDERS, text="x", blocks=block(wrong))
        assert refused["error"] == "invalid_blocks"
        assert "invalid slack file" in refused["errors"][0]
    await slack.ok("files.completeUploadExternal", files=[{"id": picture}])
    await slack.ok("chat.postMessage", channel=ORDERS, text="x", blocks=block(picture))


async def test_uploads_that_slack_refuses(slack: Rig) -> None:
    step = await slack.ok("files.getUploadURLExternal", filename="plan.txt", length=5)
    unknown = await slack.api("files.completeUploadExternal", files=[{"id": step["file_id"]}])
    assert unknown["error"] == "file_not_found", "nothing has been sent yet"
    async with slack.http.post(step["upload_url"], data=b"too much") as response:
        assert response.status == 400
    assert (await slack.api("files.getUploadURLExternal", filename="x", length=0))["error"] == "invalid_arguments"


async def test_a_burst_in_one_channel_is_let_through_then_one_a_second(slack: Rig) -> None:
    for _ in range(10):
        await post(slack)
    headers = {"Authorization": f"Bearer {TOKENS.bot}"}
    call = {"channel": ORDERS, "text": "one too many"}
    async with slack.http.post(f"{slack.url}/api/chat.postMessage", json=call, headers=headers) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "1")
        assert (await response.json())["error"] == "ratelimited"
    await slack.ok("chat.postMessage", channel="C0PLATFORM1", text="another channel is free")
    await slack.clock.advance(timedelta(seconds=2))
    await post(slack)


async def test_a_method_beyond_its_tier_waits_for_the_clock(slack: Rig) -> None:
    ts = (await post(slack))["ts"]
    for _ in range(50):
        await slack.ok("chat.update", channel=ORDERS, ts=ts, text="again")
    limited = [await slack.api("chat.update", channel=ORDERS, ts=ts, text="again") for _ in range(30)]
    assert "ratelimited" in {answer.get("error") for answer in limited}
    await slack.ok("auth.test")
    await slack.clock.advance(timedelta(minutes=1))
    await slack.ok("chat.update", channel=ORDERS, ts=ts, text="again")


async def test_the_log_holds_every_call_and_no_secret(slack: Rig) -> None:
    await post(slack)
    await slack.api("chat.postMessage", channel=ORDERS, text="x", blocks=[{"type": "nonsense"}])
    entries = await slack.log("call")
    assert [(entry["name"], entry["result"]["ok"]) for entry in entries] == [
        ("chat.postMessage", True),
        ("chat.postMessage", False),
    ]
    assert entries[0]["violations"] == []
    assert "invalid_blocks" in entries[1]["violations"][0]
    written = str(await slack.log())
    assert all(secret not in written for secret in (TOKENS.bot, TOKENS.app, TOKENS.signing_secret))
    assert (await slack.see("log", since=entries[0]["n"]))["entries"] == [entries[1]]


async def test_the_granted_scopes_are_told_in_a_header(slack: Rig, bot: Bot) -> None:
    headers = {"Authorization": f"Bearer {TOKENS.bot}"}
    async with slack.http.post(f"{slack.url}/api/auth.test", headers=headers) as response:
        assert set(response.headers["x-oauth-scopes"].split(",")) == SCOPES
    assert bot.heard == []


NAMES = (
    "channel", "channel_id", "users", "user", "user_id", "ts", "timestamp", "message_ts", "thread_ts", "text", "blocks",
    "attachments", "metadata", "view", "view_id", "external_id", "trigger_id", "hash", "limit", "cursor", "oldest",
    "latest", "types", "files", "filename", "length", "name", "email", "bot", "usergroup", "markdown_text", "username",
)  # fmt: skip


@pytest.mark.parametrize("value", [0, -1, 1.5, True, [], [1], {}, {"type": "x"}, "x", "-", "{", "[1]", None, "\0"])
async def test_arguments_of_any_kind_end_in_an_answer_of_slack(tmp_path: Path, value: Any) -> None:
    async with running(tmp_path, rate_limits=False) as slack:
        posted = await slack.ok("chat.postMessage", channel=ORDERS, text="hello")
        for method in METHODS:
            for known in ({}, {"channel": ORDERS, "ts": posted["ts"], "text": "x", "user": AUTHOR, "user_id": AUTHOR}):
                token = TOKENS.app if METHODS[method].caller == "app" else TOKENS.bot
                answer = await slack.api(method, token=token, **{**dict.fromkeys(NAMES, value), **known})
                assert isinstance(answer["ok"], bool)
