"""People and channels in the shapes of Slack's Web API."""

from __future__ import annotations

from playground.slack.directory import TEAM_DOMAIN, Directory
from playground.slack.store import Json


def slack_user(user: Json, *, email: bool) -> Json:
    """Return Slack's user object; the address only with `users:read.email`."""
    profile = {
        "real_name": user["real_name"],
        "real_name_normalized": user["real_name"],
        "display_name": user["name"],
        "display_name_normalized": user["name"],
        "team": user["team_id"],
    }
    if email and user["email"]:
        profile["email"] = user["email"]
    return {
        "id": user["id"],
        "team_id": user["team_id"],
        "name": user["name"],
        "real_name": user["real_name"],
        "deleted": user["deleted"],
        "tz": "Etc/UTC",
        "tz_offset": 0,
        "profile": profile,
        "is_admin": False,
        "is_owner": False,
        "is_bot": user["is_bot"],
        "is_app_user": False,
        "is_restricted": user["is_restricted"],
        "is_ultra_restricted": user["is_ultra_restricted"],
        "is_stranger": user["is_stranger"],
        "is_email_confirmed": user["email"] is not None and not user["is_external"],
        "updated": 0,
    }


def slack_channel(channel: Json, directory: Directory) -> Json:
    """Return Slack's conversation object as the app sees it."""
    is_im, is_private = channel["is_im"], channel["is_private"]
    shown = {
        "id": channel["id"],
        "is_channel": not is_im and not is_private,
        "is_group": is_private and not is_im,
        "is_im": is_im,
        "is_mpim": False,
        "is_private": is_private,
        "is_archived": channel["is_archived"],
        "is_shared": channel["is_ext_shared"],
        "is_ext_shared": channel["is_ext_shared"],
        "is_org_shared": False,
        "created": 0,
        "context_team_id": directory.team_id,
    }
    if is_im:
        return {**shown, "user": channel["user"]}
    text = {"creator": "", "last_set": 0}
    return {
        **shown,
        "name": channel["name"],
        "name_normalized": channel["name"],
        "creator": channel.get("creator", ""),
        "is_general": channel["name"] == "general",
        "is_member": directory.bot_user in channel["members"],
        "topic": {"value": channel["topic"], **text},
        "purpose": {"value": channel["purpose"], **text},
        "num_members": len(channel["members"]),
    }


def team(directory: Directory) -> Json:
    return {"id": directory.team_id, "domain": TEAM_DOMAIN}
