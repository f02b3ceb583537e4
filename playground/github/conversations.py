"""What is said below issues and pull requests, and the labels that they carry; each change with its webhook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from playground.github import notify, pull_requests, shapes_work
from playground.github.identity import association, shaped_app
from playground.github.store import Document

if TYPE_CHECKING:
    from playground.github.call import Actor, Links
    from playground.github.hub import Hub

FIRST_COMMENT = 7_000_001


def find(hub: Hub, repo: Document, number: object) -> tuple[str, Document] | None:
    """Return the collection and the record of a number, issue or pull request."""
    for collection in ("issues", "pulls"):
        record = hub.store.get(collection, repo["id"], number)
        if record:
            return collection, record
    return None


def shaped_issue(hub: Hub, repo: Document, record: Document, links: Links | None = None) -> dict[str, Any]:
    return shapes_work.issue(links or hub.links, repo, record, notify.account(hub, record["author"]))


def shaped_comment(hub: Hub, repo: Document, record: Document, links: Links | None = None) -> dict[str, Any]:
    links = links or hub.links
    app = shaped_app(hub, links) if record.get("by_app") else None
    return shapes_work.comment(links, repo, record, notify.account(hub, record["author"]), app)


# --- comments


def comments(hub: Hub, repo: Document, number: int) -> list[Document]:
    return [one for one in hub.store.all("comments", repo["id"]) if one["number"] == number]


def say(hub: Hub, repo: Document, number: int, body: str, actor: Actor) -> Document:
    now = hub.now()
    record: Document = {
        "id": hub.store.next_id("comment", FIRST_COMMENT),
        "number": number,
        "body": body,
        "author": actor.login,
        "association": association(hub, repo, actor.login),
        "by_app": actor.app_id is not None,
        "created_at": now,
        "updated_at": now,
    }
    hub.store.put("comments", repo["id"], record["id"], record)
    _count(hub, repo, number, +1)
    _tell(hub, repo, record, "created", actor.login)
    return record


def edit(hub: Hub, repo: Document, record: Document, body: str, actor: str) -> None:
    before = record["body"]
    record |= {"body": body, "updated_at": hub.now()}
    hub.store.put("comments", repo["id"], record["id"], record)
    _tell(hub, repo, record, "edited", actor, changes={"body": {"from": before}})


def remove(hub: Hub, repo: Document, record: Document, actor: str) -> None:
    hub.store.delete("comments", repo["id"], record["id"])
    _count(hub, repo, record["number"], -1)
    _tell(hub, repo, record, "deleted", actor)


def _count(hub: Hub, repo: Document, number: int, by: int) -> None:
    if found := find(hub, repo, number):
        collection, issue = found
        issue["comments"] = max(issue["comments"] + by, 0)
        hub.store.put(collection, repo["id"], number, issue)


def _tell(hub: Hub, repo: Document, record: Document, action: str, actor: str, **more: Any) -> None:
    found = find(hub, repo, record["number"])
    if found is not None:
        told = {"issue": shaped_issue(hub, repo, found[1]), "comment": shaped_comment(hub, repo, record)}
        notify.emit(hub, repo, "issue_comment", {"action": action, **told, **more}, actor)


# --- labels


def relabel(hub: Hub, repo: Document, record: Document, wanted: Sequence[str], actor: str) -> None:
    """Let it carry exactly these labels. GitHub tells of each label that came or went, one after the other."""
    before: list[str] = record["labels"]
    record["labels"] = list(dict.fromkeys(wanted))
    record["updated_at"] = hub.now()
    hub.store.put("pulls" if "head" in record else "issues", repo["id"], record["number"], record)
    gone = [("unlabeled", name) for name in before if name not in record["labels"]]
    come = [("labeled", name) for name in record["labels"] if name not in before]
    for action, name in (*gone, *come):
        label = shapes_work.label(hub.links, repo, name)
        if "head" in record:
            pull_requests.tell(hub, repo, record, action, actor, label=label)
        else:
            told = {"action": action, "issue": shaped_issue(hub, repo, record), "label": label}
            notify.emit(hub, repo, "issues", told, actor)
