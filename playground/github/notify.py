"""Whom GitHub tells: the App's own webhook address, and the hooks of a repository and its organisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from playground.github import shapes
from playground.github.store import Document

if TYPE_CHECKING:
    from playground.github.hub import Hub

INSTALLATION = {"id": 1, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uMQ=="}


def account(hub: Hub, login: str) -> Document:
    """Return the account, or an outline of somebody who pushed without having one."""
    return hub.account(login) or {"login": login, "id": 0, "type": "User", "name": login}


def emit(hub: Hub, repo: Document, event: str, payload: Mapping[str, Any], actor: str) -> None:
    """Send an event to the App's address and to the hooks of the repository and its organisation."""
    owner = str(repo["owner"])
    body = {**_context(hub, repo, owner, actor), **payload}
    for url in hub.webhook_urls:
        everything = {**body, "installation": INSTALLATION} if hub.access.has_app else body
        hub.deliveries.send(url, event, everything, hub.webhook_secret, hook_id=1, target="integration")
    for hook in hub.store.all("hooks", repo["id"]):
        send_to_hook(hub, hook, event, body, "repository")
    for hook in hub.store.all("hooks", owner.lower()):
        send_to_hook(hub, hook, event, body, "organization")


def send_to_hook(hub: Hub, hook: Document, event: str, body: Mapping[str, Any], target: str) -> None:
    if event == "ping" or (hook["active"] and ({event, "*"} & set(hook["events"]))):
        secret = hook["config"].get("secret") or ""
        hub.deliveries.send(hook["config"]["url"], event, body, secret, hook_id=hook["id"], target=target)


def _context(hub: Hub, repo: Document | None, owner: str, actor: str) -> dict[str, Any]:
    context: dict[str, Any] = {}
    holder = account(hub, owner)
    if repo:
        context["repository"] = shapes.repository(hub.links, repo, holder)
        context["repository"]["custom_properties"] = dict(repo["custom_properties"])
    if holder["type"] == "Organization":
        context["organization"] = shapes.organization(hub.links, holder)
    context["sender"] = shapes.user(hub.links, account(hub, actor))
    return context


def ping(hub: Hub, repo: Document | None, hook: Document, shown: Mapping[str, Any], actor: str) -> None:
    """Send the `ping` that GitHub sends when a hook is made or asked for one."""
    payload = {"zen": "Build roads, not roadblocks.", "hook_id": hook["id"], "hook": shown}
    owner = str(repo["owner"]) if repo else ""
    target = "repository" if repo else "organization"
    send_to_hook(hub, hook, "ping", {**payload, **_context(hub, repo, owner, actor)}, target)
