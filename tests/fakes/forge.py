"""A forge in memory, or in one JSON file so that several processes share it. As strict as GitHub where effects care:
names are unique without regard to case, a branch that moved refuses a commit, a missing repository is `NotFound`."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.errors import Conflict, NotFound
from bot.ports import (
    RECENT_COMMITS,
    Activity,
    Author,
    Commit,
    File,
    NewRepository,
    PullRequest,
    Repository,
    Ruleset,
    Tree,
    Webhook,
)
from tests.fakes.faults import Faults, call
from tests.fakes.forge_comments import FakeComments
from tests.fakes.forge_state import (
    BOT,
    State,
    as_commit,
    as_pull_request,
    as_repository,
    find,
    get,
    is_named,
    store_blob,
    store_commit,
    visible,
)
from tests.fakes.forge_versions import FakeVersions


class FakeForge(FakeVersions, FakeComments):
    """Implements `bot.ports.Forge`. `secrets` are the names of secrets that are configured."""

    def __init__(self, file: Path | None = None, *, secrets: Sequence[str] = ("webhook",)) -> None:
        self.faults = Faults()
        self._file = file
        self._secrets = secrets
        self._state: State = {"next_id": 1, "repositories": {}, "commits": {}, "blobs": {}}

    def refuse(self, method: str, error: Exception, *, times: int = 1, skip: int = 0) -> None:
        self.faults.refuse(method, error, times=times, skip=skip)

    def lose_call_before(self, method: str, *, times: int = 1, skip: int = 0) -> None:
        self.faults.lose_call_before(method, times=times, skip=skip)

    def lose_answer_after(self, method: str, *, times: int = 1, skip: int = 0) -> None:
        self.faults.lose_answer_after(method, times=times, skip=skip)

    @property
    def calls(self) -> list[str]:
        return self.faults.calls

    # --- what tests look at and do behind the bot's back

    @property
    def names(self) -> set[str]:
        return {repository["full_name"] for repository in self._load()["repositories"].values()}

    def world(self) -> State:
        """Return everything that a person could see, for comparing before and after."""
        state = self._load()
        return {key: visible(state, repository) for key, repository in state["repositories"].items()}

    def files(self, full_name: str, branch: str = "main") -> dict[str, bytes]:
        state = self._load()
        tree = state["commits"][get(state, full_name)["branches"][branch]]["tree"]
        return {path: base64.b64decode(state["blobs"][sha]) for path, (_, sha) in tree.items()}

    def push(self, full_name: str, files: dict[str, bytes], branch: str = "main", message: str = "By hand") -> str:
        """Commit as somebody else would."""
        state = self._load()
        repository = get(state, full_name)
        base = repository["branches"].get(branch, repository["branches"][repository["default_branch"]])
        tree = dict(state["commits"][base]["tree"])
        tree.update({path: ["100644", store_blob(state, content)] for path, content in files.items()})
        sha = repository["branches"][branch] = store_commit(state, tree, [base], message)
        self._save(state)
        return sha

    def change(self, full_name: str, /, **fields: Any) -> None:
        """Set fields of the stored repository: `description`, `tags`, `issues`, `forks`, `full_name`, …"""
        state = self._load()
        get(state, full_name).update(fields)
        self._save(state)

    def merge(self, full_name: str, number: int) -> None:
        state = self._load()
        repository = get(state, full_name)
        request = repository["pull_requests"][number - 1]
        repository["branches"][request["base"]] = repository["branches"][request["head"]]
        request.update(state="closed", merged=True)
        self._save(state)

    # --- the port

    @call
    async def repository(self, full_name: str) -> Repository | None:
        found = find(self._load(), full_name)
        return None if found is None else as_repository(found)

    @call
    async def repositories(self, owner: str) -> Sequence[Repository]:
        found = self._load()["repositories"].values()
        return [as_repository(one) for one in found if one["full_name"].lower().startswith(f"{owner.lower()}/")]

    @call
    async def create_repository(self, new: NewRepository) -> Repository:
        state = self._load()
        if find(state, new.full_name):
            raise Conflict(f"The name {new.full_name} is taken.")
        head = store_commit(
            state, {"README.md": ["100644", store_blob(state, new.full_name.encode())]}, [], "Initial commit"
        )
        state["repositories"][new.full_name.lower()] = {
            "id": state["next_id"],
            "full_name": new.full_name,
            "description": new.description,
            "homepage": "",
            "private": new.private,
            "default_branch": "main",
            "branches": {"main": head},
            "tags": [],
            "issues": 0,
            "forks": 0,
            "topics": [],
            "pull_requests": [],
            "teams": {},
            "variables": {},
            "rulesets": {},
            "webhooks": {},
            "tagged": {},
            "releases": [],
            "images": [],
            "runs": [],
            "deployments": [],
            "comments": [],
        }
        state["next_id"] += 1
        self._save(state)
        return as_repository(get(state, new.full_name))

    @call
    async def update_repository(
        self, full_name: str, *, description: str | None = None, homepage: str | None = None
    ) -> Repository:
        state = self._load()
        repository = get(state, full_name)
        if description is not None:
            repository["description"] = description
        if homepage is not None:
            repository["homepage"] = homepage
        self._save(state)
        return as_repository(repository)

    @call
    async def delete_repository(self, full_name: str) -> None:
        state = self._load()
        get(state, full_name)
        state["repositories"] = {key: one for key, one in state["repositories"].items() if not is_named(one, full_name)}
        self._save(state)

    @call
    async def activity(self, full_name: str) -> Activity:
        repository = get(self._load(), full_name)
        requests = tuple(as_pull_request(repository, one) for one in repository["pull_requests"])
        return Activity(
            dict(repository["branches"]), tuple(repository["tags"]), requests, repository["issues"], repository["forks"]
        )

    @call
    async def branch_head(self, full_name: str, branch: str) -> Commit | None:
        state = self._load()
        repository = find(state, full_name)
        sha = repository and repository["branches"].get(branch)
        return as_commit(state, sha) if sha else None

    @call
    async def recent_commits(self, full_name: str, branch: str) -> Sequence[Commit]:
        state = self._load()
        sha = get(state, full_name)["branches"].get(branch, branch if branch in state["commits"] else None)
        commits: list[Commit] = []
        while sha and len(commits) < RECENT_COMMITS:
            commits.append(as_commit(state, sha))
            sha = next(iter(state["commits"][sha]["parents"]), None)
        return commits

    @call
    async def tree(self, full_name: str, ref: str, path: str = "", *, contents: bool = True) -> Tree:
        state = self._load()
        repository = get(state, full_name)
        sha = repository["branches"].get(ref, ref)
        if sha not in state["commits"]:
            raise NotFound(f"{full_name} has no {ref}.")
        prefix = f"{path.strip('/')}/" if path.strip("/") else ""
        files = [
            File(name, base64.b64decode(state["blobs"][blob]) if contents else b"", mode, blob)
            for name, (mode, blob) in sorted(state["commits"][sha]["tree"].items())
            if name.startswith(prefix)
        ]
        digest = hashlib.sha1(
            repr([(f.path, f.mode, f.sha) for f in files]).encode(), usedforsecurity=False
        ).hexdigest()
        return Tree(sha, digest if files else "absent", files)

    @call
    async def file(self, full_name: str, ref: str, path: str) -> bytes | None:
        state = self._load()
        sha = get(state, full_name)["branches"].get(ref, ref)
        _, blob = state["commits"].get(sha, {"tree": {}})["tree"].get(path, (None, None))
        return None if blob is None else base64.b64decode(state["blobs"][blob])

    @call
    async def commit(
        self,
        full_name: str,
        branch: str,
        files: Sequence[File],
        message: str,
        *,
        parent: str | None,
        deleted: Sequence[str] = (),
        author: Author | None = None,
    ) -> Commit:
        state = self._load()
        branches = get(state, full_name)["branches"]
        if parent is not None and branches.get(branch, parent) != parent:
            raise Conflict(f"The branch {branch} of {full_name} has moved.")
        tree = dict(state["commits"][parent]["tree"]) if parent else {}
        for path in deleted:
            if tree.pop(path, None) is None:
                raise Conflict(f"{full_name} has no {path} to delete.")
        tree.update({file.path: [file.mode, file.sha or store_blob(state, file.content)] for file in files})
        if any(blob not in state["blobs"] for _, blob in tree.values()):
            raise Conflict("A file names a content that the repository does not hold.")
        name = author.name if author else BOT
        branches[branch] = store_commit(state, tree, [parent] if parent else [], message, author=name)
        self._save(state)
        return as_commit(state, branches[branch])

    @call
    async def move_branch(self, full_name: str, branch: str, *, to: str, expected: str) -> None:
        state = self._load()
        branches = get(state, full_name)["branches"]
        if branches.get(branch) != expected or to not in state["commits"]:
            raise Conflict(f"The branch {branch} of {full_name} has moved.")
        branches[branch] = to
        self._save(state)

    @call
    async def delete_branch(self, full_name: str, branch: str) -> None:
        state = self._load()
        if get(state, full_name)["branches"].pop(branch, None) is None:
            raise NotFound(f"{full_name} has no branch {branch}.")
        self._save(state)

    @call
    async def create_pull_request(self, full_name: str, *, head: str, base: str, title: str, body: str) -> PullRequest:
        state = self._load()
        repository = get(state, full_name)
        if not {head, base} <= set(repository["branches"]):
            raise Conflict(f"{full_name} has no branch {head} or {base}.")
        if any(one["head"] == head and one["state"] == "open" for one in repository["pull_requests"]):
            raise Conflict(f"A pull request for {head} is open already.")
        request = {
            "number": len(repository["pull_requests"]) + 1,
            "head": head,
            "head_sha": repository["branches"][head],
            "base": base,
            "title": title,
            "body": body,
            "state": "open",
            "merged": False,
            "author": BOT,
        }
        repository["pull_requests"].append(request)
        self._save(state)
        return as_pull_request(repository, request)

    @call
    async def pull_request_for(self, full_name: str, head: str) -> PullRequest | None:
        repository = get(self._load(), full_name)
        found = [one for one in repository["pull_requests"] if one["head"] == head]
        return as_pull_request(repository, found[-1]) if found else None

    @call
    async def pull_request(self, full_name: str, number: int) -> PullRequest | None:
        repository = find(self._load(), full_name)
        requests = repository["pull_requests"] if repository else []
        return as_pull_request(repository, requests[number - 1]) if repository and 0 < number <= len(requests) else None

    @call
    async def close_pull_request(self, full_name: str, number: int) -> None:
        state = self._load()
        get(state, full_name)["pull_requests"][number - 1]["state"] = "closed"
        self._save(state)

    @call
    async def topics(self, full_name: str) -> tuple[str, ...]:
        return tuple(get(self._load(), full_name)["topics"])

    @call
    async def replace_topics(self, full_name: str, topics: Sequence[str]) -> None:
        self.change(full_name, topics=list(topics))

    @call
    async def team_permission(self, full_name: str, team: str) -> str | None:
        permission: str | None = get(self._load(), full_name)["teams"].get(team)
        return permission

    @call
    async def grant_team(self, full_name: str, team: str, permission: str) -> None:
        self._set(full_name, "teams", team, permission)

    @call
    async def revoke_team(self, full_name: str, team: str) -> None:
        self._drop(full_name, "teams", team)

    @call
    async def variable(self, full_name: str, name: str) -> str | None:
        value: str | None = get(self._load(), full_name)["variables"].get(name)
        return value

    @call
    async def set_variable(self, full_name: str, name: str, value: str) -> None:
        self._set(full_name, "variables", name, value)

    @call
    async def delete_variable(self, full_name: str, name: str) -> None:
        self._drop(full_name, "variables", name)

    @call
    async def ruleset(self, full_name: str, name: str) -> int | None:
        rulesets = get(self._load(), full_name)["rulesets"]
        return next((int(number) for number, one in rulesets.items() if one["name"] == name), None)

    @call
    async def create_ruleset(self, full_name: str, ruleset: Ruleset) -> int:
        if await FakeForge.ruleset.__wrapped__(self, full_name, ruleset.name) is not None:  # type: ignore[attr-defined]  # past the faults
            raise Conflict("Name must be unique.")
        return self._add(full_name, "rulesets", {"name": ruleset.name, "approvals": ruleset.required_approvals})

    @call
    async def delete_ruleset(self, full_name: str, ruleset_id: int) -> None:
        self._drop(full_name, "rulesets", str(ruleset_id))

    @call
    async def webhooks(self, full_name: str) -> Sequence[Webhook]:
        hooks = get(self._load(), full_name)["webhooks"]
        return [Webhook(int(number), hook["url"], tuple(hook["events"])) for number, hook in hooks.items()]

    @call
    async def create_webhook(self, full_name: str, url: str, events: Sequence[str], *, secret_name: str) -> Webhook:
        if secret_name not in self._secrets:
            raise NotFound(f"No secret is configured under the name {secret_name}.")
        if any(hook["url"] == url for hook in get(self._load(), full_name)["webhooks"].values()):
            raise Conflict("Hook already exists on this repository.")
        number = self._add(full_name, "webhooks", {"url": url, "events": list(events), "secret_name": secret_name})
        return Webhook(number, url, tuple(events))

    @call
    async def delete_webhook(self, full_name: str, webhook_id: int) -> None:
        self._drop(full_name, "webhooks", str(webhook_id))

    # --- storage

    def _set(self, full_name: str, kind: str, key: str, value: str) -> None:
        state = self._load()
        get(state, full_name)[kind][key] = value
        self._save(state)

    def _drop(self, full_name: str, kind: str, key: str) -> None:
        state = self._load()
        if get(state, full_name)[kind].pop(key, None) is None:
            raise NotFound(f"{full_name} has no {key} among its {kind}.")
        self._save(state)

    def _add(self, full_name: str, kind: str, value: State) -> int:
        state = self._load()
        number = int(state["next_id"])
        get(state, full_name)[kind][str(number)] = value
        state["next_id"] = number + 1
        self._save(state)
        return number

    def _load(self) -> State:
        if self._file and self._file.exists():
            self._state = json.loads(self._file.read_text())
        return self._state

    def _save(self, state: State) -> None:
        self._state = state
        if self._file:
            # Renamed into place: a process that is killed while writing leaves the old world or the new one.
            beside = self._file.with_suffix(".new")
            beside.write_text(json.dumps(state))
            beside.replace(self._file)
