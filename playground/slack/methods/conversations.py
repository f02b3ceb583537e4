"""conversations.*: channels, their members and what was said in them."""

from __future__ import annotations

import re
from html import escape

from playground.slack.call import Call, method
from playground.slack.methods.channels import to_read, visible
from playground.slack.rates import Tier
from playground.slack.refusals import SlackRefusal
from playground.slack.shapes import slack_channel
from playground.slack.store import Json

_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
_KINDS = {"public_channel": "channels:read", "private_channel": "groups:read", "im": "im:read", "mpim": "mpim:read"}
_LATEST = "9999999999.999999"
LONGEST_NAME, LONGEST_TOPIC = 80, 250


@method("conversations.list", Tier.TWO, *_READ)
def list_channels(call: Call) -> Json:
    kinds = str(call.text("types", "public_channel")).replace(" ", "").split(",")
    for kind in kinds:
        if kind not in _KINDS:
            raise SlackRefusal("invalid_types")
        call.needs(_KINDS[kind])
    directory = call.slack.directory
    found = [
        slack_channel(channel, directory)
        for channel in directory.channels.values()
        if _kind(channel) in kinds
        and (not channel["is_private"] or directory.bot_user in channel["members"])
        and not (channel["is_archived"] and call.flag("exclude_archived"))
    ]
    page, metadata = call.page(found)
    return {"channels": page, "response_metadata": metadata}


def _kind(channel: Json) -> str:
    if channel["is_im"]:
        return "im"
    return "private_channel" if channel["is_private"] else "public_channel"


@method("conversations.info", Tier.THREE, *_READ)
def info(call: Call) -> Json:
    return {"channel": slack_channel(visible(call), call.slack.directory)}


@method("conversations.members", Tier.FOUR, *_READ)
def members(call: Call) -> Json:
    everyone = [{"id": member} for member in visible(call)["members"]]
    page, metadata = call.page(everyone)
    return {"members": [member["id"] for member in page], "response_metadata": metadata}


@method("conversations.join", Tier.THREE, "channels:join")
def join(call: Call) -> Json:
    channel = visible(call)
    if channel["is_archived"]:
        raise SlackRefusal("is_archived")
    if channel["is_private"]:
        raise SlackRefusal("method_not_supported_for_channel_type")
    directory = call.slack.directory
    return {"channel": slack_channel(directory.join(channel, directory.bot_user), directory)}


@method("conversations.create", Tier.TWO, "channels:manage", "groups:write")
def create(call: Call) -> Json:
    name = call.text("name")
    private = call.flag("is_private")
    if not name:
        raise SlackRefusal("invalid_name_required")
    if len(name) > LONGEST_NAME:
        raise SlackRefusal("invalid_name_maxlength")
    if name != name.lower() or not re.fullmatch(r"[\w-]+", name):
        raise SlackRefusal("invalid_name_specials")
    call.needs("groups:write" if private else "channels:manage")
    directory = call.slack.directory
    if directory.find_channel(name):
        raise SlackRefusal("name_taken")
    made = directory.create(name, [], is_private=private, bot=True, creator=directory.bot_user)
    return {"channel": slack_channel(made, directory)}


@method("conversations.setTopic", Tier.TWO, "channels:manage", "channels:write.topic", "groups:write")
def set_topic(call: Call) -> Json:
    channel = _managed(call)
    topic = str(call.arguments.get("topic") or "")
    if len(topic) > LONGEST_TOPIC:
        raise SlackRefusal("too_long")
    directory = call.slack.directory
    told = " ".join(escape(topic, quote=False).split())  # as Slack tells it from then on
    return {"channel": slack_channel(directory.change_channel(channel, topic=told), directory)}


@method("conversations.invite", Tier.THREE, "channels:manage", "channels:write.invites", "groups:write")
def invite(call: Call) -> Json:
    """All of them or nobody, as without `force`."""
    channel = _managed(call)
    directory = call.slack.directory
    wanted = call.required("users").split(",")
    for user in wanted:
        if user not in directory.users:
            raise SlackRefusal("user_not_found")
        if user == directory.bot_user:
            raise SlackRefusal("cant_invite_self")
        if user in channel["members"]:
            raise SlackRefusal("already_in_channel")
        if directory.users[user]["is_ultra_restricted"]:
            raise SlackRefusal("user_is_ultra_restricted")
        if directory.users[user]["is_external"]:
            raise SlackRefusal("cant_invite")
    for user in wanted:
        channel = directory.join(channel, user)
    return {"channel": slack_channel(channel, directory)}


@method("conversations.archive", Tier.TWO, "channels:manage", "groups:write")
def archive(call: Call) -> Json:
    channel = visible(call)
    if channel["name"] == "general":
        raise SlackRefusal("cant_archive_general")
    if channel["is_archived"]:
        raise SlackRefusal("already_archived")
    call.slack.directory.change_channel(channel, is_archived=True)
    return {}


def _managed(call: Call) -> Json:
    """Return the channel that the app may change: one that it is in and that is not archived."""
    channel = visible(call)
    if channel["is_archived"]:
        raise SlackRefusal("is_archived")
    if call.slack.directory.bot_user not in channel["members"]:
        raise SlackRefusal("not_in_channel")
    return channel


@method("conversations.open", Tier.THREE, "im:write", "mpim:write")
def open_direct(call: Call) -> Json:
    users = call.required("users").split(",")
    directory = call.slack.directory
    if len(users) != 1:
        raise SlackRefusal("method_not_supported_for_channel_type")
    if users[0] not in directory.users:
        raise SlackRefusal("user_not_found")
    channel = directory.open_direct(users[0])
    return {"channel": slack_channel(channel, directory) if call.flag("return_im") else {"id": channel["id"]}}


@method("conversations.history", Tier.THREE, *_HISTORY)
def history(call: Call) -> Json:
    """Newest first. Metadata is shown only with `include_all_metadata`; ephemeral messages never."""
    channel = to_read(call)
    limit = max(1, min(call.number("limit", 100), 999))
    cursor = call.text("cursor")
    found = call.slack.store.history(
        channel["id"],
        user=None,
        before=cursor or _ts(call, "latest", _LATEST),
        after=_ts(call, "oldest", "0"),
        limit=limit + 1,
        inclusive=call.flag("inclusive") and not cursor,
    )
    page = found[:limit]
    more = len(found) > limit
    messages = call.slack.messages
    return {
        "messages": [messages.as_slack(message, metadata=call.flag("include_all_metadata")) for message in page],
        "has_more": more,
        "pin_count": 0,
        "response_metadata": {"next_cursor": page[-1]["ts"] if more else ""},
    }


def _ts(call: Call, name: str, default: str) -> str:
    """Return a timestamp as messages carry it, so that it compares as text: ten digits, a dot and six digits."""
    given = call.text(name)
    if given is None or given.strip("0.") == "":
        return default
    if not re.fullmatch(r"\d{1,10}(\.\d*)?", given):
        raise SlackRefusal(f"invalid_ts_{name}")
    seconds, _, fraction = given.partition(".")
    return f"{seconds:0>10}.{fraction[:6]:0<6}"


@method("conversations.replies", Tier.THREE, *_HISTORY)
def replies(call: Call) -> Json:
    channel = to_read(call)
    slack = call.slack
    asked = slack.messages.get(channel["id"], call.required("ts"))
    if asked is None:
        raise SlackRefusal("thread_not_found")
    oldest, latest = _ts(call, "oldest", "0"), _ts(call, "latest", _LATEST)
    thread = [
        slack.messages.as_slack(message, metadata=call.flag("include_all_metadata"))
        for message in slack.store.thread(channel["id"], asked["thread_ts"] or asked["ts"], user=None)
        if message["ts"] == asked["ts"] or oldest < message["ts"] <= latest
    ]
    page, metadata = call.page(thread, 1000)
    return {"messages": page, "has_more": bool(metadata["next_cursor"]), "response_metadata": metadata}
