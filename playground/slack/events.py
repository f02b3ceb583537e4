"""The Events API: callbacks for what happens, sent again as Slack does when the app does not take them."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

from playground.slack import limits
from playground.slack.delivery import Deliveries
from playground.slack.payloads import event
from playground.slack.store import Json
from playground.slack.workspace import Workspace

POLL_S: Final = 0.25
"""How often a waiting retry looks at the playground's clock, which may jump."""


class Events:
    """Sends events in the background. What still has to be sent again survives a restart."""

    def __init__(self, slack: Workspace, deliveries: Deliveries) -> None:
        self._slack = slack
        self._deliveries = deliveries
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()
        slack.messages.on_posted.append(self._on_posted)

    def start(self) -> None:
        for waiting in self._slack.store.all("retry"):
            self._run(waiting["payload"], waiting["attempt"], waiting["reason"], waiting["due"])

    async def close(self) -> None:
        self._closing.set()
        for task in list(self._tasks):
            task.cancel()
        for task in list(self._tasks):
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def home_opened(self, user: str, channel: str) -> None:
        home = self._slack.views.home(user)
        shown: dict[str, Any] = {"view": self._slack.views.as_slack(home)} if home else {}
        self._tell("app_home_opened", {"user": user, "channel": channel, "tab": "home", **shown})

    def reacted(self, user: str, message: Json, name: str) -> None:
        item = {"type": "message", "channel": message["channel"], "ts": message["ts"]}
        inner = {"user": user, "reaction": name, "item": item, "item_user": message["user"]}
        self._tell("reaction_added", inner)

    def joined(self, user: str, channel: str) -> None:
        self._tell("member_joined_channel", {"user": user, "channel": channel, "channel_type": "C"})

    def _on_posted(self, message: Json) -> None:
        if message["ephemeral_to"]:
            return
        channel = self._slack.directory.channels[message["channel"]]
        if self._slack.directory.bot_user not in channel["members"]:
            return
        shown = {**self._slack.messages.as_slack(message), "channel": channel["id"], "event_ts": message["ts"]}
        kind, channel_type = ("message.im", "im") if channel["is_im"] else ("message.channels", "channel")
        if channel["is_private"] and not channel["is_im"]:
            kind, channel_type = "message.groups", "group"
        self._tell(kind, {**shown, "channel_type": channel_type}, as_type="message")
        if f"<@{self._slack.directory.bot_user}>" in message["text"] and not message["bot_id"]:
            self._tell("app_mention", shown)

    def _tell(self, kind: str, inner: Json, as_type: str | None = None) -> None:
        if self._slack.app.hears(kind):
            stamp = {"event_ts": inner.get("event_ts") or self._slack.messages.next_ts()}
            self._run(event(self._slack, {**inner, **stamp, "type": as_type or kind}))

    def _run(self, payload: Json, attempt: int = 0, reason: str = "", due: float = 0.0) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(payload, attempt, reason, due))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, payload: Json, attempt: int, reason: str, due: float) -> None:
        name, key = payload["event"]["type"], payload["event_id"]
        while True:
            await self._until(due)
            result = await self._deliveries.send("event", payload, retry=attempt, reason=reason)
            self._deliveries.record("event", name, payload, result, retry=attempt)
            if result.taken or result.no_retry or attempt >= len(limits.EVENT_RETRIES_S):
                break
            reason, due = result.reason, self._slack.clock().timestamp() + limits.EVENT_RETRIES_S[attempt]
            attempt += 1
            waiting = {"payload": payload, "attempt": attempt, "reason": reason, "due": due}
            self._slack.store.put("retry", key, waiting)
        self._slack.store.delete("retry", key)

    async def _until(self, due: float) -> None:
        while (left := due - self._slack.clock().timestamp()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, POLL_S)):
                    await self._closing.wait()
