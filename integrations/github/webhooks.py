"""GitHub's webhooks: who sent it (HMAC over the raw body), and what it says.

GitHub waits 10 seconds and never sends again by itself, so the caller stores a delivery, answers, and works later; a
redelivery by hand keeps the same `X-GitHub-Delivery`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from pydantic import SecretStr, ValidationError

from bot.errors import Refused, UsageError
from bot.model.forge_events import (
    BuildEnded,
    ForgeEvent,
    PullRequestComment,
    PullRequestEvent,
    Push,
    RepositoryEvent,
    UnknownEvent,
    WorkflowRun,
)
from integrations.github.shapes import full_name, is_fork, labels

LONGEST_ID = 100
LONGEST_TEXT = 2_000
"""Characters of a comment that are kept: what is asked for stands in its first line."""
Payload = Mapping[str, Any]


def verify(secret: SecretStr, body: bytes, signature: str | None) -> None:
    """Raise `Refused` unless `signature` (`X-Hub-Signature-256`) is this secret's over the raw body.

    Without a configured secret everything is refused: an open door is never a default.
    """
    key = secret.get_secret_value().encode()
    expected = "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()
    given = (signature or "").strip()
    # Compared as bytes: `compare_digest` raises for text beyond ASCII.
    if not key or not hmac.compare_digest(expected.encode(), given.encode(errors="replace")):
        raise Refused("The webhook's signature is not the one that our secret makes.")


def parse(event: str, delivery: str, body: bytes, content_type: str = "application/json") -> ForgeEvent:
    """Return what the delivery says, `UnknownEvent` for what we do not use. Raise `UsageError` when it is no JSON."""
    document = _document(body, content_type)
    named = {"delivery": delivery[:LONGEST_ID], "repository": _name(document.get("repository"))}
    try:
        if event in _READERS and named["repository"] is not None:
            return _READERS[event](named, document)
    except (KeyError, TypeError, ValueError, AttributeError, ValidationError):
        pass  # a shape that this release does not know; the sweep finds what it would have told
    action = document.get("action")
    return UnknownEvent(**named, event=event[:LONGEST_ID], action=action if isinstance(action, str) else None)


def _document(body: bytes, content_type: str) -> Payload:
    text = body
    if content_type.startswith("application/x-www-form-urlencoded"):
        text = parse_qs(body.decode(errors="replace")).get("payload", [""])[0].encode()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError("The webhook's body is not JSON.") from None
    if not isinstance(document, dict):
        raise UsageError("The webhook's body is not a JSON object.")
    return document


def _name(repository: Any) -> str | None:
    name = repository.get("full_name") if isinstance(repository, dict) else None
    return name if isinstance(name, str) else None


def _push(named: dict[str, Any], document: Payload) -> ForgeEvent:
    ref: str = document["ref"]
    commits = document.get("commits") or ()
    return Push(
        **named,
        branch=ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else None,
        default_branch=document["repository"].get("default_branch") or "main",
        before=document["before"],
        after=document["after"],
        paths=frozenset(
            path for commit in commits for kind in ("added", "modified", "removed") for path in commit.get(kind) or ()
        ),
        forced=bool(document.get("forced")),
    )


def _pull_request(named: dict[str, Any], document: Payload) -> ForgeEvent:
    request = document["pull_request"]
    return PullRequestEvent(
        **named,
        action=document["action"],
        number=request["number"],
        title=request["title"],
        web_url=request["html_url"],
        head=request["head"]["ref"],
        head_sha=request["head"]["sha"],
        base=request["base"]["ref"],
        author=_login(request.get("user")),
        merged=bool(request.get("merged")),
        head_repository=(source := full_name(request["head"].get("repo"))),
        fork=is_fork(source, named["repository"]),
        labels=labels(request),
        label=(document.get("label") or {}).get("name") or "",
        draft=bool(request.get("draft")),
        sender=_login(document.get("sender")),
        at=request.get("updated_at") or "",
        is_open=request.get("state") != "closed",
    )


def _issue_comment(named: dict[str, Any], document: Payload) -> ForgeEvent:
    """Read what was said below a pull request. What was edited or deleted, or stands below an issue, asks nothing."""
    issue, comment = document["issue"], document["comment"]
    if document["action"] != "created" or not issue.get("pull_request"):
        return UnknownEvent(**named, event="issue_comment", action=document["action"])
    return PullRequestComment(
        **named,
        number=issue["number"],
        comment=comment["id"],
        author=_login(comment.get("user")),
        association=comment.get("author_association") or "NONE",
        text=comment["body"][:LONGEST_TEXT],
        is_open=issue["state"] == "open",
    )


def _login(user: Any) -> str:
    return (user or {}).get("login") or ""


def _workflow_run(named: dict[str, Any], document: Payload) -> ForgeEvent:
    run = document["workflow_run"]
    if document["action"] == "completed" and run.get("conclusion"):
        return _build_ended(named, document, run)
    return WorkflowRun(
        **named,
        action=document["action"],
        run=run["id"],
        name=run.get("name") or "",
        branch=run.get("head_branch") or "",
        sha=run["head_sha"],
        status=run["status"],
        conclusion=run.get("conclusion"),
        web_url=run["html_url"],
    )


def _build_ended(named: dict[str, Any], document: Payload, run: Payload) -> ForgeEvent:
    branch, repository = run.get("head_branch") or "", document["repository"]
    source = (run.get("head_repository") or repository).get("full_name")
    return BuildEnded(
        **named,
        run=run["id"],
        name=run.get("name") or "",
        sha=run["head_sha"],
        branch=branch,
        is_default_branch=source == named["repository"] and branch == (repository.get("default_branch") or "main"),
        conclusion=run["conclusion"],
        actor=(run.get("triggering_actor") or run.get("actor") or {}).get("login") or "",
        web_url=run["html_url"],
    )


def _repository(named: dict[str, Any], document: Payload) -> ForgeEvent:
    return RepositoryEvent(
        **named, action=document["action"], id=document["repository"]["id"], former_name=_former_name(document)
    )


def _former_name(document: Payload) -> str | None:
    owner, _, name = document["repository"]["full_name"].partition("/")
    changes = document.get("changes") or {}
    if old := ((changes.get("repository") or {}).get("name") or {}).get("from"):
        return f"{owner}/{old}"
    source = ((changes.get("owner") or {}).get("from") or {}).values()
    return next((f"{one['login']}/{name}" for one in source if one), None)


_READERS: Mapping[str, Callable[[dict[str, Any], Payload], ForgeEvent]] = {
    "push": _push,
    "pull_request": _pull_request,
    "issue_comment": _issue_comment,
    "workflow_run": _workflow_run,
    "repository": _repository,
}
