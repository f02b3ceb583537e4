"""A Backstage `scaffolder.backstage.io/v1beta3` template, read and checked: all mistakes at once, with their paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from bot.errors import Invalid, Mistake
from bot.golden_paths.checks import check_expressions
from bot.golden_paths.documents import DocumentError, load_documents
from bot.golden_paths.shape import check_shape
from bot.model.canonical import JSON

API_VERSION = "scaffolder.backstage.io/v1beta3"


class TemplateStep(BaseModel, frozen=True, extra="forbid"):
    id: str
    name: str
    """What people read while it runs; the action's name where the template gives none."""
    action: str
    input: dict[str, JSON] = Field(default_factory=dict)
    condition: str | bool = True
    """Backstage's `if`."""
    each: JSON = None


class Template(BaseModel, frozen=True, extra="forbid"):
    name: str
    namespace: str = "default"
    title: str
    description: str = ""
    tags: tuple[str, ...] = ()
    owner: str | None = None
    """Who keeps the template, as the file says it: an entity reference."""
    type: str = "service"
    parameters: tuple[dict[str, JSON], ...] = ()
    """The pages of the form, each a JSON schema."""
    steps: tuple[TemplateStep, ...]
    output: dict[str, JSON] = Field(default_factory=dict)
    warnings: tuple[Mistake, ...] = ()
    """What will work but may surprise: outputs nobody yields, names nobody sets."""

    @property
    def reference(self) -> str:
        """The full entity reference: `template:default/python-service`."""
        return f"template:{self.namespace}/{self.name}".lower()

    def form_schema(self) -> list[JSON]:
        """Return the pages as `bot.forms.schema.form_of` takes them."""
        return list(self.parameters)

    def with_defaults(self, answers: Mapping[str, JSON]) -> dict[str, JSON]:
        """Return the answers, with the schema's top-level defaults for what was not answered."""
        defaults = {
            name: schema["default"]
            for page in self.parameters
            for name, schema in _properties(page).items()
            if isinstance(schema, dict) and "default" in schema
        }
        return {**defaults, **answers}

    def secret_fields(self) -> frozenset[str]:
        """Return the parameters that the template marks as secret; their answers are never kept."""
        return frozenset(
            name for page in self.parameters for name, schema in _properties(page).items() if _is_secret(schema)
        )


def _properties(page: Mapping[str, JSON]) -> Mapping[str, JSON]:
    found = page.get("properties")
    return found if isinstance(found, dict) else {}


def _is_secret(schema: JSON) -> bool:
    return isinstance(schema, dict) and (
        schema.get("ui:field") == "Secret"
        or schema.get("ui:widget") == "password"
        or schema.get("format") == "password"
    )


def read_template(text: str) -> Template:
    """Read the text of a `template.yaml`. Raise `Invalid` with every mistake found."""
    try:
        documents = load_documents(text)
    except DocumentError as error:
        raise Invalid("The template cannot be read.", [Mistake("", str(error))]) from error
    found = [document for document in documents if isinstance(document, dict) and document.get("kind") == "Template"]
    if len(found) != 1:
        told = "there is none" if not found else f"there are {len(found)}"
        raise Invalid(
            "The template cannot be read.", [Mistake("kind", f"One document of kind Template is needed; {told}.")]
        )
    return _template(found[0])


def _template(document: dict[str, Any]) -> Template:
    mistakes = list(check_shape(document))
    if mistakes:
        raise Invalid(f"The template {_named(document)}has mistakes.", mistakes)
    spec, metadata = document["spec"], document["metadata"]
    steps = tuple(_step(number, raw) for number, raw in enumerate(spec["steps"], start=1))
    output = spec.get("output") or {}
    mistakes, warnings = check_expressions([_as_written(step) for step in steps], output)
    if mistakes:
        raise Invalid(f"The template {_named(document)}has mistakes.", mistakes)
    pages = spec.get("parameters") or []
    return Template(
        name=metadata["name"],
        namespace=metadata.get("namespace") or "default",
        title=metadata.get("title") or metadata["name"],
        description=metadata.get("description") or "",
        tags=tuple(metadata.get("tags") or ()),
        owner=spec.get("owner"),
        type=spec.get("type") or "service",
        parameters=tuple(pages if isinstance(pages, list) else [pages]),
        steps=steps,
        output=output,
        warnings=tuple(warnings),
    )


def _step(number: int, raw: Mapping[str, Any]) -> TemplateStep:
    return TemplateStep(
        id=raw.get("id") or f"step-{number}",
        name=raw.get("name") or raw["action"],
        action=raw["action"],
        input=raw.get("input") or {},
        condition=raw.get("if", True) if raw.get("if", True) is not None else False,
        each=raw.get("each"),
    )


def _as_written(step: TemplateStep) -> dict[str, Any]:
    """Return the step in the words of the template, as the child reads it."""
    written: dict[str, Any] = {"id": step.id, "name": step.name, "action": step.action, "input": step.input}
    if step.condition is not True:
        written["if"] = step.condition
    if step.each is not None:
        written["each"] = step.each
    return written


def steps_as_written(template: Template) -> list[dict[str, Any]]:
    return [_as_written(step) for step in template.steps]


def _named(document: Mapping[str, Any]) -> str:
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return f"`{name[:63]}` " if isinstance(name, str) else ""
