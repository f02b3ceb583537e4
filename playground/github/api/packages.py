"""Container packages: what successful workflow runs have pushed to the registry."""

from __future__ import annotations

import hashlib
from typing import Any

from playground.github.api.accounts import organisation
from playground.github.call import Call, Reply, Routes
from playground.github.errors import ApiError, not_found
from playground.github.store import Document

routes = Routes()
TYPES = ("npm", "maven", "rubygems", "docker", "nuget", "container")


@routes.get("/orgs/{org}/packages/{type}/{package}/versions", needs="packages:read")
async def of_organisation(call: Call) -> Reply:
    account = organisation(call)
    return _versions(call, account, f"orgs/{account['login']}")


@routes.get("/users/{user}/packages/{type}/{package}/versions", needs="packages:read")
async def of_person(call: Call) -> Reply:
    account = call.hub.account(call.path("user"))
    if account is None or account["type"] != "User":
        raise not_found()
    return _versions(call, account, f"users/{account['login']}")


def _versions(call: Call, owner: Document, base: str) -> Reply:
    """Answer the versions of a package, newest first."""
    kind, name = call.path("type"), call.path("package")
    if kind not in TYPES:
        raise ApiError(400, "Invalid argument.")
    # GitHub shows packages to people and to workflows, never to an App, whatever it was granted.
    if kind != "container" or call.actor.app_id is not None:
        raise not_found("Package not found.")
    found = _pushed(call, owner["login"], name)
    if not found:
        raise not_found("Package not found.")
    return call.page(found, shape=lambda version: _version(call, f"{base}/packages/container", name, version))


def _pushed(call: Call, owner: str, name: str) -> list[Document]:
    """Gather the tags that one run has pushed and no later one has taken away: one version each, newest first."""
    image = f"{call.hub.registry}/{owner}/{name}".lower()
    versions: dict[int, Document] = {}
    for pushed in call.hub.store.all("images"):
        repository, _, tag = pushed["image"].rpartition(":")
        if repository == image:
            version = versions.setdefault(pushed["run"], {**pushed, "tags": []})
            version["tags"].append(tag)
    return sorted(versions.values(), key=lambda version: (version["at"], version["run"]), reverse=True)


def _version(call: Call, base: str, name: str, version: Document) -> dict[str, Any]:
    digest = hashlib.sha256(f"{version['sha']} {version['run']}".encode()).hexdigest()
    page = f"{call.links.web}/{base}/{name}"
    return {
        "id": version["run"],
        "name": f"sha256:{digest}",
        "url": f"{call.links.api}/{base}/{name}/versions/{version['run']}",
        "package_html_url": page,
        "html_url": f"{page}/{version['run']}",
        "created_at": version["at"],
        "updated_at": version["at"],
        "metadata": {"package_type": "container", "container": {"tags": version["tags"]}},
    }
