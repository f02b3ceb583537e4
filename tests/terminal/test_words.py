"""Manifest, templates and starts that cannot be: one clear sentence each."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.terminal.conftest import causeway

ROOT = Path(__file__).parent.parent.parent
PATHS = ROOT / "manifests" / "golden_paths"


def test_the_manifest_in_the_repository_is_up_to_date() -> None:
    said = causeway("manifest", "--check", "--file", str(ROOT / "app-manifest.yml"))
    assert (said.status, said.err) == (0, "")


def test_a_manifest_that_is_missing_or_old_is_told(tmp_path: Path) -> None:
    file = tmp_path / "app-manifest.yml"
    assert causeway("manifest", "--check", "--file", str(file)).status == 1
    assert causeway("manifest", "--file", str(file)).status == 0
    assert causeway("manifest", "--check", "--file", str(file)).status == 0
    file.write_text(file.read_text().replace("/service", "/servise"))
    said = causeway("manifest", "--check", "--file", str(file))
    assert said.status == 1
    assert "is out of date. Run `causeway manifest`" in said.out


def test_the_shipped_golden_paths_can_be_used() -> None:
    said = causeway("template", "check", str(PATHS))
    assert said.status == 0
    assert "`python-service` can be used." in said.out
    assert "`node-service` can be used." in said.out


def test_a_template_with_an_unknown_action_is_refused_by_its_name(tmp_path: Path) -> None:
    text = (PATHS / "python-service" / "template.yaml").read_text()
    (tmp_path / "template.yaml").write_text(text.replace("publish:github", "publish:gitbucket"))
    said = causeway("template", "check", str(tmp_path))
    assert said.status == 1
    assert "publish:gitbucket" in said.out


def test_a_template_is_rendered_without_any_system(tmp_path: Path) -> None:
    values, out = tmp_path / "values.yaml", tmp_path / "out"
    values.write_text("name: tried-out\nowner: group:default/team-orders\n")
    words = ("template", "render", str(PATHS / "python-service"), "--values", str(values), "--out", str(out))
    said = causeway(*words)
    assert said.status == 0
    assert "then: publish: publish:github example/tried-out" in said.out
    assert "tried-out" in (out / "catalog-info.yaml").read_text()
    again = causeway(*words)
    assert again.status == 2
    assert "is not an empty folder" in again.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("check", "/nowhere"), "There is no folder `/nowhere`."),
        (("render", "/nowhere", "--values", "/nowhere", "--out", "/nowhere/out"), "There is no folder `/nowhere`."),
        (("render", str(PATHS), "--values", "/nowhere", "--out", "/nowhere/out"), "There are 2 templates"),
    ],
)
def test_what_cannot_be_tried_is_told(words: tuple[str, ...], told: str) -> None:
    said = causeway("template", *words)
    assert said.status == 2
    assert told in said.out


@pytest.mark.parametrize("words", [(), ("bogus",), ("ledger",), ("run",), ("template", "render", "x")])
def test_words_that_are_no_command_end_with_2(words: tuple[str, ...]) -> None:
    said = causeway(*words)
    assert said.status == 2
    assert said.err.startswith("usage: causeway")


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/causeway.db"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        said = causeway("serve", CAUSEWAY_DATABASE_URL=database, CAUSEWAY_LISTEN=listen, CAUSEWAY_LOG_LEVEL="ERROR")
    assert said.status == 2
    told = f"Causeway cannot listen on {listen}. Stop what listens there, or set CAUSEWAY_LISTEN to a free HOST:PORT."
    assert told in said.err


@pytest.mark.parametrize(
    ("settings", "status", "told"),
    [
        ({"CAUSEWAY_SLAK_BOT_TOKEN": "x"}, 2, "CAUSEWAY_SLAK_BOT_TOKEN: did you mean CAUSEWAY_SLACK_BOT_TOKEN?"),
        ({"CAUSEWAY_DATABASE_URL": "mysql://x"}, 2, "must begin with sqlite:/// or postgresql://"),
        ({"CAUSEWAY_CONFIG": "/nowhere.yaml"}, 2, "/nowhere.yaml: cannot be read: No such file or directory"),
        ({"CAUSEWAY_DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:9/x"}, 1, "The database cannot be used"),
        ({"CAUSEWAY_CLOCK_URL": "http://127.0.0.1:9/"}, 1, "The playground's clock does not answer."),
    ],
)
def test_settings_that_cannot_be_are_told(settings: dict[str, str], status: int, told: str) -> None:
    said = causeway("serve", **{"CAUSEWAY_LOG_LEVEL": "ERROR"} | settings)
    assert said.status == status
    assert told in said.err
    assert "hunter2" not in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--bot-url", "http://127.0.0.1:9"), "`--bot-url` goes with `--peers-only`."),
        (("--port", "99999999"), "A port is a number"),
        (("--port", "0", "--config", "/nowhere"), "The playground cannot start: /nowhere: No such file or directory."),
        (("--port", "0", "--database-url", "mysql://x"), "must begin with sqlite:/// or postgresql://"),
    ],
)
def test_a_playground_that_cannot_start_says_why(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    said = causeway("playground", "--headless", "--data-dir", str(tmp_path), *words)
    assert said.status == 2
    assert told in said.err
