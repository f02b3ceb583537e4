"""What Slack delivers, parsed once: from the HTTP body or from a Socket Mode message into one typed envelope.

The form is decoded here and not by Bolt, whose parser loses every command that has the letters `payload` in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl

MAX_FIELDS = 64
MAX_KEY = 200
Payload = dict[str, Any]


class Kind(StrEnum):
    COMMAND = "command"
    ACTIONS = "actions"
    SUBMISSION = "submission"
    CLOSED = "closed"
    OPTIONS = "options"
    EVENT = "event"
    SHORTCUT = "shortcut"
    COMPLETION = "completion"
    """Ours, not Slack's: a form whose last page was stored and whose request is yet to be handed over."""


ANSWERED_WHILE_SLACK_WAITS = frozenset({Kind.SUBMISSION, Kind.OPTIONS})


class Malformed(ValueError):
    """The body is not what Slack sends. Never carries the body."""


@dataclass(frozen=True, slots=True)
class Verification:
    """Slack asks whether the URL is ours."""

    challenge: str


@dataclass(frozen=True, slots=True)
class Envelope:
    kind: Kind
    key: str
    """The same for two deliveries of the same thing."""
    payload: Payload
    body: str
    """The text to store, from which `restore` makes the payload again."""
    received_at: float
    """Seconds since 1970."""
    attempt: int = 1
    """Above 1 after a crash: the trigger has expired."""

    @property
    def user(self) -> str:
        return _text(self.payload.get("user_id")) or _id(self.payload.get("user")) or _text(self._event.get("user"))

    @property
    def team(self) -> str:
        """The team of the person where Slack says it, else the team the delivery is for."""
        user = self.payload.get("user")
        own = _text(user.get("team_id")) if isinstance(user, dict) else _text(self._event.get("user_team"))
        return own or _text(self.payload.get("team_id")) or _id(self.payload.get("team"))

    @property
    def workspace(self) -> str:
        """The team the delivery is for: the same for a command and for the form it opens, also in an organisation."""
        return _text(self.payload.get("team_id")) or _id(self.payload.get("team")) or self.team

    @property
    def channel(self) -> str:
        """The channel (`C…`, `D…`), or an empty text: modals and the home tab have none."""
        return (
            _text(self.payload.get("channel_id"))
            or _id(self.payload.get("channel"))
            or _text(self._event.get("channel"))
        )

    @property
    def thread(self) -> str:
        """The thread in which a mention stands, or that it begins; an empty text for all else."""
        return _text(self._event.get("thread_ts")) or _text(self._event.get("ts"))

    @property
    def trigger(self) -> str:
        return _text(self.payload.get("trigger_id"))

    @property
    def response_url(self) -> str:
        return _text(self.payload.get("response_url"))

    @property
    def view(self) -> Payload:
        view = self.payload.get("view")
        return view if isinstance(view, dict) else {}

    @property
    def _event(self) -> Payload:
        event = self.payload.get("event")
        return event if isinstance(event, dict) else {}


def from_http(body: bytes, content_type: str, received_at: float) -> Envelope | Verification:
    """Raise `Malformed` for whatever Slack would not send."""
    text = _decode(body)
    if content_type.partition(";")[0].strip().lower() == "application/json":
        return from_json(text, received_at)
    fields = _form(text)
    if "payload" in fields and "command" not in fields:
        return _envelope(_load(fields["payload"]), fields["payload"], received_at)
    return _envelope(fields, text, received_at)


def from_json(text: str, received_at: float) -> Envelope | Verification:
    payload = _load(text)
    if payload.get("type") == "url_verification":
        return Verification(_text(payload.get("challenge")))
    return _envelope(payload, text, received_at)


def from_socket(message: Mapping[str, Any], received_at: float) -> Envelope:
    """Take the payload of a Socket Mode message; its envelope id tells deliveries apart where nothing else does."""
    payload = message.get("payload")
    if not isinstance(payload, dict):
        raise Malformed("a Socket Mode message without a payload")
    text = json.dumps(payload)
    _refuse_half_characters(text)
    return _envelope(payload, text, received_at, fallback=_text(message.get("envelope_id")))


def restore(kind: str, key: str, body: str, received_at: float, attempt: int) -> Envelope:
    """Make the envelope of a stored row. Raise `Malformed` for a row that cannot be read."""
    payload = _load(body) if body.startswith("{") else _form(body)
    return Envelope(Kind(kind), key, payload, body, received_at, attempt)


def _envelope(payload: Payload, body: str, received_at: float, fallback: str = "") -> Envelope:
    kind, key = _kind(payload)
    key = key or fallback or hashlib.sha256(body.encode()).hexdigest()
    if len(key) > MAX_KEY or not key.isascii() or not key.isprintable():
        key = hashlib.sha256(key.encode(errors="replace")).hexdigest()
    return Envelope(kind, f"{kind.value}:{key}", payload, body, received_at)


def _kind(payload: Payload) -> tuple[Kind, str]:
    """Return the kind and what makes the delivery unique, after checking what everybody behind relies on."""
    if not _is_well_shaped(payload):
        raise Malformed("a delivery whose parts have the wrong type")
    trigger = _text(payload.get("trigger_id"))
    match payload:
        case {"command": str(), "user_id": str()}:
            return Kind.COMMAND, trigger
        case {"type": "event_callback", "event": {"type": str()}}:
            return Kind.EVENT, _text(payload.get("event_id"))
        case {"type": "block_actions", "user": {"id": str()}, "actions": [{"action_id": str()}, *rest]}:
            if all(isinstance(action, dict) for action in rest):
                return Kind.ACTIONS, trigger
        case {"type": "view_submission", "user": {"id": str()}, "view": {"type": str(), "callback_id": str()} as view}:
            return Kind.SUBMISSION, submission_key(view)
        case {"type": "view_closed", "user": {"id": str()}, "view": {"type": str(), "callback_id": str()} as view}:
            return Kind.CLOSED, submission_key(view)
        case {"type": "block_suggestion", "user": {"id": str()}, "action_id": str()}:
            return Kind.OPTIONS, trigger
        case {"type": "shortcut" | "message_action", "user": {"id": str()}, "callback_id": str()}:
            return Kind.SHORTCUT, trigger
    raise Malformed("a delivery of an unknown shape")


def _is_well_shaped(payload: Payload) -> bool:
    """Whether the parts that Bolt and the router read into are objects or texts, as Slack sends them."""
    view = payload.get("view")
    return all(isinstance(payload.get(name), _PARTS[name]) for name in _PARTS) and (
        view is None or all(isinstance(view.get(name), kinds) for name, kinds in _VIEW_PARTS.items())
    )


_NONE = type(None)
_PARTS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("view", "container", "message", "action"), (dict, _NONE)),
    **dict.fromkeys(("user", "team", "channel", "enterprise"), (dict, str, _NONE)),
    **dict.fromkeys(("authorizations", "response_urls", "actions"), (list, _NONE)),
    "event": (dict, _NONE),
}
_VIEW_PARTS: dict[str, tuple[type, ...]] = {"blocks": (list, _NONE), "state": (dict, _NONE), "type": (str, _NONE)}


def submission_key(view: Mapping[str, Any]) -> str:
    """View id, its hash and a digest of what stands in it: a second press of the same button gives the same key."""
    state = hashlib.sha256(json.dumps(view.get("state"), sort_keys=True).encode()).hexdigest()[:32]
    return f"{_text(view.get('id'))}:{_text(view.get('hash'))}:{state}"


def _decode(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Malformed("the body is not UTF-8") from None
    if "\0" in text:
        raise Malformed("the body holds a NUL")
    return text


def _form(text: str) -> Payload:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise Malformed("the form has too many fields") from None


def _load(text: str) -> Payload:
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("the body is not JSON") from None
    if not isinstance(payload, dict):
        raise Malformed("the JSON is not an object")
    _refuse_half_characters(text)
    return payload


def _refuse_half_characters(text: str) -> None:
    # An escaped half of a surrogate pair parses, and then breaks the first encoder it meets, far from here.
    if "\\u" in text and ("\\ud" in text or "\\uD" in text):
        try:
            json.dumps(json.loads(text), ensure_ascii=False).encode()
        except (UnicodeEncodeError, ValueError, RecursionError):
            raise Malformed("the JSON holds half a character") from None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _id(value: object) -> str:
    return _text(value.get("id")) if isinstance(value, dict) else ""
