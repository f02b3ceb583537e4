"""Webhooks of a repository and of its organisation, and what was delivered to them."""

from __future__ import annotations

from typing import Any

from playground.github import notify, shapes, shapes_work
from playground.github.api.accounts import organisation
from playground.github.call import Call, Reply, Routes, created, no_content
from playground.github.deliveries import Delivery
from playground.github.errors import invalid, not_found, unprocessable
from playground.github.store import Document

routes = Routes()


def _place(call: Call) -> tuple[str, str, str]:
    """Return the scope in the store, the URL that hooks stand below, and GitHub's word for the kind."""
    if call.repository:
        return str(call.scope), shapes.repository_url(call.links, call.repo), "Repository"
    login = str(organisation(call)["login"])
    return login.lower(), f"{call.links.api}/orgs/{login}", "Organization"


def _shown(call: Call, record: Document) -> dict[str, Any]:
    _, url, kind = _place(call)
    return shapes_work.hook(call.links, url, record, kind)


def _find(call: Call) -> Document:
    found = call.hub.store.get("hooks", _place(call)[0], call.number("id"))
    if found is None:
        raise not_found()
    return found


def _config(call: Call, old: dict[str, Any]) -> dict[str, Any]:
    given = call.get("config", {})
    if not isinstance(given, dict):
        raise invalid("Hook", "config", "invalid")
    config: dict[str, Any] = {"content_type": "form", "insecure_ssl": "0", **old, **given}
    config["insecure_ssl"] = str(config["insecure_ssl"])
    if not str(config.get("url", "")).startswith(("http://", "https://")):
        raise invalid("Hook", "url", "custom", "url is missing a scheme")
    return config


async def _list(call: Call) -> Reply:
    return call.page(call.hub.store.all("hooks", _place(call)[0]), shape=lambda record: _shown(call, record))


async def _create(call: Call) -> Reply:
    scope, _, kind = _place(call)
    config, events = _config(call, {}), call.get("events", ["push"])
    hooks = call.hub.store.all("hooks", scope)
    if any(h["config"]["url"] == config["url"] and set(h["events"]) & set(events) for h in hooks):
        raise unprocessable(
            "Validation Failed",
            [{"resource": "Hook", "code": "custom", "message": f"Hook already exists on this {kind.lower()}"}],
        )
    now = call.hub.now()
    record: Document = {
        "id": call.hub.store.next_id("hook", 12_001),
        "active": bool(call.get("active", True)),
        "events": list(events),
        "config": config,
        "created_at": now,
        "updated_at": now,
    }
    call.hub.store.put("hooks", scope, record["id"], record)
    notify.ping(call.hub, call.repository, record, _shown(call, record), call.actor.login)
    return created(_shown(call, record))


async def _read(call: Call) -> Reply:
    return Reply(200, _shown(call, _find(call)))


async def _change(call: Call) -> Reply:
    record = _find(call)
    events = set(call.get("events", record["events"])) | set(call.get("add_events", []))
    record["config"] = _config(call, record["config"])
    record["events"] = sorted(events - set(call.get("remove_events", [])))
    record["active"] = bool(call.get("active", record["active"]))
    record["updated_at"] = call.hub.now()
    call.hub.store.put("hooks", _place(call)[0], record["id"], record)
    return Reply(200, _shown(call, record))


async def _remove(call: Call) -> Reply:
    call.hub.store.delete("hooks", _place(call)[0], _find(call)["id"])
    return no_content()


async def _ping(call: Call) -> Reply:
    record = _find(call)
    notify.ping(call.hub, call.repository, record, _shown(call, record), call.actor.login)
    return no_content()


def delivery(found: Delivery) -> dict[str, Any]:
    return {
        "id": found.id,
        "guid": found.guid,
        "delivered_at": shapes.stamp(found.at),
        "redelivery": found.redelivery,
        "duration": round(found.duration_s, 3),
        "status": found.outcome,
        "status_code": found.status_code,
        "event": found.event,
        "action": found.payload.get("action"),
        "installation_id": None,
        "repository_id": found.payload.get("repository", {}).get("id"),
        "url": found.url,
    }


def full_delivery(found: Delivery) -> dict[str, Any]:
    headers = found.request()[1]
    request = {"headers": headers, "payload": found.payload}
    return {**delivery(found), "request": request, "response": {"headers": {}, "payload": ""}}


async def _deliveries(call: Call) -> Reply:
    hook_id = _find(call)["id"]
    found = [d for d in reversed(call.hub.deliveries.log) if d.hook_id == hook_id and d.target != "integration"]
    return call.page(found, shape=delivery)


def _delivery(call: Call) -> Delivery:
    hook_id, number = _find(call)["id"], call.number("delivery")
    found = next((d for d in call.hub.deliveries.log if d.id == number and d.hook_id == hook_id), None)
    if found is None:
        raise not_found()
    return found


async def _read_delivery(call: Call) -> Reply:
    return Reply(200, full_delivery(_delivery(call)))


async def _redeliver(call: Call) -> Reply:
    call.hub.deliveries.again(_delivery(call))
    return Reply(202, {})


for base, needs in (("/repos/{owner}/{repo}/hooks", "repository_hooks"), ("/orgs/{org}/hooks", "organization_hooks")):
    routes.get(base, needs=f"{needs}:read")(_list)
    routes.post(base, needs=f"{needs}:write")(_create)
    routes.get(base + "/{id}", needs=f"{needs}:read")(_read)
    routes.patch(base + "/{id}", needs=f"{needs}:write")(_change)
    routes.delete(base + "/{id}", needs=f"{needs}:write")(_remove)
    routes.post(base + "/{id}/pings", needs=f"{needs}:write")(_ping)
    routes.get(base + "/{id}/deliveries", needs=f"{needs}:read")(_deliveries)
    routes.get(base + "/{id}/deliveries/{delivery}", needs=f"{needs}:read")(_read_delivery)
    routes.post(base + "/{id}/deliveries/{delivery}/attempts", needs=f"{needs}:write")(_redeliver)
