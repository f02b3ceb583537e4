"""Rulesets of a repository and of its organisation."""

from __future__ import annotations

from typing import Any

from playground.github import protection
from playground.github.api.accounts import organisation
from playground.github.call import Call, Reply, Routes, created, no_content
from playground.github.errors import invalid, not_found, unprocessable
from playground.github.store import Document

routes = Routes()
ENFORCEMENT = ("active", "disabled", "evaluate")
RULES = frozenset(
    {
        "creation", "update", "deletion", "required_linear_history", "merge_queue", "required_deployments",
        "required_signatures", "pull_request", "required_status_checks", "non_fast_forward", "commit_message_pattern",
        "commit_author_email_pattern", "committer_email_pattern", "branch_name_pattern", "tag_name_pattern",
        "workflows", "code_scanning", "file_path_restriction", "max_file_path_length", "file_extension_restriction",
        "max_file_size", "copilot_code_review",
    }
)  # fmt: skip


def _place(call: Call) -> tuple[str, str, str, str]:
    """Return the scope in the store, the URL, GitHub's word for the source and its name."""
    if call.repository:
        name = f"{call.repo['owner']}/{call.repo['name']}"
        return str(call.scope), f"{call.links.api}/repos/{name}", "Repository", name
    login = str(organisation(call)["login"])
    return login.lower(), f"{call.links.api}/orgs/{login}", "Organization", login


def _shown(call: Call, record: Document, *, whole: bool = True) -> dict[str, Any]:
    _, url, kind, name = _place(call)
    body = {
        "id": record["id"],
        "name": record["name"],
        "target": record["target"],
        "source_type": kind,
        "source": name,
        "enforcement": record["enforcement"],
        "node_id": f"RRS_{record['id']}",
        "_links": {"self": {"href": f"{url}/rulesets/{record['id']}"}},
        "created_at": record["created_at"],
        "updated_at": record["updated_at"],
    }
    more = {k: record[k] for k in ("bypass_actors", "conditions", "rules")} if whole else {}
    return {**body, **more, **({"current_user_can_bypass": "never"} if whole else {})}


def _checked(call: Call, old: Document | None) -> Document:
    scope = _place(call)[0]
    now = call.hub.now()
    record: Document = old or {"id": call.hub.store.next_id("ruleset", 501), "target": "branch", "created_at": now}
    record = {"bypass_actors": [], "conditions": {}, "rules": [], **record, **call.body, "updated_at": now}
    if record.get("enforcement") not in ENFORCEMENT:
        raise invalid("Ruleset", "enforcement", "invalid")
    if not isinstance(record.get("name"), str) or not record["name"]:
        raise invalid("Ruleset", "name", "missing_field")
    if any(r["name"] == record["name"] and r["id"] != record["id"] for r in call.hub.store.all("rulesets", scope)):
        raise unprocessable("Validation Failed", [{"message": "Name must be unique"}])
    for rule in record["rules"]:
        if not isinstance(rule, dict) or rule.get("type") not in RULES:
            raise unprocessable("Invalid request.\n\nInvalid property /rules: data matches no possible input.")
    return record


async def _list(call: Call) -> Reply:
    return call.page(
        call.hub.store.all("rulesets", _place(call)[0]), shape=lambda record: _shown(call, record, whole=False)
    )


async def _create(call: Call) -> Reply:
    record = _checked(call, None)
    call.hub.store.put("rulesets", _place(call)[0], record["id"], record)
    return created(_shown(call, record))


def _find(call: Call) -> Document:
    found = call.hub.store.get("rulesets", _place(call)[0], call.number("id"))
    if found is None:
        raise not_found()
    return found


async def _read(call: Call) -> Reply:
    return Reply(200, _shown(call, _find(call)))


async def _change(call: Call) -> Reply:
    record = _checked(call, _find(call))
    call.hub.store.put("rulesets", _place(call)[0], record["id"], record)
    return Reply(200, _shown(call, record))


async def _remove(call: Call) -> Reply:
    call.hub.store.delete("rulesets", _place(call)[0], _find(call)["id"])
    return no_content()


for base, permission in (
    ("/repos/{owner}/{repo}/rulesets", "administration:write"),
    ("/orgs/{org}/rulesets", "organization_administration:write"),
):
    routes.get(base, needs="metadata:read")(_list)
    routes.post(base, needs=permission)(_create)
    routes.get(base + "/{id}", needs="metadata:read")(_read)
    routes.put(base + "/{id}", needs=permission)(_change)
    routes.delete(base + "/{id}", needs=permission)(_remove)


@routes.get("/repos/{owner}/{repo}/rules/branches/{branch:.+}")
async def rules_of_branch(call: Call) -> Reply:
    found = protection.rulesets(call.hub, call.repo, f"refs/heads/{call.path('branch')}")
    return call.page([{**rule, "ruleset_id": ruleset["id"]} for ruleset in found for rule in ruleset["rules"]])
