"""Kubeconfigs, contexts, the pod's own account, and credentials that expire."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Invalid, Refused, UpstreamUnavailable
from integrations.kubernetes import KubernetesCluster, connect
from tests.integrations.kubernetes.server import TOKEN, Say, Server, kubeconfig, refusal

VERSION = Say(body={"gitVersion": "v1.37.2"})


def written(file: Path, document: Any) -> str:
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(file)


def bearer(token: str) -> Callable[[Any], Say]:
    def answer(asked: Any) -> Say:
        accepted = asked.headers.get("authorization") == f"Bearer {token}"
        return VERSION if accepted else refusal(401, "Unauthorized", "Unauthorized")

    return answer


@asynccontextmanager
async def connected(kubeconfig: str, **access: str) -> AsyncIterator[dict[str, KubernetesCluster]]:
    clusters = connect(kubeconfig, access, sleep=Server().sleep)
    try:
        yield clusters
    finally:
        for cluster in clusters.values():
            await cluster.close()


async def test_each_cluster_is_reached_by_its_own_context(tmp_path: Path) -> None:
    one, two = Server(), Server()
    one.otherwise = lambda _: Say(body={"gitVersion": "v1.1.0"})
    two.otherwise = lambda _: Say(body={"gitVersion": "v1.2.0"})
    async with one.served() as here, two.served() as there:
        config = kubeconfig(here)
        config["clusters"].append({"name": "far", "cluster": {"server": there}})
        config["contexts"].append({"name": "far", "context": {"cluster": "far", "user": "u"}})
        async with connected(written(tmp_path / "k", config), near="", far="far") as clusters:
            assert {name: cluster.name for name, cluster in clusters.items()} == {"near": "near", "far": "far"}
            assert await clusters["near"].version() == "v1.1.0"
            assert await clusters["far"].version() == "v1.2.0"
    assert one.asked[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_every_context_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    file = written(tmp_path / "k", kubeconfig("http://127.0.0.1:1"))
    with pytest.raises(Invalid, match="There are: main") as wrong:
        connect(file, {"a": "main", "b": "prod", "c": "edge"})
    assert [mistake.path for mistake in wrong.value.mistakes] == [
        "platform.clusters.b.context",
        "platform.clusters.c.context",
    ]


@pytest.mark.parametrize(("content", "why"), [("{", "not YAML"), ("[]", "not a kubeconfig"), (None, "cannot be read")])
def test_a_kubeconfig_that_is_none_is_told_without_its_content(tmp_path: Path, content: str | None, why: str) -> None:
    file = tmp_path / "k"
    if content is not None:
        file.write_text(content + TOKEN if content == "{" else content)
    with pytest.raises(Invalid) as wrong:
        connect(str(file), {"a": ""})
    (mistake,) = wrong.value.mistakes
    assert why in mistake.message
    assert TOKEN not in f"{wrong.value} {mistake}"


async def test_a_user_that_cannot_be_read_is_told_without_its_content(tmp_path: Path) -> None:
    config = kubeconfig("http://127.0.0.1:1")
    config["users"] = [{"name": "u", "user": {"token": {"value": TOKEN}}}]
    config["clusters"] = [{"name": TOKEN}]
    async with connected(written(tmp_path / "k", config), staging="") as clusters:
        with pytest.raises(UpstreamUnavailable, match="credentials for the cluster `staging` cannot be read") as wrong:
            await clusters["staging"].version()
    assert TOKEN not in str(wrong.value)


def test_outside_of_a_cluster_there_is_none_without_a_kubeconfig(tmp_path: Path) -> None:
    assert connect("", {"default": ""}, service_account=tmp_path) == {}
    with pytest.raises(Invalid, match="there is no kubeconfig"):
        connect("", {"default": "", "prod": "prod"}, service_account=tmp_path)


def test_inside_of_a_cluster_its_own_account_is_used(tmp_path: Path) -> None:
    for name in ("token", "ca.crt"):
        (tmp_path / name).write_text("x")
    assert list(connect("", {"default": ""}, service_account=tmp_path)) == ["default"]


async def test_a_token_that_was_renewed_in_its_file_is_read_anew(tmp_path: Path, server: Server) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    server.otherwise = bearer("first")
    async with server.served() as url:
        config = kubeconfig(url, user={"tokenFile": str(token)})
        async with connected(written(tmp_path / "k", config), staging="") as clusters:
            assert await clusters["staging"].version() == "v1.37.2"
            token.write_text("second")
            server.otherwise = bearer("second")
            assert await clusters["staging"].version() == "v1.37.2"
            server.otherwise = bearer("third")
            asked = len(server.asked)
            with pytest.raises(Refused, match="did not accept our credentials"):
                await clusters["staging"].version()
            assert len(server.asked) == asked + 1  # the same token again would only be refused again


def test_starting_loads_nothing_of_the_library() -> None:
    loaded = (
        "import sys, integrations.kubernetes; sys.exit(any(name.split('.')[0] == 'kubernetes' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", loaded], check=False, timeout=60).returncode == 0


def test_using_it_loads_no_generated_models() -> None:
    code = (
        "import sys, kubernetes.aio.client, kubernetes.aio.config as c; kubernetes.aio.client.ApiClient; "
        "sys.exit(sum(name.startswith('kubernetes.aio.client.models.') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
