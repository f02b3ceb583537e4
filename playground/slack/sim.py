"""The simulator's own door, `/sim/…`: what people do in Slack, done by the page and by test programs.

Every answer is JSON. A refusal is `{"error": NAME, "message": SENTENCE}` with status 400 (the call is wrong), 404 (no
such user, channel, message, view) or 409 (a real client would not let a person do this). `user` and `channel` are an
id, or a handle or channel name. Any loopback origin may call (CORS). Times are ISO 8601 of the playground's clock.

    GET  /sim/users     {"users": [USER…]}
         USER = {"id", "name" (handle), "real_name", "email", "team_id", "groups": [handle…], "is_bot",
                 "is_restricted", "is_ultra_restricted", "is_stranger", "is_external", "deleted"};
                 the app's own bot user and USLACKBOT are in the list
    GET  /sim/channels  {"channels": [CHANNEL…]}
         CHANNEL = {"id", "name", "topic", "purpose", "members": [user id…], "is_private", "is_im",
                    "user" (of an IM, else null), "is_archived", "is_ext_shared", "bot_is_member",
                    "last_ts" (newest message or null)}
         every sample person has an IM with the app (its "Messages" tab), named as its id
    POST /sim/channels          {"name", "members"?, "is_private"?, "bot"?: bool}   → CHANNEL
    POST /sim/channels/archive · /unarchive   {"channel"}                          → CHANNEL
    POST /sim/channels/invite · /kick         {"channel", "user"}                  → CHANNEL   ("causeway" is the bot)
    POST /sim/users             {"user", and flags to change: "deleted", "is_restricted", "is_ultra_restricted",
                                 "is_stranger"}                                    → USER
    GET  /sim/commands  {"commands": [{"command", "description", "usage_hint"}…]}   as registered; empty: any is sent
    GET  /sim/app       {"app_id", "bot_id", "bot_user", "name", "team_id", "team", "socket_mode", "connections"}

    POST /sim/commands  {"user", "channel", "command", "text"?}
         → DELIVERED and "after": number of the event stream before sending
         DELIVERED = {"status": 200 | null, "ack_ms": float, "body": JSON value, text or "", "error": null | NAME}
         status null: no answer (error "operation_timeout" after 3 s, "dispatch_failed" when no bot could be reached).
         What Slack shows then is an ephemeral message of USLACKBOT
    POST /sim/messages  {"user", "channel", "text", "thread_ts"?} → {"ts", "channel", "after"}
    GET  /sim/messages  ?channel [&thread_ts] [&user] [&limit=1000] [&before] → {"messages": [MESSAGE…]}, oldest first
         without thread_ts: the channel's own messages (no replies); with it: the root and its replies
         MESSAGE = {"type": "message", "ts", "channel", "user", "bot_id" | null, "username" | null, "text",
                    "blocks": […], "attachments": […], "metadata": {"event_type", "event_payload"} | null,
                    "files": [FILE…], "thread_ts" | null, "edited": {"user", "ts"} | null,
                    "reactions": [{"name", "count", "users"}…], "ephemeral_to": user id | null,
                    "reply_count": int, "latest_reply": ts | null, "subtype" | null, "deleted": false}
         FILE = {"id", "name", "title", "mimetype", "filetype", "size", "url_private"}; its bytes at GET /sim/files/ID
    POST /sim/messages/delete   {"user", "channel", "ts"}  → {}     a person removes an own message
    POST /sim/reactions         {"user", "channel", "ts", "name", "remove"?} → {}

    GET  /sim/views     ?user → {"modals": [VIEW…] (top last), "home": VIEW | null}
         VIEW = Slack's view object (id, hash, type, callback_id, title, submit, close, blocks, private_metadata,
                root_view_id, previous_view_id, notify_on_close, clear_on_close, external_id, state: {"values": {…}})
                and "errors": {block_id: text} as the bot answered last, "notice": text | null (Slack's own trouble)
         `state.values` holds what the elements show now: initial values and what the user has entered so far
    POST /sim/views/submit  {"user", "view_id", "values": {block_id: {action_id: VALUE}}}  → DELIVERED
         VALUE by element type: text, number, option value, list of option values (multi selects, checkboxes),
         date "2026-11-23", time "09:30", datetime in epoch seconds, user or channel id, handle or name, list of them;
         file_input: list of {"name", "content"}; null empties. Left out: what the element shows stays.
         409 {"error": "invalid_values", "message", "errors": {block_id: text}} is what a real client refuses by
         itself (nothing is sent). The value of an external select must be one that the bot offers: where nobody has
         asked for it yet, the simulator asks by typing the value
    POST /sim/views/close   {"user", "view_id"}   → {}  (view_closed is sent where notify_on_close is set; closing the
         root closes all)
    POST /sim/actions   {"user", "channel" and "message_ts" or "view_id", "block_id"?, "action_id", "value"?, "values"?}
         → DELIVERED
         value: of a button with that action_id the one to click where several have it; else the VALUE chosen.
         `values` as in submit: what the user had typed in the view by then. 409 "not_clickable" when the element is
         not there (any more)
    GET  /sim/options   ?user & (view_id | channel & message_ts) & action_id [&block_id] & query
         → {"status", "ack_ms", "error", "options": [{"text", "value", "description"?}…],
            "option_groups": [{"label", "options"}…] | null}
         with Slack's own option objects; groups are also flattened into options. 409 "query_too_short" below the
         element's min_query_length (3 where it says nothing, as in Slack)
    POST /sim/home      {"user"} → {"after"}      sends app_home_opened; home_published follows on the stream
    POST /sim/redeliver {"last": N} → {"deliveries": [DELIVERED and "kind"…]}
    POST /sim/faults    {"method" ("*" any, "response_url"), "times"? 1, "skip"? 0, and one of: "error" | "status",
                         "retry_after"? | "delay_ms" | "drop": "before" | "after" | "truncate": true}
         → {"faults": [FAULT…]}; GET lists; DELETE clears
    POST /sim/rates     {"enabled": bool} → {"enabled"}     rate limits off, for measuring, and on again; GET tells
    POST /sim/socket/disconnect {"reason"?: "refresh_requested" | "warning" | "link_disabled"} → {"connections": int}

    GET  /sim/events    ?after=N [&timeout_s=25] [&limit=1000] → {"events": [EVENT…], "last": N of the newest there is}
         returns at once when there are events after N, else waits for the next one; empty after timeout_s (0: at once)
    GET  /sim/stream    ?after=N (or the Last-Event-ID header)  the same as server-sent events: `id: N`, `data: EVENT`;
         without `after` from now on
         EVENT = {"n", "at", "type", …}
         message_posted · message_changed        "channel", "ts", "message": MESSAGE
         message_deleted                         "channel", "ts", "ephemeral_to"
         view_opened · view_pushed · view_updated "user", "view_id", "view": VIEW
         view_closed                             "user", "view_id"
         home_published                          "user", "view_id", "view": VIEW
         channel_changed                         "channel": CHANNEL          (created, archived, joined, left)
         user_changed                            "user": USER
         delivered                               "kind", "user" | null, "status", "ack_ms", "error"
    GET  /sim/log       [?since=N] [&limit=1000] → {"entries": [ENTRY…], "last": N}, entries with a number above N
         ENTRY = {"n", "at", "kind": "call" | "delivery" | "response_url", "arguments": {…}, "result": {…}, "status",
                  "ms", "violations": [sentence…], "fault": null | {…},
                  "name" (method, or command, block_actions, view_submission, view_closed, block_suggestion, event)}
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from playground.slack.acts import Acts
from playground.slack.pictures import is_picture
from playground.slack.refusals import ClientRefusal
from playground.slack.socket_mode import Sockets
from playground.slack.store import Json
from playground.slack.workspace import Workspace

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_USER_FLAGS: Final = ("deleted", "is_restricted", "is_ultra_restricted", "is_stranger")
_REASONS: Final = ("refresh_requested", "warning", "link_disabled")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def loopback_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let pages of this machine call, and no other page: a site on the internet must not click for a person."""
    origin = request.headers.get("Origin")
    named = [request.url.host, *([urlsplit(origin).hostname] if origin else [])]
    if not set(named) <= set(_LOOPBACK):  # a foreign page, or a foreign name that leads here
        return web.json_response(
            {"error": "foreign_origin", "message": "Only pages of this machine may call."}, status=403
        )
    if request.method == "OPTIONS":
        return web.Response(headers=_cors(origin))
    try:
        response = await handler(request)
    except ClientRefusal as refusal:
        response = web.json_response(refusal.body(), status=refusal.status)
    if not response.prepared:
        response.headers.update(_cors(origin))
    return response


def _cors(origin: str | None) -> dict[str, str]:
    if origin is None:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST, DELETE",
        "Access-Control-Allow-Headers": "Content-Type",
        "Vary": "Origin",
    }


def application(slack: Workspace, acts: Acts, sockets: Sockets, *, socket_mode: bool) -> web.Application:
    app = web.Application(middlewares=[loopback_only], client_max_size=20 * 1024 * 1024)
    door = _Door(slack, acts, sockets, socket_mode=socket_mode)
    app.add_routes(door.routes())
    app.router.add_route("OPTIONS", "/{any:.*}", door.missing)
    return app


class _Given:
    """The arguments of one call: its JSON body and its query."""

    def __init__(self, slack: Workspace, values: Json) -> None:
        self._slack = slack
        self.values = values

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if not isinstance(value, str) or not value:
            raise ClientRefusal(400, "missing_argument", f"`{name}` is needed, as text.")
        return value

    def optional(self, name: str) -> str | None:
        return None if self.values.get(name) in (None, "") else str(self.values[name])

    def number(self, name: str, default: float) -> float:
        try:
            return float(self.values.get(name, default))
        except (TypeError, ValueError) as error:
            raise ClientRefusal(400, "invalid_argument", f"`{name}` is a number.") from error

    def values_by_block(self) -> Json:
        values = self.values.get("values") or {}
        if not isinstance(values, dict):
            raise ClientRefusal(400, "invalid_values", "Values are `{block_id: {action_id: value}}`.")
        return values

    def user(self) -> Json:
        return self._slack.directory.user(self.text("user"))

    def channel(self) -> Json:
        return self._slack.directory.channel(self.text("channel"))

    def view(self) -> Json:
        return self._slack.views.of_user(self.user()["id"], self.text("view_id"))

    def place(self, *, gone: str | None = None) -> Json:
        """Return where an element stands: `{"view"}` or `{"channel", "ts"}`. `gone` names the 409 for a closed view."""
        if not self.optional("view_id"):
            return {"channel": self.channel(), "ts": self.text("message_ts")}
        try:
            return {"view": self.view()}
        except ClientRefusal as refusal:
            if gone is None or refusal.error != "view_not_found":
                raise
            raise ClientRefusal(409, gone, refusal.message) from refusal


class _Door:
    def __init__(self, slack: Workspace, acts: Acts, sockets: Sockets, *, socket_mode: bool) -> None:
        self._slack = slack
        self._acts = acts
        self._sockets = sockets
        self._socket_mode = socket_mode

    def routes(self) -> list[web.RouteDef]:
        answers: dict[tuple[str, str], Callable[[_Given], Any]] = {
            ("GET", "/users"): self.users,
            ("POST", "/users"): self.change_user,
            ("GET", "/channels"): self.channels,
            ("POST", "/channels"): self.create_channel,
            ("POST", "/channels/{change}"): self.change_channel,
            ("GET", "/commands"): self.commands,
            ("POST", "/commands"): self.command,
            ("GET", "/app"): self.app,
            ("GET", "/messages"): self.messages,
            ("POST", "/messages"): self.write,
            ("POST", "/messages/delete"): self.delete,
            ("POST", "/reactions"): self.react,
            ("GET", "/views"): self.views,
            ("POST", "/views/submit"): self.submit,
            ("POST", "/views/close"): self.close,
            ("POST", "/actions"): self.act,
            ("GET", "/options"): self.options,
            ("POST", "/home"): self.home,
            ("POST", "/redeliver"): self.redeliver,
            ("GET", "/faults"): self.faults,
            ("POST", "/faults"): self.add_fault,
            ("DELETE", "/faults"): self.clear_faults,
            ("GET", "/rates"): self.rates,
            ("POST", "/rates"): self.rates,
            ("POST", "/socket/disconnect"): self.disconnect,
            ("GET", "/events"): self.events,
            ("GET", "/log"): self.log,
        }
        simple = [web.route(method, path, self._answering(answer)) for (method, path), answer in answers.items()]
        return [*simple, web.get("/stream", self.stream), web.get("/files/{id}", self.file)]

    def _answering(self, answer: Callable[[_Given], Any]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            values: Json = {**request.query, **request.match_info}
            if request.method == "POST":
                values.update(await _body(request))
            result = answer(_Given(self._slack, values))
            return web.json_response(await result if hasattr(result, "__await__") else result)

        return handle

    async def missing(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(status=404)

    def users(self, _given: _Given) -> Json:
        return {"users": list(self._slack.directory.users.values())}

    def change_user(self, given: _Given) -> Json:
        flags = {name: bool(given.values[name]) for name in _USER_FLAGS if name in given.values}
        return self._slack.directory.change_user(given.user(), **flags)

    def channels(self, _given: _Given) -> Json:
        directory = self._slack.directory
        return {"channels": [directory.sim_channel(channel) for channel in directory.channels.values()]}

    def create_channel(self, given: _Given) -> Json:
        directory = self._slack.directory
        members = given.values.get("members") or []
        if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
            raise ClientRefusal(400, "invalid_argument", "`members` is a list of users.")
        private, bot = bool(given.values.get("is_private")), bool(given.values.get("bot"))
        return directory.sim_channel(directory.create(given.text("name"), members, is_private=private, bot=bot))

    def change_channel(self, given: _Given) -> Json:
        directory, channel, change = self._slack.directory, given.channel(), given.text("change")
        if change == "invite":
            directory.join(channel, given.user()["id"])
            self._acts.joined(given.user()["id"], channel["id"])
        elif change == "kick":
            directory.leave(channel, given.user()["id"])
        elif change in ("archive", "unarchive"):
            directory.change_channel(channel, is_archived=change == "archive")
        else:
            raise ClientRefusal(404, "unknown_change", f"A channel cannot be changed by `{change}`.")
        return directory.sim_channel(channel)

    def commands(self, _given: _Given) -> Json:
        told = ("command", "description", "usage_hint")
        return {"commands": [{name: known.get(name, "") for name in told} for known in self._slack.app.commands]}

    async def command(self, given: _Given) -> Json:
        text = str(given.values.get("text") or "")
        return await self._acts.command(given.user(), given.channel(), given.text("command"), text)

    def app(self, _given: _Given) -> Json:
        directory = self._slack.directory
        return {
            "app_id": directory.app_id,
            "bot_id": directory.bot_id,
            "bot_user": directory.bot_user,
            "name": directory.app_name,
            "team_id": directory.team_id,
            "team": directory.sample.ORGANISATION,
            "socket_mode": self._socket_mode,
            "connections": self._sockets.count,
        }

    def messages(self, given: _Given) -> Json:
        channel = given.channel()["id"]
        user = given.user()["id"] if given.optional("user") else None
        root = given.optional("thread_ts")
        if root:
            return {"messages": self._slack.store.thread(channel, root, user=user)}
        before = given.optional("before") or "9999999999.999999"
        limit = int(given.number("limit", 1000))
        found = self._slack.store.history(channel, user=user, before=before, after="0", limit=limit)
        return {"messages": found[::-1]}

    def write(self, given: _Given) -> Json:
        return self._acts.write(given.user(), given.channel(), given.text("text"), given.optional("thread_ts"))

    def delete(self, given: _Given) -> Json:
        self._acts.remove(given.user(), given.channel(), given.text("ts"))
        return {}

    def react(self, given: _Given) -> Json:
        remove = bool(given.values.get("remove"))
        self._acts.react(given.user(), given.channel(), given.text("ts"), given.text("name"), remove=remove)
        return {}

    def views(self, given: _Given) -> Json:
        user, views = given.user()["id"], self._slack.views
        home = views.home(user)
        return {
            "modals": [views.as_sim(view) for view in views.stack(user)],
            "home": views.as_sim(home) if home else None,
        }

    async def submit(self, given: _Given) -> Json:
        return await self._acts.forms.submit(given.user(), given.view(), given.values_by_block())

    async def close(self, given: _Given) -> Json:
        await self._acts.forms.close(given.user(), given.view())
        return {}

    async def act(self, given: _Given) -> Json:
        place = given.place(gone="not_clickable")
        action_id, block_id = given.text("action_id"), given.optional("block_id")
        value, values = given.values.get("value"), given.values_by_block()
        return await self._acts.click(given.user(), place, action_id, block_id, value=value, values=values)

    async def options(self, given: _Given) -> Json:
        place, user, forms = given.place(), given.user(), self._acts.forms
        block, element = forms.external(user, place, given.text("action_id"), given.optional("block_id"))
        return await forms.options(user, place, block, element, given.optional("query") or "")

    def home(self, given: _Given) -> Json:
        return self._acts.open_home(given.user())

    async def redeliver(self, given: _Given) -> Json:
        return {"deliveries": await self._acts.redeliver(int(given.number("last", 1)))}

    def faults(self, _given: _Given) -> Json:
        return {"faults": self._slack.faults.listed()}

    def add_fault(self, given: _Given) -> Json:
        self._slack.faults.add(given.values)
        return self.faults(given)

    def clear_faults(self, given: _Given) -> Json:
        self._slack.faults.clear()
        return self.faults(given)

    def rates(self, given: _Given) -> Json:
        if "enabled" in given.values:
            self._slack.rates.enabled = bool(given.values["enabled"])
        return {"enabled": self._slack.rates.enabled}

    async def disconnect(self, given: _Given) -> Json:
        reason = given.optional("reason") or "refresh_requested"
        if reason not in _REASONS:
            raise ClientRefusal(400, "invalid_argument", f"`reason` is one of {', '.join(_REASONS)}.")
        return {"connections": await self._sockets.disconnect(reason)}

    async def events(self, given: _Given) -> Json:
        after, stream = int(given.number("after", 0)), self._slack.stream
        await stream.wait(after, given.number("timeout_s", 25))
        return {"events": stream.since(after, int(given.number("limit", 1000))), "last": stream.last}

    def log(self, given: _Given) -> Json:
        log = self._slack.log
        since, limit = int(given.number("since", 0)), int(given.number("limit", 1000))
        return {"entries": log.since(since, limit), "last": log.last}

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Serve the event stream as server-sent events until either side goes."""
        stream = self._slack.stream
        given = _Given(self._slack, dict(request.query))
        start = request.headers.get("Last-Event-ID") or given.values.get("after", stream.last)
        after = int(_Given(self._slack, {"after": start}).number("after", 0))
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
        response = web.StreamResponse(headers={**headers, **_cors(request.headers.get("Origin"))})
        await response.prepare(request)
        try:
            while not stream.closed:
                for event in stream.since(after):
                    after = event["n"]
                    await response.write(f"id: {after}\ndata: {json.dumps(event)}\n\n".encode())
                before = stream.last
                await stream.wait(after, 15)
                if stream.last == before:
                    await response.write(b": still here\n\n")
        except ConnectionError:
            pass  # the reader has gone
        return response

    async def file(self, request: web.Request) -> web.StreamResponse:
        known = self._slack.store.get("file", request.match_info["id"])
        if known is None:
            raise ClientRefusal(404, "file_not_found", "There is no such file.")
        content = (self._slack.folder / "files" / known["id"]).read_bytes()
        if is_picture(known):
            return web.Response(body=content, content_type=known["mimetype"])
        return web.Response(body=content, content_type="text/plain", charset="utf-8")


async def _body(request: web.Request) -> Json:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise ClientRefusal(400, "invalid_json", "The body is JSON.") from error
    if not isinstance(body, dict):
        raise ClientRefusal(400, "invalid_json", "The body is a JSON object.")
    return body
