"""Which channel a call means, and whether the app may act in it."""

from __future__ import annotations

from playground.slack.call import Call
from playground.slack.refusals import SlackRefusal
from playground.slack.store import Json


def visible(call: Call, name: str = "channel") -> Json:
    """Return the channel that an argument names, as far as the app can see it."""
    wanted = call.required(name)
    directory = call.slack.directory
    channel = directory.find_channel(wanted)
    if channel is None or (channel["is_private"] and directory.bot_user not in channel["members"]):
        raise SlackRefusal("channel_not_found")
    return channel


def to_post_in(call: Call) -> Json:
    """Return the channel that the app may post in; a user's id means the app's IM with that user."""
    directory = call.slack.directory
    person = directory.users.get(call.required("channel"))
    if person is not None and not person["is_bot"]:
        return directory.open_direct(person["id"])
    channel = visible(call)
    if channel["is_archived"]:
        raise SlackRefusal("is_archived")
    if directory.bot_user not in channel["members"] and "chat:write.public" not in call.slack.app.scopes:
        raise SlackRefusal("not_in_channel")
    return channel


def to_read(call: Call) -> Json:
    """Return the channel whose messages the app may read: one it is in, with the scope for its kind."""
    channel = visible(call)
    kind = "im" if channel["is_im"] else "groups" if channel["is_private"] else "channels"
    call.needs(f"{kind}:history")
    if call.slack.directory.bot_user not in channel["members"]:
        raise SlackRefusal("not_in_channel")
    return channel
