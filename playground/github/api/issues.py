"""Issues, their comments and labels; pull requests are issues too."""

from __future__ import annotations

from typing import Any

from playground.github import notify, pull_requests, shapes_work
from playground.github.call import Call, Reply, Routes, created, no_content
from playground.github.errors import invalid, not_found
from playground.github.store import Document

routes = Routes()
FIRST_ISSUE = 6_000_001


def shaped(call: Call, record: Document) -> dict[str, Any]:
    return shapes_work.issue(call.links, call.repo, record, notify.account(call.hub, record["author"]))


def find(call: Call) -> tuple[str, Document]:
    """Return the collection and the record of the number in the path, issue or pull request."""
    number = call.number("number")
    for collection in ("issues", "pulls"):
        record = call.hub.store.get(collection, call.scope, number)
        if record:
            return collection, record
    raise not_found()


@routes.get("/repos/{owner}/{repo}/issues", needs="issues:read")
async def issues(call: Call) -> Reply:
    state, labels = call.query("state", "open"), set(filter(None, call.query("labels").split(",")))
    records = [*call.hub.store.all("issues", call.scope), *call.hub.store.all("pulls", call.scope)]
    found = [r for r in records if state in {r["state"], "all"} and labels <= set(r["labels"])]
    found.sort(key=lambda record: record["number"], reverse=True)
    return call.page(found, shape=lambda record: shaped(call, record))


@routes.post("/repos/{owner}/{repo}/issues", needs="issues:write")
async def create(call: Call) -> Reply:
    title = call.need("title", "Issue")
    now = call.hub.now()
    record: Document = {
        "id": call.hub.store.next_id("issue", FIRST_ISSUE),
        "number": call.hub.next_number(call.repo),
        "title": title,
        "body": call.get("body"),
        "state": "open",
        "labels": _label_names(call.get("labels", [])),
        "author": call.actor.login,
        "comments": 0,
        "created_at": now,
        "updated_at": now,
        "closed_at": None,
    }
    call.hub.store.put("issues", call.scope, record["number"], record)
    call.repo["open_issues"] += 1
    call.hub.save(call.repo)
    _tell(call, record, "opened")
    return created(shaped(call, record))


def _label_names(labels: list[Any]) -> list[str]:
    return [str(label["name"]) if isinstance(label, dict) else str(label) for label in labels]


def _tell(call: Call, record: Document, action: str, **more: Any) -> None:
    notify.emit(
        call.hub, call.repo, "issues", {"action": action, "issue": shaped(call, record), **more}, call.actor.login
    )


@routes.get("/repos/{owner}/{repo}/issues/{number}", needs="issues:read")
async def read(call: Call) -> Reply:
    return Reply(200, shaped(call, find(call)[1]))


@routes.patch("/repos/{owner}/{repo}/issues/{number}", needs="issues:write")
async def change(call: Call) -> Reply:
    collection, record = find(call)
    wanted = call.get("state", record["state"])
    if wanted not in {"open", "closed"}:
        raise invalid("Issue", "state", "invalid")
    for field in ("title", "body"):
        record[field] = call.get(field, record[field])
    record["labels"] = _label_names(call.get("labels", record["labels"]))
    record["updated_at"] = call.hub.now()
    call.hub.store.put(collection, call.scope, record["number"], record)
    if wanted != record["state"]:
        _turn(call, collection, record, wanted)
    return Reply(200, shaped(call, record))


def _turn(call: Call, collection: str, record: Document, state: str) -> None:
    if collection == "pulls":
        turn = pull_requests.close if state == "closed" else pull_requests.reopen
        turn(call.hub, call.repo, record, call.actor.login)
        return
    record["state"], record["closed_at"] = state, call.hub.now() if state == "closed" else None
    call.hub.store.put(collection, call.scope, record["number"], record)
    call.repo["open_issues"] += -1 if state == "closed" else 1
    call.hub.save(call.repo)
    _tell(call, record, "closed" if state == "closed" else "reopened")


def _comments(call: Call, number: int) -> list[Document]:
    return [c for c in call.hub.store.all("comments", call.scope) if c["number"] == number]


def shaped_comment(call: Call, record: Document) -> dict[str, Any]:
    return shapes_work.comment(call.links, call.repo, record, notify.account(call.hub, record["author"]))


@routes.get("/repos/{owner}/{repo}/issues/comments/{id}", needs="issues:read")
async def read_comment(call: Call) -> Reply:
    return Reply(200, shaped_comment(call, call.required("comments", call.number("id"))))


@routes.patch("/repos/{owner}/{repo}/issues/comments/{id}", needs="issues:write")
async def change_comment(call: Call) -> Reply:
    record = call.required("comments", call.number("id"))
    record |= {"body": call.need("body", "IssueComment"), "updated_at": call.hub.now()}
    call.hub.store.put("comments", call.scope, record["id"], record)
    return Reply(200, shaped_comment(call, record))


@routes.delete("/repos/{owner}/{repo}/issues/comments/{id}", needs="issues:write")
async def remove_comment(call: Call) -> Reply:
    record = call.required("comments", call.number("id"))
    call.hub.store.delete("comments", call.scope, record["id"])
    return no_content()


@routes.get("/repos/{owner}/{repo}/issues/{number}/comments", needs="issues:read")
async def comments(call: Call) -> Reply:
    return call.page(_comments(call, find(call)[1]["number"]), shape=lambda record: shaped_comment(call, record))


@routes.post("/repos/{owner}/{repo}/issues/{number}/comments", needs="issues:write")
async def comment(call: Call) -> Reply:
    collection, issue = find(call)
    now = call.hub.now()
    record: Document = {
        "id": call.hub.store.next_id("comment", 7_000_001),
        "number": issue["number"],
        "body": call.need("body", "IssueComment"),
        "author": call.actor.login,
        "created_at": now,
        "updated_at": now,
    }
    call.hub.store.put("comments", call.scope, record["id"], record)
    issue["comments"] += 1
    call.hub.store.put(collection, call.scope, issue["number"], issue)
    payload = {"action": "created", "issue": shaped(call, issue), "comment": shaped_comment(call, record)}
    notify.emit(call.hub, call.repo, "issue_comment", payload, call.actor.login)
    return created(shaped_comment(call, record))


@routes.put("/repos/{owner}/{repo}/issues/{number}/labels", needs="issues:write")
async def set_labels(call: Call) -> Reply:
    return _relabel(call, replace=True)


@routes.post("/repos/{owner}/{repo}/issues/{number}/labels", needs="issues:write")
async def add_labels(call: Call) -> Reply:
    return _relabel(call, replace=False)


def _relabel(call: Call, *, replace: bool) -> Reply:
    collection, record = find(call)
    given = _label_names(call.get("labels", call.get("", [])))
    record["labels"] = list(dict.fromkeys(given if replace else record["labels"] + given))
    call.hub.store.put(collection, call.scope, record["number"], record)
    return Reply(200, [shapes_work.label(call.links, call.repo, name) for name in record["labels"]])
