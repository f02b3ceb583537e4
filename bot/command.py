"""What a command declares. The engine, the doors and the cards do the rest the same way for all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from bot.forms.model import Form
from bot.model.canonical import JSON
from bot.model.plan import Plan
from bot.model.principal import Door, Principal

R = TypeVar("R", bound=BaseModel)
F = TypeVar("F")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a command may know beside its request. `now` and `operation` were frozen when the request was made."""

    operation: str
    principal: Principal
    door: Door
    now: datetime
    channel: str | None = None
    """The Slack channel the request came from, if any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormStart:
    """A form to show: which one, what stands in it already."""

    title: str
    """At most 24 characters: Slack's limit for a modal's title."""
    form: Form
    values: Mapping[str, JSON] = field(default_factory=dict)
    submit: str = "Create"


class FormSource(Protocol):
    """How a command builds its form. Answers from memory, never from the network: Slack waits 3 seconds."""

    def start(self, words: Sequence[str], principal: Principal) -> FormStart:
        """Return the first form for the words typed after the command. Raise `UsageError` for words that do not fit."""

    def resume(self, values: Mapping[str, JSON], principal: Principal) -> FormStart:
        """Return the form as it is for these answers (choosing a template replaces the form)."""

    def request(self, values: Mapping[str, JSON]) -> dict[str, JSON]:
        """Return the request's JSON for answers that passed every check: flat, by field name, with whatever `start`
        put beside them (`bot.forms.answers.complete` turns them into parameters)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """A text too long for a message, to be sent beside it."""

    name: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A chart, to be shown beside a message."""

    name: str
    """Of the file, such as `orders-api-latency.png`."""
    title: str
    png: bytes
    alt: str
    """What it shows, with the numbers, for whoever does not see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a query says: fallback text and Slack blocks (plain dicts made by `bot.slack.blocks`)."""

    text: str
    blocks: Sequence[Mapping[str, Any]] = ()
    data: JSON = None
    """The same for machines (CLI `--json`, HTTP)."""
    file: TextFile | None = None
    """What does not fit into a message. Programs find it in `data`."""
    file_for_channel: bool = False
    """Whether everybody in the channel that was asked in may read the file; otherwise only who asked gets it."""
    picture: Picture | None = None
    """A picture has no place in `data`: programs draw their own."""
    complete: Callable[[], Awaitable[Answer]] | None = None
    """Returns the whole answer once the rest has arrived, in bounded time. In Slack the same message is edited then,
    where Slack can edit it (see `shared`); other doors wait for it. None: this is the whole answer."""
    shared: bool = False
    """Whether everybody in the channel that was asked in may read the answer. Then it is a message there, which can be
    edited and shows its picture. Otherwise only who asked reads it: Slack can neither edit that nor put a picture into
    it, so the whole stands below the first part, and the picture is sent directly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a query is about, as far as policy cares."""

    owner: str | None
    """Full reference of the group whose rules apply."""
    environment: str = ""
    request: BaseModel | None = None
    """The request with what was left open filled in: what is answered is what was judged. None: it says all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Generic[R, F]):
    """A command that changes something: request → facts → plan."""

    name: str
    """`service.create`; spoken as `/service create` and `/idp service create`."""
    summary: str
    """What it does for the person, in one line, for the help."""
    usage: str
    """What may follow the words: `[template]`."""
    request: type[R]
    facts: Callable[[R, Context, Any], Awaitable[F]]
    """`(request, context, deps)`: read what planning needs; reading only."""
    plan: Callable[[R, F], Plan]
    """Pure."""
    owner: Callable[[R], str | None]
    """The group (full reference) whose rules apply, as far as the request tells."""
    environment: Callable[[R], str] | None = None
    """Name of the environment that the request changes, as far as it tells. None: it is about no environment."""
    form: Callable[[Any], FormSource] | None = None
    """`(deps)`: how Slack asks for the request; None: words are enough."""
    parse: Callable[[Sequence[str]], R] | None = None
    """Words after the command → request. Where there is a form too, it is shown when nothing was typed."""
    beside: Callable[[R], str] | None = None
    """The card, by its id in the outbox, in whose thread the outcome is told (see `Origin.beside`). None: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Generic[R]):
    """A command that only answers."""

    name: str
    summary: str
    usage: str
    request: type[R]
    parse: Callable[[Sequence[str]], R]
    answer: Callable[[R, Context, Any], Awaitable[Answer]]
    subject: Callable[[R, Context, Any], Awaitable[Subject]] | None = None
    """`(request, context, deps)`: what policy judges before anything is read out. None: everybody may ask.
    Only who may ask counts: a question needs no approval."""


AnyCommand = Command[Any, Any] | Query[Any]
