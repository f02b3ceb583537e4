"""Forms in people's hands: entering values, asking for options, submitting and closing modals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from playground.slack import limits, payloads
from playground.slack.blocks import find, interactive
from playground.slack.delivery import Delivered, Deliveries
from playground.slack.elements import option
from playground.slack.messages import all_blocks
from playground.slack.refusals import ClientRefusal, SlackRefusal
from playground.slack.rules import Report, array
from playground.slack.state import Lookup, Unacceptable, enter, is_empty, state_values
from playground.slack.store import Json
from playground.slack.views import checked
from playground.slack.workspace import Workspace

TROUBLE = "We had some trouble connecting. Try again?"


class Forms:
    def __init__(self, slack: Workspace, deliveries: Deliveries) -> None:
        self._slack = slack
        self._deliveries = deliveries

    async def enter(self, user: Json, view: Json, values: Json) -> None:
        """Enter plain values into a view. Raise `ClientRefusal` with an error for each that a client would not take."""
        errors: dict[str, str] = {}
        entered: Json = {}
        for block_id, actions in values.items():
            if not isinstance(actions, dict):
                raise ClientRefusal(400, "invalid_values", "Values are `{block_id: {action_id: value}}`.")
            for action_id, value in actions.items():
                found = find(view["blocks"], action_id, block_id)
                if found is None:
                    raise ClientRefusal(409, "no_such_element", f"This view has no `{block_id}` / `{action_id}`.")
                try:
                    state = await self._entered(user, {"view": view}, *found, value)
                except Unacceptable as problem:
                    errors[block_id] = str(problem)
                else:
                    entered.setdefault(block_id, {})[action_id] = state
        if errors:
            raise ClientRefusal(409, "invalid_values", "The form does not take these values.", errors)
        if entered:
            self._slack.views.enter(view, entered)

    async def chosen(self, user: Json, place: Json, block: Json, element: Json, value: Any) -> Json:
        """Return the state of one element after its use. Raise `ClientRefusal` where a client would not take it."""
        try:
            return await self._entered(user, place, block, element, value)
        except Unacceptable as problem:
            raise ClientRefusal(409, "invalid_values", str(problem), {block["block_id"]: str(problem)}) from problem

    async def _entered(self, user: Json, place: Json, block: Json, element: Json, value: Any) -> Json:
        if element["type"].endswith("external_select"):
            await self._look_for(user, place, block, element, value if isinstance(value, list) else [value])
        return enter(block, element, value, self._lookup(user, place))

    async def _look_for(self, user: Json, place: Json, block: Json, element: Json, values: Iterable[Any]) -> None:
        """Ask the app for options that nobody has asked for yet, as a person does who types what to choose."""
        for value in values:
            for query in (str(value), ""):
                known = [inner["value"] for inner in self._offered(place, element)]
                if value in (None, "") or value in known or len(query) < element.get("min_query_length", 3):
                    break
                await self.options(user, place, block, element, query)

    def _offered(self, place: Json, element: Json) -> list[Json]:
        initial = [element["initial_option"]] if "initial_option" in element else element.get("initial_options", [])
        return [*self._slack.offered.get(_key(place, element), []), *initial]

    def _lookup(self, user: Json, place: Json) -> Lookup:
        directory = self._slack.directory

        def person(name: str) -> str | None:
            try:
                return str(directory.user(name)["id"])
            except ClientRefusal:
                return None

        def channel(name: str) -> str | None:
            found = directory.find_channel(name)
            return None if found is None else str(found["id"])

        return Lookup(
            user=person,
            channel=channel,
            offered=lambda _block, element: self._offered(place, element),
            upload=lambda file: self._slack.keep_file(file["name"], str(file["content"]).encode(), user["id"]),
        )

    async def options(self, user: Json, place: Json, block: Json, element: Json, query: str) -> Json:
        """Ask the app for the options of an external select, and remember what it offered."""
        if len(query) < element.get("min_query_length", 3):
            least = element.get("min_query_length", 3)
            raise ClientRefusal(409, "query_too_short", f"A client asks for options from {least} characters on.")
        payload = {
            **self._place(user, place),
            "block_id": block["block_id"],
            "action_id": element["action_id"],
            "value": query,
        }
        result = await self._deliveries.send("interaction", payload)
        flat, groups = _options(result)
        self._deliveries.record("interaction", "block_suggestion", payload, result)
        known = self._slack.offered.setdefault(_key(place, element), [])
        known.extend(inner for inner in flat if inner not in known)
        shown = {"status": result.status, "ack_ms": result.ack_ms, "error": result.error}
        return {**shown, "options": flat, "option_groups": groups}

    def _place(self, user: Json, place: Json) -> Json:
        if "view" in place:
            return payloads.in_view(self._slack, "block_suggestion", user, place["view"])
        message = self._slack.messages.get(place["channel"]["id"], place["ts"], user["id"])
        if message is None:
            raise ClientRefusal(404, "message_not_found", f"This person sees no message {place['ts']}.")
        return payloads.in_message(self._slack, "block_suggestion", user, place["channel"], message)

    def external(self, user: Json, place: Json, action_id: str, block_id: str | None) -> tuple[Json, Json]:
        """Return the (block, element) of an external select."""
        if "view" in place:
            blocks = place["view"]["blocks"]
        else:
            message = self._slack.messages.get(place["channel"]["id"], place["ts"], user["id"])
            blocks = all_blocks(message) if message else []
        found = find(blocks, action_id, block_id)
        if found is None or not found[1]["type"].endswith("external_select"):
            raise ClientRefusal(409, "not_clickable", f"There is no `{action_id}` here whose options the app offers.")
        return found

    async def submit(self, user: Json, view: Json, values: Json) -> Json:
        """Submit the modal on top, and do with it what the app answers."""
        stack = self._slack.views.stack(user["id"])
        if not stack or stack[-1] is not view or not view["submit"]:
            raise ClientRefusal(409, "not_clickable", "Only the modal on top can be submitted, and only with a button.")
        await self.enter(user, view, values)
        missing = _missing(view, state_values(view["blocks"], view["entered"], view["channel"]))
        if missing:
            raise ClientRefusal(409, "invalid_values", "The form is not complete.", missing)
        payload = payloads.in_view(self._slack, "view_submission", user, view)
        payload["trigger_id"] = self._slack.triggers.mint(user["id"], view["channel"], view["id"])
        payload["response_urls"] = self._response_urls(user, view)
        result = await self._deliveries.send("interaction", payload)
        self._answered(user, view, result)
        self._deliveries.record("interaction", "view_submission", payload, result)
        return result.shown()

    def _response_urls(self, user: Json, view: Json) -> list[Json]:
        values = state_values(view["blocks"], view["entered"], view["channel"])
        urls = []
        for block, element in interactive(view["blocks"]):
            if not element.get("response_url_enabled"):
                continue
            state = values[block["block_id"]][element["action_id"]]
            channel = state.get("selected_conversation") or state.get("selected_channel")
            if channel:
                url = self._slack.urls.mint(user["id"], channel)
                ids = {"block_id": block["block_id"], "action_id": element["action_id"]}
                urls.append({**ids, "channel_id": channel, "response_url": url})
        return urls

    def _answered(self, user: Json, view: Json, result: Delivered) -> None:
        """Show the answer to a submission. What Slack could not make sense of leaves its own notice in the modal."""
        views = self._slack.views
        if views.find(view["id"]) is None:
            return  # the person closed it meanwhile
        trouble = not result.ok
        try:
            if result.ok:
                self._obey(user, view, result.body)
        except SlackRefusal as refusal:
            trouble = True
            problem = "; ".join((refusal.error, *refusal.messages))
            result.violations.append(f"Slack refuses this answer: {problem}")
        if trouble and views.find(view["id"]):
            views.tell(view, notice=TROUBLE)

    def _obey(self, user: Json, view: Json, body: Any) -> None:
        views = self._slack.views
        action = body.get("response_action") if isinstance(body, dict) else None
        if body in ("", {}):
            views.close(user["id"], view)
        elif action == "errors":
            views.tell(view, errors=_field_errors(view, body.get("errors")))
        elif action == "update":
            views.update(view, checked(body.get("view")), None)
        elif action == "push":
            views.push(user["id"], checked(body.get("view")), view["channel"])
        elif action == "clear":
            views.close(user["id"], view, everything=True)
        else:
            raise SlackRefusal("unknown_response_action")

    async def close(self, user: Json, view: Json) -> None:
        """Close a modal by its cross: the root takes the stack with it. Tell the app where it asked for that."""
        is_root = view["id"] == view["root_view_id"]
        everything = is_root or view["clear_on_close"]
        stack = self._slack.views.stack(user["id"])
        root = stack[0] if stack else view
        self._slack.views.close(user["id"], view, everything=everything)
        told = root if everything else view
        if told["notify_on_close"]:
            payload = payloads.in_view(self._slack, "view_closed", user, told)
            payload["is_cleared"] = everything and len(stack) > 1
            result = await self._deliveries.send("interaction", payload)
            self._deliveries.record("interaction", "view_closed", payload, result)


def _key(place: Json, element: Json) -> tuple[str, str]:
    return (place["view"]["id"] if "view" in place else place["ts"], element["action_id"])


def _missing(view: Json, values: Json) -> dict[str, str]:
    return {
        block["block_id"]: "Please complete this field."
        for block in view["blocks"]
        if block["type"] == "input"
        and not block.get("optional")
        and is_empty(values[block["block_id"]][block["element"]["action_id"]])
    }


def _field_errors(view: Json, errors: Any) -> dict[str, str]:
    inputs = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not errors.keys() <= inputs:
        problem = f"[ERROR] errors must name input blocks of the view: {', '.join(sorted(inputs))}"
        raise SlackRefusal("invalid_errors", messages=[problem])
    return {block_id: str(text) for block_id, text in errors.items()}


_OFFER = array(option(), limits.OPTIONS, least=0)


def _options(result: Delivered) -> tuple[list[Json], list[Json] | None]:
    """Return the options of an answer, flat and in groups; or none and a violation."""
    body = result.body if isinstance(result.body, dict) else {}
    groups = body.get("option_groups")
    offers = [group.get("options") for group in groups] if isinstance(groups, list) else [body.get("options")]
    if not result.ok:
        return [], None
    report = Report()
    for index, offer in enumerate(offers):
        _OFFER(offer, f"/options/{index}", report)
    if len(offers) > limits.OPTION_GROUPS:
        report.add("/option_groups", f"no more than {limits.OPTION_GROUPS} items allowed")
    if report.messages:
        result.violations.append(f"Slack shows none of these options: {'; '.join(report.messages)}")
        return [], None
    return [inner for offer in offers for inner in offer or []], groups if isinstance(groups, list) else None
