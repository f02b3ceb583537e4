"""The GitHub App that Causeway can be: its installation, tokens for one job, redelivery of its webhooks."""

from __future__ import annotations

from typing import Any

from playground.github import shapes
from playground.github.access import APP_ID, APP_PERMISSIONS, APP_SLUG, INSTALLATION_ID
from playground.github.api.accounts import shaped as shaped_repository
from playground.github.api.hooks import delivery, full_delivery
from playground.github.call import Call, Reply, Routes, created, no_content
from playground.github.deliveries import Delivery
from playground.github.errors import not_found, unprocessable
from playground.github.identity import EVENTS, shaped_app
from playground.github.store import Document

routes = Routes()
LADDER = ("read", "write", "admin")


@routes.get("/app", needs="jwt")
async def app(call: Call) -> Reply:
    return Reply(200, {**shaped_app(call.hub, call.links), "installations_count": 1})


def _installation(call: Call) -> dict[str, Any]:
    owner = call.hub.owner()
    return {
        "id": INSTALLATION_ID,
        "account": shapes.user(call.links, owner),
        "access_tokens_url": f"{call.links.api}/app/installations/{INSTALLATION_ID}/access_tokens",
        "repositories_url": f"{call.links.api}/installation/repositories",
        "html_url": f"{call.links.web}/organizations/{owner['login']}/settings/installations/{INSTALLATION_ID}",
        "app_id": APP_ID,
        "target_id": owner["id"],
        "target_type": "Organization",
        "permissions": APP_PERMISSIONS,
        "events": EVENTS,
        "created_at": owner["created_at"],
        "updated_at": owner["created_at"],
        "single_file_name": None,
        "repository_selection": "all",
        "app_slug": APP_SLUG,
        "suspended_by": None,
        "suspended_at": None,
    }


@routes.get("/app/installations", needs="jwt")
async def installations(call: Call) -> Reply:
    return call.page([_installation(call)])


@routes.get("/app/installations/{id}", needs="jwt")
async def installation(call: Call) -> Reply:
    if call.number("id") != INSTALLATION_ID:
        raise not_found()
    return Reply(200, _installation(call))


@routes.get("/orgs/{org}/installation", needs="jwt")
async def installation_of_organisation(call: Call) -> Reply:
    if call.path("org").lower() != call.hub.owner()["login"].lower():
        raise not_found()
    return Reply(200, _installation(call))


@routes.get("/repos/{owner}/{repo}/installation", needs="jwt")
async def installation_of_repository(call: Call) -> Reply:
    return Reply(200, _installation(call))


@routes.post("/app/installations/{id}/access_tokens", needs="jwt")
async def access_token(call: Call) -> Reply:
    if call.number("id") != INSTALLATION_ID:
        raise not_found()
    permissions = call.body.get("permissions")
    granted = dict(APP_PERMISSIONS) if permissions is None else _granted(permissions)
    chosen = _chosen(call)
    token = call.hub.access.issue(granted, [repo["id"] for repo in chosen] if chosen is not None else None)
    shown = {k: token[k] for k in ("token", "expires_at", "permissions")}
    shown["repository_selection"] = "all" if chosen is None else "selected"
    if chosen is not None:
        shown["repositories"] = [shaped_repository(call, repo) for repo in chosen]
    return created(shown)


def _granted(wanted: dict[str, str]) -> dict[str, str]:
    """Return the permissions asked for; more than the App has is refused."""
    for name, level in wanted.items():
        held = APP_PERMISSIONS.get(name)
        if held is None or level not in LADDER or LADDER.index(level) > LADDER.index(held):
            raise unprocessable("The permissions requested are not granted to this installation.")
    return {"metadata": "read", **wanted}


def _chosen(call: Call) -> list[Document] | None:
    names, ids = call.body.get("repositories"), call.body.get("repository_ids")
    if names is None and ids is None:
        return None
    owner = call.hub.owner()["login"]
    found = [call.hub.repository(owner, str(name)) for name in names or []]
    found += [call.hub.store.get("repositories", "", number) for number in ids or []]
    if None in found or len(found) > 500:
        text = "There is at least one repository that does not exist or is not accessible to the parent installation."
        raise unprocessable(text)
    return [repo for repo in found if repo is not None]


@routes.delete("/installation/token", needs="metadata:read")
async def revoke(call: Call) -> Reply:
    call.hub.access.revoke(call.request.headers["Authorization"].partition(" ")[2])
    return no_content()


def _own_deliveries(call: Call) -> list[Delivery]:
    return [found for found in reversed(call.hub.deliveries.log) if found.target == "integration"]


@routes.get("/app/hook/deliveries", needs="jwt")
async def deliveries(call: Call) -> Reply:
    return call.page(_own_deliveries(call), shape=delivery)


def _delivery(call: Call) -> Delivery:
    number = call.number("id")
    found = next((d for d in _own_deliveries(call) if d.id == number), None)
    if found is None:
        raise not_found()
    return found


@routes.get("/app/hook/deliveries/{id}", needs="jwt")
async def read_delivery(call: Call) -> Reply:
    return Reply(200, full_delivery(_delivery(call)))


@routes.post("/app/hook/deliveries/{id}/attempts", needs="jwt")
async def redeliver(call: Call) -> Reply:
    call.hub.deliveries.again(_delivery(call))
    return Reply(202, {})
