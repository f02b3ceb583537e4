from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.errors import Invalid, NotFound, UpstreamUnavailable
from bot.golden_paths.revisions import folder_revision, git_tree
from bot.golden_paths.sandbox import Sandbox
from bot.golden_paths.skeletons import ForgeFetcher
from bot.golden_paths.sources import FolderSource, GitSource, Snapshot, TemplateLibrary, read_folder, template_files
from bot.ports import File, Repository, Tree
from tests.golden_paths.helpers import SKELETON, TEXTBOOK, fetch, template
from tests.peers.tools import need


class FakeSource:
    """A source whose files a test changes; None: it cannot be read."""

    label = "fake"

    def __init__(self, files: Mapping[str, str] | None, commit: str = "") -> None:
        self.files = files
        self.commit = commit

    async def read(self) -> Snapshot:
        if self.files is None:
            raise UpstreamUnavailable("The forge did not answer.")
        return Snapshot(
            files={path: File(path, content.encode()) for path, content in self.files.items()}, commit=self.commit
        )


class OneRepository:
    """As much of a forge as reading templates needs."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self.asked: list[tuple[str, str, str]] = []

    async def repository(self, full_name: str) -> Repository | None:
        return Repository(1, full_name, "", "trunk", True, "", "") if full_name == "acme/templates" else None

    async def tree(self, full_name: str, ref: str, path: str = "", *, contents: bool = True) -> Tree:
        assert contents
        self.asked.append((full_name, ref, path))
        prefix = path + "/" if path else ""
        found = [File(name, text.encode()) for name, text in self.files.items() if name.startswith(prefix)]
        return Tree(commit="c" * 40, sha="t" * 40, files=found)


TWO = {
    "good/template.yaml": TEXTBOOK,
    "good/skeleton/README.md": SKELETON["skeleton/README.md"],
    "good/skeleton/chart/template.yaml": "{{ not: [a template",
    "bad/template.yaml": "kind: Template\nspec: {}\n",
}


async def loaded(*sources: FakeSource, sandbox: Sandbox | None = None) -> TemplateLibrary:
    library = TemplateLibrary(sources, sandbox=sandbox)
    await library.load()
    return library


async def test_a_broken_template_is_listed_with_its_mistakes_and_hides_nothing() -> None:
    library = await loaded(FakeSource(TWO))
    [broken] = library.broken()
    assert [path.id for path in library.list()] == ["python-service"]
    assert (broken.source, broken.path) == ("fake", "bad/template.yaml")
    assert {mistake.path for mistake in broken.mistakes} >= {"apiVersion", "metadata", "spec.steps"}


async def test_a_mistake_in_a_skeleton_is_found_when_the_library_is_loaded() -> None:
    files = TWO | {"good/skeleton/app.py": "x = 1\n${{ values.name | nope }}\n"}
    async with Sandbox() as sandbox:
        library = await loaded(FakeSource(files), sandbox=sandbox)
    assert library.list() == ()
    [mistake] = next(one for one in library.broken() if one.path == "good/template.yaml").mistakes
    assert str(mistake) == "spec.steps[0] app.py: line 2: No filter named 'nope'."


async def test_expressions_of_github_are_noted_in_workflows() -> None:
    files = {
        "template.yaml": template(fetch()),
        "skeleton/.github/workflows/ci.yml": "a: ${{ secrets.TOKEN }} ${{ values.name }}\n",
    }
    async with Sandbox() as sandbox:
        library = await loaded(FakeSource(files), sandbox=sandbox)
    [warning] = library.get("sample").warnings
    assert "1 of GitHub's own expressions stay as they are" in warning.message


async def test_a_parameter_that_no_form_can_show_breaks_the_template() -> None:
    def form(_pages: object) -> None:
        raise Invalid("A form cannot show this.", [])

    library = TemplateLibrary([FakeSource(TWO)], form=form)
    await library.load()
    assert library.list() == ()
    assert "A form cannot show this." in {broken.message for broken in library.broken()}


async def test_two_templates_of_one_name_are_told() -> None:
    library = await loaded(FakeSource({"a/template.yaml": TEXTBOOK, "b/template.yaml": TEXTBOOK}))
    assert [broken.path for broken in library.broken()] == ["b"]
    assert library.get("python-service").base == "a"


async def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    library = await loaded(FakeSource(TWO))
    with pytest.raises(NotFound, match="`python-service`"):
        library.get("pyton-service")


async def test_a_source_that_cannot_be_read_keeps_what_it_had() -> None:
    source = FakeSource(TWO)
    library = await loaded(source)
    source.files = None
    assert await library.refresh()
    assert [path.id for path in library.list()] == ["python-service"]
    assert [broken.message for broken in library.broken()] == ["The forge did not answer."]


async def test_an_unrelated_commit_changes_nothing() -> None:
    source = FakeSource(TWO, commit="1" * 40)
    library = await loaded(source)
    before = library.get("python-service")
    source.files, source.commit = TWO | {"other.txt": "x"}, "2" * 40
    await library.refresh()
    after = library.get("python-service")
    assert (after.commit, after.revision) == ("1" * 40, before.revision)
    source.files, source.commit = TWO | {"good/skeleton/README.md": "new"}, "3" * 40
    await library.refresh()
    assert library.get("python-service").commit == "3" * 40
    assert library.get("python-service").revision != before.revision


async def test_templates_are_read_from_a_repository_at_one_commit() -> None:
    forge = OneRepository({f"paths/{name}": text for name, text in TWO.items()})
    library = TemplateLibrary([GitSource(forge, "acme/templates", path="paths")])  # type: ignore[arg-type]  # two calls
    await library.load()
    path = library.get("python-service")
    assert forge.asked == [("acme/templates", "trunk", "paths")]
    assert (path.source, path.commit, path.base) == ("github acme/templates paths", "c" * 40, "good")
    assert "good/skeleton/README.md" in path.files


async def test_a_repository_that_is_not_there_is_told() -> None:
    library = TemplateLibrary([GitSource(OneRepository({}), "acme/nope")])  # type: ignore[arg-type]  # two calls
    await library.load()
    assert "There is no repository `acme/nope`" in library.broken()[0].message


async def test_a_skeleton_elsewhere_is_read_by_its_address() -> None:
    forge = OneRepository({"shared/py/a.txt": "A", "shared/py/b/c.txt": "C"})
    fetcher = ForgeFetcher(forge, "https://github.com")  # type: ignore[arg-type]  # two calls
    files, revision = await fetcher.fetch("https://github.com/acme/templates/tree/main/shared/py")
    one, _ = await fetcher.fetch("https://github.com/acme/templates/blob/main/shared/py/a.txt")
    assert ([file.path for file in files], revision) == (["a.txt", "b/c.txt"], "t" * 40)
    assert [file.content for file in one] == [b"A"]
    assert forge.asked[0] == ("acme/templates", "main", "shared/py")


def test_git_agrees_with_the_hash_of_a_tree(tmp_path: Path) -> None:
    git = str(need("git"))
    (tmp_path / "a").mkdir()
    (tmp_path / "a.b").write_text("2")
    (tmp_path / "a" / "run").write_text("3")
    (tmp_path / "a" / "run").chmod(0o755)
    (tmp_path / "link").symlink_to("a.b")
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run([git, *command], cwd=tmp_path, check=True)
    told = subprocess.run([git, "write-tree"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()
    assert git_tree(read_folder(tmp_path).values()) == told


def test_a_folder_is_another_when_a_mode_a_name_or_a_byte_changes() -> None:
    base = [File("a", b"1"), File("b", b"2")]
    others = [
        [File("a", b"1", "100755"), File("b", b"2")],
        [File("a", b"1"), File("c", b"2")],
        [File("a", b"1"), File("b", b"3")],
        [File("a", b"1")],
    ]
    assert folder_revision(reversed(base)) == folder_revision(base)
    assert folder_revision(base) not in {folder_revision(files) for files in others}


def test_links_in_a_folder_are_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("x")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "folder").symlink_to(outside)
    (inside / "file").symlink_to(outside / "secret")
    assert {path: file.mode for path, file in read_folder(inside).items()} == {"folder": "120000", "file": "120000"}


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    library = TemplateLibrary([FolderSource(tmp_path / "nope")])
    await library.load()
    assert "There is no folder" in library.broken()[0].message


def test_template_files_below_a_template_are_not_templates() -> None:
    assert template_files(["a/template.yaml", "a/x/template.yaml", "b/c/template.yml", "b/other.yaml"]) == [
        "a/template.yaml",
        "b/c/template.yml",
    ]


async def test_an_unchanged_source_is_not_checked_again() -> None:
    async with Sandbox() as sandbox:
        library = await loaded(FakeSource(TWO), sandbox=sandbox)
        before = library.get("python-service")
        assert not await library.refresh()
    assert library.get("python-service") is before
