"""The order in which things are looked at, and how they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import aiohttp

from bot.clock import machine_clock
from bot.errors import PlatformError
from bot.logs import configure
from bot.settings import Settings
from bot.systems import open_clusters, open_deployments, open_forge
from bot.terminal.doctor.argocd import delivery
from bot.terminal.doctor.clusters import cluster, connected
from bot.terminal.doctor.documents import platform_documents
from bot.terminal.doctor.findings import Check, Finding, Installation, mend, trouble
from bot.terminal.doctor.github import forge
from bot.terminal.doctor.monitoring import alertmanager, loki, prometheus, tempo
from bot.terminal.doctor.own import database, golden_paths, ledger, replicas, secrets
from bot.terminal.doctor.services import known_services
from bot.terminal.doctor.slack import workspace
from bot.terminal.statuses import FAILED, SUCCEEDED

PATIENCE_S = 30.0
"""Longest wait for one check."""


async def examine(settings: Settings) -> tuple[int, list[str]]:
    """Run every check; exit 0 when nothing is wrong, else 1."""
    configure("CRITICAL")
    async with opened(settings) as installation:
        return await look(installation)


async def look(installation: Installation) -> tuple[int, list[str]]:
    """Return the exit status and one line for each finding, in the order of the checks."""
    checks = checks_of(installation)
    results = await asyncio.gather(*(_findings(check, installation) for check in checks))
    found = [(check.name, finding) for check, findings in zip(checks, results, strict=True) for finding in findings]
    lines = [f"{'ok  ' if finding.fine else 'MEND'}  {name}: {finding.told}" for name, finding in found]
    return (SUCCEEDED if all(finding.fine for _, finding in found) else FAILED), lines


def checks_of(installation: Installation) -> tuple[Check, ...]:
    return (
        Check("database", database),
        Check("replicas", replicas),
        Check("slack", workspace),
        Check("github", forge),
        Check("golden paths", golden_paths),
        Check("ledger", ledger),
        Check("secrets", secrets),
        Check("clusters", connected),
        *(Check(f"cluster {name}", partial(cluster, name)) for name in installation.clusters),
        Check("argocd", delivery),
        Check("prometheus", prometheus),
        Check("alertmanager", alertmanager),
        Check("loki", loki),
        Check("tempo", tempo),
        Check("documents", platform_documents),
    )


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Installation]:
    """Open what the bot would open, and close it in the end. Nothing is sent before the first check."""
    async with AsyncExitStack() as stack:
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S / 2)
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
        reached_forge = open_forge(settings)
        stack.push_async_callback(reached_forge.close)
        problem: tuple[Finding, ...] = ()
        try:
            reached = open_clusters(settings)
        except PlatformError as error:
            reached, problem = {}, tuple(trouble(error))
        for one in reached.values():
            stack.push_async_callback(one.close)
        deployments = open_deployments(settings, reached, machine_clock)
        if deployments is not None:
            stack.push_async_callback(deployments.close)
        yield Installation(
            settings=settings,
            session=session,
            forge=reached_forge,
            clusters=reached,
            clusters_trouble=problem,
            deployments=deployments,
            services=await known_services(settings, reached_forge),
        )


async def _findings(check: Check, installation: Installation) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await check.look(installation)
    except PlatformError as error:
        return trouble(error)
    except TimeoutError:
        return [mend(f"There was no answer within {PATIENCE_S:.0f} seconds. Check the address and the network.")]
