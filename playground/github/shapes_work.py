"""GitHub's JSON objects for work on a repository: pull requests, issues, runs, deployments, releases, hooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playground.github.call import Links
from playground.github.shapes import Json, minimal_repository, node_id, repository, repository_url, user
from playground.github.store import Document


def page(links: Links, repo: Document) -> str:
    return f"{links.web}/{repo['owner']}/{repo['name']}"


@dataclass(frozen=True, slots=True)
class Place:
    """Both sides of a pull request: where it is for, and where its branch is."""

    repo: Document
    owner: Document
    source: Document | None
    """None where the fork is gone."""
    source_owner: Document


def _side(links: Links, repo: Document | None, owner: Document, branch: str, sha: str) -> Json:
    return {
        "label": f"{owner['login']}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": user(links, owner),
        "repo": repository(links, repo, owner) if repo else None,
    }


def pull(links: Links, place: Place, record: Document, author: Document) -> Json:
    """Return a pull request as lists show it."""
    repo = place.repo
    base, number = repository_url(links, repo), record["number"]
    url, issue, web = f"{base}/pulls/{number}", f"{base}/issues/{number}", f"{page(links, repo)}/pull/{number}"
    statuses = f"{base}/statuses/{record['head_sha']}"
    return {
        "url": url,
        "id": record["id"],
        "node_id": node_id("PullRequest", record["id"]),
        "html_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "issue_url": issue,
        "number": number,
        "state": record["state"],
        "locked": False,
        "title": record["title"],
        "user": user(links, author),
        "body": record["body"],
        "created_at": record["created_at"],
        "updated_at": record["updated_at"],
        "closed_at": record["closed_at"],
        "merged_at": record["merged_at"],
        "merge_commit_sha": record["merge_commit_sha"],
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [label(links, repo, name) for name in record["labels"]],
        "milestone": None,
        "draft": record["draft"],
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": f"{base}/pulls/comments{{/number}}",
        "comments_url": f"{issue}/comments",
        "statuses_url": statuses,
        "head": _side(links, place.source, place.source_owner, record["head"], record["head_sha"]),
        "base": _side(links, repo, place.owner, record["base"], record["base_sha"]),
        "_links": {
            "self": {"href": url},
            "html": {"href": web},
            "issue": {"href": issue},
            "comments": {"href": f"{issue}/comments"},
            "review_comments": {"href": f"{url}/comments"},
            "review_comment": {"href": f"{base}/pulls/comments{{/number}}"},
            "commits": {"href": f"{url}/commits"},
            "statuses": {"href": statuses},
        },
        "author_association": record.get("association", "MEMBER"),
        "auto_merge": None,
        "active_lock_reason": None,
    }


def full_pull(links: Links, place: Place, record: Document, author: Document, *, merger: Document | None) -> Json:
    """Return a pull request alone, with what its last comparison found (`record["facts"]`)."""
    facts = record["facts"]
    return {
        **pull(links, place, record, author),
        "merged": record["merged_at"] is not None,
        "mergeable": facts["mergeable"],
        "rebaseable": facts["mergeable"],
        "mergeable_state": "clean" if facts["mergeable"] else "dirty" if facts["mergeable"] is False else "unknown",
        "merged_by": user(links, merger) if merger else None,
        "comments": record["comments"],
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": facts["commits"],
        "additions": facts["additions"],
        "deletions": facts["deletions"],
        "changed_files": facts["changed_files"],
    }


def label(links: Links, repo: Document, name: str) -> Json:
    return {
        "id": sum(name.encode()),
        "node_id": node_id("Label", sum(name.encode())),
        "url": f"{repository_url(links, repo)}/labels/{name}",
        "name": name,
        "color": "ededed",
        "default": False,
        "description": "",
    }


def issue(links: Links, repo: Document, record: Document, author: Document) -> Json:
    base = repository_url(links, repo)
    url = f"{base}/issues/{record['number']}"
    is_pull = "head" in record
    body: Json = {
        "url": url,
        "repository_url": base,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": f"{page(links, repo)}/{'pull' if is_pull else 'issues'}/{record['number']}",
        "id": record["id"],
        "node_id": node_id("Issue", record["id"]),
        "number": record["number"],
        "title": record["title"],
        "user": user(links, author),
        "labels": [label(links, repo, name) for name in record["labels"]],
        "state": record["state"],
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": record["comments"],
        "created_at": record["created_at"],
        "updated_at": record["updated_at"],
        "closed_at": record["closed_at"],
        "author_association": record.get("association", "MEMBER"),
        "active_lock_reason": None,
        "body": record["body"],
    }
    if is_pull:
        web = f"{page(links, repo)}/pull/{record['number']}"
        pull_url = f"{base}/pulls/{record['number']}"
        body["pull_request"] = {
            "url": pull_url,
            "html_url": web,
            "diff_url": f"{web}.diff",
            "patch_url": f"{web}.patch",
        }
    return body


def comment(links: Links, repo: Document, record: Document, author: Document, app: Json | None = None) -> Json:
    """`app` is the App that wrote it; None for a person."""
    base, number = repository_url(links, repo), record["number"]
    return {
        "url": f"{base}/issues/comments/{record['id']}",
        "html_url": f"{page(links, repo)}/issues/{number}#issuecomment-{record['id']}",
        "issue_url": f"{base}/issues/{number}",
        "id": record["id"],
        "node_id": node_id("IssueComment", record["id"]),
        "user": user(links, author),
        "created_at": record["created_at"],
        "updated_at": record["updated_at"],
        "author_association": record.get("association", "MEMBER"),
        "body": record["body"],
        "performed_via_github_app": app,
    }


def workflow(links: Links, repo: Document, record: Document) -> Json:
    return {
        "id": record["workflow_id"],
        "node_id": node_id("Workflow", record["workflow_id"]),
        "name": record["name"],
        "path": ".github/workflows/ci.yml",
        "state": "active",
        "created_at": record["created_at"],
        "updated_at": record["created_at"],
        "url": f"{repository_url(links, repo)}/actions/workflows/{record['workflow_id']}",
        "html_url": f"{page(links, repo)}/blob/{repo['default_branch']}/.github/workflows/ci.yml",
        "badge_url": f"{page(links, repo)}/workflows/{record['name']}/badge.svg",
    }


def run(
    links: Links, repo: Document, owner: Document, record: Document, actor: Document, *, source: Json | None = None
) -> Json:
    """`source` is the fork that the commit comes from; None for the repository itself."""
    base = repository_url(links, repo)
    url = f"{base}/actions/runs/{record['id']}"
    suite = record["id"] + 1
    return {
        "id": record["id"],
        "name": record["name"],
        "node_id": node_id("WorkflowRun", record["id"]),
        "head_branch": record["head_branch"],
        "head_sha": record["head_sha"],
        "path": ".github/workflows/ci.yml",
        "display_title": record["title"],
        "run_number": record["run_number"],
        "event": record.get("event", "push"),
        "status": record["status"],
        "conclusion": record["conclusion"],
        "workflow_id": record["workflow_id"],
        "check_suite_id": suite,
        "check_suite_node_id": node_id("CheckSuite", suite),
        "url": url,
        "html_url": f"{page(links, repo)}/actions/runs/{record['id']}",
        "pull_requests": [],
        "created_at": record["created_at"],
        "updated_at": record["updated_at"],
        "actor": user(links, actor),
        "run_attempt": record["run_attempt"],
        "referenced_workflows": [],
        "run_started_at": record["created_at"],
        "triggering_actor": user(links, actor),
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "check_suite_url": f"{base}/check-suites/{suite}",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "previous_attempt_url": None,
        "workflow_url": f"{base}/actions/workflows/{record['workflow_id']}",
        "head_commit": record["head_commit"],
        "repository": minimal_repository(links, repo, owner),
        "head_repository": source or minimal_repository(links, repo, owner),
    }


def check_run(links: Links, repo: Document, record: Document) -> Json:
    base = repository_url(links, repo)
    return {
        "id": record["id"],
        "node_id": node_id("CheckRun", record["id"]),
        "head_sha": record["head_sha"],
        "external_id": record["external_id"],
        "url": f"{base}/check-runs/{record['id']}",
        "html_url": f"{page(links, repo)}/runs/{record['id']}",
        "details_url": record["details_url"] or f"{page(links, repo)}/runs/{record['id']}",
        "status": record["status"],
        "conclusion": record["conclusion"],
        "started_at": record["started_at"],
        "completed_at": record["completed_at"],
        "output": {
            "title": record["output"].get("title"),
            "summary": record["output"].get("summary"),
            "text": record["output"].get("text"),
            "annotations_count": 0,
            "annotations_url": f"{base}/check-runs/{record['id']}/annotations",
        },
        "name": record["name"],
        "check_suite": {"id": record["suite_id"]},
        "app": None,
        "pull_requests": [],
    }


def deployment(links: Links, repo: Document, record: Document, creator: Document) -> Json:
    base = repository_url(links, repo)
    url = f"{base}/deployments/{record['id']}"
    shown = ("sha", "ref", "task", "payload", "original_environment", "environment", "description")
    return {
        "url": url,
        "id": record["id"],
        "node_id": node_id("Deployment", record["id"]),
        **{name: record[name] for name in shown},
        "creator": user(links, creator),
        "created_at": record["created_at"],
        "updated_at": record["updated_at"],
        "statuses_url": f"{url}/statuses",
        "repository_url": base,
        "transient_environment": record["transient_environment"],
        "production_environment": record["production_environment"],
        "performed_via_github_app": None,
    }


def deployment_status(links: Links, repo: Document, record: Document, creator: Document) -> Json:
    base = repository_url(links, repo)
    url = f"{base}/deployments/{record['deployment_id']}"
    return {
        "url": f"{url}/statuses/{record['id']}",
        "id": record["id"],
        "node_id": node_id("DeploymentStatus", record["id"]),
        "state": record["state"],
        "creator": user(links, creator),
        "description": record["description"],
        "environment": record["environment"],
        "target_url": record["log_url"],
        "created_at": record["created_at"],
        "updated_at": record["created_at"],
        "deployment_url": url,
        "repository_url": base,
        "environment_url": record["environment_url"],
        "log_url": record["log_url"],
        "performed_via_github_app": None,
    }


def status(links: Links, repo: Document, record: Document, creator: Document) -> Json:
    return {
        "url": f"{repository_url(links, repo)}/statuses/{record['sha']}",
        "avatar_url": user(links, creator)["avatar_url"],
        "id": record["id"],
        "node_id": node_id("StatusContext", record["id"]),
        **{name: record[name] for name in ("state", "description", "target_url", "context")},
        "created_at": record["created_at"],
        "updated_at": record["created_at"],
        "creator": user(links, creator),
    }


def release(links: Links, repo: Document, record: Document, author: Document) -> Json:
    base = repository_url(links, repo)
    url = f"{base}/releases/{record['id']}"
    shown = ("tag_name", "target_commitish", "name", "draft", "prerelease", "body", "created_at", "published_at")
    return {
        "url": url,
        "assets_url": f"{url}/assets",
        "upload_url": f"{url}/assets{{?name,label}}",
        "html_url": f"{page(links, repo)}/releases/tag/{record['tag_name']}",
        "id": record["id"],
        "author": user(links, author),
        "node_id": node_id("Release", record["id"]),
        **{name: record[name] for name in shown},
        "assets": [],
        "tarball_url": f"{base}/tarball/{record['tag_name']}",
        "zipball_url": f"{base}/zipball/{record['tag_name']}",
    }


def hook(links: Links, scope_url: str, record: Document, kind: str) -> Json:
    """Return a webhook; its secret is shown as stars, as GitHub does."""
    url = f"{scope_url}/hooks/{record['id']}"
    config: dict[str, Any] = {k: v for k, v in record["config"].items() if k != "secret"}
    if record["config"].get("secret"):
        config["secret"] = "********"  # noqa: S105 - the stars that GitHub shows in place of the secret
    return {
        "type": kind,
        "id": record["id"],
        "name": "web",
        "active": record["active"],
        "events": list(record["events"]),
        "config": config,
        "updated_at": record["updated_at"],
        "created_at": record["created_at"],
        "url": url,
        "test_url": f"{url}/test",
        "ping_url": f"{url}/pings",
        "deliveries_url": f"{url}/deliveries",
        "last_response": {"code": None, "status": "unused", "message": None},
    }
