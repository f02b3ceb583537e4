"""The steps that make files: `fetch:*`, `fs:*`, `roadiehq:utils:fs:write` and `catalog:write`.

Imported by the child process: the standard library and Jinja2 only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.golden_paths.evaluation import plain
from bot.golden_paths.faults import Fault
from bot.golden_paths.globs import matcher
from bot.golden_paths.rendering import Options, render_skeleton
from bot.golden_paths.tree import PLAIN, Entry, Workspace, checked_path, folder_path, joined, relative, utf8
from bot.golden_paths.values import dumped, wrap
from bot.golden_paths.wire import Message

Ask = Callable[[Message], tuple[Message, dict[str, Entry]]]


class FileSteps:
    """Runs file steps in one workspace; skeletons come through `ask`."""

    def __init__(self, workspace: Workspace, ask: Ask, owner: str, limit: int) -> None:
        self._workspace = workspace
        self._ask = ask
        self._owner = owner
        self._limit = limit

    def run(self, action: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Run one action and return its outputs."""
        steps: dict[str, Callable[[Mapping[str, Any]], dict[str, Any] | None]] = {
            "fetch:template": self._fetch_template,
            "fetch:plain": self._fetch_plain,
            "fetch:plain:file": self._fetch_file,
            "fs:rename": self._rename,
            "fs:delete": self._delete,
            "roadiehq:utils:fs:write": self._write,
            "catalog:write": self._write_entity,
        }
        return steps[action](inputs) or {}

    def _fetched(self, inputs: Mapping[str, Any], *, single: bool = False) -> dict[str, Entry]:
        _, files = self._ask({"ask": "fetch", "url": _text(inputs, "url"), "single": single})
        return files

    def _fetch_template(self, inputs: Mapping[str, Any]) -> None:
        render_skeleton(
            self._fetched(inputs), template_options(inputs, self._owner), self._workspace, limit=self._limit
        )

    def _fetch_plain(self, inputs: Mapping[str, Any]) -> None:
        target = folder_path(_text(inputs, "targetPath", ""))
        for path, entry in self._fetched(inputs).items():
            self._workspace.put(joined(target, path), entry, replace=True)

    def _fetch_file(self, inputs: Mapping[str, Any]) -> None:
        [entry] = self._fetched(inputs, single=True).values()
        self._workspace.put(_text(inputs, "targetPath"), entry, replace=True)

    def _rename(self, inputs: Mapping[str, Any]) -> None:
        for item in _listed(inputs, "files"):
            if not isinstance(item, dict):
                raise Fault("Each of `files` needs `from` and `to`.")
            source, target = checked_path(_text(item, "from").rstrip("/")), checked_path(_text(item, "to").rstrip("/"))
            moved = list(self._workspace.below(source))
            if not moved:
                raise Fault(f"There is no `{source[:80]}` to rename.")
            for path, _ in moved:
                self._workspace.remove(path)
            for path, entry in moved:
                to = target if path == source else joined(target, relative(path, source))
                if to in self._workspace and not item.get("overwrite"):
                    raise Fault(f"`{to[:80]}` exists already.", hint="Set `overwrite: true` to replace it.")
                self._workspace.put(to, entry, replace=True)

    def _delete(self, inputs: Mapping[str, Any]) -> None:
        patterns = _listed(inputs, "files")
        if not all(isinstance(pattern, str) for pattern in patterns):
            raise Fault("Each of `files` must be a path.")
        unwanted = matcher([pattern.removeprefix("./") for pattern in patterns])
        for path in [path for path, _ in self._workspace.below("") if unwanted(path)]:
            self._workspace.remove(path)

    def _write(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        path, content = _text(inputs, "path"), inputs["content"]
        text = content if isinstance(content, str) else dumped(content, 2) or ""
        self._workspace.put(path, Entry(PLAIN, utf8(text)), replace=True)
        return {"path": path}

    def _write_entity(self, inputs: Mapping[str, Any]) -> None:
        from bot.golden_paths.documents import dump_document  # noqa: PLC0415 - PyYAML costs start-up, few runs need it

        if not isinstance(inputs["entity"], dict):
            raise Fault("`entity` must be an object.")
        content = utf8(dump_document(plain(inputs["entity"], "entity")))
        self._workspace.put(_text(inputs, "filePath", "catalog-info.yaml"), Entry(PLAIN, content), replace=True)


def template_options(inputs: Mapping[str, Any], owner: str) -> Options:
    """Read the inputs of `fetch:template`. Raise `Fault` for inputs that exclude each other."""
    templated, rendered = inputs.get("copyWithoutTemplating"), inputs.get("copyWithoutRender")
    extension = inputs.get("templateFileExtension")
    cookiecutter = bool(inputs.get("cookiecutterCompat"))
    if templated is not None and rendered is not None:
        raise Fault("`copyWithoutTemplating` and `copyWithoutRender` cannot be used together.")
    copied = rendered if rendered is not None else templated
    if extension and (copied is not None or cookiecutter):
        raise Fault("`templateFileExtension` cannot be used with `copyWithout…` or `cookiecutterCompat`.")
    if copied is not None and not (isinstance(copied, list) and all(isinstance(item, str) for item in copied)):
        raise Fault("`copyWithoutTemplating` and `copyWithoutRender` are lists of patterns.")
    values = inputs.get("values", {})
    if not isinstance(values, dict):
        raise Fault("`values` must be an object.")
    if extension is True:
        extension = ".njk"
    if extension and not isinstance(extension, str):
        raise Fault("`templateFileExtension` is a text like `.njk`, or `true`.")
    return Options(
        values=wrap(values),
        target=folder_path(_text(inputs, "targetPath", "")),
        replace=bool(inputs.get("replace")),
        copy_only=copied or (),
        render_copied_paths=rendered is None,
        extension="." + extension.lstrip(".") if extension else "",
        cookiecutter=cookiecutter,
        trim_blocks=bool(inputs.get("trimBlocks")),
        lstrip_blocks=bool(inputs.get("lstripBlocks")),
        owner=owner,
    )


def _text(inputs: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = inputs.get(name, default)
    if not isinstance(value, str):
        raise Fault(f"`{name}` must be a text.")
    return value


def _listed(inputs: Mapping[str, Any], name: str) -> list[Any]:
    value = inputs.get(name)
    if not isinstance(value, list):
        raise Fault(f"`{name}` must be a list.")
    return value
