"""The platform documents of the services that the catalog knows: whether each can be deployed as it stands."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.errors import Invalid, PlatformError, Refused, UpstreamUnavailable
from bot.releases.services import Service
from bot.releases.versions import DOCUMENT, document_of
from bot.rendering.render import render
from bot.terminal.doctor.findings import Finding, Installation, fine, mend

AT_ONCE = 4
MOST = 200
"""Services that are looked at: a company with more has other ways to find the broken one."""


async def platform_documents(installation: Installation) -> Sequence[Finding]:
    """A service without a document is no mistake: not everything in a catalog is run by the platform."""
    room = asyncio.Semaphore(AT_ONCE)

    async def look(service: Service) -> Finding | None:
        async with room:
            return await _look(installation, service)

    found = await asyncio.gather(*(look(service) for service in installation.services[:MOST]))
    wrong = [finding for finding in found if finding is not None and not finding.fine]
    sound = sum(1 for finding in found if finding is not None and finding.fine)
    return [
        *wrong,
        *([fine(f"{sound} of the catalog's services can be deployed as they stand.")] if sound and not wrong else []),
    ]


async def _look(installation: Installation, service: Service) -> Finding | None:
    try:
        repository = await installation.forge.repository(service.repository)
        if repository is None:
            return mend(f"the repository {service.repository} of {service.name} is not there, or may not be read.")
        content = await installation.forge.file(service.repository, repository.default_branch, DOCUMENT)
        if content is None:
            return None
        _try(installation, service, content)
    except Invalid as error:
        mistakes = "; ".join(str(mistake) for mistake in error.mistakes[:3])
        return mend(f"{service.repository}: {error.message} {mistakes}.")
    except (UpstreamUnavailable, Refused):
        return None  # the check of the forge says what is wrong with it
    except PlatformError as error:
        return mend(f"{service.repository}: {error}")
    return fine(service.name)


def _try(installation: Installation, service: Service, content: bytes) -> None:
    """Raise `Invalid` where the document does not fit an environment."""
    platform = installation.settings.configuration.platform
    document = document_of(service.name, content)
    for environment in platform.environments:
        render(document, environment=environment, platform=platform)
