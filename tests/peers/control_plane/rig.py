"""Starts the control plane: `with control_plane(folder) as plane`.

There is no kubelet: kwok plays one on a node that does not exist, so Pods become Ready, have logs and can be deleted.
"""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.peers.control_plane.programs import await_ready, free_ports, running
from tests.peers.tools import need

ADMIN_TOKEN = "admin-token-of-the-rig"
BOT_TOKEN = "bot-token-of-the-rig"
BOT_NAMESPACE, BOT_NAME = "causeway", "causeway"
BOT_USER = f"system:serviceaccount:{BOT_NAMESPACE}:{BOT_NAME}"
"""The user that the service account of `manifests/install/` is."""
NODE = "kwok-node"
STAGES = Path(__file__).parent / "stages"
"""What kwok plays beside its own stages."""
LOG_LINES = ("starting", "listening on :8080", "ready")
"""What every container of the rig has written, in this run and in the one before, as kwok tells it."""


@dataclass(frozen=True)
class ControlPlane:
    """A running control plane. `url` is kube-apiserver's, `etcd` that of etcd's JSON gateway."""

    url: str
    etcd: str
    ca: Path
    folder: Path
    numbers: Iterator[int]

    @property
    def admin(self) -> Path:
        """A kubeconfig that may do everything."""
        return self._kubeconfig("admin", ADMIN_TOKEN)

    @property
    def bot(self) -> Path:
        """A kubeconfig with the rights that `manifests/install/` grants, and no others."""
        return self._kubeconfig("bot", BOT_TOKEN)

    def call(
        self, method: str, path: str, body: Any = None, *, kind: str = "application/json", token: str = ADMIN_TOKEN
    ) -> Any:
        """Make one request as a tool other than ours would; return the JSON. Raise `HTTPError` for a refusal."""
        context = ssl.create_default_context(cafile=str(self.ca))
        request = urllib.request.Request(  # noqa: S310  # the rig's own address
            f"{self.url}{path}",
            method=method,
            data=None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": kind},
        )
        with urllib.request.urlopen(request, context=context, timeout=60) as answer:  # noqa: S310  # the same
            return json.load(answer)

    def apply(self, obj: Mapping[str, Any], *, manager: str = "rig") -> Any:
        """Server-side apply by force, at the object's own path, as a tool other than ours would."""
        query = f"?fieldManager={manager}&force=true"
        return self.call("PATCH", path_of(obj) + query, obj, kind="application/apply-patch+yaml")

    def namespace(self, prefix: str = "test") -> str:
        """Make a namespace that no other test has."""
        name = f"{prefix}-{next(self.numbers)}"
        self.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        return name

    def compact(self) -> None:
        """Have etcd forget its history, so that what watched from an older revision is told 410."""
        key = "AA=="  # base64 of the smallest key
        revision = self._etcd("kv/range", {"key": key, "keys_only": True, "limit": 1})["header"]["revision"]
        self._etcd("kv/compaction", {"revision": revision, "physical": True})

    def _etcd(self, what: str, body: Any) -> Any:
        request = urllib.request.Request(f"{self.etcd}/v3/{what}", data=json.dumps(body).encode())  # noqa: S310  # the same
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  # the same
            return json.load(answer)

    def kubeconfig_through(self, url: str) -> str:
        """Write a kubeconfig that may do everything and reaches the server by another address; return its path."""
        file = self.folder / f"through-{url.rpartition(':')[2]}.kubeconfig"
        file.write_text(json.dumps(kubeconfig(url, ADMIN_TOKEN, self.ca)))
        return str(file)

    def _kubeconfig(self, who: str, token: str) -> Path:
        file = self.folder / f"{who}.kubeconfig"
        if not file.exists():
            file.write_text(json.dumps(kubeconfig(self.url, token, self.ca)))
        return file


IRREGULAR = {
    "NetworkPolicy": "networkpolicies",
    "Ingress": "ingresses",
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
}


def path_of(obj: Mapping[str, Any]) -> str:
    """Return where an object of a common kind stands."""
    version, metadata = str(obj["apiVersion"]), obj["metadata"]
    root = "/apis/" if "/" in version else "/api/"
    where = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"{root}{version}{where}/{IRREGULAR.get(obj['kind'], obj['kind'].lower() + 's')}/{metadata['name']}"


def kubeconfig(url: str, token: str, ca: Path | None = None) -> Any:
    """Return a kubeconfig with one context, `rig`. JSON is YAML."""
    cluster = {"server": url, **({"certificate-authority": str(ca)} if ca else {})}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "rig",
        "clusters": [{"name": "rig", "cluster": cluster}],
        "users": [{"name": "rig", "user": {"token": token}}],
        "contexts": [{"name": "rig", "context": {"cluster": "rig", "user": "rig"}}],
    }


@contextmanager
def control_plane(folder: Path) -> Iterator[ControlPlane]:
    """Start everything in `folder`; skip the test when a program is missing."""
    with ExitStack() as stack:
        plane = _api_server(stack, folder)
        _controllers(stack, plane)
        _kwok(stack, plane)
        yield plane


def _api_server(stack: ExitStack, folder: Path) -> ControlPlane:
    programs = {name: need(name) for name in ("etcd", "kube-apiserver")}
    client, peer, secure = free_ports(3)
    plane = ControlPlane(
        f"https://127.0.0.1:{secure}",
        f"http://127.0.0.1:{client}",
        folder / "certs" / "apiserver.crt",
        folder,
        count(1),
    )
    tokens = folder / "tokens.csv"
    groups = f"system:serviceaccounts,system:serviceaccounts:{BOT_NAMESPACE}"
    tokens.write_text(f'{ADMIN_TOKEN},admin,admin,"system:masters"\n{BOT_TOKEN},{BOT_USER},bot,"{groups}"\n')
    key = folder / "sa.key"
    key.write_bytes(_private_key())
    stack.enter_context(running(_etcd(programs["etcd"], plane.etcd, peer, folder), folder / "etcd.log"))
    words = _apiserver(programs["kube-apiserver"], plane, secure, tokens, key)
    log = folder / "kube-apiserver.log"
    await_ready(stack.enter_context(running(words, log)), log, lambda: _answers(plane))
    return plane


def _private_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def _etcd(program: Path, url: str, peer: int, folder: Path) -> list[str | Path]:
    return [
        *(program, "--data-dir", folder / "etcd", "--unsafe-no-fsync", "--log-level", "warn"),
        *("--listen-client-urls", url, "--advertise-client-urls", url),
        *("--listen-peer-urls", f"http://127.0.0.1:{peer}"),
    ]


def _apiserver(program: Path, plane: ControlPlane, port: int, tokens: Path, key: Path) -> list[str | Path]:
    return [
        *(program, f"--etcd-servers={plane.etcd}", f"--secure-port={port}", "--bind-address=127.0.0.1"),
        *(f"--cert-dir={plane.ca.parent}", f"--token-auth-file={tokens}", "--authorization-mode=RBAC"),
        "--service-account-issuer=https://kubernetes.default.svc",
        *(f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}"),
        *("--service-cluster-ip-range=10.0.0.0/24", "--disable-admission-plugins=ServiceAccount"),
        # Compaction is for tests to order. A watch of ConfigMaps reads from etcd, where it shows.
        *("--etcd-compaction-interval=0", "--watch-cache-sizes=configmaps#0"),
    ]


def _answers(plane: ControlPlane) -> bool:
    if not plane.ca.exists():
        return False
    try:
        context = ssl.create_default_context(cafile=str(plane.ca))
        request = urllib.request.Request(f"{plane.url}/readyz", headers={"Authorization": f"Bearer {ADMIN_TOKEN}"})  # noqa: S310  # the rig's own address
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:  # noqa: S310  # the same
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _controllers(stack: ExitStack, plane: ControlPlane) -> None:
    for name in ("kube-controller-manager", "kube-scheduler"):
        words: list[str | Path] = [need(name), f"--kubeconfig={plane.admin}", "--leader-elect=false", "--secure-port=0"]
        if name == "kube-controller-manager":
            words += [f"--service-account-private-key-file={plane.folder / 'sa.key'}", f"--root-ca-file={plane.ca}"]
        stack.enter_context(running(words, plane.folder / f"{name}.log"))


def _kwok(stack: ExitStack, plane: ControlPlane) -> None:
    stages = need("kwok-stages")
    folders = ("pod/fast", "node/fast", "node/heartbeat")
    files = [file for folder in folders for file in sorted((stages / folder).glob("*.yaml"))]
    config = [file for file in files if file.name != "kustomization.yaml"] + sorted(STAGES.glob("*.yaml"))
    (port,) = free_ports(1)
    words: list[str | Path] = [
        *(need("kwok"), f"--kubeconfig={plane.admin}", "--manage-all-nodes=true", "--node-ip=127.0.0.1"),
        *("--cidr=10.200.0.0/16", f"--server-address=127.0.0.1:{port}", f"--node-port={port}"),
        *(f"--tls-cert-file={plane.ca}", f"--tls-private-key-file={plane.ca.with_suffix('.key')}"),
        *(f"--config={file}" for file in [*config, _logs(plane.folder)]),
    ]
    stack.enter_context(running(words, plane.folder / "kwok.log"))
    plane.call("POST", "/api/v1/nodes", _node())


def _logs(folder: Path) -> Path:
    """Let every container of every pod have written the same lines."""
    written = folder / "container.log"
    written.write_text(
        "".join(f"2026-06-01T09:00:0{second}Z stdout F {line}\n" for second, line in enumerate(LOG_LINES))
    )
    config = folder / "logs.yaml"
    logs = {"kind": "ClusterLogs", "apiVersion": "kwok.x-k8s.io/v1alpha1", "metadata": {"name": "all"}}
    of_each = {"logsFile": str(written), "previousLogsFile": str(written), "follow": False}
    config.write_text(json.dumps({**logs, "spec": {"logs": [of_each]}}))
    return config


def _node() -> Any:
    room = {"cpu": "64", "memory": "256Gi", "pods": "500"}
    return {
        "metadata": {"name": NODE, "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "status": {"allocatable": room, "capacity": room},
    }
