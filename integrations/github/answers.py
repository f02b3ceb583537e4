"""What GitHub's answers mean, in our words: the value, or the error that a person may read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from bot.errors import Conflict, NotFound, OutcomeUnknown, PlatformError, Refused, UpstreamUnavailable
from integrations.github.transport import Reply

LONGEST_MESSAGE = 240
NO_ADVICE_PAUSE_S = 60.0
"""What GitHub asks for when it refuses for its limits and says neither when to come back nor when they reset."""
DOCTOR = "`causeway doctor` says what is missing."


class RateLimited(Exception):
    """GitHub refused the call for its limits: it was not done, and may be repeated after the pause."""

    def __init__(self, pause_s: float) -> None:
        super().__init__()
        self.pause_s = pause_s


def value(reply: Reply, doing: str, *, write: bool) -> Any:
    """Return the JSON of a good answer (None where it has none). `doing` is what was asked: `delete acme/orders`.

    Raise `RateLimited`, or the `PlatformError` that fits.
    """
    document, is_json = _document(reply)
    if reply.status < 300 and is_json:
        return document
    if (reply.status == 429 or (reply.status == 403 and is_json)) and (pause := _pause(reply, document)) is not None:
        raise RateLimited(pause)
    raise _problem(reply, document if is_json else None, doing, write=write)


def unreachable(doing: str) -> UpstreamUnavailable:
    return UpstreamUnavailable(
        f"GitHub could not be reached to {doing}.", hint="Try again in a minute; githubstatus.com may know more."
    )


def unknown(doing: str, why: str, *, write: bool) -> UpstreamUnavailable:
    """Return the error for a request that went out without a whole answer."""
    if write:
        return OutcomeUnknown(
            f"GitHub was asked to {doing}, but {why}, so it may or may not have happened.",
            hint="Causeway looks before it tries again.",
        )
    return UpstreamUnavailable(f"GitHub was asked to {doing}, but {why}.", hint="Try again in a minute.")


def _problem(reply: Reply, document: Any, doing: str, *, write: bool) -> PlatformError:
    if reply.status >= 500:
        return unknown(doing, f"it answered with an error of its own ({reply.status})", write=write)
    if document is None or not 400 <= reply.status < 500:
        # A page in the way of GitHub (a proxy's, a portal's) proves nothing, least of all that something is gone.
        return unknown(doing, f"the answer ({reply.status}) was not GitHub's JSON", write=write)
    said = _message(document)
    match reply.status:
        case 401:
            return Refused(f"GitHub did not accept our credentials to {doing}.", hint=f"Renew the token; {DOCTOR}")
        case 403 | 451:
            return Refused(f"GitHub does not let us {doing}: {said}.", hint=_permission_hint(reply))
        case 422 if said.startswith("No commit found"):
            return NotFound(f"GitHub knows no such branch, tag or commit to {doing}.")
        case 404 | 410:
            return NotFound(f"GitHub was asked to {doing}, but knows nothing of that name, or hides it from us.")
        case 409 if "empty" in said.lower():
            return UpstreamUnavailable(
                f"GitHub is still setting up the repository needed to {doing}.", retry_after_s=1.0
            )
        case 408:
            return unknown(doing, "it gave up waiting", write=write)
        case _:
            return Conflict(f"GitHub cannot {doing}: {said}.")


def _document(reply: Reply) -> tuple[Any, bool]:
    if not reply.text.strip():
        return None, reply.status in (201, 204, 205)
    try:
        return json.loads(reply.text), True
    except ValueError:
        return None, False


def _pause(reply: Reply, document: Any) -> float | None:
    """Return for how long GitHub wants to be left alone, or None when the refusal has another reason."""
    if (after := _number(reply.headers, "retry-after")) is not None:
        return max(after, 0.0)
    if reply.headers.get("x-ratelimit-remaining") == "0":
        reset, now = _number(reply.headers, "x-ratelimit-reset"), _date(reply.headers)
        return NO_ADVICE_PAUSE_S if reset is None or now is None else max(reset - now, 0.0) + 1.0
    said = _message(document).lower()
    limited = reply.status == 429 or "rate limit" in said or "abuse" in said
    return NO_ADVICE_PAUSE_S if limited else None


def _number(headers: Mapping[str, str], name: str) -> float | None:
    try:
        return float(headers[name])
    except (KeyError, ValueError):
        return None


def _date(headers: Mapping[str, str]) -> float | None:
    """Return the server's own time: its reset moment means nothing on a clock that is off."""
    try:
        return parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError):
        return None


def _message(document: Any) -> str:
    """Return GitHub's own words on one line, cut to a readable length."""
    if not isinstance(document, dict):
        return "it gave no reason"
    parts = [document.get("message")]
    errors = document.get("errors")
    for error in errors if isinstance(errors, list) else [errors]:
        if isinstance(error, dict):
            parts.append(error.get("message") or " ".join(str(error.get(k, "")) for k in ("field", "code")))
        else:
            parts.append(error)
    said = "; ".join(text.strip(" .") for part in parts if isinstance(part, str) and (text := _line(part)))
    return said[:LONGEST_MESSAGE] or "it gave no reason"


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", "".join(c if c.isprintable() or c.isspace() else "" for c in text)).strip()


def _permission_hint(reply: Reply) -> str:
    wanted = _line(reply.headers.get("x-accepted-github-permissions", ""))[:LONGEST_MESSAGE]
    return f"It needs the permission {wanted}. {DOCTOR}" if wanted else DOCTOR
