"""How long one atomic commit to the GitOps repository takes: a new version of a service, from the change to the hash.

The playground's GitHub is a process of its own and adds no delay; a real one adds its distance to each request. The
bare `git push` goes to the same server with the same files, committed beforehand.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from bot.effects import CommitFiles
from bot.model.effect import Run
from bot.model.platform import Platform
from bot.model.principal import Principal
from bot.model.release import Version
from bot.model.web_service import WebService
from bot.ports import Ports
from bot.releases.changes import Asker, change_to, deployed
from bot.rendering.delivery import Place, deliver, read_standing
from bot.rendering.documents import read
from bot.settings import load
from bot.systems import open_forge
from integrations.github import GitHubForge
from integrations.github.transport import Reply
from tests.bench.children import peers
from tests.bench.figures import Figure, figure
from tests.fakes.catalog import FakeCatalog
from tests.playground.github.running import git

RUNS = 15
SERVICE, ENVIRONMENT, TEAM = "orders-api", "staging", "team-orders"
REPOSITORY, URL = f"acme/{SERVICE}", "https://forge.example/acme/gitops.git"
AUTHOR = Principal(user="user:default/author", display_name="Sample Author", email="author@acme.example")
DOCUMENT = f"""\
apiVersion: platform.company.io/v1
kind: WebService
metadata: {{name: {SERVICE}}}
spec:
  replicas: 3
  database: {{type: postgresql, size: small}}
  ingress: {{host: {SERVICE}.staging.acme.example}}
"""


class Times(NamedTuple):
    """Of one run, in milliseconds."""

    commit: float
    """From the change to the hash of the commit."""
    waited: float
    """Of that, for GitHub's answers."""
    whole: float
    """With reading how the service stands, and rendering."""
    push: float
    """A bare `git push`."""
    requests: int
    """How many the commit took."""


async def run() -> list[Figure]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        async with peers(folder) as ready:
            await git("clone", "-q", f"{ready['github']}/acme/gitops.git", str(folder / "clone"), cwd=folder)
            settings = load(ready["env"])
            forge = open_forge(settings)
            try:
                writer = Writer(forge, settings.configuration.platform, folder / "clone")
                runs = [await writer.write(number) for number in range(RUNS + 1)][1:]  # the first one opens connections
            finally:
                await forge.close()
    waits = statistics.median(one.waited / one.commit for one in runs)
    push = statistics.median(one.push for one in runs)
    of_commit = f"{runs[-1].requests} requests, {waits:.0%} of it their answers; a bare `git push` alike {push:.0f} ms"
    return [
        figure("gitops_commit_ms", [one.commit for one in runs], "ms", better="lower", against=of_commit),
        figure(
            "gitops_deliver_ms", [one.whole for one in runs], "ms", better="lower", against="with reading Git before"
        ),
    ]


class Writer:
    """Delivers one version after the other, by our way and by Git's."""

    def __init__(self, forge: GitHubForge, platform: Platform, clone: Path) -> None:
        self._forge = forge
        self._ports = Ports(forge=forge, catalog=FakeCatalog())
        self._place = Place(platform=platform, service=SERVICE, environment=ENVIRONMENT, team=TEAM)
        self._clone = clone
        self._waits: list[float] = []
        self._send = forge._transport.send
        forge._transport.send = self._timed  # type: ignore[method-assign]  # the one door that all requests leave by

    async def write(self, number: int) -> Times:
        begin = time.perf_counter()
        standing = await read_standing(self._place, self._forge, {})
        operation = f"op-{number}"
        asker = Asker(user=AUTHOR.user, operation=operation, now=datetime.now(UTC))
        release = deployed(standing.release, self._place, REPOSITORY, version(number), asker)
        change = change_to(self._place, release, f"Deploy {SERVICE} {number}")
        planned = time.perf_counter()
        self._waits.clear()
        (effect,) = [one for one in deliver(change, standing, URL) if isinstance(one, CommitFiles)]
        outcome = await effect.apply(
            self._ports, Run(operation=operation, effect=effect.id, principal=AUTHOR, now=asker.now)
        )
        end = time.perf_counter()
        if not outcome.changed:
            raise RuntimeError(f"Nothing was committed: {outcome.seen}")
        pushed = await self._push({file.path: str(file.text) for file in effect.files}, number)
        return Times(
            commit=(end - planned) * 1000,
            waited=sum(self._waits) * 1000,
            whole=(end - begin) * 1000,
            push=pushed * 1000,
            requests=len(self._waits),
        )

    async def _push(self, files: Mapping[str, str], number: int) -> float:
        """Commit as many files of the same size to another folder; return how long the push takes, in seconds."""
        await git("pull", "-q", cwd=self._clone)
        for path, text in files.items():
            file = self._clone / "bare" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"# {number}\n{text}")
        await git("add", "-A", cwd=self._clone)
        await git("commit", "-qm", f"Write {number}", cwd=self._clone)
        begin = time.perf_counter()
        await git("push", "-q", "origin", "HEAD:main", cwd=self._clone)
        return time.perf_counter() - begin

    async def _timed(self, *arguments: Any, **named: Any) -> Reply:
        begin = time.perf_counter()
        try:
            return await self._send(*arguments, **named)
        finally:
            self._waits.append(time.perf_counter() - begin)


def version(number: int) -> tuple[Version, WebService]:
    commit = f"{number:040x}"
    (document,) = read(DOCUMENT)
    return Version(name=commit[-7:], commit=commit, image=f"ghcr.io/{REPOSITORY}:{commit}"), document
