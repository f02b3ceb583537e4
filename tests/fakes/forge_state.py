"""What the fake forge keeps, as plain JSON, and how it is read and written."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from bot.errors import NotFound
from bot.ports import Commit, PullRequest, Repository

State = dict[str, Any]
BOT = "causeway[bot]"


def is_named(repository: State, full_name: str) -> bool:
    return full_name.lower() in (repository["full_name"].lower(), repository.get("former_name", "").lower())


def find(state: State, full_name: str) -> State | None:
    return next((one for one in state["repositories"].values() if is_named(one, full_name)), None)


def get(state: State, full_name: str) -> State:
    found = find(state, full_name)
    if found is None:
        raise NotFound(f"There is no repository {full_name}.")
    return found


def as_repository(found: State) -> Repository:
    url = f"https://forge.example/{found['full_name']}"
    return Repository(
        found["id"],
        found["full_name"],
        found["description"],
        found["default_branch"],
        found["private"],
        url,
        f"{url}.git",
        homepage=found["homepage"],
    )


def as_pull_request(repository: State, one: State) -> PullRequest:
    url = f"https://forge.example/{repository['full_name']}/pull/{one['number']}"
    source = str(one.get("head_repository") or repository["full_name"])
    return PullRequest(
        one["number"],
        url,
        one["head"],
        one["head_sha"],
        one["base"],
        one["title"],
        one["state"],
        one["merged"],
        one["body"],
        one["author"],
        head_repository=source,
        fork=source.lower() != repository["full_name"].lower(),
        labels=tuple(one.get("labels", ())),
        draft=one.get("draft", False),
    )


def store_blob(state: State, content: bytes) -> str:
    sha = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    state["blobs"][sha] = base64.b64encode(content).decode()
    return sha


def store_commit(state: State, tree: State, parents: list[str], message: str, *, author: str = "somebody") -> str:
    body = {"tree": tree, "parents": parents, "message": message, "author": author, "number": len(state["commits"])}
    sha = hashlib.sha1(json.dumps(body, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
    state["commits"][sha] = body
    return sha


def as_commit(state: State, sha: str) -> Commit:
    body = state["commits"][sha]
    tree = hashlib.sha1(json.dumps(body["tree"], sort_keys=True).encode(), usedforsecurity=False).hexdigest()
    return Commit(sha, tree, tuple(body["parents"]), body["message"], body["author"], f"https://forge.example/{sha}")


def visible(state: State, repository: State) -> State:
    """Return what a person could see of it, without ids and hashes. Closed pull requests and inactive deployments
    are left out: no forge lets go of them."""
    hidden = {"branches", "pull_requests", "deployments", "comments"}
    shown: State = {key: value for key, value in repository.items() if key not in hidden}
    shown["branches"] = {name: state["commits"][sha]["tree"] for name, sha in repository["branches"].items()}
    shown["open"] = [one for one in repository["pull_requests"] if one["state"] == "open"]
    shown["comments"] = [{**one, "id": 0} for one in repository["comments"]]
    shown["deployments"] = [seen for one in repository["deployments"] if (seen := _visible_deployment(one))]
    return json.loads(json.dumps(shown))  # type: ignore[no-any-return]


def _visible_deployment(one: State) -> State | None:
    status = one["statuses"][-1] if one["statuses"] else {"state": None, "url": ""}
    if status["state"] == "inactive":
        return None
    return {"environment": one["environment"], "what": one["description"], **status}
