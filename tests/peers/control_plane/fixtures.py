"""One control plane for a whole run of tests, with the real CRDs, our own, and the bot's rights installed.

Everything that uses it is in one xdist group, so that one worker starts it: `pytestmark = CONTROL_PLANE`.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.peers.control_plane import rig
from tests.peers.control_plane.programs import await_true

CONTROL_PLANE = pytest.mark.xdist_group("control-plane")

ROOT = Path(__file__).parents[3]
INSTALL = ROOT / "manifests" / "install"
OUR_CRDS = ROOT / "manifests" / "crds"
REAL_CRDS = ROOT.parent / "shared" / "data" / "crds"
"""CRDs as Argo CD, CloudNativePG and Crossplane publish them: data for tests, not part of the project."""
RIGHTS = ("Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
CRD_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rig.ControlPlane]:
    with rig.control_plane(tmp_path_factory.mktemp("control-plane")) as plane:
        with ThreadPoolExecutor(4) as pool:
            # Converting and publishing the schemas is most of a rig's start.
            list(pool.map(lambda file: _install_crd(plane, file), _crds()))
            for obj in bot_rights():
                plane.apply(obj)
        yield plane


def bot_rights() -> list[Any]:
    """Return what makes the bot what it is after a plain installation: its account, its rights, and no others."""
    argocd = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}
    return [*rights(INSTALL / "account"), argocd, *rights(INSTALL / "base")]


def need_real_crds() -> None:
    """Skip a test that is about other projects' kinds where their CRDs are not at hand."""
    if not REAL_CRDS.is_dir():
        pytest.skip(f"no CRDs of other projects in {REAL_CRDS}")


def grant(plane: rig.ControlPlane, folder: Path, *, namespace: str = "") -> None:
    """Give the rights that stand in a folder of `manifests/install/`, those for one namespace in this one."""
    for obj in rights(folder, namespace=namespace):
        plane.apply(obj)


@contextmanager
def granted(plane: rig.ControlPlane, folder: Path) -> Iterator[None]:
    """The same for a while: the control plane is shared with tests of what the bot may not do."""
    grant(plane, folder)
    try:
        yield
    finally:
        for obj in reversed(rights(folder)):
            plane.call("DELETE", rig.path_of(obj))


def rights(folder: Path, *, namespace: str = "") -> list[Any]:
    """Return the objects that give rights, in an order in which they can be made."""
    documents = [one for file in sorted(folder.rglob("*.yaml")) for one in yaml.safe_load_all(file.read_text())]
    wanted = sorted(
        (one for one in documents if one and one.get("kind") in RIGHTS), key=lambda one: RIGHTS.index(one["kind"])
    )
    for obj in wanted:
        if namespace and obj["kind"] in ("Role", "RoleBinding"):
            obj["metadata"]["namespace"] = namespace
    return wanted


def _crds() -> list[Path]:
    return [file for folder in (REAL_CRDS, OUR_CRDS) if folder.is_dir() for file in sorted(folder.glob("*.yaml"))]


@cache
def crds() -> tuple[Any, ...]:
    """Return every CRD that the control plane is given: those of other projects that are at hand, and our own."""
    return tuple(crd for file in _crds() for crd in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader))


def _install_crd(plane: rig.ControlPlane, file: Path) -> None:
    for crd in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader):  # the safe one, in C
        plane.apply(crd)
        await_true(f"{file.name} is served", partial(_served, plane, crd["metadata"]["name"]))


def _served(plane: rig.ControlPlane, name: str) -> bool:
    crd = plane.call("GET", f"{CRD_PATH}/{name}")
    conditions = {one["type"]: one["status"] for one in crd["status"].get("conditions") or ()}
    return conditions.get("Established") == "True"
