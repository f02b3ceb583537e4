"""The container file, as Docker's own builder reads it, and the wheel that it installs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.install.built import EXAMPLE, INSTALL, ROOT, build, one
from tests.peers.tools import need

FILE = INSTALL / "Containerfile"
IGNORED = INSTALL / "Containerfile.dockerignore"
DOCUMENT = """\
apiVersion: platform.company.io/v1
kind: WebService
metadata: {name: orders}
spec: {image: "a.example/orders:1"}
"""
PACKAGES = ("bot", "commands", "integrations", "manifests", "playground")


def read(folder: Path) -> Any:
    """Return what Docker makes of the file, and which files of `folder` a build would be sent."""
    words = [need("dockerfile"), FILE, IGNORED, folder]
    return json.loads(subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a build is made from, with things beside it that must stay out."""
    folder: Path = tmp_path_factory.mktemp("source")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "requirements.lock"):
        shutil.copy(ROOT / name, folder / name)
    overlay = folder / "manifests" / "install" / "overlays" / "production"
    overlay.mkdir()
    for secret in (
        overlay / "secret.env",
        overlay / "causeway.yaml",
        folder / "causeway.pem",
        folder / "bot" / "a.pem",
    ):
        secret.write_text("SECRET")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("")
    return folder


@pytest.fixture(scope="module")
def installed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which a wheel of the source was installed, as pip would into site-packages."""
    built: Path = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    words = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(built), str(source)]
    subprocess.run([*pip, *words], check=True, capture_output=True, timeout=300)
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(built / "site")
    return built / "site"


def test_docker_reads_it_without_a_complaint(source: Path) -> None:
    assert read(source)["warnings"] == []


def test_the_image_runs_as_nobody_in_particular(source: Path) -> None:
    image = read(source)["image"]
    pod = one(build(EXAMPLE), "Deployment", "causeway")["spec"]["template"]["spec"]
    user = pod["securityContext"]
    assert image["User"] == f"{user['runAsUser']}:{user['runAsGroup']}"
    assert [*image["Entrypoint"], *pod["containers"][0]["args"]] == ["causeway", "serve"]
    assert "HOME=/tmp" in image["Env"]  # a user without an entry in /etc/passwd has no other
    assert f"{pod['containers'][0]['ports'][0]['containerPort']}/tcp" in image["ExposedPorts"]


def test_the_entry_point_is_a_program_of_the_wheel(installed: Path) -> None:
    (names,) = installed.glob("*.dist-info/entry_points.txt")
    assert "causeway = bot.cli:main" in names.read_text()


def test_only_locked_and_hashed_packages_come_in() -> None:
    instructions = re.sub(r"\\\n\s*", "", FILE.read_text())
    pips = [line for line in instructions.splitlines() if re.search(r"pip install\b", line)]
    assert len(pips) == 2
    assert "--require-hashes --only-binary :all: -r wheels/requirements.lock" in pips[0]
    assert "--no-build-isolation --no-deps ." in pips[1]
    assert not re.search(r"curl|wget|apt-get|ADD http", instructions)


def test_the_builder_is_sent_what_the_image_needs_and_no_secret(source: Path) -> None:
    sent = set(read(source)["context"])
    assert {path.split("/")[0] for path in sent} == {*PACKAGES, "pyproject.toml", "README.md", "requirements.lock"}
    assert not [path for path in sent if (source / path).read_bytes() == b"SECRET"]
    assert "manifests/install/account/rbac-read.yaml" in sent
    assert "manifests/golden_paths/python-service/skeleton/.github/workflows/ci.yml" in sent


def files(folder: Path) -> Iterator[str]:
    return (str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_the_wheel_carries_everything_declarative(source: Path, installed: Path) -> None:
    assert set(files(installed / "manifests")) == set(files(source / "manifests"))


def run_installed(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the installed program away from the checkout: nothing of it may be found there."""
    code = "import sys, bot; assert bot.__file__.startswith(sys.path[0]), bot.__file__; from bot.cli import main; "
    program = [
        sys.executable,
        "-W",
        "error",
        "-c",
        f"import sys; sys.path.insert(0, {str(site)!r}); {code}sys.exit(main())",
    ]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return subprocess.run(
        [*program, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_installed_program_finds_templates_migrations_and_rights(installed: Path, tmp_path: Path) -> None:
    """The doctor reads all three."""
    config = tmp_path / "causeway.yaml"
    config.write_text("ledger: {publish_file: heads.jsonl}\n")
    told = run_installed(installed, tmp_path, "doctor", "--config", str(config))
    assert told.stderr == ""
    assert "ok    golden paths: 2 can be used: node-service, python-service." in told.stdout
    code = (
        f"import sys; sys.path.insert(0, {str(installed)!r})\n"
        "from bot.storage.migrate import head, upgrade\n"
        "from bot.rendering.templates import SHIPPED\n"
        "from bot.terminal.doctor.rights import READ, granted\n"
        "assert granted(READ) and upgrade('sqlite:///a.db') and all(folder.is_dir() for folder in SHIPPED)\n"
        "print(head())\n"
    )
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert found.stderr == ""
    assert found.stdout.strip().isdecimal()


def test_the_installed_program_renders_a_document(installed: Path, tmp_path: Path) -> None:
    document = tmp_path / "platform.yaml"
    document.write_text(DOCUMENT)
    made = run_installed(installed, tmp_path, "render", str(document))
    assert made.returncode == 0, made.stderr
    assert "Deployment" in {obj["kind"] for obj in yaml.safe_load_all(made.stdout)}
