"""The outer shape of a template document, before any expression is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.errors import Mistake
from bot.golden_paths.actions import ACTIONS

INCLUDES = ("$yaml", "$json", "$text", "$include", "$openapi", "$asyncapi")
_NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,61}[a-zA-Z0-9])?")
_STEP_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
STEPS_MAX = 100


def check_shape(document: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield every mistake in the shape: kinds of values, names, steps, actions, includes."""
    if document.get("apiVersion") != "scaffolder.backstage.io/v1beta3":
        told = str(document.get("apiVersion"))[:80]
        yield Mistake("apiVersion", f"`scaffolder.backstage.io/v1beta3` is needed, and this is `{told}`.")
    yield from _includes(document, "")
    yield from _metadata(document.get("metadata"))
    spec = document.get("spec")
    if not isinstance(spec, dict):
        yield Mistake("spec", "A mapping is needed.")
        return
    for key in ("owner", "type"):
        if not isinstance(spec.get(key, ""), str):
            yield Mistake(f"spec.{key}", "A text is needed.")
    yield from _parameters(spec.get("parameters"))
    yield from _steps(spec.get("steps"))
    yield from _output(spec.get("output"))


def _metadata(metadata: Any) -> Iterator[Mistake]:
    if not isinstance(metadata, dict):
        yield Mistake("metadata", "A mapping with a `name` is needed.")
        return
    if not isinstance(metadata.get("name"), str) or not _NAME.fullmatch(metadata["name"]):
        yield Mistake("metadata.name", "A name of at most 63 letters, digits, `-`, `_` and `.` is needed.")
    namespace = metadata.get("namespace")
    if namespace is not None and not (isinstance(namespace, str) and _NAME.fullmatch(namespace)):
        yield Mistake("metadata.namespace", "A name of at most 63 letters, digits, `-`, `_` and `.` is needed.")
    for key in ("title", "description"):
        if not isinstance(metadata.get(key) or "", str):
            yield Mistake(f"metadata.{key}", "A text is needed.")
    tags = metadata.get("tags") or []
    if not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
        yield Mistake("metadata.tags", "A list of texts is needed.")


def _parameters(pages: Any) -> Iterator[Mistake]:
    if pages is None or isinstance(pages, dict):
        return
    if not isinstance(pages, list):
        yield Mistake("spec.parameters", "A page, or a list of pages, is needed.")
        return
    for index, page in enumerate(pages):
        if not isinstance(page, dict):
            yield Mistake(f"spec.parameters[{index}]", "A JSON schema is needed.")


def _steps(steps: Any) -> Iterator[Mistake]:
    if not isinstance(steps, list) or not steps:
        yield Mistake("spec.steps", "A list with at least one step is needed.")
        return
    if len(steps) > STEPS_MAX:
        yield Mistake("spec.steps", f"At most {STEPS_MAX} steps can run.")
        return
    seen: set[str] = set()
    for index, step in enumerate(steps):
        path = f"spec.steps[{index}]"
        if not isinstance(step, dict):
            yield Mistake(path, "A mapping is needed.")
            continue
        yield from _step(step, path)
        name = str(step.get("id") or f"step-{index + 1}")
        if name in seen:
            yield Mistake(f"{path}.id", f"`{name[:80]}` is the id of an earlier step.")
        seen.add(name)


def _step(step: Mapping[str, Any], path: str) -> Iterator[Mistake]:
    for key in sorted(set(step) - {"id", "name", "action", "input", "if", "each", *INCLUDES}):
        yield Mistake(
            f"{path}.{key[:80]}", "A step has `id`, `name`, `action`, `input`, `if` and `each`, and not this."
        )
    identity = step.get("id")
    if identity is not None and not (isinstance(identity, str) and _STEP_ID.fullmatch(identity)):
        yield Mistake(f"{path}.id", "At most 80 letters, digits, `-` and `_` are needed.")
    if not isinstance(step.get("name") or "", str):
        yield Mistake(f"{path}.name", "A text is needed.")
    if not isinstance(step.get("if"), str | bool | None):
        yield Mistake(f"{path}.if", "A text or true or false is needed.")
    yield from _action(step, path)


def _action(step: Mapping[str, Any], path: str) -> Iterator[Mistake]:
    action, inputs = step.get("action"), step.get("input")
    if not isinstance(action, str):
        if not any(key in step for key in INCLUDES):
            yield Mistake(f"{path}.action", "The name of an action is needed.")
        return
    if action not in ACTIONS:
        yield Mistake(f"{path}.action", f"The action `{action[:80]}` is not known here.")
        return
    if inputs is not None and not isinstance(inputs, dict):
        yield Mistake(f"{path}.input", "A mapping is needed.")
        return
    for group in ACTIONS[action].needs:
        if not any((inputs or {}).get(name) not in (None, "") for name in group):
            yield Mistake(f"{path}.input.{group[0]}", f"`{action}` needs `{'` or `'.join(group)}`.")
    if "webhookSecret" in (inputs or {}):
        yield Mistake(
            f"{path}.input.webhookSecret", "A template cannot hold a secret; Causeway makes one. Leave it out."
        )


def _output(output: Any) -> Iterator[Mistake]:
    if output is None:
        return
    if not isinstance(output, dict):
        yield Mistake("spec.output", "A mapping is needed.")
        return
    for key in ("links", "text"):
        items = output.get(key)
        if items is not None and not (isinstance(items, list) and all(isinstance(item, dict) for item in items)):
            yield Mistake(f"spec.output.{key}", "A list of mappings is needed.")


def _includes(value: Any, path: str) -> Iterator[Mistake]:
    """Refuse Backstage's placeholders: what a template is must stand in the template."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in INCLUDES:
                yield Mistake(f"{path}.{key}".lstrip("."), f"The include `{key}` is not followed; write it out here.")
            else:
                yield from _includes(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _includes(item, f"{path}[{index}]")
