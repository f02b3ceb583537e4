"""Issues, their comments and labels; pull requests are issues too."""

from __future__ import annotations

from typing import Any

from playground.github import conversations, notify, pull_requests, shapes_work
from playground.github.call import Call, Reply, Routes, created, no_content
from playground.github.errors import ApiError, invalid, not_found
from playground.github.identity import association
from playground.github.store import Document

routes = Routes()
FIRST_ISSUE = 6_000_001
READS, WRITES = "issues:read|pull_requests:read", "issues:write|pull_requests:write"
"""Of what pull requests share with issues, either permission will do."""
TAKES_PART = f"{WRITES}|person:write"
"""Anybody who sees a repository may take part in its conversations."""
MOST_CHARACTERS = 65_536


def shaped(call: Call, record: Document) -> dict[str, Any]:
    return conversations.shaped_issue(call.hub, call.repo, record, call.links)


def find(call: Call) -> tuple[str, Document]:
    """Return the collection and the record of the number in the path, issue or pull request."""
    found = conversations.find(call.hub, call.repo, call.number("number"))
    if found is None:
        raise not_found()
    return found


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
        "association": association(call.hub, call.repo, call.actor.login),
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
    wanted_labels = _label_names(call.get("labels", record["labels"]))
    conversations.relabel(call.hub, call.repo, record, wanted_labels, call.actor.login)
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


def shaped_comment(call: Call, record: Document) -> dict[str, Any]:
    return conversations.shaped_comment(call.hub, call.repo, record, call.links)


def own_comment(call: Call) -> Document:
    """Return the comment of the path. Somebody from outside may change their own ones only."""
    record = call.required("comments", call.number("id"))
    if call.actor.outside and record["author"] != call.actor.login:
        raise ApiError(403, "Must have admin rights to Repository.")
    return record


@routes.get("/repos/{owner}/{repo}/issues/comments/{id}", needs=READS)
async def read_comment(call: Call) -> Reply:
    return Reply(200, shaped_comment(call, call.required("comments", call.number("id"))))


@routes.patch("/repos/{owner}/{repo}/issues/comments/{id}", needs=TAKES_PART)
async def change_comment(call: Call) -> Reply:
    record, body = own_comment(call), body_of(call)
    conversations.edit(call.hub, call.repo, record, body, call.actor.login)
    return Reply(200, shaped_comment(call, record))


@routes.delete("/repos/{owner}/{repo}/issues/comments/{id}", needs=TAKES_PART)
async def remove_comment(call: Call) -> Reply:
    conversations.remove(call.hub, call.repo, own_comment(call), call.actor.login)
    return no_content()


@routes.get("/repos/{owner}/{repo}/issues/{number}/comments", needs=READS)
async def comments(call: Call) -> Reply:
    found = conversations.comments(call.hub, call.repo, find(call)[1]["number"])
    return call.page(found, shape=lambda record: shaped_comment(call, record))


@routes.post("/repos/{owner}/{repo}/issues/{number}/comments", needs=TAKES_PART)
async def comment(call: Call) -> Reply:
    number, body = find(call)[1]["number"], body_of(call)
    return created(shaped_comment(call, conversations.say(call.hub, call.repo, number, body, call.actor)))


def body_of(call: Call) -> str:
    body: str = call.need("body", "IssueComment")
    if len(body) > MOST_CHARACTERS:
        text = f"Body is too long (maximum is {MOST_CHARACTERS} characters)"
        raise invalid("IssueComment", "body", "unprocessable", text)
    return body


@routes.get("/repos/{owner}/{repo}/issues/{number}/labels", needs=READS)
async def labels(call: Call) -> Reply:
    return call.page(find(call)[1]["labels"], shape=lambda name: shapes_work.label(call.links, call.repo, name))


@routes.put("/repos/{owner}/{repo}/issues/{number}/labels", needs=WRITES)
async def set_labels(call: Call) -> Reply:
    return _relabel(call, _given_labels(call))


@routes.post("/repos/{owner}/{repo}/issues/{number}/labels", needs=WRITES)
async def add_labels(call: Call) -> Reply:
    return _relabel(call, [*find(call)[1]["labels"], *_given_labels(call)])


@routes.delete("/repos/{owner}/{repo}/issues/{number}/labels", needs=WRITES)
async def remove_labels(call: Call) -> Reply:
    _relabel(call, [])
    return no_content()


@routes.delete("/repos/{owner}/{repo}/issues/{number}/labels/{name}", needs=WRITES)
async def remove_label(call: Call) -> Reply:
    carried, name = find(call)[1]["labels"], call.path("name")
    if name not in carried:
        raise not_found("Label does not exist")
    return _relabel(call, [one for one in carried if one != name])


def _given_labels(call: Call) -> list[str]:
    """Read `{"labels": […]}`, or the bare list that GitHub takes as well."""
    return _label_names(call.get("labels", call.get("", [])))


def _relabel(call: Call, wanted: list[str]) -> Reply:
    record = find(call)[1]
    conversations.relabel(call.hub, call.repo, record, wanted, call.actor.login)
    return Reply(200, [shapes_work.label(call.links, call.repo, name) for name in record["labels"]])
