"""`causeway render` of Environment documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.cli import main
from tests.rendering.environment_examples import BACKEND, DESIGN, FRONTEND

CONFIGURED = (
    "platform:\n  environments: {staging: {database: {seeding: {method: import, secret: reader}}}}\n"
    "  previews: {base: staging, domain: preview.example, longest: 14d}\n"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAUSEWAY_CONFIG", raising=False)
    (tmp_path / "environment.yaml").write_text(DESIGN)
    (tmp_path / "frontend.yaml").write_text(FRONTEND)
    (tmp_path / "backend.yaml").write_text(BACKEND.replace("size: medium}", "size: small}"))
    return tmp_path


def names(stream: str, kind: str) -> list[str]:
    documents: list[Any] = list(yaml.safe_load_all(stream))
    return [document["metadata"]["name"] for document in documents if document["kind"] == kind]


def test_the_design_s_document_alone_is_shown_with_a_usual_document_for_each_service(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", "environment.yaml"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("# There is no `platform.previews`: these take after staging.\n")
    assert names(told.out, "Namespace") == ["pr-123-preview"]
    assert names(told.out, "Deployment") == ["frontend", "backend"]
    assert names(told.out, "Cluster") == ["frontend-db", "backend-db"]
    assert told.err == ""


def test_documents_of_its_services_are_taken_from_other_files(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "frontend.yaml", "environment.yaml", "backend.yaml"]) == 0
    stream = capsys.readouterr().out
    assert names(stream, "Cluster") == ["backend-db"], "only one of them asks for a database"
    assert names(stream, "Deployment") == ["frontend", "backend-cache", "backend"]
    assert {
        document["metadata"]["namespace"] for document in yaml.safe_load_all(stream) if document["kind"] != "Namespace"
    } == {"pr-123-preview"}


def test_the_configuration_says_what_previews_are_like(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "causeway.yaml").write_text(CONFIGURED)
    assert main(["render", "environment.yaml"]) == 0
    stream = capsys.readouterr().out
    assert "frontend.pr-123-preview.preview.example" in stream
    assert not stream.startswith("#")
    (here / "environment.yaml").write_text(DESIGN.replace("7d", "15d"))
    assert main(["render", "environment.yaml"]) == 2
    assert capsys.readouterr().err == (
        "spec.ttl: `15d` is longer than an environment may stand; write from 10m to 14d, such as `7d`\n"
    )


def test_every_mistake_is_one_line_with_file_and_path(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "environment.yaml").write_text(DESIGN.replace("7d", "0d").replace("seedFrom", "seedForm"))
    (here / "backend.yaml").write_text(BACKEND.replace("autoscaling", "autoscling"))
    assert main(["render", "environment.yaml", "backend.yaml"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(": is")[0].partition(": `")[0] for line in lines] == [
        "environment.yaml: spec.ttl",
        "environment.yaml: spec.databases[0].seedForm",
        "backend.yaml: spec.autoscling",
    ]


def test_a_service_that_the_environment_has_not_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "other.yaml").write_text(FRONTEND.replace("frontend", "other"))
    assert main(["render", "environment.yaml", "other.yaml"]) == 2
    assert "other.yaml: metadata.name: `other` is no service of the environment" in capsys.readouterr().err


def test_what_the_platform_refuses_is_told_with_the_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "causeway.yaml").write_text(CONFIGURED.replace("method: import, secret: reader", "method: backup"))
    assert main(["render", "environment.yaml", "backend.yaml"]) == 2
    assert capsys.readouterr().err.startswith("environment.yaml: spec.databases[0].seedFrom: The backups of staging")


def test_a_platform_whose_first_environment_is_taken_says_so(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "environment.yaml").write_text(DESIGN.replace("pr-123-preview", "staging"))
    assert main(["render", "environment.yaml"]) == 2
    assert "metadata.name: `staging` is an environment of the platform; choose another" in capsys.readouterr().err
