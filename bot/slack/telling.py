"""Telling one person something, where they are; and what they read when it was our fault."""

from __future__ import annotations

import logging
import secrets

from bot.command import Answer
from bot.errors import PlatformError
from bot.slack import blocks as block
from bot.slack.contracts import Blocks, Replies
from bot.slack.envelope import Envelope
from bot.slack.limits import MESSAGE_TEXT
from bot.slack.mrkdwn import cut, escape, mention

log = logging.getLogger(__name__)

OPEN_FORM = "form.open"
"""`action_id` of the button that opens a kept form; its value is the draft's id."""


class Telling:
    """Speaks to the person behind an envelope: ephemerally in their channel, directly where there is none."""

    def __init__(self, replies: Replies, contact: str) -> None:
        self._replies = replies
        self.contact = contact

    async def tell(self, envelope: Envelope, text: str, blocks: Blocks = ()) -> None:
        """`text` is mrkdwn, escaped already."""
        await self.tell_person(envelope.user, envelope.channel, text, blocks, key=f"told:{envelope.key}")

    async def answer(self, envelope: Envelope, answer: Answer) -> None:
        """Tell what a query answers. A file cannot be ephemeral, so it names who asked for it."""
        await self.tell(envelope, answer.text, answer.blocks)
        if answer.file is not None:
            await self._replies.file(
                channel=envelope.channel if answer.file_for_channel else "",
                user=envelope.user,
                file=answer.file,
                comment=f"{escape(answer.file.title)}, asked for by {mention(envelope.user, 'somebody')}",
                key=f"file:{envelope.key}",
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
