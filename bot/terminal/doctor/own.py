"""What is Causeway's own: database, replicas, golden paths, the ledger's key, secrets."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.app import SHIPPED_PATHS
from bot.errors import PlatformError
from bot.forms.schema import form_of
from bot.golden_paths.sandbox import Sandbox
from bot.golden_paths.sources import FolderSource, TemplateLibrary
from bot.operations.seal import parse_signing_key
from bot.storage.database import Database
from bot.systems import ledger_key_file
from bot.terminal.doctor.findings import Finding, Installation, fine, mend

OUR_PODS = {"app.kubernetes.io/name": "causeway", "app.kubernetes.io/component": "bot"}
"""Labels of our own Deployment in `manifests/install/`."""
MAKE_A_KEY = "Make one with `openssl genpkey -algorithm ed25519` and give it to every replica."


async def database(installation: Installation) -> Sequence[Finding]:
    database = Database(installation.settings.environment.database_url)
    try:
        async with database.read() as connection:
            await connection.exec_driver_sql("SELECT 1")
    except Exception as error:  # noqa: BLE001  # whatever the driver says, the mend is the same
        kind = type(error).__name__
        return [mend(f"cannot be reached ({kind}). Check CAUSEWAY_DATABASE_URL and that the server runs.")]
    finally:
        await database.close()
    if database.is_sqlite:
        return [fine("SQLite answers: good for one replica. For more set CAUSEWAY_DATABASE_URL to PostgreSQL.")]
    return [fine("PostgreSQL answers.")]


async def replicas(installation: Installation) -> Sequence[Finding]:
    """Nothing is told where no cluster knows of our Deployment."""
    count = max([await _replicas(installation, name) for name in installation.clusters], default=0)
    if not count:
        return []
    environment = installation.settings.environment
    findings = []
    if count > 1 and environment.database_url.startswith("sqlite"):
        told = f"{count} run, each with an SQLite database of its own. Set CAUSEWAY_DATABASE_URL to one PostgreSQL."
        findings.append(mend(told))
    if count > 1 and not environment.ledger_key_file:
        findings.append(mend(f"{count} run, and CAUSEWAY_LEDGER_KEY_FILE names no key that they share. {MAKE_A_KEY}"))
    return findings or [fine(f"{count} {'run and share what they must' if count > 1 else 'runs'}.")]


async def _replicas(installation: Installation, name: str) -> int:
    with contextlib.suppress(PlatformError):  # the check of that cluster says what is wrong with it
        found = await installation.clusters[name].list("apps/v1", "Deployment", labels=OUR_PODS)
        specs = [one.get("spec") for one in found]
        return max([int(str(spec.get("replicas", 1))) for spec in specs if isinstance(spec, Mapping)], default=0)
    return 0


async def golden_paths(installation: Installation) -> Sequence[Finding]:
    folders = installation.settings.configuration.golden_paths.folders or (SHIPPED_PATHS,)
    async with Sandbox() as sandbox:
        library = TemplateLibrary([FolderSource(folder) for folder in folders], sandbox=sandbox, form=form_of)
        await library.load()
    names = ", ".join(path.id for path in library.list()) or "none"
    usable = Finding(bool(library.list()), f"{len(library.list())} can be used: {names}.")
    return [usable, *(mend(f"{broken.source} {broken.path}: {broken.message}") for broken in library.broken())]


async def ledger(installation: Installation) -> Sequence[Finding]:
    part = installation.settings.configuration.ledger
    findings = [_key(ledger_key_file(installation.settings), bool(installation.settings.environment.ledger_key_file))]
    if not any((part.publish_file, part.publish_git, part.publish_channel)):
        told = "the ledger's head is published nowhere: set `ledger.publish_file` or `publish_git`."
        findings.append(mend(told))
    return findings


def _key(path: Path, configured: bool) -> Finding:
    try:
        parse_signing_key(path.read_text())
        mode = path.stat().st_mode
    except FileNotFoundError:
        if configured:
            return mend(f"there is no key at {path}, where CAUSEWAY_LEDGER_KEY_FILE points. {MAKE_A_KEY}")
        return fine(f"its key will be made at the first start, as {path}.")
    except OSError as error:
        return mend(f"its key {path} cannot be read: {error.strerror}. Give this user the right to.")
    except ValueError:
        return mend(f"{path} holds no Ed25519 private key in PEM form. Restore it from a copy.")
    if mode & stat.S_IRWXO:
        return mend(f"everybody on this machine can read its key {path}. Take that right away: `chmod o= {path}`.")
    return fine("its key can sign.")


async def secrets(installation: Installation) -> Sequence[Finding]:
    environment = installation.settings.environment
    findings = []
    if not environment.slack_signing_secret.get_secret_value() and not environment.slack_app_token.get_secret_value():
        findings.append(mend("CAUSEWAY_SLACK_SIGNING_SECRET is not set, so Slack's requests are refused."))
    if not environment.github_webhook_secret.get_secret_value():
        findings.append(mend("CAUSEWAY_GITHUB_WEBHOOK_SECRET is not set, so GitHub's webhooks are refused."))
    return findings or [fine("all are set.")]
