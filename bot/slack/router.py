"""From a delivery to what it asks for, by dict: commands, buttons, views, option lists, events."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from bot.command import AnyCommand, Context, Query
from bot.errors import PlatformError, UsageError, plainly
from bot.forms.model import Option
from bot.forms.rules import option_text
from bot.model.operation import Asked, Origin
from bot.model.principal import Door
from bot.slack import blocks, forms, grammar, limits
from bot.slack.bolt import Handler
from bot.slack.contracts import Answers, Click, HomeOpened, OnClick, OperationsDoor, OptionSource
from bot.slack.conversation import Conversation, operation_id
from bot.slack.envelope import Envelope, Kind
from bot.slack.help import help_text, marked, unknown_text
from bot.slack.identity import Identities
from bot.slack.mrkdwn import escape
from bot.slack.registry import ROOT, Found, Help, Registry, Unknown
from bot.slack.telling import OPEN_FORM, Telling

CREATE = "create:"
"""Beginning of the `action_id` of buttons that run a command; their value is its name and words."""
OPTIONS_S = 2.0
"""After this the last known list is answered, in seconds: Slack takes no late one."""
LINES = frozenset({"why", "logs", "rollback", "scale", "unscale", "restart", "health"})
"""Buttons of answers: a value that begins with `/` is a command line, typed by whoever presses the button."""
MAX_OFFERED = 512
DECISIONS = ("approve", "reject", "undo", "retry", "wait", "keep")
"""Buttons of cards whose value the engine knows."""


class Router:
    """One handler for each kind of delivery. What they raise is told to the person by `failed`."""

    def __init__(
        self,
        *,
        registry: Registry,
        answer: Answers,
        conversation: Conversation,
        identities: Identities,
        operations: OperationsDoor,
        options: OptionSource,
        telling: Telling,
        actions: Mapping[str, OnClick] | None = None,
        forms_of: Mapping[str, str] | None = None,
        home: HomeOpened | None = None,
    ) -> None:
        """`actions` are further buttons, by `action_id`; `forms_of` those that open a command's form, with their value
        as what was typed after it."""
        self._registry = registry
        self._answer = answer
        self._conversation = conversation
        self._identities = identities
        self._operations = operations
        self._options = options
        self._telling = telling
        self._home = home
        self._forms_of = dict(forms_of or {})
        self._offered: OrderedDict[tuple[str, str, str], list[dict[str, Any]]] = OrderedDict()
        self._actions: dict[str, OnClick] = {**dict.fromkeys(DECISIONS, self._decide), **(actions or {})}
        self._events: dict[str, Handler] = {"app_mention": self._mention, "app_home_opened": self._home_opened}
        self.handlers: dict[Kind, Handler] = {
            Kind.COMMAND: self.command,
            Kind.ACTIONS: self.actions,
            Kind.SUBMISSION: self.submission,
            Kind.CLOSED: self.closed,
            Kind.OPTIONS: self.options,
            Kind.EVENT: self.event,
            Kind.SHORTCUT: self.shortcut,
            Kind.COMPLETION: self.completion,
        }

    # --- Commands -----------------------------------------------------------------------------------------------------

    async def command(self, envelope: Envelope) -> None:
        words = grammar.words(str(envelope.payload.get("text", "")))
        await self._said(envelope, str(envelope.payload["command"]), words)

    async def _mention(self, envelope: Envelope) -> None:
        event = envelope.payload["event"]
        if event.get("bot_id") or event.get("subtype"):
            return  # bots, ourselves among them, and edits
        await self._said(envelope, "", grammar.words(grammar.without_mention(str(event.get("text", "")))))

    async def _said(self, envelope: Envelope, slash: str, words: Sequence[str]) -> None:
        match self._registry.find(slash, words):
            case Found(found, rest):
                await self._run(envelope, found, rest)
            case Help() as wanted:
                await self._identities.resolve(envelope.user, envelope.team)
                await self._telling.tell(envelope, *help_text(self._registry, wanted))
            case Unknown() as unknown:
                await self._identities.resolve(envelope.user, envelope.team)
                await self._telling.tell(envelope, unknown_text(self._registry, unknown))

    async def _run(self, envelope: Envelope, command: AnyCommand, words: Sequence[str]) -> None:
        if self._conversation.has_form(command.name) and not (words and command.parse is not None):
            await self._conversation.open(command.name, words, envelope)
            return
        principal = await self._identities.resolve(envelope.user, envelope.team)
        request = self._parsed(command, words)
        now = datetime.fromtimestamp(envelope.received_at, UTC)
        operation = operation_id(envelope.key)
        if isinstance(command, Query):
            context = Context(
                operation=operation,
                principal=principal,
                door=Door.SLACK,
                now=now,
                channel=envelope.channel or None,
            )
            await self._telling.answer(envelope, await self._answer(command, request, context))
            return
        await self._operations.submit(
            Asked(
                operation=operation,
                command=command.name,
                request=request.model_dump(mode="json", by_alias=True),
                principal=principal,
                door=Door.SLACK,
                now=now,
                origin=Origin(
                    slack_channel=envelope.channel or None,
                    slack_user=envelope.user,
                    beside=command.beside(request) if command.beside else "",
                ),
            )
        )

    def _parsed(self, command: AnyCommand, words: Sequence[str]) -> Any:
        if command.parse is None:
            line = self._line(command)
            raise UsageError(f"`{line}` cannot be asked for in Slack.", hint="Use the command line or the HTTP API.")
        try:
            return command.parse(words)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(map(str, first["loc"]))
            told = plainly(first["msg"])
            sentence = f"{where}: {told}." if where else f"{told}."
            raise UsageError(sentence, hint=f"Try `{self._line(command)}`.") from None

    def _line(self, command: AnyCommand) -> str:
        return f"{self._registry.line(command.name)} {command.usage}".strip()

    # --- Buttons ------------------------------------------------------------------------------------------------------

    async def actions(self, envelope: Envelope) -> None:
        if self._conversation.has_form(str(envelope.view.get("callback_id", ""))):
            await self._conversation.changed(envelope)
            return
        for action in envelope.payload["actions"]:
            await self._clicked(envelope, str(action.get("action_id", "")), _value(action))

    async def _clicked(self, envelope: Envelope, action_id: str, value: str) -> None:
        if action_id == OPEN_FORM:
            await self._conversation.reopen(value, envelope)
            return
        if action_id.startswith(CREATE):
            name, *words = grammar.words(value) or [""]
            await self._said(envelope, ROOT, [*name.split("."), *words])
            return
        if action_id.partition(":")[0] in LINES and value.startswith("/"):
            slash, *words = grammar.words(value)
            await self._said(envelope, slash, words)
            return
        if action_id in self._forms_of:
            await self._conversation.open(self._forms_of[action_id], [value], envelope)
            return
        handler = self._actions.get(action_id)
        if handler is None:
            raise UsageError(
                f"I do not know what the button `{action_id}` does in this release.",
                hint=f"Type `{self._registry.slash(ROOT)} help` to see what I can do.",
            )
        click = Click(
            action=action_id,
            value=value,
            principal=await self._identities.resolve(envelope.user, envelope.team),
            user=envelope.user,
            channel=envelope.channel,
            message_ts=str((envelope.payload.get("container") or {}).get("message_ts") or ""),
            trigger=envelope.trigger,
        )
        text = await handler(click)
        if text:
            await self._telling.tell(envelope, text)

    async def _decide(self, click: Click) -> str | None:
        decided = await self._operations.press(click.value, click.principal)
        return None if decided.accepted else escape(decided.text)

    # --- Modals and lists ---------------------------------------------------------------------------------------------

    async def submission(self, envelope: Envelope) -> Mapping[str, Any]:
        return await self._conversation.submitted(envelope)

    async def closed(self, envelope: Envelope) -> None:
        await self._conversation.closed(envelope)

    async def completion(self, envelope: Envelope) -> None:
        await self._conversation.completed(envelope)

    async def options(self, envelope: Envelope) -> Mapping[str, Any]:
        action_id = str(envelope.payload["action_id"])
        query = str(envelope.payload.get("value") or "")[: limits.OPTION_TEXT]
        asker = (envelope.team, envelope.user, action_id)
        try:
            async with asyncio.timeout(OPTIONS_S):
                principal = await self._identities.resolve(envelope.user, envelope.team)
                field = await self._conversation.field(envelope, action_id) if envelope.view else None
            offered = slack_options(self._options.options(field, action_id, query, principal))
        except TimeoutError:
            return {"options": self._offered.get(asker, [])}
        self._offered[asker] = offered
        if len(self._offered) > MAX_OFFERED:
            self._offered.popitem(last=False)
        return {"options": offered}

    # --- Events -------------------------------------------------------------------------------------------------------

    async def event(self, envelope: Envelope) -> None:
        handler = self._events.get(envelope.payload["event"]["type"])
        if handler is not None:
            await handler(envelope)

    async def _home_opened(self, envelope: Envelope) -> None:
        if self._home is None or envelope.payload["event"].get("tab", "home") != "home":
            return
        try:
            principal = await self._identities.resolve(envelope.user, envelope.team)
        except PlatformError:
            return  # looking at a tab is no question: whoever is refused is left alone until they ask for something
        await self._home(principal, envelope.user)

    async def shortcut(self, envelope: Envelope) -> None:
        raise UsageError(
            f"I do not know the shortcut {envelope.payload['callback_id']}.",
            hint=f"Type `{self._registry.slash(ROOT)} help` to see what I can do.",
        )

    # --- Failures -----------------------------------------------------------------------------------------------------

    async def failed(self, envelope: Envelope, error: Exception) -> Mapping[str, Any] | None:
        """Say what went wrong in the place where the person looks."""
        text = self._telling.sentence(error, envelope.kind.value)
        match envelope.kind:
            case Kind.SUBMISSION:
                return _beside_first_field(envelope, text)
            case Kind.OPTIONS:
                return {"options": []}
            case Kind.EVENT if envelope.payload["event"]["type"] != "app_mention":
                return None
            case _:
                await self._telling.tell(envelope, marked(text))
                return None


def slack_options(options: Sequence[Option]) -> list[dict[str, Any]]:
    """Return at most 100 options within Slack's lengths. A value too long is left out: cut, it names another."""
    made = []
    for option in options:
        value = option_text(option.value)
        if not 0 < len(value) <= limits.OPTION_VALUE:
            continue
        made.append(blocks.option(option.label or value, value, option.description))
        if len(made) == limits.SELECT_OPTIONS:
            break
    return made


def _value(action: Mapping[str, Any]) -> str:
    if "value" in action:
        return str(action["value"])
    option = action.get("selected_option")
    return str(option.get("value", "")) if isinstance(option, dict) else ""


def _beside_first_field(envelope: Envelope, text: str) -> dict[str, Any]:
    """Keep the modal with everything typed, and say it beside the first field; an empty answer closes the modal."""
    said = text.replace("`", "")
    for block in envelope.view.get("blocks") or ():
        if isinstance(block, dict) and block.get("type") == "input" and isinstance(block.get("block_id"), str):
            return {"response_action": "errors", "errors": {block["block_id"]: said}}
    return {"response_action": "update", "view": forms.problem("That did not work", said)}
