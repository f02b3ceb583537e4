"""From the text of an Environment to the document, or to every mistake in it at once; and from a text that may hold
documents of both kinds."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from pydantic import ValidationError

from bot.errors import Invalid, Mistake
from bot.model.environment import API_VERSION, KIND, LONGEST, Environment
from bot.model.web_service import WebService
from bot.model.web_service.document import CONTRADICTION
from bot.rendering import documents
from bot.rendering.heading import head, is_meant
from bot.rendering.mistakes import mistakes_of
from bot.rendering.secrets import services_secrets_in

BEGIN = f"write one with `apiVersion: {API_VERSION}`, `kind: {KIND}`"


def read_environment(text: bytes | str, *, longest: timedelta = LONGEST, source: str = "") -> Environment:
    """Return the one Environment that a YAML text holds. Raise `Invalid` with every mistake; among them a term above
    `longest`, which is the platform's ceiling (`Previews.longest`)."""
    found = documents.read_by(partial(check, longest=longest), text, begin=BEGIN, source=source)
    if len(found) > 1:
        raise Invalid(
            f"{source or 'The text'} holds {len(found)} environments.",
            [Mistake("documents[1]", "is one environment more than can be meant; keep one in each file")],
            hint="Keep one.",
        )
    return found[0]


def read_all(
    text: bytes | str, *, longest: timedelta = LONGEST, source: str = ""
) -> tuple[WebService | Environment, ...]:
    """Return the documents of a YAML text, of either kind. Raise `Invalid` with every mistake."""
    either = partial(check_any, longest=longest)
    return documents.read_by(either, text, begin=f"{documents.BEGIN}, or `kind: {KIND}`", source=source)


def check_any(document: Any, *, longest: timedelta = LONGEST) -> WebService | Environment | list[Mistake]:
    """Return the document that a JSON value is, judged as the kind that it can only be meant to be."""
    return check(document, longest=longest) if _is_meant(document) else documents.check(document)


def check(document: Any, *, longest: timedelta = LONGEST) -> Environment | list[Mistake]:
    """Return the Environment that a JSON value is, or every mistake in it."""
    if not isinstance(document, dict):
        return [Mistake("", f"is not a map; an environment begins with `apiVersion: {API_VERSION}`, `kind: {KIND}`")]
    document = {key: value for key, value in document.items() if value is not None}  # empty is as good as missing
    mistakes = [*head(document, API_VERSION, KIND), *services_secrets_in(document)]
    if document.get("kind") != KIND:
        if not _is_meant(document):
            return mistakes
        document["kind"] = KIND  # misspelt: the rest is told at the same time
    try:
        found = _validated(document, longest)
    except ValidationError as error:
        return list(
            dict.fromkeys([*mistakes, *mistakes_of(error, Environment, document), *_beside(error, document, longest)])
        )
    return mistakes or found


def _validated(document: dict[str, Any], longest: timedelta) -> Environment:
    return Environment.model_validate(document, by_alias=True, by_name=False, context={"longest": longest})


def _is_meant(document: Any) -> bool:
    return isinstance(document, dict) and is_meant(document, API_VERSION, KIND)


def _beside(error: ValidationError, document: dict[str, Any], longest: timedelta) -> list[Mistake]:
    """Return the contradictions among what is right, so that nobody has to come twice: the document is judged once
    more without the parts that are wrong."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    if any(problem["type"] == CONTRADICTION for problem in problems):
        return []
    spec = document.get("spec")
    if not isinstance(spec, dict) or any(problem["loc"][:2] == ("spec", "services") for problem in problems):
        return []  # what databases may name is not known
    wrong = {problem["loc"][1] for problem in problems if problem["loc"][0] == "spec" and len(problem["loc"]) > 1}
    rest = {key: value for key, value in spec.items() if key not in ({"ttl", "databases"} & wrong)}
    try:
        _validated({**document, "metadata": {"name": "any"}, "spec": rest}, longest)
    except ValidationError as left:
        problems = left.errors(include_url=False, include_input=False, include_context=False)
        if all(problem["type"] == CONTRADICTION for problem in problems):
            return mistakes_of(left, Environment, document)
    return []
