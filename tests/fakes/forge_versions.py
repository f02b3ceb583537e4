"""The part of the fake forge that knows versions, builds and deployments."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from bot.errors import Conflict, NotFound
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
from tests.fakes.faults import Faults, call
from tests.fakes.forge_state import State, as_commit, get

RunStatus = Literal["queued", "in_progress", "waiting"]
FIRST_MOMENT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""The time of the first thing that a test puts here; each later one is a minute later."""


class FakeVersions:
    """What `FakeForge` adds its own storage to."""

    faults: Faults

    def _load(self) -> State:
        raise NotImplementedError

    def _save(self, state: State) -> None:
        raise NotImplementedError

    # --- what tests put there

    def tag(self, full_name: str, name: str, sha: str) -> None:
        state = self._load()
        repository = get(state, full_name)
        repository["tags"].append(name)
        repository["tagged"][name] = sha
        self._save(state)

    def release(self, full_name: str, tag: str, *, name: str = "", prerelease: bool = False) -> None:
        self._put(full_name, "releases", {"tag": tag, "name": name or tag, "prerelease": prerelease})

    def publish_image(self, full_name: str, *tags: str) -> None:
        """Add an image; what carried one of these tags carries it no more."""
        state = self._load()
        for image in get(state, full_name)["images"]:
            image["tags"] = [tag for tag in image["tags"] if tag not in tags]
        self._save(state)
        self._put(full_name, "images", {"tags": list(tags)})

    def run_workflow(
        self,
        full_name: str,
        sha: str,
        conclusion: str | None = "success",
        *,
        name: str = "CI",
        branch: str = "main",
        status: RunStatus = "in_progress",
    ) -> int:
        """Add a run that has ended so, or one in that status where `conclusion` is None; return its id."""
        run = {"sha": sha, "name": name, "branch": branch, "conclusion": conclusion}
        return self._put(full_name, "runs", run | {"status": "completed" if conclusion else status})

    def end_run(self, full_name: str, run: int, conclusion: str | None) -> None:
        """Let a run end, or with None begin anew."""
        state = self._load()
        found = next(one for one in get(state, full_name)["runs"] if one["id"] == run)
        found.update(conclusion=conclusion, status="completed" if conclusion else "in_progress")
        self._save(state)

    def stored_deployments(self, full_name: str) -> list[State]:
        """Return what was told of deployments, as it was told."""
        stored: list[State] = get(self._load(), full_name)["deployments"]
        return stored

    # --- the port

    @call
    async def tags(self, full_name: str) -> Sequence[Tag]:
        repository = get(self._load(), full_name)
        head = repository["branches"].get(repository["default_branch"], "")
        return [Tag(name, repository["tagged"].get(name, head)) for name in sorted(repository["tags"])]

    @call
    async def releases(self, full_name: str) -> Sequence[Release]:
        return [
            Release(
                one["tag"], one["name"], _moment(one), one["prerelease"], f"{_web(full_name)}/releases/{one['tag']}"
            )
            for one in reversed(get(self._load(), full_name)["releases"])
        ]

    @call
    async def images(self, full_name: str) -> Sequence[Image]:
        return [
            Image(tuple(one["tags"]), f"sha256:{hashlib.sha256(str(one['id']).encode()).hexdigest()}", _moment(one))
            for one in reversed(get(self._load(), full_name)["images"])
        ]

    @call
    async def compare(self, full_name: str, base: str, head: str) -> Comparison:
        state = self._load()
        repository = get(state, full_name)
        old, new = (_resolve(state, repository, ref) for ref in (base, head))
        of_old, of_new = _history(state, old), _history(state, new)
        ahead = sorted(of_new - of_old, key=lambda sha: int(state["commits"][sha]["number"]))
        shared = max(of_new & of_old, key=lambda sha: int(state["commits"][sha]["number"]), default=None)
        if shared is None:
            raise NotFound(f"{base} and {head} of {full_name} share no commit.")
        return Comparison(
            ahead=len(ahead),
            behind=len(of_old - of_new),
            commits=tuple(as_commit(state, sha) for sha in ahead[-250:]),
            files=_changed(state["commits"][shared]["tree"], state["commits"][new]["tree"])[:300],
            web_url=f"{_web(full_name)}/compare/{base}...{head}",
        )

    @call
    async def workflow_runs(self, full_name: str, sha: str) -> Sequence[WorkflowRun]:
        runs = [_run(full_name, one) for one in reversed(get(self._load(), full_name)["runs"])]
        return [run for run in runs if run.sha == sha]

    @call
    async def create_deployment(
        self,
        full_name: str,
        ref: str,
        environment: str,
        *,
        description: str,
        payload: Mapping[str, JSON],
        transient: bool = False,
    ) -> DeploymentRecord:
        state = self._load()
        try:
            sha = _resolve(state, get(state, full_name), ref)
        except NotFound:
            raise Conflict(f"No ref found for: {ref}.") from None
        made: dict[str, Any] = {"sha": sha, "environment": environment, "payload": dict(payload)}
        made["transient"] = transient
        number = self._put(full_name, "deployments", {**made, "description": description, "statuses": []})
        return next(one for one in self._records(full_name) if one.id == number)

    @call
    async def deployment_records(self, full_name: str, environment: str) -> Sequence[DeploymentRecord]:
        return [one for one in self._records(full_name) if one.environment == environment][:30]

    @call
    async def deployment_state(self, full_name: str, deployment: int) -> DeploymentState | None:
        statuses = _deployment(self._load(), full_name, deployment)["statuses"]
        return statuses[-1]["state"] if statuses else None

    @call
    async def set_deployment_state(
        self, full_name: str, deployment: int, state: DeploymentState, *, description: str = "", url: str = ""
    ) -> None:
        stored = self._load()
        ours = _deployment(stored, full_name, deployment)
        if state == "success" and ours["environment"] != "production" and not ours["transient"]:
            for other in get(stored, full_name)["deployments"]:
                is_earlier = other["environment"] == ours["environment"] and other["id"] < ours["id"]
                if is_earlier and other["statuses"][-1:] and other["statuses"][-1]["state"] == "success":
                    other["statuses"].append({"state": "inactive", "description": "", "url": ""})
        ours["statuses"].append({"state": state, "description": description, "url": url})
        self._save(stored)

    # --- details

    def _put(self, full_name: str, kind: str, one: State) -> int:
        state = self._load()
        number = int(state["next_id"])
        get(state, full_name)[kind].append({**one, "id": number})
        state["next_id"] = number + 1
        self._save(state)
        return number

    def _records(self, full_name: str) -> list[DeploymentRecord]:
        found = reversed(get(self._load(), full_name)["deployments"])
        return [
            DeploymentRecord(one["id"], one["sha"], one["environment"], one["payload"], _moment(one)) for one in found
        ]


def _web(full_name: str) -> str:
    return f"https://forge.example/{full_name}"


def _moment(one: State) -> datetime:
    return FIRST_MOMENT + timedelta(minutes=int(one["id"]))


def _run(full_name: str, one: State) -> WorkflowRun:
    url = f"{_web(full_name)}/actions/runs/{one['id']}"
    return WorkflowRun(
        one["id"], one["name"], one["sha"], one["branch"], one["status"], one["conclusion"], url, _moment(one)
    )


def _deployment(state: State, full_name: str, number: int) -> State:
    found = next((one for one in get(state, full_name)["deployments"] if one["id"] == number), None)
    if found is None:
        raise NotFound(f"{full_name} has no deployment {number}.")
    return found  # type: ignore[no-any-return]


def _resolve(state: State, repository: State, ref: str) -> str:
    sha: str = repository["branches"].get(ref) or repository["tagged"].get(ref) or ref
    if sha not in state["commits"]:
        raise NotFound(f"{repository['full_name']} has no {ref}.")
    return sha


def _history(state: State, sha: str) -> set[str]:
    seen: set[str] = set()
    waiting = [sha]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += state["commits"][one]["parents"]
    return seen


def _changed(before: State, after: State) -> tuple[ChangedFile, ...]:
    added = [ChangedFile(path, "added") for path in after if path not in before]
    removed = [ChangedFile(path, "removed") for path in before if path not in after]
    modified = [ChangedFile(path, "modified") for path in after if path in before and before[path] != after[path]]
    return tuple(sorted((*added, *removed, *modified), key=lambda one: one.path))
