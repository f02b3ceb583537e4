"""What the button `why` of an alert's card does: the answer stands in the thread of the card, where everybody reads it
who has to do with the alert; elsewhere than in its owners' channel, whoever asks reads it alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from bot.command import Answer, Context, Picture
from bot.completing import completed
from bot.model.alerts import AlertGroup
from bot.model.principal import Door
from bot.ports import AlertBook, Clock
from bot.slack.contracts import Blocks, Click
from bot.slack.help import marked
from bot.slack.limits import MESSAGE_TEXT
from bot.slack.message import Message
from bot.slack.mrkdwn import cut, escape, mention
from bot.slack.outbox_rows import CardPlace

Ask = Callable[[str, str, Context], Awaitable[Answer]]
"""`(service, environment, context)`: asks `/health why` under its policy. Raises `PlatformError`."""

LOOKING = "I am looking into it; the answer comes below the card."


class Threads(Protocol):
    """What is needed of the outbox (`bot.slack.outbox.Outbox`)."""

    async def thread(self, operation_id: str, messages: Sequence[Message], *, key: str | None = None) -> None: ...
    async def ephemeral(
        self, *, channel: str, user: str, text: str, blocks: Blocks = (), key: str | None = None
    ) -> None: ...
    async def file(self, *, channel: str, user: str, file: Picture, comment: str, key: str | None = None) -> None: ...
    async def place(self, operation_id: str) -> CardPlace | None: ...


class WhyClicks:
    """Satisfies `OnClick` for values that are ids of groups of alerts. May be pressed again: other things are seen."""

    def __init__(
        self, book: AlertBook, ask: Ask, outbox: Threads, clock: Clock, sentence: Callable[[Exception], str]
    ) -> None:
        """`sentence` says what a person reads about an error."""
        self._book = book
        self._ask = ask
        self._outbox = outbox
        self._clock = clock
        self._sentence = sentence

    async def __call__(self, click: Click) -> str | None:
        """Return a sentence for the person alone, where there is one. Raise `PlatformError` where they may not ask."""
        group = await self._book.group(click.value)
        if group is None:
            return "This alert is not known any more."
        if not group.service:
            return marked("This alert is about no service of the catalog. Ask `/health why` with a service's name.")
        key = f"why:{group.id}:{click.trigger or click.message_ts}"
        answer = await self._ask(group.service, group.environment, self._context(click, key))
        if answer.complete is not None and click.channel:
            await self._outbox.ephemeral(channel=click.channel, user=click.user, text=LOOKING, key=f"{key}:looking")
        found = await completed(answer, self._sentence)
        await self._tell(click, group, found.answer, marked(found.missing), key)
        return None

    async def _tell(self, click: Click, group: AlertGroup, answer: Answer, missing: str, key: str) -> None:
        card = group.cause or group.id  # what is folded is told on another group's card
        text = "\n".join(filter(None, [cut(answer.text, MESSAGE_TEXT - 500), missing]))
        stands = await self._outbox.place(card)
        # What only who asked may read stays with them; so does what was asked in one channel, of a card in another.
        if answer.shared and stands is not None and stands.channel == click.channel:
            asked = f"{mention(click.user, click.principal.display_name)} asked why."
            shown = [dict(block) for block in answer.blocks]
            note = [asked, *([missing] if missing else [])]
            shown.append({"type": "context", "elements": [{"type": "mrkdwn", "text": " ".join(note)}]})
            await self._outbox.thread(card, [Message(text=text, blocks=tuple(shown), picture=answer.picture)], key=key)
            return
        channel = click.channel or click.user
        await self._outbox.ephemeral(channel=channel, user=click.user, text=text, blocks=answer.blocks, key=key)
        if answer.picture is not None:
            await self._outbox.file(
                channel="",
                user=click.user,
                file=answer.picture,
                comment=escape(answer.picture.title),
                key=f"{key}:picture",
            )

    def _context(self, click: Click, key: str) -> Context:
        return Context(
            operation=key,
            principal=click.principal,
            door=Door.SLACK,
            now=self._clock(),
            channel=click.channel or None,
        )
