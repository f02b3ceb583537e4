"""PyGithub as the client: it guards URLs, completes objects lazily and reads every field it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from github import Auth, Github, GithubException, GithubIntegration, InputGitTreeElement, UnknownObjectException

from tests.playground.github.running import TOKEN, GitHub


async def off_loop(work: Callable[[Github], None], github: GitHub, prefix: str = "/api/v3") -> None:
    """Run PyGithub, which blocks, in a thread."""

    def run() -> None:
        auth, base = Auth.Token(TOKEN), f"{github.url}{prefix}"
        with Github(auth=auth, base_url=base, seconds_between_requests=None, seconds_between_writes=None) as client:
            work(client)

    await asyncio.to_thread(run)


@pytest.mark.parametrize("prefix", ["/api/v3", ""])
async def test_a_whole_new_service(github: GitHub, prefix: str) -> None:
    def work(client: Github) -> None:
        organisation = client.get_organization("acme")
        team = organisation.get_team_by_slug("team-orders")
        repo = organisation.create_repo("shop", description="A shop", private=True, auto_init=True, team_id=team.id)
        tree = repo.create_git_tree([InputGitTreeElement("a/run.sh", "100755", "blob", content="#!/bin/sh\n")])
        commit = repo.create_git_commit("Start", tree, [])
        repo.get_git_ref("heads/main").edit(commit.sha, force=True)
        assert [c.sha for c in repo.get_commits()] == [commit.sha]
        assert repo.get_contents("a/run.sh").decoded_content == b"#!/bin/sh\n"  # type: ignore[union-attr]  # one file
        repo.replace_topics(["python", "orders"])
        assert repo.get_topics() == ["python", "orders"]
        team.update_team_repository(repo, "push")
        permission = team.get_repo_permission(repo)
        assert permission is not None
        assert permission.push
        repo.create_variable("REGION", "north")
        assert repo.get_variable("REGION").value == "north"
        repo.create_secret("DEPLOY_KEY", "sample")
        repo.create_environment("production")
        hook = repo.create_hook("web", {"url": f"{github.hook_url}/own", "content_type": "json"}, ["push"])
        assert [found.id for found in repo.get_hooks()] == [hook.id]
        repo.edit(description="Another", homepage="https://shop.example")
        repo.delete()
        with pytest.raises(UnknownObjectException):
            client.get_repo("acme/shop")

    await off_loop(work, github, prefix)


async def test_pull_requests_branches_and_deployments(github: GitHub) -> None:
    await github.repository("shop")

    def work(client: Github) -> None:
        repo = client.get_repo("acme/shop")
        head = repo.get_branch("main").commit.sha
        repo.create_git_ref("refs/heads/feature", head)
        repo.create_file("new.txt", "Add", "new\n", branch="feature")
        pull = repo.create_pull(base="main", head="feature", title="A change", body="Why")
        assert [file.filename for file in pull.get_files()] == ["new.txt"]
        pull.create_issue_comment("Seen")
        assert repo.compare("main", "feature").ahead_by == 1
        assert pull.merge(merge_method="squash").merged
        deployment = repo.create_deployment("main", required_contexts=[], environment="staging")
        deployment.create_status("success", environment_url="https://shop.example")
        assert [status.state for status in deployment.get_statuses()] == ["success"]
        repo.get_commit(head).create_status("success", context="lint")
        assert repo.get_commit(head).get_combined_status().state == "success"
        assert next(iter(repo.get_workflow_runs())).conclusion == "success"
        release = repo.create_git_release("v1", "First", "Notes")
        assert [tag.name for tag in repo.get_tags()] == [release.tag_name] == ["v1"]

    await off_loop(work, github)


async def test_refusals_arrive_as_pygithubs_exceptions(github: GitHub) -> None:
    def work(client: Github) -> None:
        with pytest.raises(GithubException) as caught:
            client.get_organization("acme").create_repo("catalog")
        assert caught.value.status == 422
        assert client.get_repo("acme/catalog").update() is False

    await off_loop(work, github)


async def test_lists_are_followed_page_by_page(github: GitHub) -> None:
    def work(client: Github) -> None:
        client.per_page = 1
        assert len(list(client.get_organization("acme").get_repos())) == 4

    await off_loop(work, github)


async def test_the_app_makes_its_own_tokens(github: GitHub) -> None:
    app_id, installation, key = await github.peer.app_credentials()
    github.clock.now = github.clock.now.now(tz=github.clock.now.tzinfo)  # PyGithub signs with the machine's time

    def run() -> None:
        auth = Auth.AppAuth(app_id, key)
        with GithubIntegration(auth=auth, base_url=f"{github.url}/api/v3") as integration:
            client = integration.get_github_for_installation(installation, {"contents": "read"})
            assert client.get_repo("acme/catalog").get_contents("README.md") is not None
            with pytest.raises(GithubException, match="Resource not accessible"):
                client.get_repo("acme/catalog").create_issue("Not mine")
            client.close()

    await asyncio.to_thread(run)
