from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.forms import schema
from bot.forms.answers import check, complete, flatten, following, unknown, visible
from bot.forms.model import Form, FormField, Kind, Option, Page


def form_of(parameters: Any) -> Form:
    return schema.form_of(parameters)


DATABASE = form_of(
    [
        {
            "properties": {"db": {"enum": ["none", "pg"], "default": "none"}, "name": {"type": "string"}},
            "required": ["name"],
            "dependencies": {
                "db": {
                    "oneOf": [
                        {"properties": {"db": {"const": "none"}}},
                        {
                            "properties": {
                                "db": {"const": "pg"},
                                "size": {"enum": ["s", "l"]},
                                "backup": {"type": "boolean", "default": True},
                            },
                            "required": ["size"],
                        },
                    ]
                }
            },
        },
        {"properties": {"replicas": {"type": "integer", "default": 2, "minimum": 1}}},
    ]
)


def field(kind: Kind, **parts: Any) -> FormField:
    return FormField(name="it", kind=kind, title="It", **parts)


def said(value: Any, kind: Kind, **parts: Any) -> str:
    """Return what is wrong with one answer, or nothing."""
    found = check([field(kind, **parts)], {"it": value})
    return found[0].message if found else ""


def names(values: dict[str, Any]) -> list[str]:
    return [f.name for f in visible(DATABASE.fields(), values)]


def test_a_field_shows_only_with_the_answer_it_belongs_to() -> None:
    assert names({}) == ["db", "name", "replicas"]
    assert names({"db": "pg"}) == ["db", "name", "size", "backup", "replicas"]


def test_only_what_shows_is_checked() -> None:
    assert [e.field for e in check(DATABASE.fields(), {"name": "x"})] == []
    assert [e.field for e in check(DATABASE.fields(), {"name": "x", "db": "pg"})] == ["size"]


def test_complete_fills_defaults_coerces_and_drops_what_is_hidden() -> None:
    assert complete(DATABASE, {"name": "x", "size": "s", "replicas": "3"}) == {"db": "none", "name": "x", "replicas": 3}
    filled = complete(DATABASE, {"name": "x", "db": "pg", "size": "s"})
    assert filled == {"db": "pg", "name": "x", "size": "s", "backup": True, "replicas": 2}


def test_an_answer_that_was_emptied_does_not_get_its_default_back() -> None:
    assert complete(DATABASE, {"name": "x", "replicas": None}) == {"db": "none", "name": "x"}


def test_what_depends_on_a_hidden_field_is_hidden_too() -> None:
    inner = {"size": {"oneOf": [{"properties": {"size": {"const": "l"}, "why": {"type": "string"}}}]}}
    branch = {"properties": {"db": {"const": "pg"}, "size": {"enum": ["s", "l"]}}, "dependencies": inner}
    form = form_of({"properties": {"db": {"enum": ["pg", "no"]}}, "dependencies": {"db": {"oneOf": [branch]}}})
    assert [f.name for f in visible(form.fields(), {"db": "pg", "size": "l"})] == ["db", "size", "why"]
    assert [f.name for f in visible(form.fields(), {"db": "no", "size": "l"})] == ["db"]


def test_a_field_that_another_answer_makes_required() -> None:
    form = form_of(
        {"properties": {"host": {"type": "string"}, "port": {"type": "integer"}}, "dependencies": {"host": ["port"]}}
    )
    assert check(form.fields(), {}) == []
    assert [e.field for e in check(form.fields(), {"host": "x"})] == ["port"]


def test_a_fixed_value_cannot_be_changed_from_outside() -> None:
    form = form_of({"properties": {"region": {"type": "string", "const": "eu"}}})
    assert complete(form, {"region": "us"}) == {"region": "eu"}


def test_a_hidden_value_cannot_be_changed_from_outside() -> None:
    form = form_of({"properties": {"tier": {"type": "string", "default": "3", "ui:widget": "hidden"}}})
    assert visible(form.fields(), {}) == ()
    assert complete(form, {"tier": "1"}) == {"tier": "3"}


def test_the_next_page_is_the_next_with_something_to_ask() -> None:
    branch = {"properties": {"db": {"const": "pg"}}}
    hidden = FormField(name="x", kind=Kind.TEXT, title="X", hidden=True)
    pages = (*DATABASE.pages[:1], Page(title="", fields=(hidden,)), *DATABASE.pages[1:])
    assert following(Form(pages=pages), 0, {}) == 2
    assert following(Form(pages=pages), 2, branch["properties"]["db"]) is None


def test_nested_answers_of_other_doors_become_flat() -> None:
    inner = {"type": "object", "properties": {"size": {"type": "string"}}}
    form = form_of({"properties": {"database": inner, "name": {"type": "string"}}})
    flat = flatten(form, {"database": {"size": "s"}, "name": "x", "other": 1})
    assert flat == {"database.size": "s", "name": "x", "other": 1}
    assert [e.field for e in unknown(form, flat)] == ["other"]


@pytest.mark.parametrize(
    ("value", "kind", "parts", "words"),
    [
        (None, Kind.TEXT, {"required": True}, "Please fill this in."),
        ("", Kind.CHOICE, {"required": True, "options": (Option(value="a", label="A"),)}, "Please choose one."),
        ("ab", Kind.TEXT, {"min_length": 3}, "Write at least 3 characters; there are 2 now."),
        ("abcd", Kind.TEXT, {"max_length": 3}, "Write at most 3 characters; there are 4 now."),
        ("A", Kind.TEXT, {"pattern": "^[a-z]+$"}, "This must match the pattern ^[a-z]+$"),
        ("A", Kind.TEXT, {"pattern": "^[a-z]+$", "pattern_help": "Use small letters."}, "Use small letters."),
        ("a\nb", Kind.TEXT, {}, "Remove the line breaks and control characters."),
        ("a\ufffe", Kind.TEXT, {}, "Remove the line breaks and control characters."),  # no YAML file can hold it
        ("a\x80b", Kind.TEXT, {}, "Remove the line breaks and control characters."),
        ("3.5", Kind.INTEGER, {}, "Give a whole number, such as 3."),
        ("many", Kind.NUMBER, {}, "Give a number, such as 3 or 0.5."),
        ("nan", Kind.NUMBER, {}, "Give a number, such as 3 or 0.5."),
        (True, Kind.INTEGER, {}, "Give a whole number, such as 3."),
        (0, Kind.INTEGER, {"minimum": 1}, "Give 1 or more."),
        (2000000, Kind.INTEGER, {"maximum": 1000000}, "Give 1000000 or less."),
        (4, Kind.INTEGER, {"multiple_of": 3}, "Give a multiple of 3."),
        ("maybe", Kind.BOOLEAN, {}, "Answer with yes or no."),
        ("c", Kind.CHOICE, {"options": (Option(value="a", label="A"),)}, "Choose one of: a."),
        (1, Kind.CHOICE, {"options": (Option(value=True, label="A"),)}, "Choose one of: true."),
        (["a"], Kind.LINES, {"min_items": 2}, "Give at least 2; there is 1 now."),
        (["a", "a"], Kind.LINES, {}, "Each may be given only once; remove the repeated ones."),
        ("2026-02-30", Kind.DATE, {}, "Give a date as year-month-day, such as 2026-11-23."),
        ("2026-W48-1", Kind.DATE, {}, "Give a date as year-month-day, such as 2026-11-23."),
        ("me", Kind.EMAIL, {}, "Give an e-mail address such as name@example.com."),
        ("javascript:alert(1)", Kind.URL, {}, "Give a whole address that begins with https:// or http://."),
        ("group:default/../x", Kind.OWNER, {}, "Choose one from the list."),
        ("github.com?owner=a", Kind.REPOSITORY, {}, "Give the repository's name."),
        (
            "a/b/c",
            Kind.REPOSITORY,
            {},
            "Use letters, digits, `-`, `_` and `.` only, at most 100, and no .git at the end.",
        ),
        (
            "github.com?owner=evil&repo=x",
            Kind.REPOSITORY,
            {"picker": {"allowedOwners": ["acme"]}},
            "Choose one of the allowed owners: acme.",
        ),
        ({"a": 1}, Kind.TEXT, {}, "Give a text here."),
    ],
)
def test_a_wrong_answer_is_told_what_to_do(value: Any, kind: Kind, parts: dict[str, Any], words: str) -> None:
    assert said(value, kind, **parts) == words


@pytest.mark.parametrize(
    ("value", "kind", "parts", "becomes"),
    [
        ("3", Kind.INTEGER, {}, 3),
        ("0.5", Kind.NUMBER, {}, 0.5),
        ("yes", Kind.BOOLEAN, {}, True),
        ("2", Kind.CHOICE, {"options": (Option(value=2, label="two"),)}, 2),
        ("a, b", Kind.LINES, {}, ["a", "b"]),
        (" x ", Kind.TEXT, {}, "x"),
        ("orders", Kind.REPOSITORY, {}, "github.com?repo=orders"),
        ("orders", Kind.REPOSITORY, {"picker": {"allowedOwners": ["acme"]}}, "github.com?owner=acme&repo=orders"),
        ("acme/orders", Kind.REPOSITORY, {}, "github.com?owner=acme&repo=orders"),
        ("group:default/a", Kind.ENTITY, {"multiple": True}, ["group:default/a"]),
    ],
)
def test_text_becomes_what_the_field_holds(value: Any, kind: Kind, parts: dict[str, Any], becomes: Any) -> None:
    one = field(kind, **parts)
    assert check([one], {"it": value}) == []
    assert complete(Form(pages=(Page(title="", fields=(one,)),)), {"it": value}) == {"it": becomes}


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(value=_VALUES, kind=st.sampled_from(list(Kind)), required=st.booleans(), multiple=st.booleans())
def test_any_answer_is_taken_or_told_what_to_do_in_one_line(
    value: Any, kind: Kind, required: bool, multiple: bool
) -> None:
    one = field(kind, required=required, multiple=multiple, pattern="^a", options=(Option(value="x" * 150, label="X"),))
    for error in check([one], {"it": value}):
        assert 0 < len(error.message) < 150
    complete(Form(pages=(Page(title="", fields=(one,)),)), {"it": value})
