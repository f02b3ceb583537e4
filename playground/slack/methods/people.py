"""auth.*, users.*, usergroups.*, bots.*, team.* and apps.*: who is who, the app included."""

from __future__ import annotations

import secrets

from playground.slack.call import Call, method
from playground.slack.directory import TEAM_DOMAIN
from playground.slack.rates import Tier
from playground.slack.refusals import SlackRefusal
from playground.slack.shapes import slack_user
from playground.slack.store import Json


@method("auth.test", Tier.SPECIAL)
def auth_test(call: Call) -> Json:
    directory = call.slack.directory
    return {
        "url": f"{call.slack.base_url}/",
        "team": directory.sample.ORGANISATION,
        "user": directory.app_name.lower(),
        "team_id": directory.team_id,
        "user_id": directory.bot_user,
        "bot_id": directory.bot_id,
        "is_enterprise_install": False,
    }


def _shown(call: Call, user: Json) -> Json:
    return slack_user(user, email="users:read.email" in call.slack.app.scopes)


@method("users.info", Tier.FOUR, "users:read")
def info(call: Call) -> Json:
    user = call.slack.directory.users.get(call.required("user"))
    if user is None:
        raise SlackRefusal("user_not_found")
    return {"user": _shown(call, user)}


@method("users.list", Tier.TWO, "users:read")
def list_users(call: Call) -> Json:
    page, metadata = call.page(list(call.slack.directory.users.values()), 1000)
    return {"members": [_shown(call, user) for user in page], "response_metadata": metadata}


@method("users.lookupByEmail", Tier.THREE, "users:read.email")
def lookup_by_email(call: Call) -> Json:
    email = call.required("email").lower()
    for user in call.slack.directory.users.values():
        if user["email"] == email and not user["is_external"] and not user["deleted"]:
            return {"user": _shown(call, user)}
    raise SlackRefusal("users_not_found")


@method("usergroups.list", Tier.TWO, "usergroups:read")
def usergroups(call: Call) -> Json:
    groups = _groups(call)
    if not call.flag("include_users"):
        groups = [{name: value for name, value in group.items() if name != "users"} for group in groups]
    return {"usergroups": groups}


@method("usergroups.users.list", Tier.TWO, "usergroups:read")
def usergroup_users(call: Call) -> Json:
    wanted = call.required("usergroup")
    for group in _groups(call):
        if group["id"] == wanted:
            return {"users": group["users"]}
    raise SlackRefusal("no_such_subteam")


def _groups(call: Call) -> list[Json]:
    directory = call.slack.directory
    found = []
    for index, (handle, name) in enumerate(directory.sample.GROUPS.items()):
        users = [user["id"] for user in directory.users.values() if handle in user["groups"] and not user["deleted"]]
        found.append(
            {
                "id": f"S0{index:08d}G",
                "team_id": directory.team_id,
                "is_usergroup": True,
                "name": name,
                "handle": handle,
                "user_count": len(users),
                "users": users,
            }
        )
    return found


@method("bots.info", Tier.THREE, "users:read")
def bot_info(call: Call) -> Json:
    directory = call.slack.directory
    if call.text("bot", directory.bot_id) != directory.bot_id:
        raise SlackRefusal("bot_not_found")
    bot = {
        "id": directory.bot_id,
        "deleted": False,
        "name": directory.app_name,
        "app_id": directory.app_id,
        "user_id": directory.bot_user,
        "icons": {},
    }
    return {"bot": bot}


@method("team.info", Tier.THREE, "team:read")
def team_info(call: Call) -> Json:
    directory = call.slack.directory
    return {"team": {"id": directory.team_id, "name": directory.sample.ORGANISATION, "domain": TEAM_DOMAIN}}


@method("apps.connections.open", Tier.TWO, caller="app")
def open_connection(call: Call) -> Json:
    """Return the URL of one Socket Mode connection; it serves once."""
    ticket = secrets.token_urlsafe(24)
    call.slack.tickets.add(ticket)
    scheme, _, rest = call.slack.base_url.partition("://")
    secure = "wss" if scheme == "https" else "ws"
    return {"url": f"{secure}://{rest}/link/?ticket={ticket}&app_id={call.slack.directory.app_id}"}
