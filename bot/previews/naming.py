"""What a preview may be called. Pure."""

from __future__ import annotations

import hashlib
import re

from bot.catalog.index import Index
from bot.errors import UsageError
from bot.model.environment import LONGEST_NAME
from bot.model.platform import Platform
from bot.model.previews import RESERVED
from bot.releases.services import Service, services_of

WORDS = frozenset({"up", "list", "show", "extend", "sleep", "wake", "down", "remind", "all", "mine", "default"})
"""What follows `/preview`, or means something else to a cluster."""

_OF_PULL_REQUEST = re.compile(r"pr-([1-9]\d{0,8})-")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def refuse_name(name: str, platform: Platform) -> None:
    """Raise `UsageError` for a name that no preview can have."""
    shown = name[:80]
    if len(name) > LONGEST_NAME:
        raise UsageError(f"`{shown}` is longer than {LONGEST_NAME} characters.", hint="Choose a shorter name.")
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"`{shown}` cannot be the name of a preview.",
            hint="Use small letters, digits and dashes: `new-checkout`.",
        )
    if name in platform.environments or name in RESERVED:
        raise UsageError(f"`{shown}` is the name of an environment.", hint="Choose another name for the preview.")
    if name in WORDS:
        raise UsageError(f"`{shown}` is a word that means something else here.", hint="Choose another name.")


def of_pull_request(repository: str, number: int) -> str:
    """Return what the preview of a pull request is called: `pr-12-orders-api`. The same one, the same name."""
    last = re.sub(r"[^a-z0-9]+", "-", repository.rpartition("/")[2].lower()).strip("-")
    name = f"pr-{number}-{last}".rstrip("-")
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(repository.lower().encode()).hexdigest()[:6]
    return f"{name[: LONGEST_NAME - 7].rstrip('-')}-{digest}"


def pull_request_of(name: str, index: Index) -> tuple[Service, int] | None:
    """Return the service and the number of the pull request whose preview is called so; None for any other name."""
    found = _OF_PULL_REQUEST.match(name)
    if found is None:
        return None
    number = int(found[1])
    of_it = (one for one in services_of(index) if of_pull_request(one.repository, number) == name)
    return next(((one, number) for one in of_it), None)


def of_services(services: tuple[str, ...], operation: str) -> str:
    """Return a name for a preview that was asked for without one: the first service, and a few letters that nobody
    else has."""
    tail = hashlib.sha256(operation.encode()).hexdigest()[:4]
    first = services[0].lower() if services else "preview"
    return f"{first[: LONGEST_NAME - 5].rstrip('-')}-{tail}"
