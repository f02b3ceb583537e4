"""Backstage's `repoUrl`: `host?owner=…&repo=…`, and what people see of it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode

from bot.forms.model import FormField

HOST = "github.com"


def allowed(field: FormField, name: str) -> tuple[str, ...]:
    """Return the picker's list of that name (`allowedOwners`, `allowedHosts`, `allowedRepos`)."""
    value = field.picker.get(name)
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def repo_url(field: FormField, name: str, *, owner: str = "", host: str = "") -> str:
    """Return the value for a typed `name`. Owner and host that are not given are the only or first allowed ones.

    Without any owner the configured organisation is meant, and the value has none.
    """
    name = name.strip()
    if not owner and name.count("/") == 1:
        owner, _, name = name.partition("/")
    owner = owner or next(iter(allowed(field, "allowedOwners")), "")
    host = host or next(iter(allowed(field, "allowedHosts")), HOST)
    parts = ({"owner": owner} if owner else {}) | {"repo": name}
    return f"{host}?{urlencode(parts)}"


def parts(value: str) -> dict[str, str]:
    """Return `host`, `owner` and `repo` of a value, each empty where it is missing."""
    host, _, query = value.partition("?")
    found = {name: given[-1] for name, given in parse_qs(query).items()}
    return {"host": host, "owner": found.get("owner", ""), "repo": found.get("repo", "")}
