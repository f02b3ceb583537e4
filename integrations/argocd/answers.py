"""What Argo CD's answers mean, in our words: the JSON, or the error that a person may read. No token is ever in one."""

from __future__ import annotations

import json
import re
from typing import Any

from bot.errors import Conflict, NotFound, OutcomeUnknown, PlatformError, Refused, UpstreamUnavailable

LONGEST_MESSAGE = 240
HIDDEN = "permission denied"
"""All that Argo CD says when an application does not exist, or may not be seen (advisory GHSA-2q5c-qw9c-fmvq)."""
DOCTOR = "`causeway doctor` says what is missing."


def value(status: int, body: bytes, doing: str, *, write: bool) -> Any:
    """Return the JSON of a good answer. `doing` is what was asked: `sync orders-staging`.

    Raise the `PlatformError` that fits.
    """
    document = _document(body)
    if status < 300 and document is not None:
        return document
    raise _problem(status, document, doing, write=write)


def unreachable(doing: str, why: str) -> UpstreamUnavailable:
    return UpstreamUnavailable(f"Argo CD could not be reached to {doing} ({why}).", hint="Try again in a minute.")


def unknown(doing: str, why: str, *, write: bool) -> UpstreamUnavailable:
    """Return the error for a request that went out without a whole answer."""
    if write:
        return OutcomeUnknown(f"Argo CD was asked to {doing}, but {why}, so it may or may not have happened.")
    return UpstreamUnavailable(f"Argo CD was asked to {doing}, but {why}.", hint="Try again in a minute.")


def told(document: Any) -> str:
    """Return Argo CD's own words on one line, cut to a readable length."""
    message = document.get("message") or document.get("error") if isinstance(document, dict) else None
    text = message if isinstance(message, str) else "it gave no reason"
    return re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in text)).strip(" .")[:LONGEST_MESSAGE]


def _problem(status: int, document: Any, doing: str, *, write: bool) -> PlatformError:
    said = told(document)
    if document is not None and "another operation is already in progress" in said:
        return Busy(f"Argo CD is busy with another operation and cannot {doing} now.")
    if status >= 500:
        # Argo CD wraps some refusals of the cluster in a 500; nothing of it is certain.
        return unknown(doing, f"it answered with an error of its own ({status}: {said})", write=write)
    if document is None or status < 400:
        return unknown(doing, f"the answer ({status}) was not Argo CD's JSON", write=write)
    match status:
        case 401:
            return Refused(
                f"Argo CD did not accept our token to {doing}.", hint=f"Renew CAUSEWAY_ARGOCD_TOKEN; {DOCTOR}"
            )
        case 403 if said == HIDDEN:
            return NotFound(f"Argo CD was asked to {doing}, but has no such application, or hides it from us.")
        case 403 if "sync window" in said:
            return Refused(f"Argo CD does not {doing}: a sync window is closed.", hint="Wait until it opens.")
        case 403:
            return Refused(f"Argo CD does not let us {doing}: {said}.", hint=f"Grant our account that right; {DOCTOR}")
        case 404:
            return NotFound(f"Argo CD was asked to {doing}, but has no such application.")
        case 408 | 429:
            return unknown(doing, f"it cannot now ({status})", write=write)
        case _:
            return Conflict(f"Argo CD cannot {doing}: {said}.")


class Busy(Conflict):
    """Another sync is going on."""


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
