"""GitHub's documents → our types: versions, builds and deployments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, cast, get_args

from bot.model.canonical import JSON
from bot.ports import (
    ChangedFile,
    Comparison,
    DeploymentRecord,
    DeploymentState,
    Image,
    Release,
    Tag,
    WorkflowRun,
)
from integrations.github import shapes

Document = Mapping[str, Any]
MOST_COMMITS = 250
MOST_FILES = 300
"""GitHub's own bounds of a comparison."""
LONGEST_DESCRIPTION = 140
"""Characters of a deployment's status that GitHub takes."""

RunStatus = Literal["queued", "in_progress", "completed", "waiting", "requested", "pending"]
FileStatus = Literal["added", "removed", "modified", "renamed", "copied", "changed", "unchanged"]
PASSERS_BY = frozenset({"schedule", "dynamic", "issues", "issue_comment", "label", "discussion", "watch", "fork",
                        "deployment", "deployment_status", "repository_dispatch"})  # fmt: skip
"""Events whose runs carry the commit that a branch happened to be at. `dynamic` are GitHub's own: code scanning,
Dependabot. A deployment begins runs as well, our own records among them: they cannot be what the deployment waits for.
"""


def tag(document: Document) -> Tag:
    return Tag(document["name"], shapes.sha(document["commit"]))


def release(document: Document) -> Release | None:
    """Read a release, or None for a draft: it is published to nobody."""
    if document.get("draft") or not document.get("published_at"):
        return None
    return Release(
        tag=document["tag_name"],
        name=document.get("name") or document["tag_name"],
        published_at=moment(document["published_at"]),
        prerelease=bool(document.get("prerelease")),
        web_url=document.get("html_url") or "",
    )


def image(document: Document) -> Image:
    """Read one version of a container package: its name is the digest."""
    container = (document.get("metadata") or {}).get("container") or {}
    return Image(tuple(container.get("tags") or ()), document["name"], moment(document["created_at"]))


def comparison(document: Document) -> Comparison:
    return Comparison(
        ahead=int(document["ahead_by"]),
        behind=int(document["behind_by"]),
        commits=tuple(shapes.commit(one) for one in document["commits"][-MOST_COMMITS:]),
        files=tuple(changed_file(one) for one in (document.get("files") or ())[:MOST_FILES]),
        web_url=document.get("html_url") or "",
    )


def changed_file(document: Document) -> ChangedFile:
    status = document["status"]
    known = status if status in get_args(FileStatus) else "changed"
    return ChangedFile(document["filename"], cast("FileStatus", known), document.get("previous_filename") or "")


def runs(document: Document) -> list[WorkflowRun]:
    """Read a counted list of runs without those that the commit did not begin."""
    return [workflow_run(one) for one in document["workflow_runs"] if one.get("event") not in PASSERS_BY]


def workflow_run(document: Document) -> WorkflowRun:
    status = document["status"]
    return WorkflowRun(
        id=int(document["id"]),
        name=document.get("name") or "",
        sha=document["head_sha"],
        branch=document.get("head_branch") or "",
        status=cast("RunStatus", status if status in get_args(RunStatus) else "pending"),
        conclusion=document.get("conclusion"),
        web_url=document.get("html_url") or "",
        updated_at=moment(document["updated_at"]),
    )


def deployment(document: Document) -> DeploymentRecord:
    return DeploymentRecord(
        id=int(document["id"]),
        sha=document["sha"],
        environment=document["environment"],
        payload=payload(document.get("payload")),
        created_at=moment(document["created_at"]),
    )


def payload(given: object) -> Mapping[str, JSON]:
    """Return a deployment's payload: GitHub keeps an object as one, and a text as it came."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            return {}
    return given if isinstance(given, dict) else {}


def state(document: Document) -> DeploymentState:
    found = document["state"]
    if found not in get_args(DeploymentState):
        raise ValueError("not a state of a deployment")
    return cast("DeploymentState", found)


def described(text: str) -> str:
    """Return a description of the length that GitHub takes."""
    return text if len(text) <= LONGEST_DESCRIPTION else f"{text[: LONGEST_DESCRIPTION - 1]}…"


def moment(text: str) -> datetime:
    """Read GitHub's `2026-03-02T09:00:00Z`."""
    return datetime.fromisoformat(text)
