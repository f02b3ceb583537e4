"""From the text of a platform document to `WebService`s, or to every mistake in it at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from bot.errors import Invalid, Mistake
from bot.model.web_service import API_VERSION, KIND, WebService
from bot.model.web_service.document import CONTRADICTION, mistakes_of_environments
from bot.rendering.heading import head, is_meant
from bot.rendering.mistakes import mistakes_of
from bot.rendering.secrets import secrets_in
from bot.rendering.text import Unreadable, child, parse


class Named(Protocol):
    """A document of one of our kinds."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...


D = TypeVar("D", bound=Named)
BEGIN = f"write one with `apiVersion: {API_VERSION}`, `kind: {KIND}`"
"""What is told of a text that holds no document."""


def read(text: bytes | str, *, source: str = "") -> tuple[WebService, ...]:
    """Return the documents of a YAML text. Raise `Invalid` with every mistake; `source` names the text in its sentence.

    A mistake's path is `spec.ingress.host`, with `documents[1].` before it where the text holds several documents.
    """
    return read_by(check, text, begin=BEGIN, source=source)


def read_by(
    check: Callable[[Any], D | list[Mistake]], text: bytes | str, *, begin: str, source: str = ""
) -> tuple[D, ...]:
    """The same for the kinds that `check` knows. `begin` is what is told of a text that holds no document."""
    try:
        parsed = parse(text)
    except Unreadable as error:
        raise _invalid([error.mistake], source) from None
    mistakes = list(parsed.mistakes)
    if not parsed.documents and not mistakes:
        mistakes.append(Mistake("", f"there is no document; {begin}"))
    found: list[D] = []
    for number, document in enumerate(parsed.documents):
        prefix = f"documents[{number}]" if len(parsed.documents) > 1 else ""
        result = check(document)
        if isinstance(result, list):
            mistakes += [_below(prefix, mistake) for mistake in result]
        else:
            mistakes += _twice(result, found, prefix)
            found.append(result)
    if mistakes:
        raise _invalid(_once_each(mistakes), source)
    return tuple(found)


def check(document: Any) -> WebService | list[Mistake]:
    """Return the document that a JSON value is, or every mistake in it."""
    if not isinstance(document, dict):
        return [Mistake("", f"is not a map; a document begins with `apiVersion: {API_VERSION}` and `kind: {KIND}`")]
    document = {key: value for key, value in document.items() if value is not None}  # empty is as good as missing
    above = [*_head(document), *secrets_in(document)]
    if document.get("kind") != KIND:
        if not _is_meant(document):
            return above
        document["kind"] = KIND  # misspelt: the rest is told at the same time
    try:
        found = _validated(document)
    except ValidationError as error:
        mistakes = mistakes_of(error, WebService, document)
        return above + mistakes + _contradictions_beside(error, document)
    return above + _of_environments(found) or found


def _validated(document: dict[str, Any]) -> WebService:
    return WebService.model_validate(document, by_alias=True, by_name=False)


def _head(document: dict[str, Any]) -> list[Mistake]:
    mistakes = head(document, API_VERSION, KIND)
    if "spec" not in document:
        mistakes.append(Mistake("spec", "is missing; write at least `spec: {image: …}`"))
    return mistakes


def _is_meant(document: dict[str, Any]) -> bool:
    return is_meant(document, API_VERSION, KIND)


def _contradictions_beside(error: ValidationError, document: dict[str, Any]) -> list[Mistake]:
    """Return the contradictions among what is right, so that nobody has to come twice."""
    rest = dict(document)
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        if problem["type"] == CONTRADICTION:
            return []
        rest = _without(rest, problem["loc"][: 3 if problem["loc"][0] == "metadata" else 2])
    try:
        return _of_environments(_validated(rest))
    except ValidationError as left:
        mistakes = mistakes_of(left, WebService, rest)
        contradictory = all(problem["type"] == CONTRADICTION for problem in left.errors(include_url=False))
        return mistakes if contradictory else []


def _without(document: dict[str, Any], loc: tuple[int | str, ...]) -> dict[str, Any]:
    first, *more = loc
    inner = document.get(str(first))
    if more and isinstance(inner, dict):
        return document | {str(first): _without(inner, tuple(more))}
    return {key: value for key, value in document.items() if key != first}


def _of_environments(document: WebService) -> list[Mistake]:
    mistakes = []
    for name, error in mistakes_of_environments(document):
        for mistake in mistakes_of(error, WebService, {}):
            path = mistake.path.removeprefix("spec.")
            mistakes.append(Mistake(f"spec.environments.{name}.{path}", mistake.message))
    return mistakes


def _twice(document: Named, earlier: Sequence[Named], prefix: str) -> list[Mistake]:
    if any((other.kind, other.name) == (document.kind, document.name) for other in earlier):
        told = f"`{document.name}` is the name of an earlier document too; names must differ"
        return [Mistake(child(prefix, "metadata.name"), told)]
    return []


def _below(prefix: str, mistake: Mistake) -> Mistake:
    if not prefix:
        return mistake
    return Mistake(f"{prefix}.{mistake.path}" if mistake.path else prefix, mistake.message)


def _once_each(mistakes: list[Mistake]) -> list[Mistake]:
    return list(dict.fromkeys(mistakes))


def _invalid(mistakes: list[Mistake], source: str) -> Invalid:
    what = f"{source} is" if source else "The platform document is"
    wrong = "wrong in one place." if len(mistakes) == 1 else f"wrong in {len(mistakes)} places."
    return Invalid(f"{what} {wrong}", mistakes, hint="Mend each and try again.")
