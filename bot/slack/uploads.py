"""How a file is sent: its bytes go to an address that Slack names, and then it is shared where it belongs.

Only a channel or a thread can hold a file; what one person alone reads in a channel cannot. So a file for one person
is written to them directly.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

from bot.command import Picture, TextFile
from bot.model.canonical import JSON
from bot.slack import limits
from bot.slack.gateway import Gateway, SlackRefused
from bot.slack.mrkdwn import cut, escape
from bot.slack.outbox_rows import OutboxRow, RowKind, Rows
from bot.slack.pace import Timer

PATIENCE_S = 2.0
"""Longest wait for our turn inside one delivery; with more to wait the row is put back."""

Payload = dict[str, Any]


class LooksBack(Protocol):
    def __call__(self, channel: str, thread: str | None, file_id: str, since: float) -> Awaitable[bool]:
        """Return whether that file stands there already."""


def told(file: TextFile | Picture) -> dict[str, JSON]:
    """Return a file as it is kept in the outbox, bytes as base64."""
    about: dict[str, JSON] = {"name": file.name, "title": file.title}
    if isinstance(file, TextFile):
        return about | {"text": file.text}
    return about | {"png": base64.b64encode(file.png).decode(), "alt": cut(file.alt, limits.ALT_TEXT)}


def is_too_large(file: TextFile | Picture) -> bool:
    """Whether a picture is larger than the outbox keeps."""
    return isinstance(file, Picture) and len(file.png) > limits.PICTURE_BYTES


def in_words(title: str, alt: str) -> str:
    """Return what stands in the place of a picture that cannot be shown, as mrkdwn."""
    return f"{escape(title)} (the picture could not be shown)\n{escape(alt)}"


class Uploads:
    """Sends files, safe to be killed at any point."""

    def __init__(self, gateway: Gateway, rows: Rows, timer: Timer, looks_back: LooksBack) -> None:
        self._gateway = gateway
        self._rows = rows
        self._timer = timer
        self._looks_back = looks_back

    async def share(self, row: OutboxRow, payload: Payload) -> None:
        """Upload, note the file's id, share. Only sharing can be seen, so only sharing must not happen twice.

        What we write to a person directly we may not read again. There a lost answer is found out by asking once more:
        Slack shares an upload once, and then does not know it any more.
        """
        channel, thread, file_id = payload["channel"], payload.get("thread_ts"), payload.get("file_id")
        since = row.sending_since if file_id is not None else None
        if file_id is None:
            file_id = await self._upload(payload)
        elif (
            since is not None and not payload.get("direct") and await self._looks_back(channel, thread, file_id, since)
        ):
            return
        noted = {**payload, "operation": row.payload.get("operation"), "file_id": file_id}
        await self._rows.change(row, payload=noted, sending_since=self._timer.now())
        try:
            await self._call(
                "files.completeUploadExternal",
                files=[{"id": file_id, "title": payload["title"]}],
                channel_id=channel,
                thread_ts=thread,
                initial_comment=payload.get("comment"),
            )
        except SlackRefused as error:
            if since is None or error.code != "file_not_found":
                raise

    async def to_person(self, row: OutboxRow, payload: Payload) -> Payload:
        """Say directly whose file it is, and note the channel in which that stands: files go to no person by id.

        What was uploaded for another channel is uploaded anew.
        """
        answer = await self._call("chat.postMessage", channel=payload["user"], text=payload["comment"])
        gone = ("user", "comment", "file_id", "thread_ts")
        kept = {name: value for name, value in payload.items() if name not in gone}
        direct = kept | {"channel": answer["channel"], "direct": True}
        await self._rows.change(row, payload=direct, sending_since=None)
        return direct

    async def in_words(self, row: OutboxRow) -> None:
        """Make the row a message that says what the picture shows; it goes out next."""
        given = row.payload
        place = {name: given[name] for name in ("operation", "thread_ts") if given.get(name)}
        if "operation" not in place:
            place["channel"] = given.get("channel") or given["user"]
        message = place | {"text": cut(in_words(given["title"], given["alt"]), limits.MESSAGE_TEXT)}
        now = self._timer.now()
        await self._rows.release(
            row, kind=RowKind.MESSAGE.value, payload=message, sending_since=None, not_before=now, attempts=0
        )

    async def _upload(self, payload: Mapping[str, Any]) -> str:
        is_picture = "png" in payload
        content = base64.b64decode(payload["png"]) if is_picture else str(payload["text"]).encode()
        place = await self._call(
            "files.getUploadURLExternal",
            filename=payload["name"],
            length=len(content),
            **({"alt_txt": payload["alt"]} if is_picture else {}),
        )
        await self._gateway.upload(str(place["upload_url"]), content)
        return str(place["file_id"])

    async def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        return await self._gateway.call(method, patience_s=PATIENCE_S, **arguments)


def is_picture(row: OutboxRow) -> bool:
    return row.kind is RowKind.FILE and "png" in row.payload
