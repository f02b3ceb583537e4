from __future__ import annotations

from pathlib import Path

import pytest

from bot.golden_paths import cli
from bot.golden_paths.steps import ForgeNames
from tests.golden_paths.helpers import PUBLISH, TEXTBOOK, fetch, template


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "path"
    (root / "skeleton").mkdir(parents=True)
    (root / "template.yaml").write_text(TEXTBOOK)
    (root / "skeleton" / "${{ values.name }}.md").write_text("# ${{ values.name }}\n")
    (root / "skeleton" / "run").write_text("#!/bin/sh\n")
    (root / "skeleton" / "run").chmod(0o755)
    (root / "skeleton" / "link").symlink_to("run")
    (tmp_path / "values.yaml").write_text("name: orders\nowner: group:default/team-orders\n")
    return tmp_path


def test_a_template_is_rendered_into_a_folder(folder: Path) -> None:
    code, lines = cli.render(folder / "path", folder / "values.yaml", folder / "out", ForgeNames(owner="acme"))
    out = folder / "out"
    assert (code, lines[1:]) == (0, ["then: publish: publish:github acme/orders"])
    assert (out / "orders.md").read_text() == "# orders\n"
    assert (out / "run").stat().st_mode & 0o777 == 0o755
    assert (out / "link").readlink() == Path("run")
    assert (out / ".causeway" / "template.yaml").is_file()


def test_a_folder_with_something_in_it_is_not_written_to(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "mine").write_text("x")
    code, [line] = cli.render(folder / "path", folder / "values.yaml", folder / "out")
    assert (code, "is not an empty folder" in line) == (2, True)
    assert [path.name for path in (folder / "out").iterdir()] == ["mine"]


@pytest.mark.parametrize("values", ["[1]", "a: [", "a: 1\n---\nb: 2\n"])
def test_values_that_cannot_be_read_are_told(folder: Path, values: str) -> None:
    (folder / "values.yaml").write_text(values)
    code, [line] = cli.render(folder / "path", folder / "values.yaml", folder / "out")
    assert (code, "values.yaml" in line) == (2, True)


def test_missing_files_are_told(folder: Path) -> None:
    assert cli.render(folder / "path", folder / "nope.yaml", folder / "out")[0] == 2
    assert cli.render(folder / "nope", folder / "values.yaml", folder / "out")[0] == 2
    assert cli.check(folder / "path" / "skeleton")[0] == 2


def test_a_check_lists_every_mistake_with_its_path(folder: Path) -> None:
    assert cli.check(folder / "path") == (0, ["template.yaml: `python-service` can be used."])
    (folder / "path" / "template.yaml").write_text(template(fetch() | {"action": "fetch:magic"}, PUBLISH | {"id": 5}))
    code, lines = cli.check(folder / "path")
    assert code == 1
    assert lines[1:] == [
        "  spec.steps[0].action: The action `fetch:magic` is not known here.",
        "  spec.steps[1].id: At most 80 letters, digits, `-` and `_` are needed.",
    ]


def test_a_mistake_while_rendering_is_listed(folder: Path) -> None:
    (folder / "values.yaml").write_text("name: ../../etc\nowner: group:default/team-orders\n")
    code, lines = cli.render(folder / "path", folder / "values.yaml", folder / "out")
    assert code == 1
    assert "leaves the repository" in lines[0]
    assert not (folder / "out").exists()
