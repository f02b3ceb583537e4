"""Reads the questions' texts and fills values in."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Any

import bot
from bot.errors import Invalid, Mistake
from bot.queries import quoting
from bot.queries.questions import QUESTIONS, Language, Question, Value
from bot.queries.quoting import Regex

SHIPPED = Path(bot.__file__).resolve().parent.parent / "manifests" / "queries"
USUAL_RANGE = timedelta(minutes=5)
MAX_CHARACTERS = 8_000
"""Of one text: servers refuse longer addresses, and no question is that long."""
OTHERS = frozenset({"ingress_requests"})
"""Texts in the shipped folder that are read elsewhere."""


@dataclass(frozen=True, slots=True)
class Queries:
    """Texts by the name of their question."""

    texts: Mapping[str, Template]

    def text(self, name: str, **values: Any) -> str:
        """Return the question with its values. Raise `LookupError` for no such question, `TypeError` for values that
        are missing, unknown or of another kind, `ValueError` for one that cannot be written."""
        question = QUESTIONS[name]
        given = {"range": USUAL_RANGE} | values
        if set(given) != set(question.values):
            wrong = ", ".join(sorted(set(given) ^ set(question.values)))
            raise TypeError(f"the query {name} takes {', '.join(question.values)}; look at: {wrong}")
        traces = question.language is Language.TRACEQL
        written = {key: _written(kind, given[key], traces=traces) for key, kind in question.values.items()}
        return self.texts[name].substitute(written)

    def language(self, name: str) -> Language:
        return QUESTIONS[name].language


def load_queries(folders: Sequence[Path] = ()) -> Queries:
    """Return the texts; the first of `folders` that has a file of a name wins over the shipped one.

    Raise `Invalid`, with a mistake for each file, for names that no question has, values that a text must not or must
    use, and texts that cannot be read.
    """
    mistakes: list[Mistake] = []
    texts = {name: _shipped(name) for name in QUESTIONS}
    for folder in reversed(folders):
        for file in _files(folder, mistakes):
            if (told := _wrong(file)) is not None:
                mistakes.append(Mistake(str(file), told))
            else:
                texts[file.stem] = Template(_body(file.read_text(encoding="utf-8")))
    if mistakes:
        raise Invalid(
            "Some files of `platform.queries` cannot be used.", mistakes, hint="Mend or remove each and start again."
        )
    return Queries(texts)


@lru_cache(maxsize=64)
def _shipped(name: str) -> Template:
    path = SHIPPED / f"{name}.{QUESTIONS[name].language}"
    return Template(_body(path.read_text(encoding="utf-8")))


def _files(folder: Path, mistakes: list[Mistake]) -> list[Path]:
    if not folder.is_dir():
        mistakes.append(Mistake(str(folder), "is not a folder; make it or remove it from `platform.queries`"))
        return []
    endings = {f".{language}" for language in Language}
    return sorted(file for file in folder.iterdir() if file.suffix in endings and file.is_file())


def _wrong(file: Path) -> str | None:
    """Return what is wrong with a file as one sentence; None when nothing is."""
    question = QUESTIONS.get(file.stem)
    if question is None or file.suffix != f".{question.language}":
        return _no_such_name(file, question)
    try:
        body = _body(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return "cannot be read as a text in UTF-8"
    if not body:
        return "holds no query"
    if len(body) > MAX_CHARACTERS:
        return f"is longer than {MAX_CHARACTERS:,} characters; make it shorter"
    template = Template(body)
    if not template.is_valid():
        return "holds a `$` that begins no name; write `$$` for the sign itself"
    used = set(template.get_identifiers())
    known = ", ".join(f"`${name}`" for name in question.values)
    if unknown := sorted(used - set(question.values)):
        return f"uses `${unknown[0]}`, and may use only {known}"
    if missing := sorted(question.needs - used):
        return f"does not use `${missing[0]}`, so it would tell of something else; it must"
    return None


def _no_such_name(file: Path, question: Question | None) -> str:
    if question is not None:
        return f"is asked in another language: name it {file.stem}.{question.language}"
    if file.stem in OTHERS:
        return "cannot be replaced; remove it"
    near = difflib.get_close_matches(file.stem, QUESTIONS, 1)
    return f"no query has this name; did you mean {near[0]}?" if near else "no query has this name; remove it"


def _body(text: str) -> str:
    """Return a text without the lines that are comments: not every language has them."""
    lines = [line.rstrip() for line in text.splitlines() if not line.lstrip().startswith("#")]
    return "\n".join(line for line in lines if line)


def _written(kind: Value, value: Any, *, traces: bool) -> str:
    match kind, value:
        case Value.TEXT, str():
            return quoting.text(value, traces=traces)
        case Value.REGEX, Regex():
            return quoting.regex(value)
        case Value.NUMBER, int() | float() | Decimal():
            return quoting.number(value)
        case Value.BOUND, int() | float() | Decimal():
            return quoting.bound(value)
        case Value.SPAN, timedelta():
            return quoting.span(value, traces=traces)
    raise TypeError(f"{type(value).__name__} is not a {kind}")
