"""`causeway doctor`: what an installation still lacks, and how to mend it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from bot.app import SHIPPED_PATHS, open_forge
from bot.errors import PlatformError
from bot.forms.schema import form_of
from bot.golden_paths.sandbox import Sandbox
from bot.golden_paths.sources import FolderSource, TemplateLibrary
from bot.logs import configure
from bot.settings import Settings
from bot.slack.app_manifest import scopes
from bot.storage.database import Database

Finding = tuple[bool, str]
"""Whether all is well, and a sentence that says what is wrong and how to mend it."""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    look: Callable[[], Awaitable[list[Finding]]]


async def examine(settings: Settings) -> tuple[int, list[str]]:
    """Run every check; exit 0 when nothing is wrong, else 1."""
    configure("CRITICAL")
    doctor = Doctor(settings)
    lines: list[str] = []
    healthy = True
    for check in doctor.checks():
        try:
            findings = await asyncio.wait_for(check.look(), timeout=30)
        except PlatformError as error:
            findings = [(False, str(error))]
        except TimeoutError:
            findings = [(False, "There was no answer within 30 seconds. Check the address and the network.")]
        for fine, told in findings:
            healthy = healthy and fine
            lines.append(f"{'ok  ' if fine else 'MEND'}  {check.name}: {told}")
    return (0 if healthy else 1), lines


class Doctor:
    """Looks from outside, as the bot would."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._environment = settings.environment
        self._configuration = settings.configuration

    def checks(self) -> list[Check]:
        return [
            Check("database", self.database),
            Check("slack", self.slack),
            Check("github", self.github),
            Check("golden paths", self.golden_paths),
            Check("secrets", self.secrets),
        ]

    async def database(self) -> list[Finding]:
        database = Database(self._environment.database_url)
        try:
            async with database.read() as connection:
                await connection.exec_driver_sql("SELECT 1")
        except Exception as error:  # noqa: BLE001  # whatever the driver says, the mend is the same
            kind = type(error).__name__
            return [(False, f"cannot be reached ({kind}). Check CAUSEWAY_DATABASE_URL and that the server runs.")]
        finally:
            await database.close()
        if database.is_sqlite:
            return [(True, "SQLite answers: good for one replica. For more set CAUSEWAY_DATABASE_URL to PostgreSQL.")]
        return [(True, "PostgreSQL answers.")]

    async def slack(self) -> list[Finding]:
        token = self._environment.slack_bot_token.get_secret_value()
        if not token:
            return [(False, "CAUSEWAY_SLACK_BOT_TOKEN is not set. Install the app and copy its bot token.")]
        url = f"{self._environment.slack_api_url}/auth.test"
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.post(url, headers={"Authorization": f"Bearer {token}"}) as response,
            ):
                answer = await response.json(content_type=None)
                granted = {scope.strip() for scope in response.headers.get("x-oauth-scopes", "").split(",")} - {""}
        except (aiohttp.ClientError, ValueError) as error:
            return [(False, f"{url} did not answer ({type(error).__name__}). Check CAUSEWAY_SLACK_API_URL.")]
        if not answer.get("ok"):
            return [(False, f"Slack does not take the bot token: {answer.get('error')}. Install the app again.")]
        missing = sorted(set(scopes()) - granted) if granted else []
        findings: list[Finding] = [(True, f"speaks as {answer.get('user')} in {answer.get('team')}.")]
        if missing:
            told = f"the token lacks {', '.join(missing)}. Update the app from app-manifest.yml and install it again."
            findings.append((False, told))
        return findings

    async def github(self) -> list[Finding]:
        environment = self._environment
        if not environment.github_token.get_secret_value() and not environment.github_app_id:
            return [(False, "neither CAUSEWAY_GITHUB_TOKEN nor CAUSEWAY_GITHUB_APP_ID is set.")]
        owner = self._configuration.github.organization
        if not owner:
            return [(False, "`github.organization` is not set: say where new repositories go.")]
        forge = open_forge(self._settings)
        try:
            found = await forge.repositories(owner)
        finally:
            await forge.close()
        return [(True, f"reads {len(found)} repositories of {owner}.")]

    async def golden_paths(self) -> list[Finding]:
        folders = self._configuration.golden_paths.folders or (SHIPPED_PATHS,)
        async with Sandbox() as sandbox:
            library = TemplateLibrary(
                [FolderSource(folder) for folder in folders],
                sandbox=sandbox,
                form=form_of,
            )
            await library.load()
        findings: list[Finding] = [
            (False, f"{broken.source} {broken.path}: {broken.message}") for broken in library.broken()
        ]
        names = ", ".join(path.id for path in library.list()) or "none"
        return [(bool(library.list()), f"{len(library.list())} can be used: {names}."), *findings]

    async def secrets(self) -> list[Finding]:
        environment, ledger = self._environment, self._configuration.ledger
        findings: list[Finding] = []
        if not environment.slack_signing_secret.get_secret_value() and not environment.slack_app_token:
            findings.append((False, "CAUSEWAY_SLACK_SIGNING_SECRET is not set, so Slack's requests are refused."))
        if not environment.github_webhook_secret.get_secret_value():
            findings.append((False, "CAUSEWAY_GITHUB_WEBHOOK_SECRET is not set, so GitHub's webhooks are refused."))
        if not any((ledger.publish_file, ledger.publish_git, ledger.publish_channel)):
            findings.append(
                (
                    False,
                    "the ledger's head is published nowhere: set `ledger.publish_file` or `publish_git`.",
                )
            )
        return findings or [(True, "all are set.")]
