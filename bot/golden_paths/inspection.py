"""Looks at skeleton files without rendering them: can they be read, are their filters known, what stays as it is.

Imported by the child process: the standard library and Jinja2 only.
"""

from __future__ import annotations

from jinja2 import nodes

from bot.golden_paths.expressions import TemplateEnvironment, faults
from bot.golden_paths.faults import Fault
from bot.golden_paths.filesteps import template_options
from bot.golden_paths.globs import matcher
from bot.golden_paths.rendering import WORKFLOWS, Foreign, text_content
from bot.golden_paths.tree import LINK, Entry
from bot.golden_paths.wire import Message, entries

SHOWN = 20
"""The most mistakes that are listed of one skeleton."""


def inspect_skeletons(job: Message, contents: list[bytes]) -> Message:
    """Return `{mistakes, warnings}`, each a list of `[file, sentence]`, for the skeleton of one `fetch:template`."""
    skeleton = entries(job["files"], contents)
    mistakes: list[tuple[str, str]] = []
    warnings: list[tuple[str, str]] = []
    try:
        options = template_options(job["options"], "")
    except Fault as fault:
        return {"mistakes": [("", fault.message)], "warnings": []}
    environment = TemplateEnvironment(
        cookiecutter=options.cookiecutter, trim_blocks=options.trim_blocks, lstrip_blocks=options.lstrip_blocks
    )
    copied = matcher(options.copy_only)
    for path, entry in skeleton.items():
        is_rendered = path.endswith(options.extension) if options.extension else not copied(path)
        if not is_rendered or entry.mode == LINK:
            continue
        try:
            warnings += [(path, text) for text in _inspected(environment, path, entry, options.cookiecutter)]
        except Fault as fault:
            mistakes.append((path, f"{fault.where}: {fault.message}" if fault.where else fault.message))
    return {"mistakes": mistakes[:SHOWN], "warnings": warnings[:SHOWN]}


def _inspected(environment: TemplateEnvironment, path: str, entry: Entry, cookiecutter: bool) -> list[str]:
    text = text_content(entry.content)
    _compiled(environment, path)
    if text is None:
        return []
    if WORKFLOWS not in path or cookiecutter:
        _compiled(environment, text)
        return []
    kept = Foreign(text)
    _compiled(environment, kept.text)
    if not kept.kept:
        return []
    return [f"{len(kept.kept)} of GitHub's own expressions stay as they are; Backstage would render them empty."]


def _compiled(environment: TemplateEnvironment, source: str) -> None:
    with faults():
        tree = environment.parse(source)
        for found in tree.find_all((nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)):
            raise Fault(
                "`include`, `import` and `extends` are not available in golden paths.", where=f"line {found.lineno}"
            )
        environment.compile(tree)
