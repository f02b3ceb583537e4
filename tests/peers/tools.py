"""Programs that tests need beyond Python: where they are, and how `make test` gets them.

`python -m tests.peers.tools` installs what is missing where it may (root for Debian packages, a network for the rest)
into a user cache keyed by version, so that a second run is quick. A test asks with `need("chromium")`: it gets a path,
or is skipped with the reason; with REQUIRE_PEERS=1 the skip is a failure.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("CAUSEWAY_TEST_CACHE", Path.home() / ".cache" / "causeway-tests"))


class Unavailable(Exception):
    """The program is not here and could not be installed; the text says why."""


@dataclass(frozen=True)
class Tool:
    find: Callable[[], Path | None]
    install: Callable[[], None]


def need(name: str) -> Path:
    """Return where the program (or folder) is. Skip the test with a reason, or fail it with REQUIRE_PEERS=1."""
    found = TOOLS[name].find()
    if found is not None:
        return found
    reason = f"{name} is not installed here; `make test` installs it where it may (see the lines it prints first)"
    if os.environ.get("REQUIRE_PEERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def _apt(*packages: str) -> None:
    if shutil.which("apt-get") is None:
        raise Unavailable("this is not Debian: install " + ", ".join(packages) + " yourself")
    if os.geteuid() != 0:
        raise Unavailable("not root: run `apt-get install --no-install-recommends " + " ".join(packages) + "`")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    _run(["apt-get", "update", "-q"], env=environment)
    _run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages], env=environment)


def _run(command: list[str], *, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    try:
        subprocess.run(command, cwd=cwd, env=env, check=True, capture_output=True, text=True, timeout=3600)
    except subprocess.CalledProcessError as error:
        tail = (error.stderr or error.stdout or "").strip().splitlines()[-1:]
        raise Unavailable(f"`{' '.join(command[:3])} …` failed: {''.join(tail)}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"`{command[0]}` could not be run: {error.__class__.__name__}") from error


def _which(*names: str) -> Path | None:
    return next((Path(path) for name in names if (path := shutil.which(name))), None)


def _postgresql() -> Path | None:
    """Return the folder that holds `initdb` and `postgres`."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    found = [folder for folder in folders if (folder / "initdb").exists()]
    if found:
        return found[-1]
    initdb = _which("initdb")
    return initdb.resolve().parent if initdb else None


def _keyed(prefix: str, *files: Path) -> Path:
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    return CACHE / f"{prefix}-{digest}"


def _node_folder() -> Path:
    return _keyed("node", HERE / "node" / "package.json", HERE / "node" / "package-lock.json")


def _node_modules() -> Path | None:
    folder = _node_folder()
    return folder / "node_modules" if (folder / ".complete").exists() else None


def _install_node_modules() -> None:
    if _which("npm") is None:
        _apt("nodejs", "npm")
    folder = _node_folder()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "node" / name, folder / name)
    _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)
    (folder / ".complete").touch()


@dataclass(frozen=True)
class GoModule:
    """Programs that are built from one module of `tests/peers/`, whose go.mod and go.sum pin every source by hash."""

    name: str
    packages: tuple[tuple[str, str], ...]
    """Each program's name and the package that it is built from."""
    ldflags: str = ""

    @property
    def source(self) -> Path:
        return HERE / self.name

    @property
    def folder(self) -> Path:
        ours = sorted(self.source.glob("*.go"))
        return _keyed(self.name, self.source / "go.mod", self.source / "go.sum", *ours)

    def program(self, name: str) -> Tool:
        return Tool(lambda: self._found(name), lambda: self._build(name))

    def _found(self, name: str) -> Path | None:
        file = self.folder / name
        return file if file.exists() else None

    def _build(self, name: str) -> None:
        """Build into a file beside the final one, so that an interrupted build leaves nothing that looks complete."""
        go = _go()
        self.folder.mkdir(parents=True, exist_ok=True)
        half = self.folder / f"{name}.building"
        flags = ["-trimpath", f"-ldflags=-s -w {self.ldflags}".rstrip()]
        _run(
            [go, "build", *flags, "-o", str(half), dict(self.packages)[name]],
            cwd=self.source,
            env=os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"},
        )
        half.rename(self.folder / name)


def _go() -> str:
    if _which("go") is None:
        _apt("golang-go")
    return "go"


_KUBERNETES = "k8s.io/component-base/version"
ACTIONLINT = GoModule("actionlint", (("actionlint", "github.com/rhysd/actionlint/cmd/actionlint"),))
KUBERNETES = GoModule(
    "kubernetes",
    (
        ("etcd", "go.etcd.io/etcd/server/v3"),
        ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
        ("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
        ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
    ),
    # Without these the server calls itself 0.0.0.
    f"-X {_KUBERNETES}.gitVersion=v1.37.2 -X {_KUBERNETES}.gitMajor=1 -X {_KUBERNETES}.gitMinor=37",
)
KWOK = GoModule("kwok", (("kwok", "sigs.k8s.io/kwok/cmd/kwok"),))
ARGOCD = GoModule("argocd", (("argocd", "github.com/argoproj/argo-cd/v3/cmd"),))
HELM = GoModule("helm", (("helm", "helm.sh/helm/v4/cmd/helm"),))
KUSTOMIZE = GoModule("kustomize", (("kustomize", "sigs.k8s.io/kustomize/kustomize/v5"),))
DOCKERFILE = GoModule("dockerfile", (("dockerfile", "."),))


PROMETHEUS_OPERATOR = GoModule("prometheus_operator", ())


def _carried(module: GoModule, path: str, folder: str, name: str) -> Tool:
    """Return the tool that is a folder which a Go module carries beside its code: YAML files, here `name`."""
    place = module.folder / name
    return Tool(lambda: place if place.exists() else None, lambda: _copy_carried(module, path, folder, place))


def _copy_carried(module: GoModule, path: str, folder: str, place: Path) -> None:
    command = [_go(), "mod", "download", "-json", path]
    listed = subprocess.run(command, check=False, cwd=module.source, capture_output=True, text=True)
    if listed.returncode:
        raise Unavailable(f"the module {path} could not be had")
    half = place.with_suffix(".copying")
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(Path(json.loads(listed.stdout)["Dir"]) / folder, half)
    half.rename(place)


CHECKOV_LOCK = HERE / "checkov" / "requirements.lock"


def _checkov() -> Path | None:
    folder = _keyed("checkov", CHECKOV_LOCK)
    return folder / "bin" / "checkov" if (folder / ".complete").exists() else None


def _install_checkov() -> None:
    """Put checkov into an environment of its own: it pins a hundred packages that are none of ours."""
    folder = _keyed("checkov", CHECKOV_LOCK)
    _run([sys.executable, "-m", "venv", "--clear", str(folder)])
    python = str(folder / "bin" / "python")
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes"]
    _run([python, "-m", "pip", "install", *options, "-r", str(CHECKOV_LOCK)])
    (folder / ".complete").touch()


TOOLS: dict[str, Tool] = {
    "git": Tool(lambda: _which("git"), lambda: _apt("git")),
    "node": Tool(lambda: _which("node"), lambda: _apt("nodejs", "npm")),
    "node_modules": Tool(_node_modules, _install_node_modules),
    "chromium": Tool(lambda: _which("chromium", "chromium-browser", "google-chrome"), lambda: _apt("chromium")),
    "postgresql": Tool(_postgresql, lambda: _apt("postgresql")),
    "redis": Tool(lambda: _which("redis-server"), lambda: _apt("redis-server")),
    # The services that these packages bring are neither needed nor started by anything here: tests start the programs.
    "prometheus": Tool(lambda: _which("prometheus"), lambda: _apt("prometheus")),
    "promtool": Tool(lambda: _which("promtool"), lambda: _apt("prometheus")),
    "alertmanager": Tool(lambda: _which("prometheus-alertmanager"), lambda: _apt("prometheus-alertmanager")),
    "amtool": Tool(lambda: _which("amtool"), lambda: _apt("prometheus-alertmanager")),
    "victoria-metrics": Tool(lambda: _which("victoria-metrics"), lambda: _apt("victoria-metrics")),
    "actionlint": ACTIONLINT.program("actionlint"),
    "etcd": KUBERNETES.program("etcd"),
    "kube-apiserver": KUBERNETES.program("kube-apiserver"),
    "kube-controller-manager": KUBERNETES.program("kube-controller-manager"),
    "kube-scheduler": KUBERNETES.program("kube-scheduler"),
    "kwok": KWOK.program("kwok"),
    "kwok-stages": _carried(KWOK, "sigs.k8s.io/kwok", "kustomize/stage", "stages"),
    "argocd": ARGOCD.program("argocd"),
    "helm": HELM.program("helm"),
    "checkov": Tool(_checkov, _install_checkov),
    "prometheus-operator-crds": _carried(
        PROMETHEUS_OPERATOR,
        "github.com/prometheus-operator/prometheus-operator",
        "example/prometheus-operator-crd",
        "crds",
    ),
    "kustomize": KUSTOMIZE.program("kustomize"),
    "dockerfile": DOCKERFILE.program("dockerfile"),
}


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Install what is missing; print one line for each program; fail only where every one of them is demanded."""
    missing = 0
    with _one_at_a_time():
        for name, tool in TOOLS.items():
            try:
                if tool.find() is None:
                    tool.install()
                print(f"peer {name}: ready")  # noqa: T201  # the line a person reads
            except Unavailable as reason:
                missing += 1
                print(f"peer {name}: its tests are skipped, because {reason}")  # noqa: T201  # the same
    return 1 if missing and os.environ.get("REQUIRE_PEERS") == "1" else 0


if __name__ == "__main__":
    sys.exit(main())
