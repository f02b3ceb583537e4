"""The doctor before a real Argo CD API server, with the account, project and root application that we install there."""

from __future__ import annotations

import json
import secrets
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from tests.install.built import INSTALL, build
from tests.peers.control_plane.fixtures import CONTROL_PLANE, need_real_crds
from tests.peers.control_plane.programs import await_ready, free_ports, running
from tests.peers.control_plane.rig import ControlPlane
from tests.peers.tools import need
from tests.terminal.test_doctor_platform import CheckedFake

pytestmark = CONTROL_PLANE
PART = {"app.kubernetes.io/part-of": "argocd"}
TOKEN_ID = "token-of-the-test"


@dataclass(frozen=True)
class ArgoCDServer:
    url: str
    plane: ControlPlane
    namespace: str
    key: str

    def token(self, account: str = "causeway") -> SecretStr:
        """Return what `argocd account generate-token` would print."""
        begun = int(time.time()) - 60
        claims = {"sub": f"{account}:apiKey", "iss": "argocd", "iat": begun, "nbf": begun, "jti": TOKEN_ID}
        return SecretStr(jwt.encode(claims, self.key, algorithm="HS256"))

    async def hears(self, token: SecretStr) -> list[str]:
        """Return what the doctor tells of it, those lines that ask for a mend marked with `!`."""
        parts = {"gitops": {"repository": "acme/gitops"}, "argocd": {"namespace": self.namespace}}
        configuration = Configuration(platform=Platform.model_validate(parts))
        settings = Settings(
            environment=Environment(argocd_url=self.url, argocd_token=token), configuration=configuration
        )
        async with AsyncExitStack() as stack:
            clusters = connect(str(self.plane.admin), {"default": ""})
            stack.push_async_callback(clusters["default"].close)
            deployments = connect_argocd(
                url=self.url, token=token, cluster=clusters["default"], namespace=self.namespace, clock=machine_clock
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


@pytest.fixture(scope="module")
def server(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArgoCDServer]:
    need_real_crds()
    folder: Path = tmp_path_factory.mktemp("argocd-server")
    namespace, key = control_plane.namespace("argocd"), secrets.token_hex(16)
    for manager, objects in (("argocd", _own(key)), ("install", build(INSTALL / "argocd"))):
        for obj in objects:
            here = obj | {"metadata": obj["metadata"] | {"namespace": namespace}}
            control_plane.apply(here, manager=manager)
    redis_port, repo_port, port, metrics = free_ports(4)
    redis: list[str | Path] = [need("redis"), "--port", str(redis_port), "--bind", "127.0.0.1", "--save", ""]
    words: list[str | Path] = [
        *(need("argocd"), "--redis", f"127.0.0.1:{redis_port}", "--repo-server", f"127.0.0.1:{repo_port}"),
        *("--insecure", "--repo-server-plaintext", "--address", "127.0.0.1", "--port", str(port)),
        *("--metrics-port", str(metrics), "--namespace", namespace, "--kubeconfig", control_plane.admin),
    ]
    role = {"ARGOCD_BINARY_NAME": "argocd-server", "ARGOCD_FAKE_IN_CLUSTER": "true", "ARGOCD_GPG_ENABLED": "false"}
    url, log = f"http://127.0.0.1:{port}", folder / "argocd-server.log"
    with ExitStack() as stack:
        stack.enter_context(running(redis, folder / "redis.log"))
        process = stack.enter_context(running(words, log, env=role))
        await_ready(process, log, lambda: _answers(url))
        yield ArgoCDServer(url, control_plane, namespace, key)


def _own(key: str) -> list[dict[str, Any]]:
    """What stands in Argo CD's namespace before anybody adds to it, and the token that was made for our account."""
    names = ("argocd-cm", "argocd-rbac-cm", "argocd-ssh-known-hosts-cm", "argocd-tls-certs-cm")
    maps = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": PART}} for name in names]
    texts = {
        "server.secretkey": key,
        "admin.password": "not-a-hash",
        "accounts.causeway.tokens": json.dumps([{"id": TOKEN_ID, "iat": int(time.time()) - 60}]),
    }
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "argocd-secret", "labels": PART}}
    return [*maps, secret | {"stringData": texts}]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/version", timeout=10) as answer:  # noqa: S310  # the rig's own address
            return bool(answer.status == 200)
    except OSError:
        return False


async def test_with_our_account_and_policy_it_lets_us_read_and_sync(server: ArgoCDServer) -> None:
    api, root = await server.hears(server.token())
    assert api.startswith("Argo CD v")
    assert api.endswith(" lets us read and sync applications.")
    # Its controller does not run here, so nothing has been compared.
    assert root.startswith("! the application `root` has not been compared with its repository yet")


async def test_a_token_that_it_never_gave_is_told(server: ArgoCDServer) -> None:
    forged = SecretStr(jwt.encode({"sub": "causeway:apiKey", "iss": "argocd", "jti": "x"}, "k" * 32, algorithm="HS256"))
    api, *_ = await server.hears(forged)
    assert api.startswith(f"! {server.url} does not take the token.")


async def test_a_policy_without_our_lines_is_told(server: ArgoCDServer) -> None:
    path = f"/api/v1/namespaces/{server.namespace}/configmaps/argocd-rbac-cm"
    policy = server.plane.call("GET", path)["data"]
    server.plane.call("PATCH", path, {"data": {"policy.causeway.csv": ""}}, kind="application/merge-patch+json")
    try:
        deadline = time.monotonic() + 60
        while not (lines := await server.hears(server.token()))[0].startswith("!") and time.monotonic() < deadline:
            pass  # it hears of the change by its own watch
    finally:
        server.plane.call("PATCH", path, {"data": policy}, kind="application/merge-patch+json")
    assert lines[0].startswith("! our account may not get and sync applications.")
