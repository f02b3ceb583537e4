"""GitHub, and the GitOps repository in it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.errors import NotFound
from bot.terminal.doctor.findings import Finding, Installation, fine, listed, mend

EVENTS = ("push", "repository", "workflow_run")
EVENTS_OF_PREVIEWS = ("pull_request", "issue_comment")
"""Previews by pull request hear of these."""
GIVE = "Give them to the App and accept them in the organisation, or make a token that has them."


async def forge(installation: Installation) -> Sequence[Finding]:
    """Whether we can read the organisation, and do in the GitOps repository what will be done in all others."""
    environment = installation.settings.environment
    if not environment.github_token.get_secret_value() and not environment.github_app_id:
        return [mend("neither CAUSEWAY_GITHUB_TOKEN nor CAUSEWAY_GITHUB_APP_ID is set.")]
    owner = installation.settings.configuration.github.organization
    if not owner:
        return [mend("`github.organization` is not set: say where new repositories go.")]
    found = await installation.forge.repositories(owner)
    return [
        fine(f"reads {len(found)} repositories of {owner}."),
        *await _events(installation),
        *await _gitops(installation),
    ]


async def _events(installation: Installation) -> Sequence[Finding]:
    """Whether the App has subscribed to what we act on; without a secret for webhooks none is taken anyway."""
    if not installation.settings.environment.github_webhook_secret.get_secret_value():
        return []
    previews = installation.settings.configuration.platform.previews is not None
    unheard = await installation.forge.unheard([*EVENTS, *(EVENTS_OF_PREVIEWS if previews else ())])
    if not unheard:
        return []
    return [
        mend(f"the App is not sent the events {listed(unheard)}. Subscribe it to them under *Permissions & events*.")
    ]


async def _gitops(installation: Installation) -> Sequence[Finding]:
    platform = installation.settings.configuration.platform
    repository, branch = platform.gitops.repository, platform.gitops.branch
    if not repository:
        return _without(installation)
    try:
        lacking = await installation.forge.lacking(repository)
    except NotFound:
        told = f"there is no repository {repository}, or our credentials may not see it. Make it, or let the App in."
        return [mend(told)]
    findings = []
    if await installation.forge.branch_head(repository, branch) is None:
        told = f"{repository} has no branch `{branch}`. Push a first commit to it, or set `platform.gitops.branch`."
        findings.append(mend(told))
    if lacking:
        findings.append(mend(f"in {repository} our credentials may not {listed(lacking)}. {GIVE}"))
    return findings or [fine(f"reads and writes {repository}, and has every permission it needs there.")]


def _without(installation: Installation) -> Sequence[Finding]:
    """A company that has not told of its platform yet has nothing to mend."""
    delivered = gitops_environments(installation)
    if not delivered or not installation.clusters:
        return []
    told = f"`platform.gitops.repository` is not set, but these are delivered by Git: {listed(delivered)}."
    return [mend(f"{told} Name the repository, or set `delivery: direct` there.")]


def gitops_environments(installation: Installation) -> list[str]:
    environments = installation.settings.configuration.platform.environments
    return [name for name, environment in environments.items() if environment.delivery == "gitops"]
