"""`causeway render`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bot.cli import main
from tests.rendering.examples import DESIGN, WORKER


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAUSEWAY_CONFIG", raising=False)
    (tmp_path / "design.yaml").write_text(DESIGN)
    return tmp_path


def test_the_stream_holds_every_object(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "worker.yaml").write_text(WORKER)
    assert main(["render", "design.yaml", "worker.yaml"]) == 0
    told = capsys.readouterr()
    kinds = [document["kind"] for document in yaml.safe_load_all(told.out)]
    assert kinds.count("Deployment") == 3, "a service, a worker and its cache"
    assert told.err == ""


def test_each_mistake_is_one_line_with_its_path(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "wrong.yaml").write_text(DESIGN.replace("replicas: 3", "repicas: 3").replace("user-api:latest", "User"))
    assert main(["render", "wrong.yaml"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert [line.partition(": ")[0] for line in told.err.splitlines()] == ["spec.image", "spec.repicas"]


def test_mistakes_in_several_files_name_the_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "wrong.yaml").write_text("a: b")
    (here / "again.yaml").write_text(DESIGN)
    assert main(["render", "design.yaml", "wrong.yaml", "again.yaml"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert any(line.startswith("wrong.yaml: apiVersion: is missing") for line in lines)
    assert any(line.startswith("again.yaml: metadata.name: the name is taken") for line in lines)


def test_the_platform_is_read_from_the_configuration(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "mine.yaml").write_text(
        "platform:\n  environments: {test: {max_replicas: 2}, live: {namespace: '{environment}'}}\n"
        "slack: {nonsense: is not read here}\n"
    )
    assert main(["render", "design.yaml", "--config", "mine.yaml"]) == 2
    assert capsys.readouterr().err == "spec.replicas: 3 is more than test allows; 2 is the most there\n"
    assert main(["render", "design.yaml", "--config", "mine.yaml", "--environment", "live"]) == 0
    assert "namespace: live\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.yaml"], "nowhere.yaml cannot be read: No such file or directory."),
        (["design.yaml", "--environment", "moon"], "There is no environment `moon`."),
        (["design.yaml", "--config", "nowhere.yaml"], "nowhere.yaml cannot be read"),
        (["design.yaml", "--config", "broken.yaml"], "broken.yaml is not YAML near line 1."),
        (["design.yaml", "--config", "wrong.yaml"], "platform.environment: is not a field; did you mean"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    (here / "broken.yaml").write_text("a: [}")
    (here / "wrong.yaml").write_text("platform: {environment: {}}")
    assert main(["render", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_rendering_starts_without_what_it_does_not_need() -> None:
    code = (
        "import sys; import bot.terminal.render, bot.rendering.kinds.workloads; "
        "print(*sorted({'sqlalchemy', 'aiohttp', 'slack_sdk', 'kubernetes', 'dbos', 'jsonschema'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120)
    assert answer.stdout == "\n"


def test_a_database_that_is_a_file_is_shown_as_comments(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "database.tf.j2").write_text('# Causeway\nname = "{{ name }}"\n')
    provider = {"provider": "git", "file": {"template": "database.tf.j2"}}
    platform = {
        "environments": {"staging": {"database": provider}},
        "gitops": {"repository": "acme/gitops"},
        "templates": ["."],
    }
    (here / "causeway.yaml").write_text(yaml.safe_dump({"platform": platform}))
    assert main(["render", "design.yaml"]) == 0
    told = capsys.readouterr().out
    assert '# databases/unowned/user-api-staging.tf:\n# # Causeway\n# name = "user-api"\n' in told
    assert "Cluster" not in [document["kind"] for document in yaml.safe_load_all(told)]
