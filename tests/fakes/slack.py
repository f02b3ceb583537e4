"""A Slack that keeps messages and can fail in every way Slack does; takes the place of the gateway."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.errors import OutcomeUnknown, UpstreamUnavailable
from bot.slack.gateway import SlackRefused
from bot.slack.pace import Pace


class Fault(StrEnum):
    BUSY = "busy"
    """429: not done."""
    UNREACHABLE = "unreachable"
    """Not done, and we know it."""
    LOST_BEFORE = "lost_before"
    """Not done, and we do not know it (500, nothing)."""
    LOST_AFTER = "lost_after"
    """Done, and we do not know it."""
    KILLED_BEFORE = "killed_before"
    """The process ends before Slack gets the call."""
    KILLED_AFTER = "killed_after"
    """The process ends after Slack has done it."""


class Killed(BaseException):
    """The process is gone."""


class FakeTimer:
    """Time that moves only when somebody sleeps."""

    def __init__(self, at: float = 1_795_424_400.0) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        await asyncio.sleep(0)


@dataclass
class Posted:
    channel: str
    ts: str
    text: str
    blocks: list[Any]
    metadata: Any
    thread_ts: str | None = None
    files: list[Any] = field(default_factory=list)
    drawn_at: list[float] = field(default_factory=list)


class FakeSlack:
    def __init__(self, timer: FakeTimer) -> None:
        self.timer = timer
        self.pace: Pace | None = None
        """Set: calls are counted, and `delay` says what Slack's limits say."""
        self.messages: list[Posted] = []
        self.heard = asyncio.Event()
        """Set once anything was posted."""
        self.whispers: list[dict[str, Any]] = []
        self.responses: list[dict[str, Any]] = []
        self.homes: dict[str, Any] = {}
        self.published = 0
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.faults: dict[str, deque[Fault]] = {}
        self.refusals: dict[str, str] = {}
        """Channel or method → Slack's error code."""
        self.files: dict[str, bytes] = {}
        self.busy: dict[str, float] = {}
        """Method → what `delay` says."""

    def fail(self, method: str, *faults: Fault) -> None:
        self.faults.setdefault(method, deque()).extend(faults)

    def delay(self, method: str, channel: str | None = None, *, ahead: int = 0) -> float:
        return max(self.busy.get(method, 0.0), self.pace.delay(method, channel, ahead=ahead) if self.pace else 0.0)

    async def call(self, method: str, *, patience_s: float | None = None, **arguments: Any) -> dict[str, Any]:
        self.calls.append((method, arguments))
        if self.pace:
            self.pace.take(method, arguments.get("channel"))
        fault = self.faults[method].popleft() if self.faults.get(method) else None
        _before(fault)
        for key in (method, str(arguments.get("channel") or arguments.get("channel_id"))):
            if key in self.refusals:
                raise SlackRefused(method, self.refusals[key])
        answer = getattr(self, "_" + method.replace(".", "_"))(**arguments)
        _after(fault)
        await asyncio.sleep(0)
        return {"ok": True, **answer}

    async def respond(self, response_url: str, payload: Mapping[str, Any]) -> None:
        fault = self.faults["response_url"].popleft() if self.faults.get("response_url") else None
        _before(fault)
        self.responses.append({"response_url": response_url, **payload})
        _after(fault)

    async def upload(self, upload_url: str, content: bytes) -> None:
        self.files[upload_url.rpartition("/")[2]] = content

    def cards(self, operation: str) -> list[Posted]:
        return [
            m for m in self.messages if m.metadata["event_payload"].get("operation") == operation and not m.thread_ts
        ]

    def _chat_postMessage(self, channel: str, text: str, **rest: Any) -> dict[str, Any]:  # noqa: N802 - Slack's name
        ts = f"{self.timer.at:.3f}{len(self.messages):03}"
        posted = Posted(channel, ts, text, rest.get("blocks", []), rest.get("metadata"), rest.get("thread_ts"))
        self.messages.append(posted)
        self.heard.set()
        return {"channel": f"D{channel}" if channel.startswith("U") else channel, "ts": ts}

    def _chat_update(self, channel: str, ts: str, text: str, **rest: Any) -> dict[str, Any]:
        for message in self.messages:
            if channel in (message.channel, f"D{message.channel}") and message.ts == ts:
                message.text, message.blocks = text, rest["blocks"]
                message.metadata = rest.get("metadata", message.metadata)
                message.drawn_at.append(self.timer.at)
                return {"channel": channel, "ts": ts}
        raise SlackRefused("chat.update", "message_not_found")

    def _chat_postEphemeral(self, **arguments: Any) -> dict[str, Any]:  # noqa: N802 - Slack's name
        self.whispers.append(arguments)
        return {"message_ts": "1.0"}

    def _conversations_history(self, channel: str, oldest: str, **_rest: Any) -> dict[str, Any]:
        return {"messages": [_shown(m) for m in self.messages if m.channel == channel and not m.thread_ts]}

    def _conversations_replies(self, channel: str, ts: str, **_rest: Any) -> dict[str, Any]:
        return {"messages": [_shown(m) for m in self.messages if m.channel == channel and ts in (m.thread_ts, m.ts)]}

    def _files_getUploadURLExternal(self, filename: str, length: int, alt_txt: str = "") -> dict[str, Any]:  # noqa: N802 - Slack's name
        file_id = f"F{len(self.files)}"
        return {"upload_url": f"https://files.example/{file_id}", "file_id": file_id}

    def _files_completeUploadExternal(  # noqa: N802 - Slack's name
        self, files: Any, channel_id: str, thread_ts: str | None, initial_comment: str | None = None
    ) -> dict[str, Any]:
        if channel_id.startswith("U"):
            raise SlackRefused("files.completeUploadExternal", "channel_not_found")
        self._chat_postMessage(channel_id, initial_comment or files[0]["title"], thread_ts=thread_ts)
        self.messages[-1].files = files
        return {}

    def _views_publish(self, user_id: str, view: Any) -> dict[str, Any]:
        self.homes[user_id] = view
        self.published += 1
        return {}


def _shown(message: Posted) -> dict[str, Any]:
    return {"ts": message.ts, "text": message.text, "metadata": message.metadata, "files": message.files}


def _before(fault: Fault | None) -> None:
    match fault:
        case Fault.BUSY:
            raise UpstreamUnavailable("Slack asked us to wait.", retry_after_s=3.0)
        case Fault.UNREACHABLE:
            raise UpstreamUnavailable("Slack could not be reached.")
        case Fault.LOST_BEFORE:
            raise OutcomeUnknown("Slack did not answer.")
        case Fault.KILLED_BEFORE:
            raise Killed


def _after(fault: Fault | None) -> None:
    if fault is Fault.LOST_AFTER:
        raise OutcomeUnknown("Slack did not answer.")
    if fault is Fault.KILLED_AFTER:
        raise Killed
