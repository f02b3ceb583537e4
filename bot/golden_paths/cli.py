"""`causeway template render` and `causeway template check`, as functions that return an exit code and lines."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from bot.errors import Invalid, Mistake, PlatformError, UsageError
from bot.forms.answers import check as check_answers
from bot.forms.answers import complete, flatten, unknown
from bot.forms.schema import form_of
from bot.golden_paths.documents import DocumentError, load_documents
from bot.golden_paths.library import GoldenPath
from bot.golden_paths.sandbox import Sandbox
from bot.golden_paths.sources import CheckForm, Snapshot, golden_path, inspected, read_folder, template_files
from bot.golden_paths.steps import ForgeNames, PlannedAction, Rendered, Requester, Runner
from bot.golden_paths.tree import EXECUTABLE, LINK
from bot.model.canonical import JSON
from bot.ports import File

Result = tuple[int, list[str]]
"""Exit code (0: well, 1: mistakes were found, 2: it could not be tried) and the lines to print."""


def check(directory: Path, form: CheckForm | None = None) -> Result:
    """Check every template below `directory`: shape, expressions, skeletons and, with `form`, its parameters."""
    try:
        return asyncio.run(_check(directory, form))
    except PlatformError as error:
        return 2, [str(error)]


def render(directory: Path, values: Path, out: Path, forge: ForgeNames | None = None) -> Result:
    """Render the one template in `directory` with the answers in the file `values` into the empty folder `out`."""
    try:
        return asyncio.run(_render(directory, values, out, forge or ForgeNames(owner="example")))
    except Invalid as error:
        return 1, [str(error), *_listed(error.mistakes)]
    except PlatformError as error:
        return 2, [str(error)]


async def _check(directory: Path, form: CheckForm | None) -> Result:
    snapshot = Snapshot(files=read_folder(directory))
    names = template_files(snapshot.files)
    if not names:
        raise UsageError(f"There is no `template.yaml` in `{directory}`.")
    code, lines = 0, []
    async with Sandbox() as sandbox:
        for name in names:
            try:
                path = golden_path(snapshot, name, "folder")
                if form is not None:
                    form(path.template.form_schema())
                path = await inspected(path, sandbox)
            except PlatformError as error:
                code = 1
                lines += [f"{name}: {error}", *_listed(error.mistakes if isinstance(error, Invalid) else ())]
                continue
            lines += [f"{name}: `{path.id}` can be used.", *(f"  note: {warning}" for warning in path.warnings)]
    return code, lines


async def _render(directory: Path, values: Path, out: Path, forge: ForgeNames) -> Result:
    path = _only_path(directory)
    form = form_of(path.template.form_schema())
    answers = flatten(form, _answers(values))
    wrong = [*unknown(form, answers), *check_answers(form.fields(), answers)]
    if wrong:
        return 2, [f"{error.field}: {error.message}" for error in wrong]
    _check_empty(out)
    async with Sandbox() as sandbox:
        rendered = await Runner(sandbox=sandbox, forge=forge).run(
            path, complete(form, answers), Requester(ref="user:default/you")
        )
    for file in rendered.files:
        write_file(out, file)
    return 0, [f"{len(rendered.files)} files in {out}.", *_followed_by(rendered)]


def _check_empty(out: Path) -> None:
    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise UsageError(f"`{out}` is not an empty folder.", hint="Name a new or an empty one.")


def _only_path(directory: Path) -> GoldenPath:
    snapshot = Snapshot(files=read_folder(directory))
    names = template_files(snapshot.files)
    if len(names) != 1:
        told = "There is no `template.yaml`" if not names else f"There are {len(names)} templates"
        raise UsageError(f"{told} in `{directory}`.", hint="Name the folder of one template.")
    return golden_path(snapshot, names[0], "folder")


def _answers(values: Path) -> Mapping[str, JSON]:
    try:
        documents = load_documents(values.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"`{values}` cannot be read.") from None
    except DocumentError as error:
        raise UsageError(f"`{values}` cannot be read. {error}") from error
    match documents:
        case []:
            return {}
        case [dict() as answers]:
            return answers
        case _:
            raise UsageError(f"`{values}` must hold one mapping of parameter names to answers.")


def write_file(root: Path, file: File) -> None:
    """Write one rendered file below `root`. Its path was checked when it was made; no link is ever followed."""
    target = root.joinpath(*file.path.split("/"))
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(root.resolve()):
        raise UsageError(f"`{file.path}` would be written outside `{root}`.")
    if file.mode == LINK:
        target.symlink_to(file.content.decode())
        return
    target.write_bytes(file.content)
    target.chmod(0o755 if file.mode == EXECUTABLE else 0o644)


def _followed_by(rendered: Rendered) -> list[str]:
    return [f"then: {_spoken(action)}" for action in rendered.actions] + [f"note: {note}" for note in rendered.notes]


def _spoken(action: PlannedAction) -> str:
    place = f" {action.repository}" if action.repository else ""
    return f"{action.id}: {action.action}{place}"


def _listed(mistakes: tuple[Mistake, ...]) -> list[str]:
    return [f"  {mistake}" for mistake in mistakes]
