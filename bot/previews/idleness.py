"""Whether anybody uses a preview. What cannot be measured is not idle: nothing sleeps for want of an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.deps import Deps
from bot.errors import PlatformError
from bot.ports import Traffic
from bot.previews.changes import addresses
from bot.previews.reading import Preview, read_preview
from bot.rendering.delivery.direct import objects_of

Talk = Callable[[str, datetime], Awaitable[bool | None]]
"""`(operation, since)`: whether people have talked below its card; None where nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Senses:
    """By what use is noticed. Whatever is missing, nothing is idle."""

    traffic: Traffic | None = None
    talk: Talk | None = None


def rested(preview: Preview, after: timedelta, now: datetime) -> bool:
    """Return whether so much time has passed since anybody made something of it: only then it is worth a look."""
    last = preview.terms.used_at or preview.terms.created_at
    return not preview.is_asleep and now - last >= after


async def is_idle(preview: Preview, after: timedelta, now: datetime, senses: Senses, deps: Deps) -> bool:
    """Return whether nobody has used it for so long: no request, no commit, no word below its card."""
    since = now - after
    try:
        return (
            rested(preview, after, now)
            and await _is_without_traffic(preview, since, senses, deps)
            and await _is_without_commits(preview, deps)
            and await _is_without_talk(preview, since, senses, deps)
        )
    except PlatformError:
        return False


async def _is_without_traffic(preview: Preview, since: datetime, senses: Senses, deps: Deps) -> bool:
    """What has no address from outside is not measured."""
    if senses.traffic is None:
        return False
    _, standing = await read_preview(preview.name, deps)
    urls = addresses(objects_of(standing.files)).values()
    hosts = [url.partition("://")[2] for url in urls]
    return bool(hosts) and await senses.traffic.requests_since(hosts, since) == 0


async def _is_without_commits(preview: Preview, deps: Deps) -> bool:
    """A commit that is shown already was noted when it came; one that is not shown yet is on its way."""
    source = preview.terms.source
    if source is None:
        return True
    found = await deps.forge.pull_request(source.repository, source.number)
    return found is not None and found.head_sha == source.head


async def _is_without_talk(preview: Preview, since: datetime, senses: Senses, deps: Deps) -> bool:
    if senses.talk is None or deps.environments is None:
        return False
    record = await deps.environments.get("preview", preview.place.settings.cluster, preview.name)
    return record is not None and await senses.talk(record.operation, since) is False
