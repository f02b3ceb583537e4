"""What GitHub is told of deployments: one record for each, with statuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.model.canonical import JSON
from bot.ports import DeploymentRecord, DeploymentState
from integrations.github import shapes_versions as shapes
from integrations.github.client import Client, each, nothing
from integrations.github.jobs import DEPLOYMENTS, job, repo_path
from integrations.github.limiter import Cost

NEWEST = 30


class DeploymentRecords:
    """The part of `GitHubForge` that tells of deployments. A write without an answer is never repeated here."""

    def __init__(self, client: Client) -> None:
        self._client = client

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
        write, path = job(full_name, DEPLOYMENTS), repo_path(full_name, "deployments")
        body: dict[str, Any] = {
            "ref": ref,
            "environment": environment,
            "description": shapes.described(description),
            "payload": dict(payload),
            # Left out, GitHub merges the default branch into the ref, and refuses while a check is running.
            "auto_merge": False,
            "required_contexts": [],
        }
        if transient:
            body["transient_environment"] = True
        doing = f"record a deployment of {full_name}"
        return await self._client.write(write, "POST", path, doing, body=body, read=shapes.deployment, cost=Cost.CREATE)

    async def deployment_records(self, full_name: str, environment: str) -> Sequence[DeploymentRecord]:
        path, doing = repo_path(full_name, "deployments"), f"read the deployments of {full_name}"
        query = {"environment": environment, "per_page": str(NEWEST)}
        found = await self._client.get(job(full_name, DEPLOYMENTS), path, doing, each(shapes.deployment), query=query)
        return [one for one in found if one.environment == environment]

    async def deployment_state(self, full_name: str, deployment: int) -> DeploymentState | None:
        path, doing = _statuses(full_name, deployment), f"read the state of a deployment of {full_name}"
        found = await self._client.get(
            job(full_name, DEPLOYMENTS), path, doing, each(shapes.state), query={"per_page": "1"}
        )
        return found[0] if found else None

    async def set_deployment_state(
        self, full_name: str, deployment: int, state: DeploymentState, *, description: str = "", url: str = ""
    ) -> None:
        path, doing = _statuses(full_name, deployment), f"tell how a deployment of {full_name} goes"
        body: dict[str, Any] = {"state": state, "description": shapes.described(description)}
        if url:
            body["environment_url"] = url
        if state == "success":
            body["auto_inactive"] = True
        write = job(full_name, DEPLOYMENTS)
        await self._client.write(write, "POST", path, doing, body=body, read=nothing, cost=Cost.CREATE)


def _statuses(full_name: str, deployment: int) -> str:
    return repo_path(full_name, "deployments", str(deployment), "statuses")
