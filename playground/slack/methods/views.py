"""views.*: modals and the Home tab."""

from __future__ import annotations

from typing import Any

from playground.slack.call import Call, method
from playground.slack.rates import Tier
from playground.slack.refusals import SlackRefusal
from playground.slack.store import Json
from playground.slack.tokens import Trigger
from playground.slack.views import checked


def _given(call: Call, kind: str) -> Json:
    view = checked(_parsed(call))
    if view["type"] != kind:
        raise SlackRefusal("invalid_arguments", messages=[f"[ERROR] must be a {kind} [json-pointer:/view/type]"])
    return view


def _parsed(call: Call) -> Any:
    call.required("view")
    return call.json("view")


def _trigger(call: Call) -> Trigger:
    return call.slack.triggers.look(call.text("interactivity_pointer") or call.required("trigger_id"))


@method("views.open", Tier.FOUR)
def open_view(call: Call) -> Json:
    trigger = _trigger(call)
    view = _given(call, "modal")
    opened = call.slack.views.open(trigger.user, view, trigger.channel)
    trigger.used = True
    return {"view": call.slack.views.as_slack(opened)}


@method("views.push", Tier.FOUR)
def push(call: Call) -> Json:
    """Put a modal on the stack; only a trigger from inside the open stack will do."""
    trigger = _trigger(call)
    views = call.slack.views
    if trigger.view_id not in [view["id"] for view in views.stack(trigger.user)]:
        raise SlackRefusal("invalid_trigger_id")
    pushed = views.push(trigger.user, _given(call, "modal"), trigger.channel)
    trigger.used = True
    return {"view": views.as_slack(pushed)}


@method("views.update", Tier.FOUR)
def update(call: Call) -> Json:
    view_id, external_id = call.text("view_id"), call.text("external_id")
    if (view_id is None) == (external_id is None):
        problem = "[ERROR] exactly one of view_id and external_id is needed"
        raise SlackRefusal("invalid_arguments", messages=[problem])
    content = checked(_parsed(call))
    views = call.slack.views
    view = views.find(view_id, external_id)
    if view is None:
        raise SlackRefusal("not_found")
    return {"view": views.as_slack(views.update(view, content, call.text("hash")))}


@method("views.publish", Tier.FOUR)
def publish(call: Call) -> Json:
    user = call.slack.directory.users.get(call.required("user_id"))
    if user is None:
        problem = "[ERROR] no such user [json-pointer:/user_id]"
        raise SlackRefusal("invalid_arguments", messages=[problem])
    views = call.slack.views
    return {"view": views.as_slack(views.publish(user["id"], _given(call, "home"), call.text("hash")))}
