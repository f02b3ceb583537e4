"""Fakes around the inbound half of the Slack door: Slack itself, the outbox, the engine, the catalog's people."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import BaseModel

import bot.storage.slack_inbound  # noqa: F401 - declares the tables
from bot.command import Answer, AnyCommand, Command, Context, FormStart, Picture, Query, TextFile
from bot.errors import PlatformError, UsageError
from bot.forms.model import Form, FormField, Kind, Option, Page, When
from bot.model.canonical import JSON
from bot.model.operation import Asked, Decided, OperationView
from bot.model.plan import Plan
from bot.model.principal import Principal
from bot.slack.contracts import OnClick
from bot.slack.door import SlackDoor
from bot.storage.database import Database, metadata

SECRET = "test-signing-secret"
HOME = "T0ACME00001"
USER = "U0AUTHOR01"
CHANNEL = "C0TEAMORDER"
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
AUTHOR = Principal(user="user:default/author", display_name="Sample Author", email="author@acme.example")


class SlackSaysNo(PlatformError):
    def __init__(self, code: str) -> None:
        super().__init__(f"Slack refused: {code}.")
        self.code = code


class FakeClock:
    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class FakeWeb:
    """Slack's Web API: remembers calls, keeps views, answers `users.info`."""

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        self.calls.append((method, arguments))
        if method in self.refuses:
            raise SlackSaysNo(self.refuses[method])
        match method:
            case "auth.test":
                return {"ok": True, "team_id": HOME}
            case "users.info":
                return {"ok": True, "user": self.users.get(arguments["user"], {})}
            case "users.list":
                members = [{"id": user, **about} for user, about in self.users.items()]
                first = not arguments.get("cursor")  # one person a page
                return {
                    "ok": True,
                    "members": members[:1] if first else members[1:],
                    "response_metadata": {"next_cursor": "more" if first else ""},
                }
            case "views.open":
                return {"ok": True, "view": {**arguments["view"], "id": "V1", "hash": "h1"}}
        return {"ok": True}

    def methods(self) -> list[str]:
        return [method for method, _ in self.calls]

    def last_view(self) -> dict[str, Any]:
        return next(dict(a["view"]) for m, a in reversed(self.calls) if m.startswith("views."))


@dataclass
class FakeReplies:
    said: list[dict[str, Any]] = field(default_factory=list)

    async def ephemeral(
        self, *, channel: str, user: str, text: str, blocks: Sequence[Mapping[str, Any]] = (), key: str | None = None
    ) -> None:
        self.said.append({"channel": channel, "user": user, "text": text, "blocks": list(blocks)})

    async def message(
        self, *, channel: str, text: str, blocks: Sequence[Mapping[str, Any]] = (), key: str | None = None
    ) -> None:
        self.said.append({"channel": channel, "user": "", "text": text, "blocks": list(blocks)})

    async def tell(
        self,
        identifier: str,
        *,
        channel: str,
        user: str,
        text: str,
        blocks: Sequence[Mapping[str, Any]] = (),
        thread_ts: str | None = None,
        key: str | None = None,
    ) -> None:
        told = {"channel": channel, "user": user, "text": text, "blocks": list(blocks)}
        self.said.append({**told, "id": identifier, "thread": thread_ts})

    async def file(
        self,
        *,
        channel: str,
        user: str,
        file: TextFile | Picture,
        comment: str,
        thread_ts: str | None = None,
        key: str | None = None,
    ) -> None:
        told = {"channel": channel, "user": user, "text": comment}
        self.said.append({**told, "blocks": [], "file": file, "thread": thread_ts})

    @property
    def texts(self) -> list[str]:
        return [one["text"] for one in self.said]

    def button(self, action_id: str) -> str:
        """Return the value of the last button of that kind that was shown to anybody."""
        for one in reversed(self.said):
            for block in one["blocks"]:
                for element in block.get("elements", ()):
                    if element.get("action_id") == action_id:
                        return str(element["value"])
        raise AssertionError(f"no button {action_id}")


@dataclass
class FakeOperations:
    submitted: list[Asked] = field(default_factory=list)
    pressed: list[tuple[str, Principal]] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)
    decided: Decided = field(default_factory=lambda: Decided(accepted=True, text="Approved."))

    async def submit(self, asked: Asked) -> None:
        if self.fails:
            raise self.fails.pop(0)
        if asked.operation not in [one.operation for one in self.submitted]:
            self.submitted.append(asked)

    async def press(self, button_id: str, principal: Principal) -> Decided:
        self.pressed.append((button_id, principal))
        return self.decided

    async def view(self, operation_id: str) -> OperationView | None:
        return None


class FakeDirectory:
    def __init__(self, *people: Principal) -> None:
        self.people = {person.email: person for person in people}

    def principal_by_email(self, email: str) -> Principal | None:
        return self.people.get(email)


class FakeOptions:
    def __init__(self, options: Iterable[Option] = ()) -> None:
        self.all = list(options)
        self.asked: list[tuple[FormField | None, str, str]] = []

    def options(self, field: FormField | None, action_id: str, query: str, principal: Principal) -> Sequence[Option]:
        self.asked.append((field, action_id, query))
        return [option for option in self.all if query in option.label]


# --- Commands -------------------------------------------------------------------------------------------------------


class Create(BaseModel):
    name: str
    owner: str
    language: str = "python"
    version: str | None = None


class Words(BaseModel):
    words: tuple[str, ...]


class CreateForm:
    """Two pages; the version shows only for Python."""

    FORM = Form(
        pages=(
            Page(
                title="Service",
                fields=(
                    FormField(name="name", kind=Kind.TEXT, title="Name", required=True, pattern="^[a-z-]+$"),
                    FormField(
                        name="language",
                        kind=Kind.CHOICE,
                        title="Language",
                        default="python",
                        options=(Option(value="python", label="Python"), Option(value="node", label="Node")),
                    ),
                    FormField(
                        name="version",
                        kind=Kind.TEXT,
                        title="Version",
                        when=(When(field="language", one_of=("python",)),),
                    ),
                ),
            ),
            Page(title="Owner", fields=(FormField(name="owner", kind=Kind.OWNER, title="Owner", required=True),)),
        )
    )

    def start(self, words: Sequence[str], principal: Principal) -> FormStart:
        match list(words):
            case []:
                return self._form({})
            case [name]:
                return self._form({"name": name})
        raise UsageError("Only one name fits.", hint="Try `/service create orders`.")

    def resume(self, values: Mapping[str, JSON], principal: Principal) -> FormStart:
        return self._form(values)

    def request(self, values: Mapping[str, JSON]) -> dict[str, JSON]:
        return dict(values)

    def _form(self, values: Mapping[str, JSON]) -> FormStart:
        return FormStart(title="Create a service", form=self.FORM, values=values)


async def _no_facts(request: BaseModel, context: Any, deps: Any) -> None:
    return None


def _parse(words: Sequence[str]) -> Words:
    if "broken" in words:
        raise RuntimeError("a defect")
    return Words(words=tuple(words))


async def _answer(request: Words, context: Any, deps: Any) -> Answer:
    return Answer(text="Services: " + " ".join(request.words))


def query(name: str, summary: str = "List them") -> AnyCommand:
    return Query(name=name, summary=summary, usage="[filter]", request=Words, parse=_parse, answer=_answer)


def sample_commands() -> list[AnyCommand]:
    return [
        Command(
            name="service.create",
            summary="Create a service from a golden path",
            usage="[name]",
            request=Create,
            facts=_no_facts,
            plan=lambda request, facts: Plan.of("Create", []),
            owner=lambda request: None,
            form=lambda deps: CreateForm(),
        ),
        query("service.list", "List the services you may see"),
        Command(
            name="service.restart",
            summary="Restart a service",
            usage="<service>",
            request=Words,
            facts=_no_facts,
            plan=lambda request, facts: Plan.of("Restart", []),
            owner=lambda request: None,
            parse=_parse,
        ),
        query("catalog", "Search the catalog"),
    ]


# --- Everything together ----------------------------------------------------------------------------------------------


def account(user: str = USER, **flags: Any) -> dict[str, Any]:
    profile = {"email": flags.pop("email", "author@acme.example")}
    return {"id": user, "team_id": HOME, "is_email_confirmed": True, "profile": profile, **flags}


@dataclass
class Rig:
    door: SlackDoor
    database: Database
    clock: FakeClock
    api: FakeWeb
    replies: FakeReplies
    operations: FakeOperations
    options: FakeOptions
    client: TestClient[web.Request, web.Application]
    numbers: Iterable[int] = field(default_factory=lambda: itertools.count(1))

    async def send(self, body: bytes, *, json_body: bool = False, **headers: str) -> ClientResponse:
        kind = "application/json" if json_body else "application/x-www-form-urlencoded"
        signed = sign(body, self.clock.now) | {"Content-Type": kind} | headers
        response = await self.client.post("/slack/events", data=body, headers=signed)
        await response.read()
        return response

    async def command(self, command: str, text: str = "", **fields: str) -> ClientResponse:
        response = await self.send(urlencode(self.command_fields(command, text, **fields)).encode())
        await self.door.idle()
        return response

    def command_fields(self, command: str, text: str = "", **fields: str) -> dict[str, str]:
        return {
            "token": "unused",
            "team_id": HOME,
            "channel_id": CHANNEL,
            "channel_name": "team-orders",
            "user_id": USER,
            "command": command,
            "text": text,
            "trigger_id": f"trigger.{next(iter(self.numbers))}",
        } | fields

    async def interact(self, payload: dict[str, Any], *, wait: bool = True) -> ClientResponse:
        full = {"user": {"id": USER, "team_id": HOME}, "team": {"id": HOME}} | payload
        full.setdefault("trigger_id", f"trigger.{next(iter(self.numbers))}")
        response = await self.send(urlencode({"payload": json.dumps(full)}).encode())
        if wait:
            await self.door.idle()
        return response

    async def click(self, action_id: str, value: str = "", **payload: Any) -> ClientResponse:
        action = {"action_id": action_id, "block_id": "b", "type": "button", "value": value}
        return await self.interact({"type": "block_actions", "channel": {"id": CHANNEL}, "actions": [action]} | payload)

    async def submit(self, view: Mapping[str, Any], values: Mapping[str, Any] | None = None) -> Any:
        response = await self.interact({"type": "view_submission", "view": filled(view, values or {})})
        text = await response.text()
        assert response.status == 200
        return json.loads(text) if text else None

    async def event(self, event: dict[str, Any], event_id: str = "Ev1") -> ClientResponse:
        body = {"type": "event_callback", "team_id": HOME, "event_id": event_id, "event": {"user": USER} | event}
        response = await self.send(json.dumps(body).encode(), json_body=True)
        await self.door.idle()
        return response


def filled(view: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the view as Slack hands it back, with these values typed (text, or an option's value)."""
    state: dict[str, Any] = {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        element, name = block["element"], block["block_id"]
        if "select" in element["type"] or element["type"] == "radio_buttons":
            initial = element.get("initial_option")
            chosen = {"value": values[name]} if name in values else initial
            state[name] = {name: {"type": element["type"], "selected_option": chosen}}
        else:
            value = values.get(name, element.get("initial_value"))
            state[name] = {name: {"type": element["type"], "value": value}}
    return {"id": "V1", "hash": "h1", **view, "state": {"values": state}}


def sign(body: bytes, now: datetime, secret: str = SECRET) -> dict[str, str]:
    timestamp = str(int(now.timestamp()))
    digest = hmac.new(secret.encode(), b"v0:%s:%s" % (timestamp.encode(), body), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


async def answered(query: Query[Any], request: Any, context: Context) -> Answer:
    """Run a query that is for everybody."""
    return await query.answer(request, context, None)


@asynccontextmanager
async def opened(database: Path) -> AsyncIterator[Database]:
    store = Database(f"sqlite:///{database}")
    async with store.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def rig(
    folder: Path,
    commands: Sequence[AnyCommand] | None = None,
    *,
    prefix: str = "",
    actions: Mapping[str, OnClick] | None = None,
    options: Iterable[Option] = (),
    home: Any = None,
    home_team: str = HOME,
) -> AsyncIterator[Rig]:
    """A door with fakes all around it, behind a real HTTP server."""
    clock, slack, replies, operations = FakeClock(), FakeWeb({USER: account()}), FakeReplies(), FakeOperations()
    picker = FakeOptions(options)
    async with opened(folder / "slack.db") as database, ClientSession() as session:
        door = SlackDoor(
            signing_secret=SECRET,
            bot_token="xoxb-unused",
            api_url="http://127.0.0.1:9/api",
            contact="#platform",
            session=session,
            commands=sample_commands() if commands is None else commands,
            deps=None,
            answer=answered,
            database=database,
            operations=operations,
            directory=FakeDirectory(AUTHOR),
            options=picker,
            gateway=slack,
            outbox=replies,
            clock=clock,
            command_prefix=prefix,
            home_team=home_team,
            actions=actions,
            home=home,
        )
        application = web.Application()
        application.add_routes(door.routes())
        async with TestClient(TestServer(application)) as client:
            await door.start()
            yield Rig(door, database, clock, slack, replies, operations, picker, client)
            await door.close()
