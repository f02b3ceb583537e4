from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bot.golden_paths.faults import Fault
from bot.golden_paths.filesteps import template_options
from bot.golden_paths.globs import matcher
from bot.golden_paths.rendering import render_skeleton
from bot.golden_paths.tree import LINK, OWN, PLAIN, Entry, Workspace, checked_path, folder_path

VALUES = {"name": "orders", "package": "com.acme", "on": True, "off": False, "blank": ""}


def render(files: Mapping[str, str], workspace: Workspace | None = None, **inputs: Any) -> dict[str, str]:
    workspace = workspace or Workspace(100, 10**6)
    skeleton = {path: Entry(PLAIN, text.encode()) for path, text in files.items()}
    render_skeleton(skeleton, template_options({"values": VALUES, **inputs}, "acme"), workspace, limit=10**6)
    return {path: entry.content.decode() for path, entry in workspace.below("")}


def test_paths_are_rendered() -> None:
    files = {"src/${{ values.package | replace('.', '/') }}/${{ values.name }}.py": "x"}
    assert render(files) == {"src/com/acme/orders.py": "x"}


@pytest.mark.parametrize(
    "path",
    [
        "${{ values.blank }}",
        "a/${{ values.blank }}",
        "${{ values.blank }}/a",
        "a/${{ values.missing }}/b",
        "{% if values.off %}ci.yml{% endif %}",
        "{% if values.off %}docs{% endif %}/index.md",
    ],
)
def test_a_path_with_a_part_that_renders_empty_is_left_out(path: str) -> None:
    assert render({path: "x", "kept": "y"}) == {"kept": "y"}


def test_a_path_whose_condition_is_true_is_kept() -> None:
    assert render({"{% if values.on %}docs{% endif %}/index.md": "x"}) == {"docs/index.md": "x"}


def test_files_copied_without_templating_still_get_their_paths_rendered() -> None:
    files = {"raw/${{ values.name }}": "${{ values.name }}", "b": "${{ values.name }}"}
    assert render(files, copyWithoutTemplating=["raw/*"]) == {"raw/orders": "${{ values.name }}", "b": "orders"}


def test_files_copied_without_rendering_keep_their_paths() -> None:
    files = {"raw/${{ values.name }}": "${{ values.name }}", "b": "${{ values.name }}"}
    assert render(files, copyWithoutRender=["raw"]) == {"raw/${{ values.name }}": "${{ values.name }}", "b": "orders"}


@pytest.mark.parametrize(("extension", "name"), [(True, "a.njk"), (".njk", "a.njk"), ("tpl", "a.tpl")])
def test_only_files_with_the_extension_are_rendered_and_lose_it(extension: bool | str, name: str) -> None:
    files = {name: "${{ values.name }}", "b.txt": "${{ values.name }}", ".njk/${{ values.name }}": "x"}
    assert render(files, templateFileExtension=extension) == {
        "a": "orders",
        "b.txt": "${{ values.name }}",
        ".njk/orders": "x",
    }


def test_a_cookiecutter_template_is_rendered_with_its_own_marks() -> None:
    found = render({"{{cookiecutter.name}}": "{{ cookiecutter.name }} ${{ kept }}"}, cookiecutterCompat=True)
    assert found == {"orders": "orders $"}


def test_a_target_path_is_put_before_every_path() -> None:
    assert render({"a": "x"}, targetPath="./deep/er/") == {"deep/er/a": "x"}


def test_what_is_there_stays_unless_it_is_to_be_replaced() -> None:
    workspace = Workspace(10, 1000)
    render({"a": "first"}, workspace)
    assert render({"a": "second"}, workspace) == {"a": "first"}
    assert render({"a": "second"}, workspace, replace=True) == {"a": "second"}


@pytest.mark.parametrize(
    "inputs",
    [
        {"copyWithoutRender": [], "copyWithoutTemplating": []},
        {"templateFileExtension": True, "cookiecutterCompat": True},
        {"templateFileExtension": True, "copyWithoutRender": ["x"]},
        {"copyWithoutRender": "x"},
        {"copyWithoutRender": [1]},
        {"values": []},
        {"templateFileExtension": 5},
        {"targetPath": "../x"},
        {"targetPath": "/x"},
        {"targetPath": 1},
    ],
)
def test_options_that_cannot_be_are_refused(inputs: dict[str, Any]) -> None:
    with pytest.raises(Fault):
        render({"a": "x"}, **inputs)


FOREIGN = [
    "${{ secrets.TOKEN }}",
    "${{ github.event_name == 'push' && 'a' || 'b' }}",
    "${{ matrix.version }}",
    "${{ env.X }}",
    "${{ needs.build.outputs.x }}",
    "${{ inputs.who }}",
    "${{ steps.a.outputs.b }}",
    "${{ runner.os }}",
    "${{ vars.X }}",
    "${{ hashFiles('**/lock') }}",
    "${{ always() && !cancelled() }}",
    "${{toJSON(github)}}",
    "${{ format('{0} }}', github.sha) }}",
]


@pytest.mark.parametrize("expression", FOREIGN)
def test_expressions_of_github_stay_in_workflows(expression: str) -> None:
    path = ".github/workflows/ci.yml"
    assert render({path: f"a: {expression}\nb: ${{{{ values.name }}}}\n"}) == {path: f"a: {expression}\nb: orders\n"}


def test_an_escaped_expression_of_github_works_too() -> None:
    path = ".github/workflows/ci.yml"
    assert render({path: "${{ '${{ secrets.A }}' }} {% raw %}${{ env.B }}{% endraw %}"})[path] == (
        "${{ secrets.A }} ${{ env.B }}"
    )


def test_a_name_that_the_template_sets_is_the_templates() -> None:
    path = ".github/workflows/ci.yml"
    assert render({path: "{% for env in ['a', 'b'] %}${{ env }} {% endfor %}"})[path] == "a b "


def test_an_expression_that_mixes_both_is_refused() -> None:
    with pytest.raises(Fault, match="mixes template values with GitHub's `secrets`"):
        render({".github/workflows/ci.yml": "${{ secrets[values.name] }}"})


def test_the_same_names_are_not_special_elsewhere() -> None:
    assert render({"a.txt": "[${{ secrets.X }}]"}) == {"a.txt": "[]"}


@pytest.mark.parametrize(
    ("patterns", "paths", "others"),
    [
        (["*.txt"], ["a.txt"], ["b/a.txt", "a.md"]),
        (["**/*.txt"], ["a.txt", "b/c/a.txt"], ["a.md"]),
        (["docs"], ["docs", "docs/a/b"], ["docs2"]),
        (["docs/**"], ["docs/a", "docs/.b/c"], ["docs2/a"]),
        (["{a,b}.md"], ["a.md", "b.md"], ["c.md", "a,b.md"]),
        (["[ab]?.md"], ["ax.md"], ["cx.md", "a.md"]),
        (["**/x/**", "!**/x/y/*"], ["x/z", "a/x/z"], ["x/y/z"]),
        (["a[!b]"], ["ac"], ["ab"]),
        (["a.b+(c)"], ["a.b+(c)"], ["axb+(c)"]),
        (["./a"], ["a", "a/b"], ["b"]),
    ],
)
def test_globs_match_as_in_backstage(patterns: list[str], paths: list[str], others: list[str]) -> None:
    matches = matcher(patterns)
    assert [path for path in [*paths, *others] if matches(path)] == paths


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/etc/passwd", "absolute"),
        ("../x", "leaves"),
        ("a/../../x", "leaves"),
        ("a//b", "empty part"),
        ("", "empty part"),
        (".", "empty part"),
        (".git/config", "Git's own"),
        ("a/.GIT/hooks/x", "Git's own"),
        (".git./x", "Git's own"),
        ("git~1/x", "Git's own"),
        ("ａ/．git/x", "Git's own"),
        ("a\\b", "backslash"),
        ("a\nb", "control"),
        ("a\u202eb", "invisible"),
        ("a\u200bb", "invisible"),
        ("nul", "cannot store"),
        ("a/COM1.txt", "cannot store"),
        ("a./b", "cannot store"),
        ("a ", "cannot store"),
        ("x" * 256, "longer than 255"),
        ("x/" * 600 + "x", "longer than 1024"),
    ],
)
def test_a_path_that_no_repository_should_hold_is_refused(path: str, told: str) -> None:
    with pytest.raises(Fault, match=told):
        checked_path(path)


def test_ordinary_paths_are_taken() -> None:
    for path in (
        "a",
        ".gitignore",
        ".github/x",
        "käse/🧀.md",
        "a b/c",
        "x" * 255,
        "src/con-text.py",
        "..a/b.."[:-2] + "x",
    ):
        assert checked_path(path) == path
    assert (checked_path("./a/./b"), folder_path("./"), folder_path("a//b/")) == ("a/b", "", "a/b")


@pytest.mark.parametrize(
    ("first", "second"), [("README", "readme"), ("a/b", "A/B"), ("a", "a/b"), ("a/b", "a"), ("A/x", "a"), ("ß", "SS")]
)
def test_names_that_collide_on_other_systems_are_refused(first: str, second: str) -> None:
    workspace = Workspace(10, 1000)
    workspace.put(first, Entry(PLAIN, b""))
    with pytest.raises(Fault, match=r"differ only in case|a file and a folder at once"):
        workspace.put(second, Entry(PLAIN, b""))


def test_a_removed_file_makes_room_again() -> None:
    workspace = Workspace(1, 3)
    workspace.put("a/b", Entry(PLAIN, b"123"))
    workspace.remove("a/b")
    workspace.put("A", Entry(PLAIN, b"456"))
    assert workspace.snapshot() == {"A": Entry(PLAIN, b"456")}


@pytest.mark.parametrize("target", ["../x", "/etc/passwd", "a/../../x", ""])
def test_a_link_out_of_the_repository_is_refused(target: str) -> None:
    with pytest.raises(Fault, match="points outside"):
        Workspace(10, 1000).put("link", Entry(LINK, target.encode()))


def test_a_link_inside_the_repository_is_taken() -> None:
    workspace = Workspace(10, 1000)
    workspace.put("a/link", Entry(LINK, b"../b/./c"))
    assert "a/link" in workspace


def test_the_folder_of_causeway_belongs_to_causeway() -> None:
    for path in (f"{OWN}/template.yaml", ".Causeway/x"):
        with pytest.raises(Fault, match="belongs to Causeway"):
            Workspace(10, 1000).put(path, Entry(PLAIN, b""))
