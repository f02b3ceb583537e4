"""Modals and Home tabs: per person a stack of at most three modals and one Home view."""

from __future__ import annotations

import secrets
from typing import Any, Final

from playground.clock import PlaygroundClock
from playground.slack import blocks as block_kit
from playground.slack import limits
from playground.slack.blockkit import check_view, view_bytes
from playground.slack.refusals import ClientRefusal, SlackRefusal
from playground.slack.state import state_values
from playground.slack.store import Json, Store
from playground.slack.stream import Stream

_OWN: Final = ("user", "entered", "errors", "notice", "channel")
_DEFAULTS: Final[Json] = {
    "callback_id": "",
    "private_metadata": "",
    "external_id": "",
    "title": {"type": "plain_text", "text": "View", "emoji": True},
    "submit": None,
    "close": None,
    "clear_on_close": False,
    "notify_on_close": False,
}


def checked(view: Any) -> Json:
    """Return a view that Slack takes. Raise `SlackRefusal` with every mistake otherwise."""
    problems = check_view(view)
    if problems:
        raise SlackRefusal("invalid_arguments", messages=problems)
    if view_bytes(view) > limits.VIEW_BYTES:
        raise SlackRefusal("view_too_large")
    return dict(view)


class Views:
    """All open views. A stored view is Slack's view object and what only the client knows (`entered`, `errors`, …)."""

    def __init__(self, store: Store, stream: Stream, clock: PlaygroundClock, identity: Json) -> None:
        self._store = store
        self._stream = stream
        self._clock = clock
        self._identity = identity
        self._stacks: dict[str, list[Json]] = {}
        self._homes: dict[str, Json] = {}
        for kept in store.all("views"):
            self._stacks[kept["user"]] = kept["modals"]
            if kept["home"]:
                self._homes[kept["user"]] = kept["home"]

    def stack(self, user: str) -> list[Json]:
        return self._stacks.get(user, [])

    def home(self, user: str) -> Json | None:
        return self._homes.get(user)

    def find(self, view_id: str | None = None, external_id: str | None = None) -> Json | None:
        for view in [*(view for stack in self._stacks.values() for view in stack), *self._homes.values()]:
            if (view_id and view["id"] == view_id) or (external_id and view["external_id"] == external_id):
                return view
        return None

    def of_user(self, user: str, view_id: str) -> Json:
        """Return the view that this person has open, a modal or the Home tab."""
        home = self.home(user)
        for view in [*self.stack(user), *([home] if home else [])]:
            if view["id"] == view_id:
                return view
        raise ClientRefusal(404, "view_not_found", f"This person has no view `{view_id}` open.")

    def open(self, user: str, view: Json, channel: str | None) -> Json:
        """Open a modal. One that was open before gives way, as in Slack."""
        for old in reversed(self.stack(user)):
            self._stream.add("view_closed", user=user, view_id=old["id"])
        self._stacks[user] = []
        return self._put_on_top(user, view, channel, "view_opened")

    def push(self, user: str, view: Json, channel: str | None) -> Json:
        if len(self.stack(user)) >= limits.VIEW_STACK:
            raise SlackRefusal("push_limit_reached")
        return self._put_on_top(user, view, channel, "view_pushed")

    def _put_on_top(self, user: str, view: Json, channel: str | None, event: str) -> Json:
        self._external_id_is_free(view, None)
        stack = self._stacks.setdefault(user, [])
        view_id = "V" + secrets.token_hex(5).upper()
        full = {
            **self._content(view),
            "id": view_id,
            "root_view_id": stack[0]["id"] if stack else view_id,
            "previous_view_id": stack[-1]["id"] if stack else None,
            "user": user,
            "channel": channel,
        }
        stack.append(full)
        return self._changed(full, event)

    def update(self, view: Json, content: Json, view_hash: str | None) -> Json:
        """Replace a view's content; what was typed stays where block_id and action_id stay."""
        if view_hash and view_hash != view["hash"]:
            raise SlackRefusal("hash_conflict")
        if content["type"] != view["type"]:
            raise SlackRefusal("invalid_arguments", messages=["[ERROR] view type must not change [json-pointer:/view]"])
        self._external_id_is_free(content, view["id"])
        entered = view["entered"]
        view.update(self._content(content), entered=entered)
        return self._changed(view, "home_published" if view["type"] == "home" else "view_updated")

    def publish(self, user: str, content: Json, view_hash: str | None) -> Json:
        home = self.home(user)
        if home:
            return self.update(home, content, view_hash)
        view_id = "V" + secrets.token_hex(5).upper()
        full = {
            **self._content(content),
            "id": view_id,
            "root_view_id": view_id,
            "previous_view_id": None,
            "user": user,
            "channel": None,
        }
        self._homes[user] = full
        return self._changed(full, "home_published")

    def close(self, user: str, view: Json, *, everything: bool = False) -> list[Json]:
        """Take a modal, and what lies above it, off the stack. Return what was closed, top first."""
        stack = self.stack(user)
        start = 0 if everything else next((i for i, open_ in enumerate(stack) if open_["id"] == view["id"]), len(stack))
        closed = stack[start:][::-1]
        self._stacks[user] = stack[:start]
        with self._store.together():
            for gone in closed:
                self._stream.add("view_closed", user=user, view_id=gone["id"])
            self._save(user)
        return closed

    def enter(self, view: Json, entered: Json) -> None:
        """Remember what the person has typed or chosen: `{block_id: {action_id: state}}`."""
        for block_id, actions in entered.items():
            view["entered"].setdefault(block_id, {}).update(actions)
        self._save(view["user"])

    def tell(self, view: Json, *, errors: dict[str, str] | None = None, notice: str | None = None) -> None:
        """Show field errors or Slack's own notice in a view that is open."""
        view.update(errors=errors or {}, notice=notice)
        self._changed(view, "view_updated", new_hash=False)

    def as_slack(self, view: Json) -> Json:
        """Return Slack's view object with the state of its elements."""
        shown = {name: value for name, value in view.items() if name not in _OWN}
        values = state_values(view["blocks"], view["entered"], view["channel"])
        return {**shown, "state": {"values": values}}

    def as_sim(self, view: Json) -> Json:
        return {**self.as_slack(view), "errors": view["errors"], "notice": view["notice"]}

    def _content(self, view: Json) -> Json:
        given = {name: value for name, value in view.items() if value is not None}
        return {
            **self._identity,
            **_DEFAULTS,
            **given,
            "blocks": block_kit.stored(given["blocks"]),
            "entered": {},
            "errors": {},
            "notice": None,
        }

    def _external_id_is_free(self, view: Json, own_id: str | None) -> None:
        other = self.find(external_id=view.get("external_id"))
        if other and other["id"] != own_id:
            raise SlackRefusal("duplicate_external_id")

    def _changed(self, view: Json, event: str, *, new_hash: bool = True) -> Json:
        if new_hash:
            view["hash"] = f"{int(self._clock().timestamp())}.{secrets.token_hex(4)}"
        with self._store.together():
            self._stream.add(event, user=view["user"], view_id=view["id"], view=self.as_sim(view))
            self._save(view["user"])
        return view

    def _save(self, user: str) -> None:
        kept = {"user": user, "modals": self.stack(user), "home": self.home(user)}
        self._store.put("views", user, kept)
