"""A query is a file that a platform team may replace; a file that would ask something else is refused at start."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Invalid
from bot.queries import QUESTIONS, load_queries
from bot.queries.loading import OTHERS, SHIPPED

VALUES: dict[str, Any] = {
    "namespace": "orders-api-production",
    "service": "orders-api",
    "environment": "production",
    "range": timedelta(minutes=5),
    "quantile": 0.99,
    "below_s": 0.3,
    "budget": Decimal("0.001"),
    "above": timedelta(milliseconds=300),
}


def values_of(name: str) -> dict[str, Any]:
    return {key: VALUES[key] for key in QUESTIONS[name].values}


def told(folder: Path) -> dict[str, str]:
    with pytest.raises(Invalid) as wrong:
        load_queries((folder,))
    assert "platform.queries" in str(wrong.value)
    return {Path(mistake.path).name: mistake.message for mistake in wrong.value.mistakes}


def test_each_question_has_its_file_and_each_file_its_question() -> None:
    files = {file.name for file in SHIPPED.iterdir()}
    assert files == {f"{name}.{question.language}" for name, question in QUESTIONS.items()} | {
        f"{name}.promql" for name in OTHERS
    }


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_shipped_query_is_held_to_the_rules_for_a_companys_own(name: str, tmp_path: Path) -> None:
    file = f"{name}.{QUESTIONS[name].language}"
    (tmp_path / file).write_text((SHIPPED / file).read_text())
    own = load_queries((tmp_path,))
    assert own.text(name, **values_of(name)) == load_queries().text(name, **values_of(name))
    assert "$" not in own.text(name, **values_of(name))


def test_values_enter_quoted_and_comments_do_not_enter_at_all() -> None:
    text = load_queries().text("error_lines", namespace='a"} or {b="', service="orders-api")
    assert text.startswith('{namespace="a\\"} or {b=\\"", container="orders-api"}')
    assert "#" not in text


def test_a_range_is_five_minutes_where_nobody_says_another() -> None:
    assert "[5m]" in load_queries().text("request_rate", namespace="n", service="s")
    assert "[6h]" in load_queries().text("request_rate", namespace="n", service="s", range=timedelta(hours=6))


@pytest.mark.parametrize(
    "values",
    [
        {"namespace": "n"},
        {"namespace": "n", "service": "s", "quantile": 0.5},
        {"namespace": "n", "service": 7},
        {"namespace": "n", "service": "s", "range": "5m"},
    ],
)
def test_missing_unknown_and_odd_values_are_defects(values: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        load_queries().text("request_rate", **values)


def test_the_first_folder_that_has_a_file_wins(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "up.promql").write_text(f"{name}{{x=$namespace, y=$service}}")
    (tmp_path / "b" / "restarts.promql").write_text("r{x=$namespace, y=$service}[$range]")
    own = load_queries((tmp_path / "a", tmp_path / "b"))
    assert own.text("up", namespace="n", service="s") == 'a{x="n", y="s"}'
    assert own.text("restarts", namespace="n", service="s") == 'r{x="n", y="s"}[5m]'


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("slow_request.traceql", "{}", "no query has this name; did you mean slow_requests?"),
        ("zzz.promql", "x", "no query has this name; remove it"),
        ("slow_requests.promql", "x", "is asked in another language: name it slow_requests.traceql"),
        ("ingress_requests.promql", "x", "cannot be replaced; remove it"),
        ("up.promql", "# nothing\n", "holds no query"),
        ("up.promql", "up{a=~'x$'}", "holds a `$` that begins no name; write `$$` for the sign itself"),
        ("up.promql", "up{n=$namespace}", "does not use `$service`, so it would tell of something else; it must"),
        ("up.promql", "up{n=$names}", "uses `$names`, and may use only `$namespace`, `$service`, `$range`"),
        ("up.promql", "x" * 9000, "is longer than 8,000 characters; make it shorter"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_one_sentence(
    tmp_path: Path, file: str, text: str, sentence: str
) -> None:
    (tmp_path / file).write_text(text)
    assert told(tmp_path) == {file: sentence}


def test_all_wrong_files_are_told_at_once_and_other_files_are_let_be(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("ours")
    (tmp_path / "up.promql").write_bytes(b"\xff")
    (tmp_path / "down.promql").write_text("x")
    assert set(told(tmp_path)) == {"up.promql", "down.promql"}
    assert told(tmp_path / "missing") == {"missing": "is not a folder; make it or remove it from `platform.queries`"}
