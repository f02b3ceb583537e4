"""What is installed, on a real control plane: taken as it stands, admitted as restricted, and enough for the doctor."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import aiohttp
import pytest

from bot.model.platform import Platform
from bot.settings import Configuration, Environment, Settings
from bot.terminal.doctor.clusters import cluster
from bot.terminal.doctor.findings import Finding, Installation
from bot.terminal.doctor.own import replicas
from bot.terminal.doctor.rights import DIRECT, granted, missing
from integrations.kubernetes import connect
from tests.install.built import COMPONENTS, EXAMPLE, INSTALL, build, overlay
from tests.peers.control_plane.fixtures import CONTROL_PLANE, need_real_crds
from tests.peers.control_plane.programs import await_true
from tests.peers.control_plane.rig import BOT_TOKEN, ControlPlane, path_of
from tests.terminal.test_doctor_platform import CheckedFake

pytestmark = CONTROL_PLANE
APPLY = "application/apply-patch+yaml"
FOREIGN = ("argoproj.io", "postgresql.cnpg.io")
"""Groups whose CRDs other projects publish."""


def take(plane: ControlPlane, obj: Mapping[str, Any], *, dry_run: bool = True) -> Any:
    """Have the server take an object with strict field validation. Raise `HTTPError` where it does not."""
    query = f"?fieldManager=install&force=true&fieldValidation=Strict{'&dryRun=All' if dry_run else ''}"
    return plane.call("PATCH", path_of(obj) + query, obj, kind=APPLY)


def tried(plane: ControlPlane, objects: Any) -> None:
    for obj in objects:
        if obj["apiVersion"].split("/")[0] in FOREIGN:
            need_real_crds()
        try:
            take(plane, obj)
        except HTTPError as refused:
            with refused:
                pytest.fail(f"{obj['kind']} {obj['metadata']['name']}: {refused.read().decode()}")


@pytest.mark.parametrize("name", COMPONENTS)
def test_the_server_takes_the_base_with_each_component(control_plane: ControlPlane, name: str, tmp_path: Path) -> None:
    tried(control_plane, overlay(tmp_path, name))


@pytest.mark.parametrize("folder", ["overlays/example", "argocd", "remote-cluster"])
def test_the_server_takes_what_is_applied_as_it_stands(control_plane: ControlPlane, folder: str) -> None:
    tried(control_plane, build(INSTALL / folder))


def test_a_field_that_does_not_exist_would_be_noticed(control_plane: ControlPlane) -> None:
    (deployment,) = (obj for obj in build(EXAMPLE) if obj["kind"] == "Deployment")
    with pytest.raises(HTTPError) as refused:
        take(control_plane, deployment | {"spec": deployment["spec"] | {"replica": 2}})
    refused.value.close()


def test_the_right_to_write_in_one_namespace_is_bound_there(control_plane: ControlPlane) -> None:
    namespace = control_plane.namespace("bound")
    for obj in build(INSTALL / "components" / "direct-delivery" / "namespace"):
        obj["metadata"]["namespace"] = namespace
        assert take(control_plane, obj)["metadata"]["namespace"] == namespace


# --- started


@pytest.fixture(scope="module")
def installed(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    """Causeway, installed as the guide says; its pods are kwok's, so no container really starts."""
    objects = [obj for obj in build(EXAMPLE) if obj["apiVersion"].split("/")[0] not in FOREIGN]
    for obj in objects:
        take(control_plane, obj, dry_run=False)
    await_true("two replicas are ready", lambda: status(control_plane).get("readyReplicas") == 2)
    yield control_plane
    for obj in objects:
        if obj["kind"] in ("Deployment", "PodDisruptionBudget", "Ingress", "NetworkPolicy", "Service", "ConfigMap"):
            control_plane.call("DELETE", path_of(obj))


def status(plane: ControlPlane) -> dict[str, Any]:
    found: dict[str, Any] = plane.call("GET", "/apis/apps/v1/namespaces/causeway/deployments/causeway")["status"]
    return found


def test_its_pods_are_admitted_where_only_restricted_ones_are(installed: ControlPlane) -> None:
    namespace = installed.call("GET", "/api/v1/namespaces/causeway")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    pods = installed.call("GET", "/api/v1/namespaces/causeway/pods")["items"]
    assert {pod["metadata"]["labels"]["app.kubernetes.io/name"] for pod in pods} == {"causeway"}


def test_a_pod_that_is_not_restricted_is_refused_there(installed: ControlPlane) -> None:
    pod = {"metadata": {"name": "careless"}, "spec": {"containers": [{"name": "a", "image": "a"}]}}
    with pytest.raises(HTTPError) as refused:
        installed.call("POST", "/api/v1/namespaces/causeway/pods", pod)
    with refused.value as answer:
        assert b"restricted" in answer.read()


def test_one_pod_may_be_evicted_and_the_budget_knows_both(installed: ControlPlane) -> None:
    path = "/apis/policy/v1/namespaces/causeway/poddisruptionbudgets/causeway"
    await_true("the budget has seen them", lambda: installed.call("GET", path)["status"].get("expectedPods") == 2)
    await_true("one may go", lambda: installed.call("GET", path)["status"]["disruptionsAllowed"] == 1)


# --- what our account may do


@pytest.fixture
async def seen_by_the_bot(installed: ControlPlane) -> AsyncIterator[Installation]:
    """The doctor's view from inside, with the rights of `account/` and `base/` and no others."""
    async with AsyncExitStack() as stack:
        clusters = connect(str(installed.bot), {"default": ""})
        for one in clusters.values():
            stack.push_async_callback(one.close)
        environment = Environment(database_url="postgresql://nobody@nowhere/none", ledger_key_file="/k")
        yield Installation(
            settings=Settings(environment=environment, configuration=Configuration()),
            session=await stack.enter_async_context(aiohttp.ClientSession()),
            forge=CheckedFake(),
            clusters=clusters,
        )


async def told(installation: Installation, **platform: Any) -> list[Finding]:
    configuration = Configuration(platform=Platform.model_validate(platform))
    settings = Settings(environment=installation.settings.environment, configuration=configuration)
    changed = Installation(
        settings=settings, session=installation.session, forge=installation.forge, clusters=installation.clusters
    )
    return list(await cluster("default", changed))


async def test_the_doctor_finds_every_right_that_gitops_needs(seen_by_the_bot: Installation) -> None:
    need_real_crds()
    assert await told(seen_by_the_bot) == [
        Finding(True, "Kubernetes v1.37.2 answers, and gives every right that is needed.")
    ]


async def test_the_doctor_counts_the_replicas_that_run(seen_by_the_bot: Installation) -> None:
    assert await replicas(seen_by_the_bot) == [Finding(True, "2 run and share what they must.")]


async def test_the_doctor_misses_the_rights_that_direct_delivery_needs(seen_by_the_bot: Installation) -> None:
    lines = await told(seen_by_the_bot, environments={"staging": {"delivery": "direct"}})
    assert [line.fine for line in lines] == [True, False]
    assert "create" in lines[1].told
    assert "deployments.apps" in lines[1].told


async def test_the_doctor_misses_kinds_that_the_cluster_does_not_know(seen_by_the_bot: Installation) -> None:
    need_real_crds()
    tls = {"tls": {"issuer": "letsencrypt"}, "database": {"provider": "crossplane"}}
    wrong = [line.told for line in await told(seen_by_the_bot, environments={"staging": tls}) if not line.fine]
    assert len(wrong) == 1
    assert wrong[0].startswith("it does not know the kind ClusterIssuer (cert-manager.io/v1). Install cert-manager")


async def test_nothing_may_be_written_by_the_account_that_only_reads(seen_by_the_bot: Installation) -> None:
    writing = [right for right in granted(DIRECT) if right.verb in ("create", "patch", "delete")]
    assert set(await missing(seen_by_the_bot.clusters["default"], writing)) == set(writing)


@pytest.mark.parametrize("path", ["/api/v1/secrets", "/api/v1/namespaces/causeway/secrets", "/api/v1/configmaps"])
def test_no_secret_and_no_configuration_may_be_read(installed: ControlPlane, path: str) -> None:
    with pytest.raises(HTTPError) as refused:
        installed.call("GET", path, token=BOT_TOKEN)
    assert refused.value.code == 403
    refused.value.close()
