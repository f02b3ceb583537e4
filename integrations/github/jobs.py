"""What each kind of call may do: the smallest permissions that GitHub accepts for it."""

from __future__ import annotations

import re
from urllib.parse import quote

from bot.errors import NotFound
from integrations.github.credentials import Job

READ = (("contents", "read"), ("issues", "read"), ("metadata", "read"), ("pull_requests", "read"))
CONTENT = (("contents", "write"), ("metadata", "read"), ("pull_requests", "write"), ("workflows", "write"))
"""Workflow files are part of every skeleton; without `workflows` GitHub refuses the tree that holds them."""
COMMENTS = (("metadata", "read"), ("pull_requests", "write"))
"""Comments on pull requests alone: those on issues would need `issues`."""
SETTINGS = (("administration", "write"), ("metadata", "read"))
TEAMS = (("administration", "write"), ("members", "read"), ("metadata", "read"))
VARIABLES = (("actions_variables", "write"), ("metadata", "read"))
HOOKS = (("metadata", "read"), ("repository_hooks", "write"))
ACTIONS = (("actions", "read"), ("metadata", "read"))
PACKAGES = (("metadata", "read"), ("packages", "read"))
DEPLOYMENTS = (("deployments", "write"), ("metadata", "read"))
ORGANISATION_READ = (("metadata", "read"),)
ORGANISATION_CREATE = (("administration", "write"), ("metadata", "read"))

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def split(full_name: str) -> tuple[str, str]:
    """Return owner and name. Raise `NotFound` for a text that names no repository anywhere."""
    owner, _, name = full_name.partition("/")
    if not _NAME.fullmatch(owner) or not _NAME.fullmatch(name) or {owner, name} & {".", ".."}:
        raise NotFound("That is not the name of a repository.", hint="Write it as owner/name.")
    return owner, name


def job(full_name: str, permissions: tuple[tuple[str, str], ...]) -> Job:
    owner, name = split(full_name)
    return Job(owner, name, permissions)


def repo_path(full_name: str, *parts: str) -> str:
    """Return `/repos/owner/name/…`; the parts are quoted, slashes inside them (branches, file paths) stay."""
    owner, name = split(full_name)
    return "/".join((f"/repos/{owner}/{name}", *(_quoted(part) for part in parts)))


def segment(text: str) -> str:
    """Return one path segment: nothing in it can reach another path."""
    return quote(text, safe="")


def _quoted(part: str) -> str:
    # `..` inside a path would be resolved on the way; GitHub has no branch and no file of that name.
    if any(piece in ("", ".", "..") for piece in part.split("/")):
        raise NotFound("That is not the name of a branch or file.")
    return quote(part, safe="/~")
