"""Pull requests: open, read, change, review, merge."""

from __future__ import annotations

from typing import Any

from playground.github import notify, protection, pull_requests, shapes, shapes_git, shapes_work
from playground.github.call import Call, Reply, Routes, created, no_content
from playground.github.errors import ApiError, conflict, invalid, not_found
from playground.github.gitrepo import GitRepository
from playground.github.merging import changed_files
from playground.github.store import Document

routes = Routes()
EVENTS = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def brief(call: Call, record: Document) -> dict[str, Any]:
    place = pull_requests.place_of(call.hub, call.repo, record)
    return shapes_work.pull(call.links, place, record, notify.account(call.hub, record["author"]))


def full(call: Call, record: Document) -> dict[str, Any]:
    return pull_requests.shown(call.hub, call.repo, record, call.links)


def head_of(call: Call, label: str) -> tuple[Document | None, str]:
    """Read `branch`, or `owner:branch` with that owner's fork. Somebody from outside offers their own branches only."""
    owner, colon, branch = label.rpartition(":")
    if not colon or owner.lower() == call.repo["owner"].lower():
        if call.actor.outside:
            raise not_found()
        return None, branch
    forks = [one for one in call.hub.repositories(owner) if one.get("parent") == call.repo["id"]]
    if not forks or (call.actor.outside and not call.actor.owns(forks[0])):
        raise invalid("PullRequest", "head", "invalid")
    return forks[0], branch


def _has_head(call: Call, record: Document, wanted: str) -> bool:
    """Compare with `owner:branch`; a bare branch is taken as well."""
    label = f"{record.get('source_owner', call.repo['owner'])}:{record['head']}"
    return wanted.lower() in {label.lower(), record["head"].lower()}


@routes.get("/repos/{owner}/{repo}/pulls", needs="pull_requests:read")
async def pulls(call: Call) -> Reply:
    state, head, base = call.query("state", "open"), call.query("head"), call.query("base")
    found = [
        record
        for record in call.hub.store.all("pulls", call.scope)
        if state in {record["state"], "all"}
        and (not head or _has_head(call, record, head))
        and (not base or base == record["base"])
    ]
    oldest_first = call.query("direction", "desc") == "asc"
    return call.page(found if oldest_first else found[::-1], shape=lambda record: brief(call, record))


@routes.post("/repos/{owner}/{repo}/pulls", needs="pull_requests:write|person:write")
async def create(call: Call) -> Reply:
    source, head = head_of(call, call.need("head", "PullRequest"))
    base = call.need("base", "PullRequest")
    call.need("title", "PullRequest")
    record = await pull_requests.open_pull(
        call.hub, call.repo, call.body, head=head, base=base, actor=call.actor.login, source=source
    )
    return created(full(call, record))


@routes.get("/repos/{owner}/{repo}/pulls/{number}", needs="pull_requests:read")
async def read(call: Call) -> Reply:
    return Reply(200, full(call, call.required("pulls", call.number("number"))))


@routes.patch("/repos/{owner}/{repo}/pulls/{number}", needs="pull_requests:write|person:write")
async def change(call: Call) -> Reply:
    record = call.required("pulls", call.number("number"))
    if call.actor.outside and record["author"] != call.actor.login:
        raise ApiError(403, "Must have admin rights to Repository.")
    for field in ("title", "body"):
        record[field] = call.get(field, record[field])
    call.hub.store.put("pulls", call.scope, record["number"], record)
    wanted = call.get("state", record["state"])
    if wanted not in {"open", "closed"}:
        raise invalid("PullRequest", "state", "invalid")
    if wanted == "closed" and record["state"] == "open":
        pull_requests.close(call.hub, call.repo, record, call.actor.login)
    elif wanted == "open" and record["state"] == "closed":
        if record["merged_at"]:
            raise invalid("PullRequest", "state", "custom", "state cannot be changed. The pull request is merged.")
        pull_requests.reopen(call.hub, call.repo, record, call.actor.login)
    elif {"title", "body"} & call.body.keys():
        pull_requests.tell(call.hub, call.repo, record, "edited", call.actor.login, changes={})
    return Reply(200, full(call, record))


@routes.get("/repos/{owner}/{repo}/pulls/{number}/merge", needs="contents:read")
async def is_merged(call: Call) -> Reply:
    if call.required("pulls", call.number("number"))["merged_at"] is None:
        raise not_found()
    return no_content()


@routes.put("/repos/{owner}/{repo}/pulls/{number}/merge", needs="contents:write")
async def merge(call: Call) -> Reply:
    record, method = call.required("pulls", call.number("number")), call.get("merge_method", "merge")
    if method not in pull_requests.METHODS:
        raise invalid("PullRequest", "merge_method", "invalid")
    allowed = {"merge": "allow_merge_commit", "squash": "allow_squash_merge", "rebase": "allow_rebase_merge"}
    if not call.repo["settings"][allowed[method]]:
        raise ApiError(405, f"{method.capitalize()} merges are not allowed on this repository.")
    if call.get("sha", record["head_sha"]) != record["head_sha"]:
        raise conflict("Head branch was modified. Review and try the merge again.")
    if record["state"] == "open":
        protection.check_merge(call.hub, call.repo, record, call.actor)
    title, body = call.get("commit_title", ""), call.get("commit_message", "")
    sha = await pull_requests.merge_pull(
        call.hub, call.repo, record, call.actor.login, method=method, title=title, body=body
    )
    return Reply(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


@routes.get("/repos/{owner}/{repo}/pulls/{number}/files", needs="pull_requests:read")
async def files(call: Call) -> Reply:
    record = call.required("pulls", call.number("number"))
    base, head = record["facts"]["merge_base"], record["head_sha"]
    changes = await call.git(lambda git: changed_files(git, base, head))
    return call.page(changes, shape=lambda change: shapes_git.changed_file(call.links, call.repo, head, change))


@routes.get("/repos/{owner}/{repo}/pulls/{number}/commits", needs="pull_requests:read")
async def commits(call: Call) -> Reply:
    record = call.required("pulls", call.number("number"))
    base = record["facts"]["merge_base"]

    def work(git: GitRepository) -> Reply:
        shas = list(reversed(git.history(record["head_sha"], exclude=[base] if base else [])))
        find = call.hub.account_by_email
        return call.page(shas, shape=lambda sha: shapes_git.commit(call.links, call.repo, git, sha, find))

    return await call.git(work)


def _review(call: Call, record: Document, review: Document) -> dict[str, Any]:
    url = f"{shapes.repository_url(call.links, call.repo)}/pulls/{record['number']}"
    page = f"{shapes_work.page(call.links, call.repo)}/pull/{record['number']}"
    return {
        "id": review["id"],
        "node_id": shapes.node_id("Review", review["id"]),
        "user": shapes.user(call.links, notify.account(call.hub, review["user"])),
        "body": review["body"],
        "state": review["state"],
        "html_url": f"{page}#pullrequestreview-{review['id']}",
        "pull_request_url": url,
        "author_association": "MEMBER",
        "_links": {"html": {"href": page}, "pull_request": {"href": url}},
        "submitted_at": review["submitted_at"],
        "commit_id": review["commit_id"],
    }


@routes.get("/repos/{owner}/{repo}/pulls/{number}/reviews", needs="pull_requests:read")
async def reviews(call: Call) -> Reply:
    record = call.required("pulls", call.number("number"))
    return call.page(record["reviews"], shape=lambda review: _review(call, record, review))


@routes.post("/repos/{owner}/{repo}/pulls/{number}/reviews", needs="pull_requests:write")
async def review(call: Call) -> Reply:
    record, event = call.required("pulls", call.number("number")), call.get("event", "COMMENT")
    if event not in EVENTS:
        raise invalid("PullRequestReview", "event", "invalid")
    if event == "APPROVE" and record["author"] == call.actor.login:
        raise ApiError(422, "Unprocessable Entity", [{"message": "Can not approve your own pull request"}])
    made = {
        "id": call.hub.store.next_id("review"),
        "user": call.actor.login,
        "body": call.get("body", ""),
        "state": EVENTS[event],
        "commit_id": record["head_sha"],
        "submitted_at": call.hub.now(),
    }
    record["reviews"].append(made)
    call.hub.store.put("pulls", call.scope, record["number"], record)
    payload = {"action": "submitted", "review": _review(call, record, made), "pull_request": brief(call, record)}
    notify.emit(call.hub, call.repo, "pull_request_review", payload, call.actor.login)
    return Reply(200, _review(call, record, made))


@routes.get("/repos/{owner}/{repo}/commits/{sha}/pulls", needs="pull_requests:read")
async def pulls_of_commit(call: Call) -> Reply:
    sha = call.path("sha")
    found = [p for p in call.hub.store.all("pulls", call.scope) if sha in {p["head_sha"], p["merge_commit_sha"]}]
    return call.page(found, shape=lambda record: brief(call, record))
