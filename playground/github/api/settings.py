"""Variables, secrets and environments of a repository."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from playground.github.call import Call, Reply, Routes, created, no_content
from playground.github.errors import conflict, invalid, not_found, unprocessable
from playground.github.shapes import repository_url
from playground.github.store import Document

routes = Routes()
NAME = re.compile(r"(?!GITHUB_)[A-Z_][A-Z0-9_]*")
SEALED_BOX_OVERHEAD = 48
"""A libsodium sealed box is so many bytes longer than what it holds."""


def check_name(name: str) -> str:
    """Return the name as GitHub keeps it, in capitals; raise 422 for one that it does not allow."""
    if not NAME.fullmatch(name.upper()):
        text = "Names can only contain alphanumeric characters ([a-z], [A-Z], [0-9]) or underscores (_)."
        raise unprocessable(
            f"{text} Spaces are not allowed. Must start with a letter ([a-z], [A-Z]) or underscores (_)."
        )
    return name.upper()


# --- variables


def _place(call: Call, kind: str) -> tuple[str, str]:
    """Return the collection and the scope: a repository's own, or one environment's."""
    environment = call.request.match_info.get("environment")
    if environment is None:
        return kind, str(call.scope)
    call.required("environments", environment)
    return f"{kind} of {environment}", str(call.scope)


def _variable(call: Call) -> Document:
    found = call.hub.store.get(*_place(call, "variables"), call.path("name").upper())
    if found is None:
        raise not_found()
    return found


async def _variables(call: Call) -> Reply:
    return call.page(call.hub.store.all(*_place(call, "variables")), key="variables")


async def _create_variable(call: Call) -> Reply:
    place, name = _place(call, "variables"), check_name(call.need("name", "Variable"))
    value = call.body.get("value")
    if not isinstance(value, str):
        raise invalid("Variable", "value", "missing_field")
    if call.hub.store.get(*place, name):
        raise conflict("Already exists - Variable already exists")
    now = call.hub.now()
    record: Document = {"name": name, "value": value, "created_at": now, "updated_at": now}
    call.hub.store.put(*place, name, record)
    return created({})


async def _read_variable(call: Call) -> Reply:
    return Reply(200, _variable(call))


async def _change_variable(call: Call) -> Reply:
    record = _variable(call)
    place, old = _place(call, "variables"), record["name"]
    record |= {"value": call.get("value", record["value"]), "name": check_name(call.get("name", old))}
    record["updated_at"] = call.hub.now()
    call.hub.store.delete(*place, old)
    call.hub.store.put(*place, record["name"], record)
    return no_content()


async def _remove_variable(call: Call) -> Reply:
    call.hub.store.delete(*_place(call, "variables"), _variable(call)["name"])
    return no_content()


# --- secrets


def public_key(call: Call) -> tuple[str, str]:
    """Return the id and the key (Base64) that secrets are sealed with; one key pair serves the whole playground."""
    kept = call.hub.store.get("app", "", "secrets_key")
    if kept is None:
        private = base64.b64encode(X25519PrivateKey.generate().private_bytes_raw()).decode()
        kept = call.hub.store.put("app", "", "secrets_key", {"id": "568250167242549743", "private": private})
    key = X25519PrivateKey.from_private_bytes(base64.b64decode(kept["private"]))
    return str(kept["id"]), base64.b64encode(key.public_key().public_bytes_raw()).decode()


async def _public_key(call: Call) -> Reply:
    key_id, key = public_key(call)
    return Reply(200, {"key_id": key_id, "key": key})


def _plain(record: Document) -> dict[str, Any]:
    return {name: record[name] for name in ("name", "created_at", "updated_at")}


async def _secrets(call: Call) -> Reply:
    return call.page(call.hub.store.all(*_place(call, "secrets")), key="secrets", shape=_plain)


def _secret(call: Call) -> Document:
    found = call.hub.store.get(*_place(call, "secrets"), call.path("name").upper())
    if found is None:
        raise not_found()
    return found


async def _read_secret(call: Call) -> Reply:
    return Reply(200, _plain(_secret(call)))


async def _write_secret(call: Call) -> Reply:
    place, name = _place(call, "secrets"), check_name(call.path("name"))
    sealed = call.need("encrypted_value", "Secret")
    if call.need("key_id", "Secret") != public_key(call)[0]:
        raise unprocessable("Bad request - key_id does not match")
    try:
        box = base64.b64decode(sealed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise unprocessable("Bad request - encrypted_value is not valid Base64") from error
    if len(box) < SEALED_BOX_OVERHEAD:
        raise unprocessable("Bad request - encrypted_value is not a sealed box")
    old = call.hub.store.get(*place, name)
    now = call.hub.now()
    record = {"name": name, "sealed": sealed, "created_at": old["created_at"] if old else now, "updated_at": now}
    call.hub.store.put(*place, name, record)
    return no_content() if old else created({})


async def _remove_secret(call: Call) -> Reply:
    call.hub.store.delete(*_place(call, "secrets"), _secret(call)["name"])
    return no_content()


REPOSITORY = "/repos/{owner}/{repo}/actions"
ENVIRONMENT = "/repos/{owner}/{repo}/environments/{environment}"
for base, variables, secrets in (
    (REPOSITORY, "actions_variables", "secrets"),
    (ENVIRONMENT, "environments", "environments"),
):
    routes.get(f"{base}/variables", needs=f"{variables}:read")(_variables)
    routes.post(f"{base}/variables", needs=f"{variables}:write")(_create_variable)
    routes.get(f"{base}/variables/{{name}}", needs=f"{variables}:read")(_read_variable)
    routes.patch(f"{base}/variables/{{name}}", needs=f"{variables}:write")(_change_variable)
    routes.delete(f"{base}/variables/{{name}}", needs=f"{variables}:write")(_remove_variable)
    routes.get(f"{base}/secrets", needs=f"{secrets}:read")(_secrets)
    routes.get(f"{base}/secrets/public-key", needs=f"{secrets}:read")(_public_key)
    routes.get(f"{base}/secrets/{{name}}", needs=f"{secrets}:read")(_read_secret)
    routes.put(f"{base}/secrets/{{name}}", needs=f"{secrets}:write")(_write_secret)
    routes.delete(f"{base}/secrets/{{name}}", needs=f"{secrets}:write")(_remove_secret)


# --- environments


def _environment(call: Call, record: Document) -> dict[str, Any]:
    base = repository_url(call.links, call.repo)
    page = f"{call.links.web}/{call.repo['owner']}/{call.repo['name']}/deployments/activity_log"
    url = f"{base}/environments/{record['name']}"
    return {**record, "url": url, "html_url": f"{page}?environments_filter={record['name']}"}


@routes.get("/repos/{owner}/{repo}/environments", needs="actions:read")
async def environments(call: Call) -> Reply:
    found = call.hub.store.all("environments", call.scope)
    return call.page(found, key="environments", shape=lambda record: _environment(call, record))


@routes.get(ENVIRONMENT, needs="actions:read")
async def read_environment(call: Call) -> Reply:
    return Reply(200, _environment(call, call.required("environments", call.path("environment"))))


@routes.put(ENVIRONMENT, needs="administration:write")
async def write_environment(call: Call) -> Reply:
    name, now = call.path("environment"), call.hub.now()
    record = call.hub.store.get("environments", call.scope, name) or {
        "id": call.hub.store.next_id("environment", 161_088_001),
        "node_id": f"EN_{name}",
        "name": name,
        "created_at": now,
    }
    rules = [{"id": 1, "node_id": "GA_1", "type": "wait_timer", "wait_timer": call.get("wait_timer", 0)}]
    record |= {
        "updated_at": now,
        "protection_rules": rules if call.get("wait_timer", 0) else [],
        "deployment_branch_policy": call.get("deployment_branch_policy"),
    }
    call.hub.store.put("environments", call.scope, name, record)
    return Reply(200, _environment(call, record))


@routes.delete(ENVIRONMENT, needs="administration:write")
async def remove_environment(call: Call) -> Reply:
    record = call.required("environments", call.path("environment"))
    call.hub.store.delete("environments", call.scope, record["name"])
    return no_content()
