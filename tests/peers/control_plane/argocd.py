"""Starts a real Argo CD on the control plane: its API server alone, or with what compares and syncs.

There are no containers: each part is a program of its own on loopback ports, and reaches the cluster by a kubeconfig.
"""

from __future__ import annotations

import json
import secrets
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from pydantic import SecretStr

from tests.install.built import INSTALL, build
from tests.peers.control_plane.programs import await_ready, free_ports, running
from tests.peers.control_plane.rig import ControlPlane
from tests.peers.tools import need

SAMPLE_URL = "https://github.com/acme/gitops.git"
"""The address in `manifests/install/argocd` that everybody puts their own in place of."""
PART = {"app.kubernetes.io/part-of": "argocd"}
TOKEN_ID = "token-of-the-test"
Words = list[str | Path]


@dataclass(frozen=True)
class ArgoCD:
    """A running Argo CD. `url` is that of its API server, `key` what it signs tokens with."""

    url: str
    plane: ControlPlane
    namespace: str
    key: str

    def token(self, account: str = "causeway") -> SecretStr:
        """Return what `argocd account generate-token` would print."""
        begun = int(time.time()) - 60
        claims = {"sub": f"{account}:apiKey", "iss": "argocd", "iat": begun, "nbf": begun, "jti": TOKEN_ID}
        return SecretStr(jwt.encode(claims, self.key, algorithm="HS256"))


@contextmanager
def argocd(
    plane: ControlPlane, folder: Path, namespace: str, *, syncs: bool = False, gitops_url: str = SAMPLE_URL
) -> Iterator[ArgoCD]:
    """Install what `manifests/install/argocd` holds, and run Argo CD in `namespace` until the block ends.

    Without `syncs` only its API server runs, so that nothing is ever compared. Skip the test when a program is missing.
    """
    key = secrets.token_hex(16)
    with ExitStack() as stack:
        parts = Parts(stack, plane, folder, namespace)
        install(plane, namespace, key, gitops_url)
        parts.redis()
        if syncs:
            parts.repo_server()
            parts.controller()
        yield ArgoCD(parts.api_server(), plane, namespace, key)


def install(plane: ControlPlane, namespace: str, key: str, gitops_url: str) -> None:
    """Apply Argo CD's own objects, then ours, each as its own field manager."""
    for manager, objects in (("argocd", _own(key)), ("install", _ours(gitops_url))):
        for obj in objects:
            here = {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}
            plane.apply(here, manager=manager)


def _ours(gitops_url: str) -> Iterable[Mapping[str, Any]]:
    whole: list[dict[str, Any]] = json.loads(json.dumps(build(INSTALL / "argocd")).replace(SAMPLE_URL, gitops_url))
    return whole


def _own(key: str) -> Iterable[Mapping[str, Any]]:
    """What stands in Argo CD's namespace before anybody adds to it, and the token that was made for our account."""
    names = ("argocd-cm", "argocd-rbac-cm", "argocd-ssh-known-hosts-cm", "argocd-tls-certs-cm")
    for name in names:
        yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": PART}}
    texts = {
        "server.secretkey": key,
        "admin.password": "not-a-hash",
        "accounts.causeway.tokens": json.dumps([{"id": TOKEN_ID, "iat": int(time.time()) - 60}]),
    }
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "argocd-secret", "labels": PART}}
    yield {**secret, "stringData": texts}


class Parts:
    """Argo CD's programs. Each is ready when its method returns, and ends with `stack`."""

    def __init__(self, stack: ExitStack, plane: ControlPlane, folder: Path, namespace: str) -> None:
        self._stack = stack
        self._plane = plane
        self._folder = folder
        self._cluster: Words = ["--namespace", namespace, "--kubeconfig", plane.admin]
        redis, repo, api, *metrics = free_ports(6)
        self._redis, self._repo, self._api = redis, repo, api
        self._metrics = {"repo-server": metrics[0], "application-controller": metrics[1], "server": metrics[2]}

    def redis(self) -> None:
        """It answers long before anything asks it."""
        words: Words = [need("redis"), "--port", str(self._redis), "--bind", "127.0.0.1", "--save", ""]
        self._stack.enter_context(running(words, self._folder / "redis.log"))

    def repo_server(self) -> None:
        where: Words = ["--address", "127.0.0.1", "--port", str(self._repo), "--metrics-address", "127.0.0.1"]
        self._start("repo-server", [*where, "--disable-tls"])

    def controller(self) -> None:
        self._start("application-controller", [*self._reads_repositories, *self._cluster])

    def api_server(self) -> str:
        """Return its address."""
        where: Words = ["--address", "127.0.0.1", "--port", str(self._api), "--metrics-address", "127.0.0.1"]
        url = f"http://127.0.0.1:{self._api}"
        self._start("server", ["--insecure", *where, *self._reads_repositories, *self._cluster], f"{url}/api/version")
        return url

    @property
    def _reads_repositories(self) -> Words:
        return ["--repo-server", f"127.0.0.1:{self._repo}", "--repo-server-plaintext"]

    def _start(self, role: str, words: Words, ready: str = "") -> None:
        """Start the one program in one of its roles. It is ready when an address of it answers."""
        metrics = self._metrics[role]
        command: Words = [need("argocd"), *words, "--redis", f"127.0.0.1:{self._redis}", "--metrics-port", str(metrics)]
        scratch = self._folder / role
        scratch.mkdir()
        environment = {
            "ARGOCD_BINARY_NAME": f"argocd-{role}",
            "ARGOCD_FAKE_IN_CLUSTER": "true",  # the destination `kubernetes.default.svc` is the kubeconfig's cluster
            "ARGOCD_GPG_ENABLED": "false",
            "KUBECONFIG": str(self._plane.admin),  # which that cluster is looked up in, whatever the flag says
            "TMPDIR": str(scratch),
            "HOME": str(scratch),  # nobody's own Git configuration counts
        }
        log = self._folder / f"argocd-{role}.log"
        process = self._stack.enter_context(running(command, log, env=environment))
        await_ready(process, log, lambda: _answers(ready or f"http://127.0.0.1:{metrics}/healthz"))


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  # the rig's own address
            return bool(answer.status == 200)
    except OSError:
        return False
