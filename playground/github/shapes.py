"""GitHub's JSON objects: accounts, teams and repositories. `shapes_git` and `shapes_work` have the rest."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from playground.github.call import Links
from playground.github.store import Document

Json = dict[str, Any]

USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}

REPOSITORY_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}

PERMISSIONS = ("pull", "triage", "push", "maintain", "admin")


def stamp(when: datetime) -> str:
    """Return GitHub's time format: UTC, whole seconds."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node_id(kind: str, number: int) -> str:
    return base64.b64encode(f"{kind}{number}".encode()).decode()


def user(links: Links, account: Document) -> Json:
    login = account["login"]
    url = f"{links.api}/users/{login}"
    return {
        "login": login,
        "id": account["id"],
        "node_id": node_id("User", account["id"]),
        "avatar_url": f"{links.web}/avatars/{login}.svg",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{links.web}/{login}",
        **{name: url + suffix for name, suffix in USER_LINKS.items()},
        "type": account["type"],
        "user_view_type": "public",
        "site_admin": False,
    }


def full_user(links: Links, account: Document) -> Json:
    return {
        **user(links, account),
        "name": account["name"],
        "email": account.get("email"),
        "company": None,
        "blog": "",
        "location": None,
        "bio": None,
        "hireable": None,
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": account["created_at"],
        "updated_at": account["created_at"],
    }


def organization(links: Links, account: Document) -> Json:
    url = f"{links.api}/orgs/{account['login']}"
    return {
        "login": account["login"],
        "id": account["id"],
        "node_id": node_id("Organization", account["id"]),
        "url": url,
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events",
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": f"{links.web}/avatars/{account['login']}.svg",
        "description": account.get("description") or "",
    }


def full_organization(links: Links, account: Document) -> Json:
    return {
        **organization(links, account),
        "name": account["name"],
        "html_url": f"{links.web}/{account['login']}",
        "has_organization_projects": False,
        "has_repository_projects": False,
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "type": "Organization",
        "archived_at": None,
        "created_at": account["created_at"],
        "updated_at": account["created_at"],
    }


def team(links: Links, record: Document, organisation: Document | None = None) -> Json:
    url = f"{links.api}/orgs/{record['org']}/teams/{record['slug']}"
    body: Json = {
        "id": record["id"],
        "node_id": node_id("Team", record["id"]),
        "url": url,
        "html_url": f"{links.web}/orgs/{record['org']}/teams/{record['slug']}",
        "name": record["name"],
        "slug": record["slug"],
        "description": record["description"],
        "privacy": record["privacy"],
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "type": "organization",
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "parent": None,
    }
    if organisation is not None:
        body["organization"] = full_organization(links, organisation)
        body["members_count"] = len(record["members"])
        body["repos_count"] = len(record["repos"])
        body["created_at"] = body["updated_at"] = record["created_at"]
    return body


def rights(permission: str) -> dict[str, bool]:
    """Return GitHub's five booleans for `pull` … `admin`."""
    reach = PERMISSIONS.index(permission) if permission in PERMISSIONS else 0
    return {name: place <= reach for place, name in enumerate(PERMISSIONS)}


def repository_url(links: Links, repo: Document) -> str:
    return f"{links.api}/repos/{repo['owner']}/{repo['name']}"


def minimal_repository(links: Links, repo: Document, owner: Document) -> Json:
    """Return a repository as other objects mention it."""
    url, page = repository_url(links, repo), f"{links.web}/{repo['owner']}/{repo['name']}"
    return {
        "id": repo["id"],
        "node_id": node_id("Repository", repo["id"]),
        "name": repo["name"],
        "full_name": f"{repo['owner']}/{repo['name']}",
        "private": repo["private"],
        "owner": user(links, owner),
        "html_url": page,
        "description": repo["description"],
        "fork": bool(repo.get("parent")),
        "url": url,
        **{name: url + suffix for name, suffix in REPOSITORY_LINKS.items()},
    }


def repository(links: Links, repo: Document, owner: Document, permission: str = "admin") -> Json:
    page, host = f"{links.web}/{repo['owner']}/{repo['name']}", links.web.partition("://")[2]
    return {
        **minimal_repository(links, repo, owner),
        "created_at": repo["created_at"],
        "updated_at": repo["updated_at"],
        "pushed_at": repo["pushed_at"],
        "git_url": f"git://{host}/{repo['owner']}/{repo['name']}.git",
        "ssh_url": f"git@{host}:{repo['owner']}/{repo['name']}.git",
        "clone_url": f"{page}.git",
        "svn_url": page,
        "homepage": repo["homepage"],
        "size": 0,
        "stargazers_count": 0,
        "watchers_count": 0,
        "language": None,
        **{name: value for name, value in repo["settings"].items() if name.startswith("has_")},
        "forks_count": repo.get("forks", 0),
        "mirror_url": None,
        "archived": repo["archived"],
        "disabled": False,
        "open_issues_count": repo["open_issues"],
        "license": None,
        "allow_forking": not repo["private"],
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": list(repo["topics"]),
        "visibility": "private" if repo["private"] else "public",
        "forks": repo.get("forks", 0),
        "open_issues": repo["open_issues"],
        "watchers": 0,
        "default_branch": repo["default_branch"],
        "permissions": rights(permission),
    }


def pushed_repository(links: Links, repo: Document, owner: Document) -> Json:
    """Return the repository as a push webhook has it: times as numbers, and a few fields of old."""
    body = repository(links, repo, owner)
    times = {name: int(datetime.fromisoformat(repo[name]).timestamp()) for name in ("created_at", "pushed_at")}
    body["owner"] = {"name": owner["login"], "email": owner.get("email"), **body["owner"]}
    if owner["type"] == "Organization":
        body["organization"] = owner["login"]
    return {**body, **times, "stargazers": 0, "master_branch": repo["default_branch"]}


def full_repository(links: Links, repo: Document, owner: Document, permission: str = "admin") -> Json:
    body = repository(links, repo, owner, permission)
    if owner["type"] == "Organization":
        body["organization"] = user(links, owner)
    body |= {**repo["settings"], "custom_properties": dict(repo["custom_properties"])}
    body["network_count"] = body["subscribers_count"] = 0
    return body
