"""Messages: posted, changed, deleted, reacted to; kept as they are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playground.clock import PlaygroundClock
from playground.slack import blocks as block_kit
from playground.slack.store import Json, Store
from playground.slack.stream import Stream

_SIM_ONLY = ("channel", "ephemeral_to", "deleted", "username", "metadata")


class Messages:
    def __init__(self, store: Store, stream: Stream, clock: PlaygroundClock, team_id: str) -> None:
        self._store = store
        self._stream = stream
        self._clock = clock
        self._team_id = team_id
        self._last_us = _microseconds(store.newest_ts() or "0.0")
        self.on_posted: list[Callable[[Json], None]] = []

    def next_ts(self) -> str:
        """Return a timestamp that no message has: later than every one before, in microseconds."""
        self._last_us = max(int(self._clock().timestamp() * 1_000_000), self._last_us + 1)
        return f"{self._last_us // 1_000_000}.{self._last_us % 1_000_000:06d}"

    def post(self, channel: str, user: str, content: Json, *, ephemeral_to: str | None = None) -> Json:
        """Store a new message of `content`: any of text, blocks, attachments, metadata, files, thread_ts, subtype."""
        message: Json = {
            "type": "message",
            "ts": self.next_ts(),
            "channel": channel,
            "user": user,
            "bot_id": None,
            "username": None,
            "text": "",
            "attachments": [],
            "metadata": None,
            "files": [],
            "thread_ts": None,
            "edited": None,
            "reactions": [],
            "ephemeral_to": ephemeral_to,
            "reply_count": 0,
            "latest_reply": None,
            "subtype": None,
            "deleted": False,
            **content,
        }
        message["blocks"] = block_kit.stored(message.get("blocks") or [])
        message["attachments"] = _attached(message["attachments"])
        with self._store.together():
            self._store.put_message(message)
            self._stream.add("message_posted", channel=channel, ts=message["ts"], message=message)
            if message["thread_ts"] and not ephemeral_to:
                self._count_reply(message)
        for listener in self.on_posted:
            listener(message)
        return message

    def _count_reply(self, reply: Json, by: int = 1) -> None:
        """Tell a thread's root of a reply more, or fewer."""
        root = self._store.message(reply["channel"], reply["thread_ts"])
        if root is None:
            return
        root["reply_count"] += by
        if by > 0:
            root["latest_reply"] = reply["ts"]
        else:
            thread = self._store.thread(root["channel"], root["ts"], user=None)
            root["latest_reply"] = thread[-1]["ts"] if root["reply_count"] else None
        root["thread_ts"] = root["ts"] if root["reply_count"] else None
        self._save(root)

    def get(self, channel: str, ts: str, user: str | None = None) -> Json | None:
        """Return a message; an ephemeral one only to whom it was shown."""
        found = self._store.message(channel, ts)
        return found if found and found["ephemeral_to"] in (None, user) else None

    def change(self, message: Json, **fields: Any) -> Json:
        if "blocks" in fields:
            fields["blocks"] = block_kit.stored(fields["blocks"])
        if "attachments" in fields:
            fields["attachments"] = _attached(fields["attachments"])
        message.update(fields)
        self._save(message)
        return message

    def _save(self, message: Json) -> None:
        with self._store.together():
            self._store.put_message(message)
            self._stream.add("message_changed", channel=message["channel"], ts=message["ts"], message=message)

    def delete(self, message: Json) -> None:
        channel, ts = message["channel"], message["ts"]
        with self._store.together():
            if message["reply_count"]:  # a root with replies stays as a tombstone, so that its thread can be read
                self.change(message, text="This message was deleted.", blocks=[], files=[], metadata=None, deleted=True)
                message["subtype"] = "tombstone"
                self._store.put_message(message)
            else:
                self._store.delete_message(channel, ts)
            self._stream.add("message_deleted", channel=channel, ts=ts, ephemeral_to=message["ephemeral_to"])
            if message["thread_ts"] and message["thread_ts"] != ts and not message["ephemeral_to"]:
                self._count_reply(message, -1)

    def react(self, message: Json, user: str, name: str) -> bool:
        """Add a reaction. Return False when that user had given it already."""
        reaction = next((r for r in message["reactions"] if r["name"] == name), None)
        if reaction and user in reaction["users"]:
            return False
        if reaction is None:
            reaction = {"name": name, "count": 0, "users": []}
            message["reactions"].append(reaction)
        reaction["users"].append(user)
        reaction["count"] += 1
        self._save(message)
        return True

    def unreact(self, message: Json, user: str, name: str) -> bool:
        """Take a reaction back. Return False when that user had not given it."""
        reaction = next((r for r in message["reactions"] if r["name"] == name and user in r["users"]), None)
        if reaction is None:
            return False
        reaction["users"].remove(user)
        reaction["count"] -= 1
        message["reactions"] = [r for r in message["reactions"] if r["count"]]
        self._save(message)
        return True

    def as_slack(self, message: Json, *, metadata: bool = False) -> Json:
        """Return a message as Slack's Web API and payloads show it; metadata only where it was asked for."""
        shown = {name: value for name, value in message.items() if name not in _SIM_ONLY and value not in (None, [], 0)}
        shown.setdefault("text", "")
        shown["team"] = self._team_id
        if metadata and message["metadata"]:
            shown["metadata"] = message["metadata"]
        return shown


def _attached(attachments: list[Json]) -> list[Json]:
    return [{**one, "blocks": block_kit.stored(one["blocks"])} if one.get("blocks") else one for one in attachments]


def all_blocks(message: Json) -> list[Json]:
    """Return a message's blocks, those of its attachments included."""
    return [*message["blocks"], *(block for one in message["attachments"] for block in one.get("blocks", []))]


def _microseconds(ts: str) -> int:
    seconds, _, fraction = ts.partition(".")
    return int(seconds) * 1_000_000 + int(fraction)
