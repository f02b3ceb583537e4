"""A command with a form, from its first modal to the stored request.

The trigger lives three seconds, so a modal opens from what is in memory or in our own database; if Slack must be asked
who somebody is, a loading view holds the place. A view is replaced, never stacked. What was typed is kept in the draft
at every step, so nothing that fails later costs anybody their answers.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.command import Command, FormSource, FormStart
from bot.errors import PlatformError, UsageError
from bot.forms.answers import check, following
from bot.forms.model import FieldError, Form, FormField
from bot.forms.rules import short
from bot.model.canonical import JSON
from bot.model.operation import Asked, Origin, Reason
from bot.model.principal import Door, Principal
from bot.ports import Clock
from bot.slack import forms
from bot.slack.contracts import OperationsDoor, Web
from bot.slack.drafts import Draft, Drafts, DraftState, read_metadata
from bot.slack.envelope import Envelope, Kind, Payload
from bot.slack.help import marked
from bot.slack.identity import Identities
from bot.slack.inbox import Inbox
from bot.slack.registry import Registry
from bot.slack.telling import Telling, open_form
from bot.storage.database import Database

log = logging.getLogger(__name__)

TRIGGER_S = 2.5
"""Slack's trigger lives 3 seconds; with less than the rest left, a button asks for a fresh one."""

_GONE = "This form has expired, or it is not yours. Nothing was changed. Type the command again."
_NOTHING = FormStart(title="Expired", form=Form(pages=()))
_NO_TRIGGER = frozenset({"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id", "trigger_expired"})


class Conversation:
    """Opens, redraws, checks and completes forms."""

    def __init__(
        self,
        *,
        registry: Registry,
        deps: Any,
        drafts: Drafts,
        inbox: Inbox,
        database: Database,
        identities: Identities,
        operations: OperationsDoor,
        web: Web,
        telling: Telling,
        clock: Clock,
        start_work: Callable[[Envelope], None],
    ) -> None:
        """`start_work` hands an envelope that was stored in our own transaction to the background."""
        self._registry = registry
        self._deps = deps
        self._drafts = drafts
        self._inbox = inbox
        self._database = database
        self._identities = identities
        self._operations = operations
        self._web = web
        self._telling = telling
        self._clock = clock
        self._start_work = start_work
        self._sources: dict[str, FormSource] = {}

    def has_form(self, name: str) -> bool:
        command = self._registry.get(name)
        return isinstance(command, Command) and command.form is not None

    # --- Opening ------------------------------------------------------------------------------------------------------

    async def open(self, name: str, words: Sequence[str], envelope: Envelope) -> None:
        """Open a new form for what was typed. Raise `PlatformError` for what the person reads instead."""

        async def begin(principal: Principal) -> tuple[Draft, FormStart]:
            start = self._source(name).start(words, principal)
            draft = await self._drafts.begin(
                team=envelope.workspace,
                user=envelope.user,
                channel=envelope.channel,
                command=name,
                words=words,
                values=start.values,
            )
            return draft, start

        await self._show(envelope, begin, f"Opening `{self._registry.line(name)}` took too long for Slack.")

    async def reopen(self, identifier: str, envelope: Envelope) -> None:
        """Open a kept form again, with everything that was typed."""

        async def again(principal: Principal) -> tuple[Draft, FormStart]:
            draft = await self._drafts.get(identifier, user=envelope.user, team=envelope.workspace)
            if draft is None:
                raise UsageError(_GONE)
            if draft.state is DraftState.SUBMITTED and not await self._was_refused(draft):
                raise UsageError("This form was sent already.", hint="Type the command again for another one.")
            start = self._source(draft.command).resume(draft.values, principal)
            page = min(draft.page, len(start.form.pages) - 1)
            return await self._drafts.turn(draft, page, draft.values) or draft, start

        await self._show(envelope, again, "Opening the form took too long for Slack.")

    async def _was_refused(self, draft: Draft) -> bool:
        """A request that never got as far as a card changed nothing: its form may be mended and sent again."""
        if draft.asked is None:
            return False
        view = await self._operations.view(draft.asked.operation)
        if view is None or not view.state.final:
            return False
        return view.plan is None or view.reason is Reason.REFUSED_BY_POLICY

    async def _show(
        self, envelope: Envelope, prepare: Callable[[Principal], Awaitable[tuple[Draft, FormStart]]], late: str
    ) -> None:
        principal = await self._identities.known(envelope.user, envelope.team)
        if principal is None and self._is_fresh(envelope):
            await self._show_after_loading(envelope, prepare, late)
            return
        draft, start = await prepare(principal or await self._identities.resolve(envelope.user, envelope.team))
        if not self._is_fresh(envelope):
            await self._offer(envelope, draft, late)
            return
        try:
            await self._web.call("views.open", trigger_id=envelope.trigger, view=self._view(draft, start))
        except PlatformError as error:
            await self._not_opened(envelope, draft, late, error)

    async def _show_after_loading(
        self, envelope: Envelope, prepare: Callable[[Principal], Awaitable[tuple[Draft, FormStart]]], late: str
    ) -> None:
        """Slack must be asked who this is: open at once what can be opened, then replace it."""
        try:
            answer = await self._web.call("views.open", trigger_id=envelope.trigger, view=forms.loading("One moment"))
        except PlatformError as error:
            draft, _start = await prepare(await self._identities.resolve(envelope.user, envelope.team))
            await self._not_opened(envelope, draft, late, error)
            return
        try:
            draft, start = await prepare(await self._identities.resolve(envelope.user, envelope.team))
            view = self._view(draft, start)
        except Exception as error:  # noqa: BLE001 - whatever it is, the loading view must not stay
            view = forms.problem("That did not work", self._telling.sentence(error, "form.open").replace("`", ""))
        opened = answer.get("view") or {}
        await self._update(opened, view)

    def _is_fresh(self, envelope: Envelope) -> bool:
        """Whether the trigger can still be used; there is none in a mention, and after a crash it is old."""
        age = self._clock().timestamp() - envelope.received_at
        return bool(envelope.trigger) and envelope.attempt == 1 and age < TRIGGER_S

    async def _not_opened(self, envelope: Envelope, draft: Draft, late: str, error: PlatformError) -> None:
        code = getattr(error, "code", "")
        log.warning("slack_modal_not_opened", extra={"command": draft.command, "code": code})
        await self._offer(envelope, draft, late if code in _NO_TRIGGER else "Slack did not open the form.")

    async def _offer(self, envelope: Envelope, draft: Draft, why: str) -> None:
        line = self._registry.line(draft.command)
        why = why if envelope.trigger else f"`{line}` has a form."
        text = marked(f"{why} Press the button to open it.")
        await self._telling.tell(envelope, text, open_form(text, draft.id))

    # --- While it is open ---------------------------------------------------------------------------------------------

    async def changed(self, envelope: Envelope) -> None:
        """A choice that shows other fields was made, or Back was pressed: redraw the page."""
        draft, start, values = await self._in_hand(envelope)
        if draft is None or draft.state is not DraftState.OPEN:
            await self._update(envelope.view, forms.problem("Expired", _GONE))
            return
        _identifier, version = read_metadata(envelope.view.get("private_metadata"))
        if version != draft.version:
            return  # a click on a page that has been replaced since
        if any(action.get("action_id") == forms.BACK for action in envelope.payload["actions"]):
            page = self._before(start, draft.page, values)
            draft = await self._drafts.turn(draft, page, values) or draft
        else:
            draft = await self._drafts.keep(draft, values)
        await self._update(envelope.view, self._view(draft, start))

    async def submitted(self, envelope: Envelope) -> Mapping[str, Any]:
        """Return what Slack shows next: the same page with mistakes, another page, or the end."""
        draft, start, values = await self._in_hand(envelope)
        if draft is None:
            return _replaced(forms.problem("Expired", _GONE))
        if draft.state is DraftState.SUBMITTED:
            return {"response_action": "clear"}  # a second press: the first one counts
        _identifier, version = read_metadata(envelope.view.get("private_metadata"))
        if version != draft.version or draft.state is not DraftState.OPEN:
            return _replaced(self._view(draft, start))
        problems = check(start.form.fields(), values)
        here = [one for one in problems if one.field in _names(start.form.pages[draft.page].fields)]
        if here:
            return await self._refused(draft, start, values, envelope.view, here)
        page = following(start.form, draft.page, values)
        if page is not None:
            return await self._turned(draft, start, page, values)
        if problems:
            return await self._turned(draft, start, _page_of(start, problems[0].field), values, problems)
        return await self._last(draft, start, values, envelope)

    async def closed(self, envelope: Envelope) -> None:
        """The person pressed Cancel: nothing happens, and nothing typed is lost until it expires."""
        identifier, version = read_metadata(envelope.view.get("private_metadata"))
        draft = await self._drafts.get(identifier, user=envelope.user, team=envelope.workspace)
        if draft is None or draft.state is not DraftState.OPEN or draft.version != version:
            return
        source, principal = self._source(draft.command), await self._person(envelope)
        start = source.resume(draft.values, principal)
        values = {**draft.values, **_typed(start, draft.page, envelope.view)}
        untouched = draft.page == 0 and _chosen(start, values) == _chosen(start, _initial(source, draft, principal))
        if await self._drafts.close(draft, values) and not untouched:
            text = "You closed the form, and nothing was changed. What you typed is kept until tomorrow."
            await self._telling.tell_person(
                draft.user, draft.channel, text, open_form(text, draft.id), key=f"told:{envelope.key}"
            )

    async def field(self, envelope: Envelope, action_id: str) -> FormField | None:
        """Return the field whose options are asked for, from memory where possible."""
        identifier, _version = read_metadata(envelope.view.get("private_metadata"))
        draft = await self._drafts.glance(identifier, user=envelope.user, team=envelope.workspace)
        if draft is None:
            return None
        start = self._source(draft.command).resume(draft.values, await self._person(envelope))
        return next((field for field in start.form.fields() if field.name == action_id), None)

    # --- After the last page ------------------------------------------------------------------------------------------

    async def completed(self, envelope: Envelope) -> None:
        """Hand the stored request over; if that fails, say so and offer the form again."""
        draft = await self._drafts.stored(str(envelope.payload.get("draft", "")))
        if draft is None or draft.asked is None or draft.state is not DraftState.SUBMITTED:
            return
        try:
            await self._operations.submit(draft.asked)
        except Exception as error:  # noqa: BLE001 - the modal is gone, so this is the only way to hear of it
            text = marked(self._telling.sentence(error, "operations.submit"))
            kept = await self._drafts.turn(draft, draft.page, draft.values)
            said = open_form(text, draft.id, "Open the form again") if kept else ()
            await self._telling.tell_person(draft.user, draft.channel, text, said, key=f"told:{envelope.key}")

    async def _last(
        self, draft: Draft, start: FormStart, values: Mapping[str, JSON], envelope: Envelope
    ) -> Mapping[str, Any]:
        command = self._registry.get(draft.command)
        if not isinstance(command, Command):
            raise UsageError(_GONE)
        principal = await self._person(envelope)
        try:
            wanted = self._source(draft.command).request(values)
            request: BaseModel = command.request.model_validate(wanted)
        except ValidationError as error:
            return await self._refused(draft, start, values, envelope.view, _field_errors(error))
        except PlatformError as error:
            return await self._refused(draft, start, values, envelope.view, [FieldError(field="", message=str(error))])
        asked = Asked(
            operation=operation_id(draft.metadata),
            command=draft.command,
            request=request.model_dump(mode="json", by_alias=True),
            principal=principal,
            door=Door.SLACK,
            now=datetime.fromtimestamp(envelope.received_at, UTC),
            origin=Origin(
                slack_channel=draft.channel or None,
                slack_user=draft.user,
                slack_draft=draft.id,
                beside=command.beside(request) if command.beside else "",
            ),
        )
        body = json.dumps({"draft": draft.id})
        work = Envelope(
            Kind.COMPLETION, f"completion:{draft.metadata}", {"draft": draft.id}, body, envelope.received_at
        )
        kept = await self._drafts.keep(draft, values)
        async with self._database.write() as connection:
            mine = await self._drafts.submit(connection, kept, asked)
            if mine:
                await self._inbox.record(connection, work)
        if mine:
            self._start_work(work)
        return {"response_action": "clear"}

    # --- Pieces -------------------------------------------------------------------------------------------------------

    async def _in_hand(self, envelope: Envelope) -> tuple[Draft | None, FormStart, dict[str, JSON]]:
        """Return the draft behind a view, its form for what stands in the view now, and all answers so far."""
        identifier, _version = read_metadata(envelope.view.get("private_metadata"))
        principal = await self._person(envelope)
        draft = await self._drafts.get(identifier, user=envelope.user, team=envelope.workspace)
        if draft is None or not self.has_form(draft.command):
            return None, _NOTHING, {}
        source = self._source(draft.command)
        before = source.resume(draft.values, principal)
        values = {**draft.values, **_typed(before, draft.page, envelope.view)}
        start = source.resume(values, principal)
        return draft, start, {**start.values, **values}

    async def _person(self, envelope: Envelope) -> Principal:
        return await self._identities.resolve(envelope.user, envelope.team)

    async def _turned(
        self,
        draft: Draft,
        start: FormStart,
        page: int,
        values: Mapping[str, JSON],
        errors: Sequence[FieldError] = (),
    ) -> Mapping[str, Any]:
        moved = await self._drafts.turn(draft, page, values)
        if moved is None:
            return _replaced(forms.problem("Expired", _GONE))
        return _replaced(self._view(moved, start, errors))

    async def _refused(
        self,
        draft: Draft,
        start: FormStart,
        values: Mapping[str, JSON],
        view: Payload,
        errors: Sequence[FieldError],
    ) -> Mapping[str, Any]:
        """Beside the fields where they stand in the modal, above the form where they do not."""
        inputs = {block.get("block_id") for block in view.get("blocks") or () if block.get("type") == "input"}
        draft = await self._drafts.keep(draft, values)
        if all(error.field in inputs for error in errors):
            return {"response_action": "errors", "errors": {error.field: short(error.message) for error in errors}}
        return _replaced(self._view(draft, start, errors))

    async def _update(self, view: Payload, new: Mapping[str, Any]) -> None:
        arguments = {"view_id": view.get("id"), "hash": view.get("hash"), "view": new}
        try:
            await self._web.call("views.update", **arguments)
        except PlatformError as error:
            # A newer change of the same view has its own update under way; a closed view needs none.
            log.info("slack_view_not_updated", extra={"code": getattr(error, "code", "")})

    def _view(self, draft: Draft, start: FormStart, errors: Sequence[FieldError] = ()) -> dict[str, Any]:
        view = forms.modal(
            start,
            page=min(draft.page, len(start.form.pages) - 1),
            values=draft.values,
            callback_id=draft.command,
            private_metadata=draft.metadata,
            errors=errors,
        )
        return {**view, "notify_on_close": True}

    def _before(self, start: FormStart, page: int, values: Mapping[str, JSON]) -> int:
        """Return the page that led to this one: pages without a field to show are passed over."""
        before, current = 0, 0
        while current < page:
            before = current
            following_page = following(start.form, current, values)
            if following_page is None or following_page >= page:
                break
            current = following_page
        return before

    def _source(self, name: str) -> FormSource:
        if name not in self._sources:
            command = self._registry.get(name)
            if not isinstance(command, Command) or command.form is None:
                raise UsageError(f"`{name}` has no form in this release.", hint="Type the command again.")
            self._sources[name] = command.form(self._deps)
        return self._sources[name]


def operation_id(seed: str) -> str:
    """Return the operation's id for a delivery or a draft: the same again when the work is taken up after a crash."""
    return f"op-{hashlib.sha256(seed.encode()).hexdigest()[:20]}"


def _typed(start: FormStart, page: int, view: Payload) -> dict[str, JSON]:
    state = (view.get("state") or {}).get("values") or {}
    pages = start.form.pages
    return forms.answers(pages[min(page, len(pages) - 1)].fields, state) if pages else {}


def _initial(source: FormSource, draft: Draft, principal: Principal) -> Mapping[str, JSON]:
    try:
        return source.start(draft.words, principal).values
    except PlatformError:  # what was right when it was typed may not be so any more
        return {}


def _chosen(start: FormStart, values: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the answers that somebody gave: neither empty nor what stands there by itself."""
    defaults = {field.name: field.default for field in start.form.fields()}
    return {name: value for name, value in values.items() if value not in (None, "", [], defaults.get(name))}


def _names(fields: Sequence[FormField]) -> set[str]:
    return {field.name for field in fields}


def _page_of(start: FormStart, name: str) -> int:
    return next((n for n, page in enumerate(start.form.pages) if name in _names(page.fields)), 0)


def _field_errors(error: ValidationError) -> list[FieldError]:
    return [
        FieldError(field=str(one["loc"][0]) if one["loc"] else "", message=short(one["msg"]))
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def _replaced(view: Mapping[str, Any]) -> dict[str, Any]:
    return {"response_action": "update", "view": dict(view)}
