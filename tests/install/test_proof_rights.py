"""The rights by which Causeway says why a database is not ready, and proves that what was deleted is gone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from bot.effects import AwaitDatabase, ProveGone, RemoveNamespace
from bot.effects.absent_beside import BackupsKept
from bot.effects.database import MainObject
from bot.health.databases import Database, read_database_facts
from bot.model.effect import Effect
from bot.model.platform import Platform
from bot.ports import Object, ObjectRef, Ports
from bot.sweeping import sweep
from bot.teardown import proofs_of
from bot.terminal.doctor.rights import DATABASES_AND_PREVIEWS, PREVIEWS, READ, Right, granted
from tests.commands.company import MONDAY, deps
from tests.effects.endings import TAKE
from tests.effects.scenes import run
from tests.effects.test_absence import put
from tests.fakes.catalog import FakeCatalog
from tests.fakes.environments import FakeEnvironments
from tests.fakes.forge import FakeForge
from tests.install.test_rights import Watched, of_kind
from tests.teardown.test_teardown import NAME, RDS, contents, settled

CNPG = "postgresql.cnpg.io/v1"
OWN_KIND = "webservices"
"""Stands in these tests for a company's own claims, whose rights the company grants."""
GUARDED = {Right("", "secrets", "get")}
"""Asked whether a Secret is there, by its metadata; refused as a rule, and taken for not known."""


class Proving(Watched):
    async def scan(
        self, api_version: str, kind: str, *, namespace: str = "", labels: Mapping[str, str] | None = None
    ) -> AsyncIterator[Object]:
        async for obj in super().scan(api_version, kind, namespace=namespace, labels=labels):
            yield obj

    async def exists(self, ref: ObjectRef) -> bool:
        self.used.add(of_kind("get", ref.api_version, ref.kind))
        return await super().exists(ref)

    async def delete(self, ref: ObjectRef, *, uid: str | None = None) -> bool:
        self.used.add(of_kind("delete", ref.api_version, ref.kind))
        return await super().delete(ref, uid=uid)


def ports(cluster: Proving) -> Ports:
    return Ports(forge=FakeForge(), catalog=FakeCatalog(), clusters={"default": cluster})


async def waited(effect: Effect, cluster: Proving) -> None:
    """Let it wait until it rests."""
    waiting = asyncio.create_task(effect.apply(ports(cluster), run(effect)))
    for _ in range(200):
        await asyncio.sleep(0)
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting


async def used_by_databases(cluster: Proving) -> None:
    put(cluster, "v1", "PersistentVolumeClaim", "waits", NAME, metadata={"labels": {"cnpg.io/cluster": "orders-db"}})
    for kind, name, namespace in ((CNPG, "orders-db", NAME), (RDS[0], "cloud-db", None)):
        main = ObjectRef(kind, "Cluster" if kind == CNPG else RDS[1], name, namespace or "")
        await read_database_facts(cluster, Database(name=name, namespace=NAME, main=main, secret="s"))
        wait = AwaitDatabase(
            id="await",
            cluster="default",
            namespace=NAME,
            main=MainObject(api_version=kind, kind=main.kind, name=name, namespace=namespace or ""),
            secret="s",
            name=name,
        )
        await waited(wait, cluster)
    done: Any = {**TAKE.backup[0], "metadata": {"name": "last", "namespace": NAME}, "status": {"phase": "completed"}}
    cluster.put(done)
    take = TAKE.model_copy(update={"namespace": NAME, "name": "last", "backup": ()})
    await take.apply(ports(cluster), run(take))


async def used_by_teardown(cluster: Proving) -> None:
    found = await contents(cluster)
    remove = RemoveNamespace(
        id="remove", cluster="default", namespace=NAME, uid=found.uid, inventory=found.mark, label=found.label
    )
    await remove.apply(ports(cluster), run(remove))
    checks = (BackupsKept(namespace=NAME, database="orders-db"),)
    kept = ProveGone(id="kept", cluster="default", namespace=NAME, checks=checks)
    for effect in (*proofs_of(found, namespace=True), kept):
        await waited(effect, cluster)


async def used_by_the_sweep(cluster: Proving) -> None:
    platform = Platform.model_validate(
        {"environments": {"staging": {}, "production": {"database": {"provider": "crossplane"}}}}
    )
    here = replace(
        deps(), platform=platform, clusters={"default": cluster}, environments=FakeEnvironments(), deployments=None
    )
    assert (await sweep(here, MONDAY)).unread == ()


async def test_the_rights_to_look_and_to_prove_are_exactly_those_that_are_used() -> None:
    cluster = Proving()
    settled(cluster)
    await used_by_the_sweep(cluster)
    await used_by_databases(cluster)
    await used_by_teardown(cluster)
    used = {right for right in cluster.used if right.resource != OWN_KIND} - GUARDED
    writing = set(granted(PREVIEWS))
    assert used - set(granted(READ)) - writing - DIRECT_ONLY == set(granted(DATABASES_AND_PREVIEWS))
    assert writing <= used


DIRECT_ONLY = {Right("", "configmaps", "list")}
"""Where direct delivery keeps releases; it may read them where it writes them."""


def test_what_deletes_namespaces_does_nothing_else() -> None:
    assert granted(PREVIEWS) == (Right("", "namespaces", "delete"),)


async def test_a_claim_of_a_companys_own_needs_rights_that_the_company_grants() -> None:
    cluster: Any = Proving()
    settled(cluster)
    await contents(cluster)
    assert of_kind("get", "platform.company.io/v1", "WebService") in cluster.used
