"""Argo CD: whether its API takes our token, and whether the root application brings our commits into the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from bot.errors import PlatformError
from bot.ports import Application
from bot.terminal.doctor.findings import Finding, Installation, fine, listed, mend, trouble
from bot.terminal.doctor.github import gitops_environments

ACCOUNT = "Apply manifests/install/argocd, and make a token: `argocd account generate-token --account causeway`."


async def delivery(installation: Installation) -> Sequence[Finding]:
    """Nothing is told where nothing is delivered by Git."""
    platform = installation.settings.configuration.platform
    if not gitops_environments(installation) or not platform.gitops.repository:
        return []
    findings = list(await _api(installation))
    if installation.deployments is not None:
        try:
            findings += _root(
                installation, await installation.deployments.application(platform.argocd.root_application)
            )
        except PlatformError as error:
            findings += trouble(error)
    return findings


def _root(installation: Installation, root: Application | None) -> list[Finding]:
    platform = installation.settings.configuration.platform
    name = platform.argocd.root_application
    if root is None:
        told = f"there is no application `{name}`, so nothing applies what Causeway commits."
        return [mend(f"{told} Apply manifests/install/argocd, or name yours in `platform.argocd.root_application`.")]
    wrong = []
    if (root.path.strip("/"), root.target_revision) != (platform.gitops.root, platform.gitops.branch):
        reads = f"reads {root.path or 'the top'} at {root.target_revision or 'HEAD'}"
        told = f"Causeway commits to {platform.gitops.root} at {platform.gitops.branch}"
        wrong.append(mend(f"the application `{name}` {reads}, and {told}. Make both the same."))
    if not root.automated:
        told = f"the application `{name}` is not synced by itself. Give it `syncPolicy.automated` with `prune: true`."
        wrong.append(mend(told))
    if root.sync == "Unknown" and not root.conditions:
        told = f"the application `{name}` has not been compared with its repository yet"
        wrong.append(mend(f"{told}. Ask again in a minute; then see whether Argo CD's application controller runs."))
    wrong += [mend(f"the application `{name}` has a {kind}: {message}") for kind, message in root.conditions]
    return wrong or [fine(f"the application `{name}` reads our commits and is {root.sync} and {root.health}.")]


async def _api(installation: Installation) -> Sequence[Finding]:
    environment = installation.settings.environment
    if not environment.argocd_url and installation.settings.configuration.platform.argocd.write_applications:
        return [fine("it is asked for syncs by its Application resources.")]
    if not environment.argocd_url:
        told = "CAUSEWAY_ARGOCD_URL is not set, so Argo CD cannot be asked for a sync."
        return [mend(f"{told} Set it, and CAUSEWAY_ARGOCD_TOKEN.")]
    if not environment.argocd_token.get_secret_value():
        return [mend(f"CAUSEWAY_ARGOCD_TOKEN is not set. {ACCOUNT}")]
    try:
        version = await _get(installation, "/api/version")
        who = await _get(installation, "/api/v1/session/userinfo")
        if not who.get("loggedIn"):
            return [mend(f"{environment.argocd_url} does not take the token. {ACCOUNT}")]
        wrong = [*await _rights(installation), *await _destinations(installation)]
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        why = f"status {error.status}" if isinstance(error, aiohttp.ClientResponseError) else type(error).__name__
        return [mend(f"{environment.argocd_url} did not answer as Argo CD does ({why}). Check CAUSEWAY_ARGOCD_URL.")]
    return wrong or [fine(f"Argo CD {version.get('Version', '')} lets us read and sync applications.")]


async def _rights(installation: Installation) -> list[Finding]:
    lacking = []
    for action in ("get", "sync"):
        answer = await _get(installation, f"/api/v1/account/can-i/applications/{action}/*/*")
        if answer.get("value") != "yes":
            lacking.append(action)
    if not lacking:
        return []
    return [mend(f"our account may not {listed(lacking)} applications. Apply manifests/install/argocd/account.yaml.")]


async def _destinations(installation: Installation) -> list[Finding]:
    """Whether Argo CD knows each cluster by the address that our Applications will name."""
    platform = installation.settings.configuration.platform
    environments = platform.environments
    used = {environments[name].cluster for name in gitops_environments(installation)}
    answer = await _get(installation, "/api/v1/clusters")
    known = {str(one.get("server", "")).rstrip("/") for one in answer.get("items") or [] if isinstance(one, dict)}
    return [
        mend(
            f"it knows no cluster {platform.clusters[name].argocd_server}, which `platform.clusters.{name}` names."
            " Add it: `argocd cluster add`."
        )
        for name in sorted(used)
        if platform.clusters[name].argocd_server.rstrip("/") not in known
    ]


async def _get(installation: Installation, path: str) -> Mapping[str, Any]:
    """Raise `aiohttp.ClientError`, `TimeoutError`, or `ValueError` for an answer that is not Argo CD's."""
    environment = installation.settings.environment
    headers = {"Authorization": f"Bearer {environment.argocd_token.get_secret_value()}"}
    async with installation.session.get(f"{environment.argocd_url}{path}", headers=headers) as response:
        if response.status in (401, 403):
            return {}
        response.raise_for_status()
        answer = await response.json(content_type=None)
    if not isinstance(answer, dict):
        raise ValueError("not an object")  # noqa: TRY004  # what came is a wrong value, not a wrong call
    return answer
