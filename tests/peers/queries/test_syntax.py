"""Every query that we generate can be read by whom it is for, whatever the values; and no value changes its shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.queries import QUESTIONS, Language, load_queries, quoting
from bot.queries.quoting import Regex
from tests.peers.queries.grammars import WRONG, trees
from tests.peers.rules.promtool import complaint
from tests.queries.test_loading import VALUES, values_of
from tests.rendering.test_dashboard import asked, board

QUERIES = load_queries()
HOSTILE = (
    *("", '"', "\\", '\\"', '"} or {a="b', "`", "'", "\n", "\r\n", "\t", "\x00", "\x7f", "\x1b[31m", "\x85", "\u2028"),
    *(
        "ü",
        "😀",
        "\ufeff",
        "\ufffe",
        "\ud800",
        "$service",
        "${service}",
        "#",
        "//",
        "/*",
        "{{ $value }}",
        "%s",
        "a" * 400,
    ),
    *('" | drop __error__', '"}) by (x) #', '" || true || name = "', "[5m]", "(?i)", ".*", "^$", "\\u0041", "\\x41"),
)


def texts_of(language: Language, **values: str) -> dict[str, str]:
    """Return every query of a language by its name."""
    names = [name for name, question in QUESTIONS.items() if question.language is language]
    return {name: QUERIES.text(name, **_given(name, values)) for name in names}


def _given(name: str, values: dict[str, str]) -> dict[str, Any]:
    known = values_of(name)
    return known | {key: value for key, value in values.items() if key in known}


def rules(texts: dict[str, str]) -> dict[str, Any]:
    named = [{"record": f"a:{number}", "expr": text} for number, text in enumerate(texts.values())]
    return {"groups": [{"name": "queries", "rules": named}]}


def everything(value: str) -> dict[str, str]:
    return {"namespace": value, "service": value, "environment": value}


def test_prometheus_reads_every_query_with_every_value(tmp_path: Path) -> None:
    whole: dict[str, str] = {}
    for number, value in enumerate(("harmless", *HOSTILE)):
        found = texts_of(Language.PROMQL, **everything(value))
        whole |= {f"{name}{number}": text for name, text in found.items()}
    whole |= {f"regex{number}": f"up{{a=~{quoting.regex(Regex(of=[one]))}}}" for number, one in enumerate(HOSTILE)}
    whole["none"] = f"up{{a=~{quoting.regex(Regex(of=[]))}}}"
    assert complaint(rules(whole), tmp_path) == ""


@pytest.mark.parametrize("language", [Language.LOGQL, Language.TRACEQL])
def test_no_value_changes_the_shape_of_a_query(language: Language) -> None:
    harmless = texts_of(language, **everything("harmless"))
    asked = [*harmless.values()]
    for value in HOSTILE:
        asked += texts_of(language, **everything(value)).values()
    found = trees([(language.value, text) for text in asked])
    shapes = found[: len(harmless)]
    assert not [name for name, shape in zip(harmless, shapes, strict=True) if WRONG in shape]
    for number, value in enumerate(HOSTILE, 1):
        assert found[number * len(shapes) : (number + 1) * len(shapes)] == shapes, repr(value)


def test_a_query_that_cannot_be_read_is_found_out(tmp_path: Path) -> None:
    assert complaint(rules({"a": 'up{namespace="a"b"}'}), tmp_path)
    assert complaint(rules({"a": "sum(rate(x[5m])"}), tmp_path)
    assert complaint(rules({"a": 'up{a=~"("}'}), tmp_path)
    wrong = [
        ("logql", '{namespace="a"b"}'),
        ("logql", 'sum(count_over_time({a="b"} | json [5m])'),
        ("logql", '{a="b"} | jsonn'),
        ("traceql", '{ resource.service.name = "a" && }'),
        ("traceql", "{ durration > 3s }"),
        ("traceql", '{ name = "a" '),
    ]
    assert all(WRONG in tree for tree in trees(wrong))


def test_values_that_are_not_quoted_would_change_the_shape() -> None:
    """The witness sees what the test above looks for."""
    text = QUERIES.text("error_lines", **_given("error_lines", {"service": "SERVICE"}))
    spoiled = text.replace('"SERVICE"', '"a"} |= "x" or {b="c"')
    before, after = trees([("logql", text), ("logql", spoiled)])
    assert before != after


def test_the_witnesses_are_asked_in_all_three_languages() -> None:
    assert {question.language for question in QUESTIONS.values()} == set(Language)
    assert set(VALUES) == {name for question in QUESTIONS.values() for name in question.values}


def test_everything_that_a_dashboard_asks_can_be_read(tmp_path: Path) -> None:
    texts = list(asked(board()))
    metrics = {str(number): text for number, (language, text) in enumerate(texts) if language == "promql"}
    assert complaint(rules(metrics), tmp_path) == ""
    others = [(language, text) for language, text in texts if language != "promql"]
    assert {language for language, _ in others} == {"logql", "traceql"}
    assert not [tree for tree in trees(others) if WRONG in tree]
