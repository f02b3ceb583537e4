"""Telling one person something, where they are; and what they read when it was our fault."""

from __future__ import annotations

import hashlib
import logging
import secrets
from dataclasses import dataclass, replace

from bot.command import Answer
from bot.completing import completed
from bot.errors import PlatformError
from bot.slack import blocks as block
from bot.slack.contracts import Blocks, Replies
from bot.slack.envelope import Envelope
from bot.slack.help import marked
from bot.slack.limits import MESSAGE_TEXT
from bot.slack.mrkdwn import cut, escape, mention
from bot.slack.outbox_rows import TOLD

log = logging.getLogger(__name__)

OPEN_FORM = "form.open"
"""`action_id` of the button that opens a kept form; its value is the draft's id."""


_SENT_DIRECTLY = "The chart is in our direct messages: nobody else sees it there."


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an answer stands."""

    channel: str
    """In which everybody reads it; empty for the person alone."""
    thread: str | None
    can_edit: bool

    @classmethod
    def of(cls, envelope: Envelope, answer: Answer) -> _Place:
        is_channel = envelope.channel.startswith(("C", "G"))
        if answer.shared and is_channel:
            return cls(envelope.channel, envelope.thread or None, can_edit=True)
        return cls("", None, can_edit=not is_channel and answer.complete is not None)


class Telling:
    """Speaks to the person behind an envelope: ephemerally in their channel, directly where there is none."""

    def __init__(self, replies: Replies, contact: str) -> None:
        self._replies = replies
        self.contact = contact

    async def tell(self, envelope: Envelope, text: str, blocks: Blocks = ()) -> None:
        """`text` is mrkdwn, escaped already."""
        await self.tell_person(envelope.user, envelope.channel, text, blocks, key=f"told:{envelope.key}")

    async def answer(self, envelope: Envelope, answer: Answer) -> None:
        """Tell what a query answers: the first part at once, the whole when it is there.

        What everybody in the channel may read is a message there. What is for one person alone is ephemeral in a
        channel, and a message where they ask directly. Slack lets us edit messages, and nothing ephemeral: there the
        whole stands below the first part.
        """
        place = _Place.of(envelope, answer)
        if answer.complete is None:
            await self._say(envelope, place, answer, "told")
            await self._files(envelope, place, answer)
            return
        if envelope.attempt == 1:  # whoever takes up the work of a dead process must not go back to the first part
            await self._say(envelope, place, answer, "first")
        found = await completed(answer, lambda error: self.sentence(error, "answer.complete"))
        whole = _noted(found.answer, marked(found.missing)) if found.missing else found.answer
        if found.missing and not place.can_edit:
            whole = Answer(text=marked(found.missing))
        await self._say(envelope, place, whole, "whole")
        await self._files(envelope, place, whole)

    async def _say(self, envelope: Envelope, place: _Place, answer: Answer, part: str) -> None:
        if not place.can_edit:
            told = (
                _noted(answer, _SENT_DIRECTLY) if answer.picture and envelope.channel and not place.channel else answer
            )
            await self.tell_person(
                envelope.user, envelope.channel, told.text, told.blocks, key=f"{part}:{envelope.key}"
            )
            return
        identifier = f"{TOLD}{hashlib.sha256(envelope.key.encode()).hexdigest()[:24]}"
        await self._replies.tell(
            identifier,
            channel=place.channel or envelope.user,
            user=envelope.user,
            text=cut(answer.text, MESSAGE_TEXT),
            blocks=answer.blocks,
            thread_ts=place.thread,
            key=f"{identifier}:{part}",
        )

    async def _files(self, envelope: Envelope, place: _Place, answer: Answer) -> None:
        """A file cannot be ephemeral, so it names who asked for it."""
        for name, file in (("file", answer.file), ("picture", answer.picture)):
            if file is None:
                continue
            channel = place.channel or (envelope.channel if answer.file_for_channel else "")
            await self._replies.file(
                channel=channel,
                user=envelope.user,
                file=file,
                comment=f"{escape(file.title)}, asked for by {mention(envelope.user, 'somebody')}",
                thread_ts=place.thread,
                key=f"{name}:{envelope.key}",
            )

    async def tell_person(
        self, user: str, channel: str, text: str, blocks: Blocks = (), *, key: str | None = None
    ) -> None:
        text = cut(text, MESSAGE_TEXT)
        if channel:
            await self._replies.ephemeral(channel=channel, user=user, text=text, blocks=blocks, key=key)
        elif user:
            await self._replies.message(channel=user, text=text, blocks=blocks, key=key)

    def sentence(self, error: Exception, what: str) -> str:
        """Return what the person reads about `error`, as plain text with code in backticks. A defect is logged."""
        if isinstance(error, PlatformError):
            return str(error)
        reference = secrets.token_hex(4)
        log.error("slack_work_failed", exc_info=error, extra={"reference": reference, "what": what})
        return f"That did not work, and it is our fault. Quote `{reference}` in {self.contact}."


def open_form(text: str, draft: str, label: str = "Open the form") -> Blocks:
    """Return a sentence with the button that opens the draft's form."""
    button = block.button(label, OPEN_FORM, draft, style="primary")
    return [block.section(text), block.actions([button], block_id="form")]


def _noted(answer: Answer, note: str) -> Answer:
    """Return the answer with one line (mrkdwn) below it."""
    shown = [dict(one) for one in answer.blocks] or [block.section(answer.text)]
    return replace(answer, text=f"{answer.text}\n{note}", blocks=block.noted(shown, note))
