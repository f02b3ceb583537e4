"""What could be deployed: tags, releases, images, what lies between two commits, and how a commit's CI has ended."""

from __future__ import annotations

from collections.abc import Sequence

from bot.errors import NotFound, Refused
from bot.ports import NEWEST_IMAGES, Comparison, Image, Release, Tag, WorkflowRun
from integrations.github import shapes_versions as shapes
from integrations.github.client import Client, each
from integrations.github.credentials import Job
from integrations.github.jobs import ACTIONS, PACKAGES, READ, job, repo_path, segment, split

NEWEST = {"per_page": "100"}
IMAGE_PAGES = 5
"""One build leaves several entries in the registry: one with tags, others for each platform and for attestations."""


class Versions:
    """The part of `GitHubForge` that reads versions and builds."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def tags(self, full_name: str) -> Sequence[Tag]:
        path, doing = repo_path(full_name, "tags"), f"read the tags of {full_name}"
        return await self._client.get(job(full_name, READ), path, doing, each(shapes.tag), query=NEWEST)

    async def releases(self, full_name: str) -> Sequence[Release]:
        path, doing = repo_path(full_name, "releases"), f"read the releases of {full_name}"
        found = await self._client.get(job(full_name, READ), path, doing, each(shapes.release), query=NEWEST)
        published = [one for one in found if one is not None]
        return sorted(published, key=lambda one: one.published_at, reverse=True)

    async def images(self, full_name: str) -> Sequence[Image]:
        owner, name = split(full_name)
        package, doing = f"packages/container/{segment(name.lower())}/versions", f"read the images of {full_name}"
        # Packages belong to the owner: a token for one repository would not reach them.
        work = Job(owner, None, PACKAGES)
        try:
            found = await self._of_organisation(work, f"/orgs/{owner}/{package}", doing)
            if found is None:  # a person's, perhaps; of theirs GitHub describes no pages, so we see the newest 30
                found = await self._client.find(work, f"/users/{owner}/{package}", doing, each(shapes.image))
        except Refused:
            return ()
        tagged = [one for one in found or () if one.tags]
        return sorted(tagged, key=lambda one: one.created_at, reverse=True)[:NEWEST_IMAGES]

    async def compare(self, full_name: str, base: str, head: str) -> Comparison:
        path = repo_path(full_name, "compare", f"{base}...{head}")
        doing = f"compare {base} with {head} in {full_name}"
        # Without a page GitHub answers with the newest 250 commits; with one, with the oldest.
        return await self._client.get(job(full_name, READ), path, doing, shapes.comparison)

    async def workflow_runs(self, full_name: str, sha: str) -> Sequence[WorkflowRun]:
        path, doing = repo_path(full_name, "actions", "runs"), f"read the CI runs of {full_name}"
        query = {"head_sha": sha, "exclude_pull_requests": "true", **NEWEST}
        found = await self._client.get(job(full_name, ACTIONS), path, doing, shapes.runs, query=query)
        # A server that does not know the filter lists all of them.
        return [run for run in found if run.sha == sha]

    async def _of_organisation(self, work: Job, path: str, doing: str) -> Sequence[Image] | None:
        try:
            return await self._client.get_all(work, path, doing, shapes.image, most_pages=IMAGE_PAGES)
        except NotFound:
            return None
