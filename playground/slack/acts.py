"""What people do in Slack: run commands, write, click, open Home; each becomes a delivery to the app."""

from __future__ import annotations

from typing import Any, Final

from playground.slack import payloads
from playground.slack.blocks import find
from playground.slack.delivery import Delivered, Deliveries, Kind
from playground.slack.directory import SLACKBOT
from playground.slack.events import Events
from playground.slack.forms import Forms
from playground.slack.hooks import answered_command
from playground.slack.messages import all_blocks
from playground.slack.refusals import ClientRefusal
from playground.slack.state import state_values
from playground.slack.store import Json
from playground.slack.typed import encode
from playground.slack.workspace import Workspace

_CLICKED: Final = ("button", "workflow_button", "feedback_buttons", "icon_button")


class Acts:
    def __init__(self, slack: Workspace, deliveries: Deliveries, events: Events) -> None:
        self._slack = slack
        self._deliveries = deliveries
        self._events = events
        self.forms = Forms(slack, deliveries)

    async def command(self, user: Json, channel: Json, word: str, text: str) -> Json:
        """Run a slash command and show what the app answers, or Slackbot's word that it did not.

        Slack offers no command to a person of another organisation; here it is sent, so that the app's own refusal
        can be tried.
        """
        known = {command["command"]: command for command in self._slack.app.commands}
        if (known and word not in known) or "commands" not in self._slack.app.scopes:
            raise ClientRefusal(404, "no_such_command", f"`{word}` is not a command that Slack was told about.")
        after = self._slack.stream.last
        if known.get(word, {}).get("should_escape", True):
            text = encode(text, self._slack.directory, names=True)
        url = self._slack.urls.mint(user["id"], channel["id"])
        payload = {
            **payloads.command(self._slack, user, channel, word, text),
            "response_url": url,
            "trigger_id": self._slack.triggers.mint(user["id"], channel["id"]),
        }
        result = await self._deliveries.send("command", payload)
        grant = {"user": user["id"], "channel": channel["id"], "thread_ts": None}
        if result.ok:
            result.violations += answered_command(self._slack, grant, result.body)
        else:
            said = {"text": f"{word} failed with the error “{result.error}”."}
            self._slack.messages.post(channel["id"], SLACKBOT, said, ephemeral_to=user["id"])
        self._deliveries.record("command", "command", payload, result)
        return {**result.shown(), "after": after}

    def write(self, user: Json, channel: Json, text: str, thread_ts: str | None) -> Json:
        if channel["is_archived"]:
            raise ClientRefusal(409, "is_archived", f"#{channel['name']} is archived; nobody can write there.")
        root = self._slack.messages.get(channel["id"], thread_ts) if thread_ts else None
        if thread_ts and root is None:
            raise ClientRefusal(404, "message_not_found", f"There is no message {thread_ts} to reply to.")
        after = self._slack.stream.last
        said = {"text": encode(text, self._slack.directory), "thread_ts": root and (root["thread_ts"] or root["ts"])}
        message = self._slack.messages.post(channel["id"], user["id"], said)
        return {"ts": message["ts"], "channel": channel["id"], "after": after}

    def remove(self, user: Json, channel: Json, ts: str) -> None:
        message = self._message(user, channel, ts)
        if message["user"] != user["id"]:
            raise ClientRefusal(409, "cant_delete_message", "A person can only delete own messages.")
        self._slack.messages.delete(message)

    def react(self, user: Json, channel: Json, ts: str, name: str, *, remove: bool) -> None:
        message = self._message(user, channel, ts)
        if remove:
            self._slack.messages.unreact(message, user["id"], name)
        elif self._slack.messages.react(message, user["id"], name):
            self._events.reacted(user["id"], message, name)

    def _message(self, user: Json, channel: Json, ts: str) -> Json:
        message = self._slack.messages.get(channel["id"], ts, user["id"])
        if message is None or message["deleted"]:
            raise ClientRefusal(404, "message_not_found", f"This person sees no message {ts} in #{channel['name']}.")
        return message

    async def click(
        self, user: Json, place: Json, action_id: str, block_id: str | None, *, value: Any, values: Json
    ) -> Json:
        """Use an element of a message (`{"channel": …, "ts": …}`) or of a view (`{"view": …}`)."""
        view = place.get("view")
        message = None if view else self._clickable_message(user, place["channel"], place["ts"])
        blocks = view["blocks"] if view else all_blocks(message or {})
        found = find(blocks, action_id, block_id, value)
        if found is None or (found[0]["type"] == "input" and not found[0].get("dispatch_action")):
            raise ClientRefusal(409, "not_clickable", f"There is no `{action_id}` to be clicked here (any more).")
        block, element = found
        if view:
            await self.forms.enter(user, view, values)
        chosen = await self._chosen(user, place, block, element, value)
        payload = self._payload(user, place, message)
        if view is None:
            entered = {block["block_id"]: {element["action_id"]: chosen}} if chosen and "type" in chosen else {}
            payload["state"] = {"values": state_values(blocks, entered, place["channel"]["id"])}
        action_ts = self._slack.messages.next_ts()
        payload["actions"] = [payloads.action(block, element, chosen, action_ts)]
        return await self._interact("interaction", "block_actions", payload)

    def _clickable_message(self, user: Json, channel: Json, ts: str) -> Json:
        message = self._slack.messages.get(channel["id"], ts, user["id"])
        hidden = channel["is_private"] and user["id"] not in channel["members"]
        if message is None or message["deleted"] or hidden:
            raise ClientRefusal(409, "not_clickable", f"This person sees no message {ts} in #{channel['name']}.")
        return message

    async def _chosen(self, user: Json, place: Json, block: Json, element: Json, value: Any) -> Json | None:
        """Return what the element shows after it was used: a state, an overflow's option, or nothing for a button."""
        kind = element["type"]
        if kind == "feedback_buttons":
            sides = (element["positive_button"], element["negative_button"])
            side = next((side for side in sides if side["value"] == value), sides[0])
            return {"value": side["value"], "text": side["text"]}
        if kind in _CLICKED:
            return None
        if kind == "overflow":
            option = next((option for option in element["options"] if option["value"] == value), None)
            if option is None:
                raise ClientRefusal(409, "not_clickable", f"`{value}` is not in that menu.")
            return {"selected_option": option}
        state = await self.forms.chosen(user, place, block, element, value)
        if place.get("view"):
            self._slack.views.enter(place["view"], {block["block_id"]: {element["action_id"]: state}})
        return state

    def _payload(self, user: Json, place: Json, message: Json | None) -> Json:
        view = place.get("view")
        if view:
            payload = payloads.in_view(self._slack, "block_actions", user, view)
            trigger = self._slack.triggers.mint(user["id"], view["channel"], view["id"])
            return {**payload, "trigger_id": trigger}
        channel = place["channel"]
        shown = payloads.in_message(self._slack, "block_actions", user, channel, message or {})
        url = self._slack.urls.mint(
            user["id"], channel["id"], original_ts=(message or {})["ts"], thread_ts=(message or {})["thread_ts"]
        )
        return {**shown, "response_url": url, "trigger_id": self._slack.triggers.mint(user["id"], channel["id"])}

    async def _interact(self, kind: Kind, name: str, payload: Json) -> Json:
        result = await self._deliveries.send(kind, payload)
        self._deliveries.record(kind, name, payload, result)
        return result.shown()

    def joined(self, user: str, channel: str) -> None:
        self._events.joined(user, channel)

    def open_home(self, user: Json) -> Json:
        after = self._slack.stream.last
        self._events.home_opened(user["id"], self._slack.directory.open_direct(user["id"])["id"])
        return {"after": after}

    async def redeliver(self, count: int) -> list[Json]:
        """Send the last deliveries again, bodies unchanged, as after a late answer. What comes back is not obeyed."""
        again = []
        for entry in self._slack.log.deliveries(count):
            kind = entry["channel_kind"]
            result: Delivered = await self._deliveries.send(kind, entry["arguments"], retry=1)
            self._deliveries.record(kind, entry["name"], entry["arguments"], result, retry=1)
            again.append({**result.shown(), "kind": entry["name"]})
        return again
