"""What a Kubernetes API server's answers mean, in our words: JSON, or the error that a person may read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.errors import Conflict, Invalid, Mistake, NotFound, OutcomeUnknown, PlatformError, Refused, UpstreamUnavailable
from integrations.kubernetes.connection import Reply

LONGEST = 300
"""Characters of the server's own words that a sentence quotes."""
DOCTOR = "`manifests/install/` grants what Causeway needs; `causeway doctor` says what is missing."
AGAIN = "Try again in a minute."

T = TypeVar("T")

_DENIED = re.compile(
    r'cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)"(?: in API group "(?P<group>[^"]*)")?'
    r'(?: in the namespace "(?P<namespace>[^"]+)")?'
)
_PATH = re.compile(r"^\s*(?P<path>\.[^\s:]*(?:\[[^\]]*\][^\s:]*)*): (?P<message>.+)$")
_QUANTITY = re.compile(r"quantities must match")
_NO_SUCH_PATH = b"404 page not found"
"""The server's whole answer for an API group that it does not have; any other page may be somebody else's."""
_GO_VALUE = re.compile(r"got &(?:value\.valueUnstructured\{Value:)?\{?(?P<value>[^}]*)\}?$")


class Expired(Exception):
    """The server has forgotten what the request refers to (410): read everything anew."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What was asked, for the sentence about its failure."""

    cluster: str
    verb: str
    """As RBAC calls it: `get`, `list`, `watch`, `patch`, `delete`, `create`."""
    resource: str
    """`deployments.apps`, `pods/log`, or a path."""
    what: str
    """`Deployment web in orders-staging`."""
    namespace: str = ""
    writes: bool = False
    secret: bool = False
    """Its values are never quoted."""


def value(reply: Reply, ask: Ask, read: Callable[[Any], T]) -> T:
    """Return what `read` makes of the JSON of a good answer. Raise the `PlatformError` that fits, or `Expired`."""
    document = _document(reply.body)
    if reply.status >= 300 or document is None:
        raise problem(reply, ask)
    try:
        return read(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unknown(ask, "its answer was not what Kubernetes describes") from error


def an_object(document: Any) -> Any:
    """Read an answer that is an object. Raise `TypeError` for any other."""
    if not isinstance(document.get("metadata", {}), dict):
        raise TypeError("not an object")
    return document


def problem(reply: Reply, ask: Ask) -> PlatformError | Expired:
    """Return the error for an answer that is not a good one."""
    document = _document(reply.body)
    status = document if isinstance(document, dict) and document.get("kind") == "Status" else {}
    said = str(status.get("message") or "")
    if reply.status == 401:
        return Refused(f"The cluster `{ask.cluster}` did not accept our credentials.", hint=f"Renew them; {DOCTOR}")
    if reply.status == 429:
        return UpstreamUnavailable(
            f"The cluster `{ask.cluster}` has too much to do to {_doing(ask)}.",
            hint=AGAIN,
            retry_after_s=reply.retry_after_s,
        )
    if reply.status == 410 and ask.verb in ("list", "watch"):
        return Expired()
    if mistakes := list(_mistakes(status, said, ask)):
        return Invalid(f"The cluster `{ask.cluster}` does not take {ask.what}.", mistakes)
    if reply.status == 404 and reply.body.strip() == _NO_SUCH_PATH:
        return unknown_kind(ask.cluster, ask.what)
    if not status or reply.status >= 500:
        return unknown(ask, f"it answered with an error of its own ({reply.status}){_quoted(said, ask)}")
    return _refusal(reply.status, status, said, ask)


def unreachable(ask: Ask, why: str) -> UpstreamUnavailable:
    return UpstreamUnavailable(f"The cluster `{ask.cluster}` could not be asked to {_doing(ask)}: {why}.", hint=AGAIN)


def unknown(ask: Ask, why: str) -> UpstreamUnavailable:
    """Return the error for a request that went out without an answer that tells what happened."""
    text = f"The cluster `{ask.cluster}` was asked to {_doing(ask)}, but {why}"
    if ask.writes:
        return OutcomeUnknown(
            f"{text}, so it may or may not have happened.", hint="Causeway looks before it tries again."
        )
    return UpstreamUnavailable(f"{text}.", hint=AGAIN)


def _refusal(code: int, status: dict[str, Any], said: str, ask: Ask) -> PlatformError:
    details = status.get("details") or {}
    match code:
        case 403:
            return _forbidden(details, said, ask)
        case 404 if details.get("kind") == "namespaces" and ask.resource != "namespaces":
            return NotFound(
                f"The cluster `{ask.cluster}` has no namespace `{details.get('name', ask.namespace)}`.",
                hint="Make it first, or correct the name.",
            )
        case 404 if details.get("name"):
            return NotFound(f"The cluster `{ask.cluster}` has no {ask.what}.")
        case 404:
            return unknown_kind(ask.cluster, ask.what)
        case 409:
            return _conflict(details, said, ask)
        case _:
            return Invalid(
                f"The cluster `{ask.cluster}` does not take {ask.what}.",
                [Mistake("", _words(said, ask) or f"it gave no reason ({code})")],
            )


def unknown_kind(cluster: str, what: str) -> NotFound:
    return NotFound(
        f"The cluster `{cluster}` does not know {what}.",
        hint="Install the CustomResourceDefinition, or correct `apiVersion` and `kind`.",
    )


def _forbidden(details: dict[str, Any], said: str, ask: Ask) -> PlatformError:
    if any(cause.get("reason") == "NamespaceTerminating" for cause in _causes(details)):
        return Conflict(
            f"The namespace `{ask.namespace}` of the cluster `{ask.cluster}` is being deleted.",
            hint="Try again when it is gone.",
        )
    denied = _DENIED.search(said)
    if denied is None:
        reason = said.partition(" is forbidden: ")[2] or said
        return Refused(f"The cluster `{ask.cluster}` does not admit {ask.what}: {_words(reason, ask)}.")
    resource = ".".join(filter(None, (denied["resource"], denied["group"])))
    where = f"in the namespace `{denied['namespace']}`" if denied["namespace"] else "in the whole cluster"
    return Refused(
        f"The cluster `{ask.cluster}` does not let Causeway {denied['verb']} {resource} {where}.", hint=DOCTOR
    )


def owners_in_conflict(reply: Reply) -> frozenset[str]:
    """Return the field managers because of whom an apply was refused; none for any other answer."""
    document = _document(reply.body) if reply.status == 409 else None
    details = document.get("details") if isinstance(document, dict) else None
    return frozenset(_owners(details if isinstance(details, dict) else {}))


def _owners(details: dict[str, Any]) -> dict[str, list[str]]:
    """Return field manager → the fields of it that are in conflict."""
    owners: dict[str, list[str]] = {}
    for cause in _causes(details):
        if cause.get("reason") == "FieldManagerConflict":
            owner = re.search(r'conflict with "([^"]+)"', str(cause.get("message")))
            owners.setdefault(owner[1] if owner else "somebody else", []).append(str(cause.get("field")))
    return owners


def _conflict(details: dict[str, Any], said: str, ask: Ask) -> Conflict:
    if owners := _owners(details):
        whose = "; ".join(f"`{owner}` owns {', '.join(fields)}" for owner, fields in owners.items())
        return Conflict(
            f"Others own fields of {ask.what}: {whose}.",
            hint="Have them leave those fields alone, then give the fields back to Causeway with `kubectl apply "
            "--server-side --force-conflicts --field-manager=causeway`, and try again.",
        )
    if "UID" in said:
        return Conflict(f"{ask.what} is another object now than the one that was meant.")
    return Conflict(f"{ask.what} is not as expected: {_words(said, ask)}.")


def _mistakes(status: dict[str, Any], said: str, ask: Ask) -> Iterator[Mistake]:
    """Find the mistakes in an object, whichever way the server tells of them."""
    if status.get("reason") == "Invalid":
        for cause in _causes(status.get("details") or {}):
            yield Mistake(str(cause.get("field", "")), _words(str(cause.get("message", "")), ask))
    elif said.startswith("failed to create typed patch object"):
        # Server-side apply checks fields before anything else, and calls what it finds an error of its own (500).
        for line in said.partition("): ")[2].splitlines():
            if found := _PATH.match(line):
                yield Mistake(found["path"].lstrip("."), _plain(found["message"], ask))
    elif said.startswith("failed to convert new object"):
        message = "has a quantity that is none; write `100m` or `256Mi`" if _QUANTITY.search(said) else said
        yield Mistake("", _words(message, ask))
    elif "strict decoding error: " in said:
        for part in said.partition("strict decoding error: ")[2].split(", "):
            if found := re.match(r'(unknown|duplicate) field "([^"]+)"', part):
                yield Mistake(found[2], f"is {'no field' if found[1] == 'unknown' else 'given twice'}")


def _plain(message: str, ask: Ask) -> str:
    if message == "field not declared in schema":
        return "there is no such field"
    return _words(_GO_VALUE.sub(r"got \g<value>", message), ask)


def _causes(details: dict[str, Any]) -> list[dict[str, Any]]:
    return [cause for cause in details.get("causes") or [] if isinstance(cause, dict)]


def _doing(ask: Ask) -> str:
    return f"{'apply' if ask.verb == 'patch' else ask.verb} {ask.what}"


def _quoted(said: str, ask: Ask) -> str:
    return f": {_words(said, ask)}" if said else ""


def _words(said: str, ask: Ask) -> str:
    """Return the server's own words on one line, cut to a readable length; none about secrets: they may quote one."""
    if ask.secret:
        return "its content is not accepted"
    return re.sub(r"\s+", " ", "".join(c if c.isprintable() or c.isspace() else "" for c in said)).strip(" .")[:LONGEST]


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
