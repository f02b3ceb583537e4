"""The rights that are installed: as few as possible, each for something, and enough for what is done."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any

import pytest

from bot.databases.rights import VERBS
from bot.effects import AwaitHealthy, RemoveObjects, Target
from bot.effects.attendance import API_VERSIONS
from bot.effects.objects import INHABITANTS, KINDS
from bot.health import read_stuck_facts
from bot.model.platform import Platform
from bot.ports import Change, Object, ObjectRef, Ports
from bot.rendering.delivery import Place
from bot.rendering.delivery.direct import release_ref
from bot.rendering.kinds import KINDS as RENDERED
from bot.terminal.doctor.rights import (
    ARGOCD_READ,
    ARGOCD_WRITE,
    DATABASE_ACCESS,
    DATABASES_AND_PREVIEWS,
    DIRECT,
    DIRECT_CROSSPLANE,
    PREVIEWS,
    READ,
    Right,
    granted,
)
from tests.effects import scenes
from tests.effects.scenes import run
from tests.fakes.catalog import FakeCatalog
from tests.fakes.cluster import FakeCluster
from tests.fakes.forge import FakeForge
from tests.install.built import INSTALL, ROOT, source_documents

HERE = "orders-staging"
ROLES = ("ClusterRole", "Role")
ANYWHERE = "components/direct-delivery-anywhere/rbac.yaml"
FILES = (
    *(READ, ARGOCD_READ, ARGOCD_WRITE, DIRECT, DIRECT_CROSSPLANE, ANYWHERE),
    *(DATABASE_ACCESS, DATABASES_AND_PREVIEWS, PREVIEWS),
)
ROW = re.compile(r"^\| `([a-z0-9./-]+)` \| ([a-z, ]+) \| .+ \|$", re.MULTILINE)
IRREGULAR = {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies", "StorageClass": "storageclasses"}


def plural(kind: str) -> str:
    return IRREGULAR.get(kind, f"{kind.lower()}s")


def of_kind(verb: str, api_version: str, kind: str) -> Right:
    return Right(api_version.rpartition("/")[0], plural(kind), verb)


def rules() -> list[tuple[str, Mapping[str, Any]]]:
    found = [(file, doc) for file, doc in source_documents() if doc["kind"] in ROLES]
    return [(str(file.relative_to(INSTALL)), rule) for file, doc in found for rule in doc["rules"]]


# --- as few as possible


def test_all_rights_stand_in_files_that_are_checked_here() -> None:
    assert {file for file, _ in rules()} == set(FILES)


def test_no_right_is_a_wildcard_or_reaches_secrets_or_other_rights() -> None:
    for file, rule in rules():
        words = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
        assert not {"*", "secrets", "pods/exec", "pods/attach"} & words, file
        assert not {"bind", "escalate", "impersonate"} & set(rule["verbs"]), file
        assert "rbac.authorization.k8s.io" not in rule["apiGroups"], file
        assert set(rule) == {"apiGroups", "resources", "verbs"}, file


def test_what_is_granted_for_reading_changes_nothing() -> None:
    reading = (*granted(READ), *granted(ARGOCD_READ), *granted(DATABASES_AND_PREVIEWS))
    assert {right.verb for right in reading} == {"get", "list", "watch"}


def test_every_role_is_bound_to_our_account_alone() -> None:
    for file, document in source_documents():
        if document["kind"] in ("RoleBinding", "ClusterRoleBinding"):
            subjects = [{"kind": "ServiceAccount", "name": "causeway", "namespace": "causeway"}]
            assert document["subjects"] == subjects, file


# --- each for something


def table() -> dict[str, list[str]]:
    """The guide's tables: file of `manifests/install/` and resource → verbs."""
    text = (ROOT / "docs" / "guides" / "rights.md").read_text()
    found: dict[str, list[str]] = {}
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        file = re.search(r"`manifests/install/([a-z/-]+\.yaml)`", part)
        assert file is not None, part
        found |= {f"{file[1]} {resource}": verbs.split(", ") for resource, verbs in ROW.findall(part)}
    return found


def test_the_guide_says_what_each_right_is_for_and_grants_no_other() -> None:
    written: dict[str, list[str]] = {}
    for file, rule in rules():
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                written[f"{file} {resource}{f'.{group}' if group else ''}"] = rule["verbs"]
    assert table() == written


class Watched(FakeCluster):
    """A cluster that notes which rights a caller would have needed."""

    def __init__(self) -> None:
        super().__init__(namespaces=[HERE])
        self.used: set[Right] = set()
        self.watches = asyncio.Event()

    async def get(self, ref: ObjectRef) -> Object | None:
        self.used.add(of_kind("get", ref.api_version, ref.kind))
        return await super().get(ref)

    async def list(
        self, api_version: str, kind: str, *, namespace: str = "", labels: Mapping[str, str] | None = None
    ) -> Sequence[Object]:
        self.used.add(of_kind("list", api_version, kind))
        return await super().list(api_version, kind, namespace=namespace, labels=labels)

    async def watch(self, api_version: str, kind: str, **where: Any) -> AsyncIterator[Change]:
        self.used |= {of_kind(verb, api_version, kind) for verb in ("list", "watch")}
        async for change in super().watch(api_version, kind, **where):
            if change.what == "synced" and kind == "Pod":
                self.watches.set()
            yield change

    async def log_tail(self, namespace: str, pod: str, *words: Any, **more: Any) -> tuple[str, ...]:
        # Which container is meant when none is named stands in the pod.
        self.used |= {Right("", "pods/log", "get"), Right("", "pods", "get")}
        return await super().log_tail(namespace, pod, *words, **more)


def pod(name: str, **status: Any) -> dict[str, Any]:
    labels = {"causeway.io/service": "orders"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": HERE, "labels": labels},
        "spec": {"nodeName": "one", "containers": [{"name": "orders", "image": "i"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "orders", "image": "i", **status}]},
    }


async def used_by_waiting(cluster: Watched) -> None:
    for kind in API_VERSIONS:
        effect = AwaitHealthy(
            id="await",
            service="orders",
            environment="staging",
            cluster="default",
            namespace=HERE,
            workload=kind,
            image="i",
        )
        cluster.watches.clear()
        ports = Ports(forge=FakeForge(), catalog=FakeCatalog(), clusters={"default": cluster})
        waiting = asyncio.create_task(effect.apply(ports, run(effect)))
        async with asyncio.timeout(30):
            await cluster.watches.wait()
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting


async def test_the_rights_to_read_are_exactly_those_that_are_used() -> None:
    cluster = Watched()
    ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
    cluster.put(pod("crashes", ready=False, state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=ended))
    cluster.put(pod("lingers", ready=False, state={"running": {}}))
    await read_stuck_facts(cluster, service="orders", environment="staging", namespace=HERE)
    await used_by_waiting(cluster)
    assert cluster.used == set(granted(READ))


@pytest.mark.parametrize("verb", ["get", "list", "create", "patch", "delete"])
def test_direct_delivery_may_write_every_kind_that_is_rendered_and_no_other(verb: str) -> None:
    kept = release_ref(Place(platform=Platform(), service="orders", environment="staging", team="team-orders"))
    namespaced = [kind for kind in RENDERED if kind != ("v1", "Namespace")]  # that right stands in a file of its own
    wanted = {of_kind(verb, *kind) for kind in (*namespaced, (kept.api_version, kept.kind))}
    given = {right for right in (*granted(DIRECT), *granted(DIRECT_CROSSPLANE)) if right.verb == verb}
    only_looked_at = {of_kind("list", *kind) for kind in (*KINDS, *INHABITANTS)} if verb == "list" else set()
    assert wanted <= given <= wanted | only_looked_at


def test_direct_delivery_sees_what_others_have_put_into_a_namespace() -> None:
    everywhere = {*granted(READ), *granted(DIRECT)}
    assert {of_kind("list", *kind) for kind in (*KINDS, *INHABITANTS)} <= everywhere


def test_a_way_into_a_database_takes_exactly_what_is_asked_before_it_is_planned() -> None:
    assert {(right.resource, right.verb) for right in granted(DATABASE_ACCESS)} == {("pods", verb) for verb in VERBS}
    # To see whether somebody is in already, and whether the pod runs.
    assert {Right("", "pods", "get"), Right("", "pods", "list")} <= set(granted(READ))


async def test_letting_a_person_in_and_out_needs_no_other_right() -> None:
    cluster = Writing()
    ports = Ports(forge=FakeForge(), catalog=FakeCatalog(), clusters={"default": cluster})
    admit = scenes.ADMIT.model_copy(update={"cluster": "default"})
    await admit.apply(ports, run(admit))
    live = await cluster.get(ObjectRef("v1", "Pod", "orders-db-visit-author", HERE))
    assert live is not None
    remove = RemoveObjects(id="remove", cluster="default", namespace=HERE, refs=(Target.of(live),))
    await remove.apply(ports, run(remove))
    assert cluster.used <= {*granted(READ), *granted(DATABASE_ACCESS)}


class Writing(Watched):
    """The same for what is written."""

    async def apply(self, obj: Object, *, dry_run: bool = False, over: Collection[str] = ()) -> Object:
        self.used |= {of_kind(verb, str(obj["apiVersion"]), str(obj["kind"])) for verb in ("create", "patch")}
        return await super().apply(obj, dry_run=dry_run, over=over)

    async def delete(self, ref: ObjectRef, *, uid: str | None = None) -> bool:
        self.used.add(of_kind("delete", ref.api_version, ref.kind))
        return await super().delete(ref, uid=uid)
