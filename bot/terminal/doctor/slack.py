"""The Slack workspace."""

from __future__ import annotations

from collections.abc import Sequence

import aiohttp

from bot.slack.app_manifest import scopes
from bot.terminal.doctor.findings import Finding, Installation, fine, mend


async def workspace(installation: Installation) -> Sequence[Finding]:
    """Whether the bot token is taken, and has every scope that the app manifest asks for."""
    environment = installation.settings.environment
    token = environment.slack_bot_token.get_secret_value()
    if not token:
        return [mend("CAUSEWAY_SLACK_BOT_TOKEN is not set. Install the app and copy its bot token.")]
    url = f"{environment.slack_api_url}/auth.test"
    try:
        async with installation.session.post(url, headers={"Authorization": f"Bearer {token}"}) as response:
            answer = await response.json(content_type=None)
            granted = {scope.strip() for scope in response.headers.get("x-oauth-scopes", "").split(",")} - {""}
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return [mend(f"{url} did not answer ({type(error).__name__}). Check CAUSEWAY_SLACK_API_URL.")]
    if not isinstance(answer, dict) or not answer.get("ok"):
        said = answer.get("error") if isinstance(answer, dict) else "an answer that is not Slack's"
        return [mend(f"Slack does not take the bot token: {said}. Install the app again.")]
    findings = [fine(f"speaks as {answer.get('user')} in {answer.get('team')}.")]
    if missing := sorted(set(scopes()) - granted) if granted else []:
        told = f"the token lacks {', '.join(missing)}. Update the app from app-manifest.yml and install it again."
        findings.append(mend(told))
    return findings
