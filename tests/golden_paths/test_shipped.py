"""The golden paths that ship: they can be used, and what they make is sound and its own tests pass."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bot.golden_paths import cli
from bot.golden_paths.library import GoldenPath
from bot.golden_paths.sandbox import Sandbox
from bot.golden_paths.sources import FolderSource, TemplateLibrary
from bot.golden_paths.steps import ForgeNames, Rendered, Requester, Runner
from bot.model.platform import Environment, Monitoring, Platform
from bot.model.web_service.parts import USUAL_BUCKETS
from bot.rendering.documents import read as read_platform
from bot.rendering.render import render
from tests.peers.tools import need

ROOT = Path(__file__).parents[2] / "manifests" / "golden_paths"
NAMES = ("python-service", "node-service")
DESCRIPTION = 'Takes "orders": {{ x }} # and: keeps <them> \\ safe ${{ 1 }}'


async def rendered(name: str, **answers: str) -> tuple[GoldenPath, Rendered]:
    async with Sandbox() as sandbox:
        library = TemplateLibrary([FolderSource(ROOT)])
        await library.load()
        assert library.broken() == ()
        given = {"name": "orders", "owner": "group:default/team-orders", "description": DESCRIPTION, **answers}
        runner = Runner(sandbox=sandbox, forge=ForgeNames(owner="Acme"))
        return library.get(name), await runner.run(library.get(name), given, Requester(ref="user:default/author"))


@pytest.fixture(params=NAMES)
async def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    _, result = await rendered(request.param)
    for file in result.files:
        cli.write_file(tmp_path, file)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_used_without_a_note(name: str) -> None:
    from bot.forms.schema import form_of  # noqa: PLC0415 - the other room is asked only here

    code, lines = cli.check(ROOT / name, form_of)
    assert code == 0, lines
    assert [line for line in lines if "note:" in line and "GitHub's own expressions" not in line] == []


@pytest.mark.parametrize("name", NAMES)
async def test_it_creates_protects_and_registers(name: str) -> None:
    path, result = await rendered(name, system="system:default/shop", visibility="internal")
    publish, register = result.actions
    assert publish.repository == "Acme/orders"
    assert publish.inputs["protectDefaultBranch"] is True
    assert publish.inputs["requiredStatusCheckContexts"] == ["test"]
    assert publish.inputs["collaborators"] == [{"team": "team-orders", "access": "maintain"}]
    assert publish.inputs["repoVisibility"] == "internal"
    assert register.outputs["entityRef"] == "component:default/orders"
    assert [link.title for link in result.links] == ["Repository", "In the catalog"]
    assert [revision.of for revision in result.revisions] == [f"template:{path.id}"]


def test_no_tag_of_the_template_is_left(project: Path) -> None:
    left = [
        path.relative_to(project)
        for path in project.rglob("*")
        if path.is_file()
        and ".github/workflows" not in str(path)
        and re.search(r"\$\{\{ *values|\{%", path.read_text(encoding="utf-8"))
    ]
    assert left == []


def test_every_document_can_be_read(project: Path) -> None:
    documents = {str(path.relative_to(project)): path for path in project.rglob("*.y*ml")}
    read = {name: yaml.safe_load(path.read_text(encoding="utf-8")) for name, path in documents.items()}
    assert read["catalog-info.yaml"]["metadata"]["description"] == DESCRIPTION
    assert read["catalog-info.yaml"]["spec"]["owner"] == "group:default/team-orders"
    assert "system" not in read["catalog-info.yaml"]["spec"]
    assert read["platform.yaml"]["kind"] == "WebService"
    assert read["platform.yaml"]["spec"] == {
        "image": "ghcr.io/acme/orders:latest",
        "replicas": 2,
        "slo": {"availability": 99.5, "latency": {"target": 99, "below": "1s"}},
        "runbook": "https://github.com/Acme/orders/blob/main/docs/runbook.md",
    }
    assert read["mkdocs.yml"]["site_name"] == "orders"
    for page in [page for entry in read["mkdocs.yml"]["nav"] for page in entry.values()]:
        assert (project / "docs" / page).is_file()
    assert (project / ".github/CODEOWNERS").read_text(encoding="utf-8") == "* @Acme/team-orders\n"
    assert read[".causeway/template.yaml"]["answers"]["name"] == "orders"


async def test_the_system_is_kept_when_it_is_given() -> None:
    _, result = await rendered("python-service", system="system:default/shop")
    [info] = [file for file in result.files if file.path == "catalog-info.yaml"]
    assert yaml.safe_load(info.content)["spec"]["system"] == "system:default/shop"


def test_its_runbook_knows_every_alert_of_its_promise(project: Path) -> None:
    (document,) = read_platform((project / "platform.yaml").read_text(encoding="utf-8"))
    monitored = Environment(monitoring=Monitoring(enabled=True))
    rendered_objects = render(
        document, environment="production", platform=Platform(environments={"production": monitored})
    )
    (rule,) = [obj for obj in rendered_objects if obj["kind"] == "PrometheusRule"]
    alerts = set(re.findall(r"\w+BudgetBurns\w+", json.dumps(rule)))
    assert len(alerts) == 4
    assert alerts == set(re.findall(r"`(\w+BudgetBurns\w+)`", (project / "docs/runbook.md").read_text()))


@pytest.mark.parametrize("name", NAMES)
def test_its_buckets_are_those_that_documents_count_on(name: str) -> None:
    (source,) = [file for file in (ROOT / name / "skeleton/service").iterdir() if file.stem == "metrics"]
    (written,) = re.findall(r"^(?:const )?BUCKETS_\w+ = [\[(](.*)[\])]", source.read_text(), re.MULTILINE)
    assert tuple(float(bound) for bound in written.split(",")) == USUAL_BUCKETS


def test_its_own_tests_pass(project: Path) -> None:
    if (project / "package.json").exists():
        assert json.loads((project / "package.json").read_text(encoding="utf-8"))["description"] == DESCRIPTION
        command, environment = [str(need("node")), "--test"], dict(os.environ)
    else:
        command, environment = [sys.executable, "-W", "error", "-m", "unittest"], os.environ | {"PYTHONPATH": "."}
    environment.pop("NODE_TEST_CONTEXT", None)
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_workflow_passes_actionlint(project: Path) -> None:
    workflow = project / ".github/workflows/ci.yml"
    command = [str(need("actionlint")), "-shellcheck=", "-pyflakes=", str(workflow)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout


def test_its_workflow_passes_zizmor(project: Path) -> None:
    zizmor = Path(sys.executable).with_name("zizmor")
    command = [
        str(zizmor),
        "--offline",
        "--no-progress",
        "--strict-collection",
        "--persona",
        "pedantic",
        str(project / ".github"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_actions_are_pinned_by_hash(project: Path) -> None:
    text = (project / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)", text)
    assert len(used) == 7
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", one) for one in used)


def test_its_image_is_built_in_stages_and_runs_as_nobody(project: Path) -> None:
    lines = [line for line in (project / "Dockerfile").read_text(encoding="utf-8").splitlines() if line[:1].isalpha()]
    last = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM ")) :]
    copied = [line.split()[1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    assert sum(line.startswith("FROM ") for line in lines) > 1
    assert "USER 65532:65532" in last
    assert any(line.startswith("HEALTHCHECK ") for line in last)
    assert last[-1].startswith("ENTRYPOINT [")
    assert all((project / name).exists() for name in copied)
    assert not any(line.startswith("ADD ") for line in lines)


def test_every_requirement_of_the_python_service_has_its_hashes() -> None:
    text = (ROOT / "python-service/skeleton/requirements.txt").read_text(encoding="utf-8")
    requirements = [line for line in text.splitlines() if line[:1].isalpha()]
    assert len(requirements) == 10
    assert all(re.match(r"[a-z-]+==[\d.]+( ; .+)? \\$", line) for line in requirements)
