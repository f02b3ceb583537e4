"""checkov finds nothing in what we render that is not explained here."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.rendering.printing import to_stream
from tests.peers.tools import need
from tests.rendering.environment_examples import CASES as PREVIEWS
from tests.rendering.environment_examples import preview_objects
from tests.rendering.examples import CASES, objects

EXPLAINED = {
    "CKV_K8S_11": "CPU limits: a container may use what nobody else needs; requests keep its share (`Size.cpu`)",
    "CKV_K8S_35": "secrets as variables: this is how the document asks for them; it can ask for files as well",
    "CKV_K8S_43": "images by digest: a tag that is a commit is never pushed twice; a document may name a digest",
    "CKV_K8S_15": "pull always: needless for an image whose tag is a commit, and the registry would have to be up",
}
"""Findings that are choices, with the reason."""
ONLY_HERE = {
    ("CKV_K8S_14", "Deployment.user-api-staging.user-api"): "the design's document says `latest`",
    ("CKV_K8S_14", "Deployment.user-api-production.user-api"): "the same",
    ("CKV_K8S_9", "Deployment.mailer-production.mailer"): "a worker takes no requests; ready means nothing for it",
}
"""Findings about what an example's document asks for."""


def findings(folder: Path) -> set[tuple[str, str]]:
    """Return id and resource of each failed check."""
    command: list[str | Path] = [
        need("checkov"),
        "--directory",
        folder,
        "--framework",
        "kubernetes",
        "--skip-download",
        "--output",
        "json",
    ]
    # The folder of its own keeps a configuration file of the person who runs this out of it.
    answer = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240, cwd=folder)
    assert answer.returncode in (0, 1), answer.stderr[-2000:]
    report: dict[str, Any] = json.loads(answer.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["resource_count"] > 0
    return {(found["check_id"], found["resource"]) for found in report["results"]["failed_checks"]}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    folder = tmp_path_factory.mktemp("rendered")
    for case in CASES:
        (folder / f"{case}.yaml").write_text(to_stream(objects(case)))
    for case in PREVIEWS:
        (folder / f"preview-{case}.yaml").write_text(to_stream(preview_objects(case)))
    return findings(folder)


def test_every_finding_is_explained(found: set[tuple[str, str]]) -> None:
    assert {one for one in found if one[0] not in EXPLAINED and one not in ONLY_HERE} == set()


def test_every_explanation_is_needed(found: set[tuple[str, str]]) -> None:
    assert set(EXPLAINED) <= {check for check, _ in found}
    assert set(ONLY_HERE) <= found


def test_a_careless_pod_would_be_found(tmp_path: Path) -> None:
    text = to_stream(objects("smallest")).replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true")
    (tmp_path / "careless.yaml").write_text(text)
    assert "CKV_K8S_20" in {check for check, _ in findings(tmp_path)}
