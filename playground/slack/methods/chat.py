"""chat.* and reactions.*: what the app says in channels."""

from __future__ import annotations

from playground.slack import content, limits
from playground.slack.call import Call, method
from playground.slack.methods.channels import to_post_in, visible
from playground.slack.rates import Tier
from playground.slack.refusals import SlackRefusal
from playground.slack.store import Json


@method("chat.postMessage", Tier.POSTING, "chat:write")
def post_message(call: Call) -> Json:
    channel = to_post_in(call)
    given = content.read(call)
    if content.is_empty(given):
        raise SlackRefusal("no_text")
    given["metadata"] = content.metadata_of(call.json("metadata", "invalid_metadata_format"))
    given["thread_ts"] = _thread(call, channel)
    if given["thread_ts"] and call.flag("reply_broadcast"):
        given["subtype"] = "thread_broadcast"
    if call.text("username"):
        call.needs("chat:write.customize")
        given["username"] = call.text("username")
    slack = call.slack
    slack.rates.count_post(channel["id"])
    message = slack.messages.post(channel["id"], slack.directory.bot_user, {**slack.bot_content(), **given})
    return {"channel": channel["id"], "ts": message["ts"], "message": slack.messages.as_slack(message, metadata=True)}


def _thread(call: Call, channel: Json) -> str | None:
    """Return the root of the thread to reply in; a reply's own timestamp stands for its root."""
    thread_ts = call.text("thread_ts")
    if thread_ts is None:
        return None
    root = call.slack.messages.get(channel["id"], thread_ts)
    if root is None:
        raise SlackRefusal("thread_not_found")
    return str(root["thread_ts"] or root["ts"])


@method("chat.postEphemeral", Tier.FOUR, "chat:write")
def post_ephemeral(call: Call) -> Json:
    channel = to_post_in(call)
    user = call.required("user")
    if user not in channel["members"]:
        raise SlackRefusal("user_not_in_channel")
    given = content.read(call)
    if content.is_empty(given):
        raise SlackRefusal("no_text")
    slack = call.slack
    given = {**slack.bot_content(), **given, "thread_ts": _thread(call, channel)}
    message = slack.messages.post(channel["id"], slack.directory.bot_user, given, ephemeral_to=user)
    return {"message_ts": message["ts"]}


@method("chat.update", Tier.THREE, "chat:write")
def update(call: Call) -> Json:
    """Change an own message. Text without blocks takes the old blocks away; with blocks there is no "edited" mark."""
    message = _own(call, "cant_update_message")
    given = content.read(call, longest=limits.MESSAGE_TEXT_ADVISED)
    slack = call.slack
    metadata = call.json("metadata", "invalid_metadata_format")
    if metadata is not None:
        given["metadata"] = content.metadata_of(metadata)
    elif content.is_empty(given):
        raise SlackRefusal("no_text")
    if "blocks" not in given and "text" in given:
        given.update(blocks=[], edited={"user": slack.directory.bot_user, "ts": slack.messages.next_ts()})
    message = slack.messages.change(message, **given)
    shown = slack.messages.as_slack(message)
    return {"channel": message["channel"], "ts": message["ts"], "text": message["text"], "message": shown}


@method("chat.delete", Tier.THREE, "chat:write")
def delete(call: Call) -> Json:
    message = _own(call, "cant_delete_message")
    call.slack.messages.delete(message)
    return {"channel": message["channel"], "ts": message["ts"]}


def _own(call: Call, refusal: str) -> Json:
    channel = visible(call)
    message = call.slack.messages.get(channel["id"], call.required("ts"))
    if message is None or message["deleted"]:
        raise SlackRefusal("message_not_found")
    if message["bot_id"] != call.slack.directory.bot_id:
        raise SlackRefusal(refusal)
    if channel["is_archived"]:
        raise SlackRefusal("is_archived")
    return message


@method("chat.getPermalink", Tier.SPECIAL)
def get_permalink(call: Call) -> Json:
    message = _seen(call, "message_ts")
    path = f"archives/{message['channel']}/p{message['ts'].replace('.', '')}"
    return {"channel": message["channel"], "permalink": f"{call.slack.base_url}/{path}"}


@method("blocks.validate", Tier.THREE, caller="anyone")
def validate(call: Call) -> Json:
    content.blocks_of(call.json("blocks", "invalid_blocks_format"))
    return {}


@method("reactions.add", Tier.THREE, "reactions:write")
def add_reaction(call: Call) -> Json:
    message = _seen(call, "timestamp")
    if not call.slack.messages.react(message, call.slack.directory.bot_user, call.required("name").strip(":")):
        raise SlackRefusal("already_reacted")
    return {}


@method("reactions.remove", Tier.TWO, "reactions:write")
def remove_reaction(call: Call) -> Json:
    message = _seen(call, "timestamp")
    if not call.slack.messages.unreact(message, call.slack.directory.bot_user, call.required("name").strip(":")):
        raise SlackRefusal("no_reaction")
    return {}


def _seen(call: Call, argument: str) -> Json:
    channel = visible(call)
    message = call.slack.messages.get(channel["id"], call.required(argument))
    if message is None:
        raise SlackRefusal("message_not_found")
    return message
