"""Our rendering against the real nunjucks, byte for byte, over the corpus."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.golden_paths.evaluation import ABSENT, Evaluator
from bot.golden_paths.faults import Fault
from bot.golden_paths.rendering import Options, render_skeleton
from bot.golden_paths.tree import PLAIN, Entry, Workspace
from bot.golden_paths.values import dumped, wrap
from tests.peers.tools import need

CORPUS: dict[str, Any] = json.loads(Path(__file__).with_name("corpus.json").read_text(encoding="utf-8"))
VALUES: dict[str, Any] = CORPUS["values"]
SCRIPT = Path(__file__).with_name("nunjucks.js")


def nunjucks(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    command = [str(need("node")), str(SCRIPT), str(need("node_modules"))]
    done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, timeout=120, check=True)
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def ours(source: str, **options: Any) -> dict[str, Any]:
    workspace = Workspace(10, 10**6)
    skeleton = {"file": Entry(PLAIN, source.encode())}
    try:
        render_skeleton(skeleton, Options(values=wrap(VALUES), **options), workspace, limit=10**6)
    except Fault as fault:
        return {"error": fault.message}
    entry = workspace.get("file")
    assert entry is not None
    return {"text": entry.content.decode()}


@cache
def _answers(group: str) -> list[dict[str, Any]]:
    context = {"values": VALUES}
    return nunjucks([{"source": source, "context": context} for source in CORPUS["files"][group]])


@pytest.mark.parametrize("group", CORPUS["files"])
def test_a_file_renders_as_nunjucks_renders_it(group: str) -> None:
    different = [
        (source, theirs, mine)
        for source, theirs in zip(CORPUS["files"][group], _answers(group), strict=True)
        if (mine := ours(source)) != theirs and not ("error" in mine and "error" in theirs)
    ]
    assert different == []


@pytest.mark.parametrize(
    "options", [{"trim_blocks": True}, {"lstrip_blocks": True}, {"trim_blocks": True, "lstrip_blocks": True}]
)
def test_blocks_are_trimmed_as_nunjucks_trims_them(options: dict[str, bool]) -> None:
    spoken = {"trimBlocks": options.get("trim_blocks", False), "lstripBlocks": options.get("lstrip_blocks", False)}
    context = {"values": VALUES}
    theirs = nunjucks([{"source": s, "context": context, "options": spoken} for s in CORPUS["trimmed"]])
    assert [ours(source, **options) for source in CORPUS["trimmed"]] == theirs


def test_cookiecutter_templates_render_as_nunjucks_renders_them() -> None:
    context = {"cookiecutter": VALUES}
    asked = [{"source": s, "context": context, "options": {"cookiecutter": True}} for s in CORPUS["cookiecutter"]]
    assert [ours(source, cookiecutter=True) for source in CORPUS["cookiecutter"]] == nunjucks(asked)


def test_a_step_value_keeps_the_type_that_backstage_keeps() -> None:
    context = {"values": VALUES}
    theirs = nunjucks([{"source": source, "context": context, "step": True} for source in CORPUS["step_values"]])
    mine = [_step_value(source) for source in CORPUS["step_values"]]
    assert [(s, m) for s, m in zip(CORPUS["step_values"], mine, strict=True)] == list(
        zip(CORPUS["step_values"], theirs, strict=True)
    )


def _step_value(source: str) -> dict[str, Any]:
    found = Evaluator("acme").value(source, {"values": wrap(VALUES)}, "here")
    return {"absent": True} if found is ABSENT else {"value": json.loads(dumped(found) or "null")}
