"""Who sweeps, in a process of its own: `python -m tests.bench.sweeper KUBECONFIG DATABASE LINES`.

Fills the book, prints a line, and for each line that it is told sweeps once and prints the seconds, how much it has
looked at, and the most memory that it has had by then.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import cast

from bot.catalog.documents import Document, read
from bot.catalog.index import Index
from bot.deps import Deps
from bot.golden_paths.sources import TemplateLibrary
from bot.golden_paths.steps import Runner
from bot.model.platform import Platform
from bot.operations.environments import DurableEnvironments
from bot.ports import EnvironmentRecord, Forge
from bot.storage.database import Database
from bot.storage.migrate import upgrade
from bot.sweeping import sweep
from integrations.kubernetes import connect
from tests.bench.preview_cluster import CONTEXT, preview

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
PLATFORM = Platform.model_validate(
    {"environments": {"staging": {}}, "previews": {"base": "staging"}, "clusters": {"default": {"context": CONTEXT}}}
)
CATALOG = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: orders-api}
spec: {type: service, lifecycle: production, owner: team-orders}
"""


def line(number: int) -> EnvironmentRecord:
    return EnvironmentRecord(
        name=preview(number),
        kind="preview",
        cluster="default",
        namespace=preview(number),
        team="team-orders",
        by="user:default/author",
        operation=f"op-{number}",
        created_at=NOW - timedelta(days=1),
        expires_at=NOW + timedelta(days=1),
    )


async def live(kubeconfig: str, url: str, lines: int) -> None:
    upgrade(url)
    database = Database(url)
    book = DurableEnvironments(database)
    for number in range(lines):
        await book.enter(line(number))
    clusters = connect(kubeconfig, {"default": CONTEXT})
    index = Index([read(Document("bench", "1", CATALOG, ""))])
    deps = Deps(
        forge=cast("Forge", None),
        catalog=lambda: index,
        templates=cast("TemplateLibrary", None),
        runner=cast("Runner", None),
        platform=PLATFORM,
        clusters=clusters,
        environments=book,
    )
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        begin = time.perf_counter()
        report = await sweep(deps, NOW)
        seconds = time.perf_counter() - begin
        assert not report.unread, report.unread
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        told = {"seconds": seconds, "peak_mb": peak, "found": len(report.orphans) + len(report.lost), **report.counts}
        print(json.dumps(told), flush=True)
    for cluster in clusters.values():
        await cluster.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], sys.argv[2], int(sys.argv[3])))
