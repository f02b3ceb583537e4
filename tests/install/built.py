"""What kustomize makes of `manifests/install/`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.peers.tools import need

ROOT = Path(__file__).parents[2]
INSTALL = ROOT / "manifests" / "install"
EXAMPLE = INSTALL / "overlays" / "example"
COMPONENTS = tuple(sorted(folder.parent.name for folder in (INSTALL / "components").glob("*/kustomization.yaml")))

Objects = Sequence[dict[str, Any]]


@cache
def build(folder: Path) -> Objects:
    """Return the objects of a kustomization; fail with kustomize's own words."""
    made = subprocess.run([need("kustomize"), "build", folder], capture_output=True, text=True, timeout=60, check=False)
    assert made.returncode == 0, made.stderr
    assert "deprecated" not in made.stderr.lower(), made.stderr
    return tuple(yaml.safe_load_all(made.stdout))


def overlay(folder: Path, *components: str) -> Objects:
    """Return the objects of the base with these components, put together in an empty folder as a company would."""
    place = folder / "-".join(components or ("base",))
    place.mkdir()
    beside = Path(os.path.relpath(INSTALL, place.resolve()))
    document = {
        "resources": [str(beside / "base")],
        "components": [str(beside / "components" / name) for name in components],
        "configMapGenerator": [{"name": "causeway", "namespace": "causeway", "literals": ["causeway.yaml={}"]}],
    }
    (place / "kustomization.yaml").write_text(yaml.safe_dump(document))
    return build(place)


def one(objects: Objects, kind: str, name: str) -> dict[str, Any]:
    """Return the only object of that kind and name."""
    (found,) = (obj for obj in objects if (obj["kind"], obj["metadata"]["name"]) == (kind, name))
    return found


def source_documents() -> list[tuple[Path, dict[str, Any]]]:
    """Return every object that stands in `manifests/install/`, with its file, as it was written."""
    found = [(file, document) for file in sorted(INSTALL.rglob("*.yaml")) for document in _documents(file)]
    return [(file, document) for file, document in found if "kind" in document]


def _documents(file: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(file.read_text()) if document]
