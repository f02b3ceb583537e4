"""Who somebody is to a repository, and the App as other objects name it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.github import shapes
from playground.github.access import APP_ID, APP_PERMISSIONS, APP_SLUG
from playground.github.call import Links
from playground.github.store import Document

if TYPE_CHECKING:
    from playground.github.hub import Hub

EVENTS = [
    *("push", "pull_request", "issue_comment", "workflow_run", "repository"),
    *("create", "delete", "deployment", "deployment_status"),
]
"""What the App has subscribed to."""


def shaped_app(hub: Hub, links: Links) -> shapes.Json:
    """Return the App as `performed_via_github_app` has it."""
    owner = hub.owner()
    return {
        "id": APP_ID,
        "slug": APP_SLUG,
        "node_id": shapes.node_id("App", APP_ID),
        "client_id": f"Iv1.{APP_ID}",
        "name": "Causeway",
        "owner": shapes.user(links, owner),
        "description": "",
        "external_url": links.web,
        "html_url": f"{links.web}/apps/{APP_SLUG}",
        "permissions": APP_PERMISSIONS,
        "events": EVENTS,
        "created_at": owner["created_at"],
        "updated_at": owner["created_at"],
    }


def association(hub: Hub, repo: Document, login: str) -> str:
    """Return GitHub's word for what an author is to a repository."""
    if login.lower() == repo["owner"].lower():
        return "OWNER"
    owner = hub.account(repo["owner"])
    if owner is not None and owner["type"] == "Organization" and is_member(hub, login):
        return "MEMBER"
    return "COLLABORATOR" if login in repo["collaborators"] else "NONE"


def is_member(hub: Hub, login: str) -> bool:
    """Say whether somebody belongs to the one organisation that there is. An App never does."""
    account = hub.account(login)
    return account is not None and account["type"] == "User" and bool(account.get("member", True))
