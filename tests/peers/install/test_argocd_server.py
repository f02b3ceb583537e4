"""The doctor before a real Argo CD API server, with the account, project and root application that we install there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AsyncExitStack

import aiohttp
import jwt
import pytest
from pydantic import SecretStr

from bot.clock import machine_clock
from bot.model.platform import Platform
from bot.settings import Configuration, Environment, Settings
from bot.terminal.doctor.argocd import delivery
from bot.terminal.doctor.findings import Installation
from integrations.argocd import connect as connect_argocd
from integrations.kubernetes import connect
from tests.peers.control_plane.argocd import ArgoCD, argocd
from tests.peers.control_plane.fixtures import CONTROL_PLANE, need_real_crds
from tests.peers.control_plane.rig import ControlPlane
from tests.terminal.test_doctor_platform import CheckedFake

pytestmark = CONTROL_PLANE


@pytest.fixture(scope="module")
def server(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArgoCD]:
    need_real_crds()
    with argocd(control_plane, tmp_path_factory.mktemp("argocd"), control_plane.namespace("argocd")) as found:
        yield found


async def heard(server: ArgoCD, token: SecretStr) -> list[str]:
    """Return what the doctor tells of it, those lines that ask for a mend marked with `!`."""
    parts = {"gitops": {"repository": "acme/gitops"}, "argocd": {"namespace": server.namespace}}
    configuration = Configuration(platform=Platform.model_validate(parts))
    settings = Settings(environment=Environment(argocd_url=server.url, argocd_token=token), configuration=configuration)
    async with AsyncExitStack() as stack:
        clusters = connect(str(server.plane.admin), {"default": ""})
        stack.push_async_callback(clusters["default"].close)
        deployments = connect_argocd(
            url=server.url, token=token, cluster=clusters["default"], namespace=server.namespace, clock=machine_clock
        )
        assert deployments is not None
        stack.push_async_callback(deployments.close)
        installation = Installation(
            settings=settings,
            session=await stack.enter_async_context(aiohttp.ClientSession()),
            forge=CheckedFake(),
            clusters=clusters,
            deployments=deployments,
        )
        return [f"{'' if one.fine else '! '}{one.told}" for one in await delivery(installation)]


async def test_with_our_account_and_policy_it_lets_us_read_and_sync(server: ArgoCD) -> None:
    api, root = await heard(server, server.token())
    assert api.startswith("Argo CD v")
    assert api.endswith(" lets us read and sync applications.")
    # Its controller does not run here, so nothing has been compared.
    assert root.startswith("! the application `root` has not been compared with its repository yet")


async def test_a_token_that_it_never_gave_is_told(server: ArgoCD) -> None:
    forged = SecretStr(jwt.encode({"sub": "causeway:apiKey", "iss": "argocd", "jti": "x"}, "k" * 32, algorithm="HS256"))
    api, *_ = await heard(server, forged)
    assert api.startswith(f"! {server.url} does not take the token.")


async def test_a_policy_without_our_lines_is_told(server: ArgoCD) -> None:
    path = f"/api/v1/namespaces/{server.namespace}/configmaps/argocd-rbac-cm"
    policy = server.plane.call("GET", path)["data"]
    server.plane.call("PATCH", path, {"data": {"policy.causeway.csv": ""}}, kind="application/merge-patch+json")
    try:
        deadline = time.monotonic() + 60
        while not (lines := await heard(server, server.token()))[0].startswith("!") and time.monotonic() < deadline:
            pass  # it hears of the change by its own watch
    finally:
        server.plane.call("PATCH", path, {"data": policy}, kind="application/merge-patch+json")
    assert lines[0].startswith("! our account may not get and sync applications.")
