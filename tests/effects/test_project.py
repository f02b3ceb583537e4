"""A team's project before the Applications in it, whoever has written its file."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from bot.effects.project import joined
from bot.errors import Conflict
from bot.model.canonical import JSON
from tests.effects.scenes import PROJECT

WAVE = "argocd.argoproj.io/sync-wave"
OURS: dict[str, JSON] = {**PROJECT, "metadata": {"name": "team-orders", "annotations": {WAVE: "-1"}}}


def theirs(metadata: Any, **spec: Any) -> str:
    return yaml.safe_dump({"kind": "AppProject", "metadata": metadata, "spec": spec})


@pytest.mark.parametrize(
    ("metadata", "annotations"),
    [
        ({"name": "team-orders"}, {WAVE: "-1"}),
        ({"name": "team-orders", "annotations": {"note": "ours"}}, {WAVE: "-1", "note": "ours"}),
        ({"name": "team-orders", "annotations": {WAVE: "-5"}}, {WAVE: "-5"}),
        ({"name": "team-orders", "annotations": None}, {WAVE: "-1"}),
    ],
)
def test_a_project_that_is_joined_comes_before_its_applications(metadata: Any, annotations: dict[str, str]) -> None:
    after = yaml.safe_load(joined(theirs(metadata, destinations=[]), OURS))
    assert after["metadata"] == {"name": "team-orders", "annotations": annotations}


def test_a_project_that_allows_everything_already_stays_as_it_was_written() -> None:
    spec: Any = PROJECT["spec"]
    text = theirs({"name": "team-orders"}, **spec)
    assert joined(text, OURS) == text


BROKEN = [
    *("hello", "", "[" * 20_000, "kind: AppProject\nspec: 2026-99-99", "kind: AppProject\nspec: {destinations: 3}"),
    "kind: AppProject\nmetadata: x\nspec: {}",
    "kind: AppProject\nspec: {a: &a [x, x], destinations: [*a, *a]}",
]


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_a_file_that_somebody_broke_is_told(text: str) -> None:
    with pytest.raises(Conflict, match="is no AppProject"):
        joined(text, OURS)
