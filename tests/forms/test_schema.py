from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import Invalid
from bot.forms import properties, rules, schema
from bot.forms.answers import complete
from bot.forms.model import Form, FormField, Kind, Option, When
from bot.slack import limits
from tests.fuzz import examples

TEXTBOOK: Any = [
    {
        "title": "Service Info",
        "required": ["name", "owner"],
        "properties": {
            "name": {"type": "string"},
            "owner": {"type": "string", "ui:field": "OwnerPicker"},
        },
    }
]


def form_of(parameters: Any) -> Form:
    return schema.form_of(parameters)


def field(**parts: Any) -> FormField:
    """Return the only field of a page whose only property is this."""
    (found,) = form_of({"properties": {"it": parts}}).fields()
    return found


def mistakes(parameters: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        form_of(parameters)
    return {mistake.path: mistake.message for mistake in caught.value.mistakes}


def wrong(**parts: Any) -> dict[str, str]:
    """Return the mistakes of one property, by what follows its own path."""
    found = mistakes({"properties": {"it": parts}})
    return {path.removeprefix("parameters.properties.it"): message for path, message in found.items()}


def test_the_textbook_template_becomes_one_page_with_two_required_fields() -> None:
    (page,) = form_of(TEXTBOOK).pages
    assert page.title == "Service Info"
    assert [(f.name, f.kind, f.required) for f in page.fields] == [
        ("name", Kind.TEXT, True),
        ("owner", Kind.OWNER, True),
    ]


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ({"type": "string"}, Kind.TEXT),
        ({"type": "string", "ui:widget": "textarea"}, Kind.MULTILINE),
        ({"type": "string", "ui:options": {"widget": "textarea"}}, Kind.MULTILINE),
        ({"type": "integer"}, Kind.INTEGER),
        ({"type": "number"}, Kind.NUMBER),
        ({"type": "boolean"}, Kind.BOOLEAN),
        ({"type": "string", "format": "date"}, Kind.DATE),
        ({"type": "string", "format": "email"}, Kind.EMAIL),
        ({"type": "string", "format": "uri"}, Kind.URL),
        ({"type": ["string", "null"]}, Kind.TEXT),
        ({"enum": ["a"]}, Kind.CHOICE),
        ({"type": "string", "oneOf": [{"const": "a", "title": "A"}]}, Kind.CHOICE),
        ({"type": "array", "items": {"type": "string", "enum": ["a"]}}, Kind.CHOICES),
        ({"type": "array", "items": {"type": "string"}}, Kind.LINES),
        ({"type": "string", "ui:field": "OwnerPicker"}, Kind.OWNER),
        ({"type": "string", "ui:field": "EntityPicker"}, Kind.ENTITY),
        ({"type": "string", "ui:field": "RepoUrlPicker"}, Kind.REPOSITORY),
        ({"type": "string", "ui:field": "EntityNamePicker"}, Kind.TEXT),
        ({"type": "array", "items": {"type": "string"}, "ui:field": "EntityTagsPicker"}, Kind.LINES),
        ({"type": "array", "items": {"type": "string"}, "ui:field": "MultiEntityPicker"}, Kind.ENTITY),
    ],
)
def test_each_kind_of_property_becomes_its_kind_of_field(parts: dict[str, Any], kind: Kind) -> None:
    assert field(**parts).kind is kind


def test_names_of_choices_come_from_enum_names() -> None:
    found = field(type="integer", enum=[1, 2], enumNames=["one", "two"])
    assert found.options == (Option(value=1, label="one"), Option(value=2, label="two"))


def test_the_words_of_a_property_are_kept() -> None:
    hints = {"ui:help": "Short.", "ui:placeholder": "orders", "ui:autofocus": True}
    found = field(type="string", title="Name", description="What to call it.", **hints)
    assert (found.title, found.help, found.placeholder, found.autofocus) == (
        "Name",
        "What to call it. Short.",
        "orders",
        True,
    )


def test_bounds_are_kept() -> None:
    text = field(type="string", minLength=2, maxLength=9, pattern="^a", errorMessage={"pattern": "Begin with a."})
    assert (text.min_length, text.max_length, text.pattern, text.pattern_help) == (2, 9, "^a", "Begin with a.")
    number = field(type="integer", exclusiveMinimum=0, maximum=9, multipleOf=3)
    assert (number.minimum, number.maximum, number.multiple_of) == (1, 9, 3)


def test_a_hint_says_what_fits_where_nothing_else_does() -> None:
    hinted = {"type": "string", "pattern": "^a", "description": "It is long. " * 20, "ui:help": "Begin with a."}
    assert field(**hinted).pattern_help == "This does not fit. Begin with a."
    assert field(**hinted, errorMessage="No.").pattern_help == "No."


def test_an_owner_picker_offers_groups_and_users_unless_told_otherwise() -> None:
    assert field(type="string", **{"ui:field": "OwnerPicker"}).catalog_filter == {"kind": ["Group", "User"]}
    told = field(type="string", **{"ui:field": "OwnerPicker", "ui:options": {"allowedKinds": ["Group"]}})
    assert told.catalog_filter == {"kind": ["Group"]}
    own = {"catalogFilter": [{"kind": "Group", "spec.type": "team"}]}
    assert field(type="string", **{"ui:field": "OwnerPicker", "ui:options": own}).catalog_filter == own["catalogFilter"]


def test_the_order_hint_orders_and_the_star_stands_for_the_rest() -> None:
    properties_ = {name: {"type": "string"} for name in "abc"}
    form = form_of({"properties": properties_, "ui:order": ["c", "*", "a"]})
    assert [f.name for f in form.fields()] == ["c", "b", "a"]


def test_an_object_is_flattened_and_comes_back_as_an_object() -> None:
    inner = {"type": "object", "required": ["size"], "properties": {"size": {"type": "string"}}}
    form = form_of({"properties": {"database": inner}})
    assert [(f.name, f.required) for f in form.fields()] == [("database.size", True)]
    assert complete(form, {"database.size": "small"}) == {"database": {"size": "small"}}


def test_a_choice_shows_the_fields_of_its_branch() -> None:
    form = form_of(
        {
            "properties": {"db": {"enum": ["none", "pg", "my"]}},
            "dependencies": {
                "db": {
                    "oneOf": [
                        {"properties": {"db": {"enum": ["none"]}}},
                        {"properties": {"db": {"const": "pg"}, "size": {"type": "string"}}, "required": ["size"]},
                        {"properties": {"db": {"const": "my"}, "size": {"type": "string"}}, "required": ["db", "size"]},
                    ]
                }
            },
        }
    )
    _, size = form.fields()
    assert (size.required, size.when) == (True, (When(field="db", one_of=("pg", "my")),))


def test_branches_may_ask_for_the_same_name_differently() -> None:
    def branch(kind: str, sizes: list[str]) -> Any:
        return {"properties": {"db": {"const": kind}, "size": {"enum": sizes}}}

    form = form_of(
        {
            "properties": {"db": {"enum": ["pg", "my"]}},
            "dependencies": {"db": {"oneOf": [branch("pg", ["s"]), branch("my", ["l"])]}},
        }
    )
    assert [f.name for f in form.fields()] == ["db", "size", "size"]


def test_a_property_that_depends_on_an_answer_is_required_with_it() -> None:
    form = form_of(
        {
            "properties": {"host": {"type": "string"}, "port": {"type": "integer"}},
            "dependencies": {"host": ["port"]},
        }
    )
    assert form.fields()[1].required_when == (When(field="host", present=True),)


def test_if_then_else_shows_one_or_the_other() -> None:
    form = form_of(
        {
            "properties": {"public": {"type": "boolean"}},
            "if": {"properties": {"public": {"const": True}}},
            "then": {"properties": {"host": {"type": "string"}}},
            "else": {"properties": {"team": {"type": "string"}}},
        }
    )
    assert [f.when for f in form.fields()] == [
        (),
        (When(field="public", one_of=(True,)),),
        (When(field="public", one_of=(False,)),),
    ]


def test_a_condition_inside_a_branch_needs_both() -> None:
    inner = {"size": {"oneOf": [{"properties": {"size": {"const": "l"}, "why": {"type": "string"}}}]}}
    branch = {"properties": {"db": {"const": "pg"}, "size": {"enum": ["s", "l"]}}, "dependencies": inner}
    form = form_of({"properties": {"db": {"enum": ["pg"]}}, "dependencies": {"db": {"oneOf": [branch]}}})
    assert [len(f.when) for f in form.fields()] == [0, 1, 2]


def test_what_is_behind_a_feature_flag_is_not_asked_for() -> None:
    form = form_of({"properties": {"new": {"type": "string", "backstage:featureFlag": "x"}}})
    assert form.fields() == ()


def test_no_parameters_are_a_form_with_nothing_to_fill_in() -> None:
    assert form_of([]).fields() == ()
    assert form_of(None).fields() == ()


@pytest.mark.parametrize(
    ("parts", "where", "words"),
    [
        ({"type": "array", "items": {"type": "object"}}, ".items", "list of texts or choices only"),
        ({"type": "string", "ui:field": "AcmePicker"}, ".ui:field", "`AcmePicker` is not known"),
        ({"type": "string", "ui:field": "Secret"}, ".ui:field", "secrets are not asked for"),
        ({"type": "string", "ui:widget": "password"}, ".ui:widget", "secrets are not asked for"),
        ({"type": "string", "ui:widget": "color"}, ".ui:widget", "`color`"),
        ({"type": "string", "format": "date-time"}, ".format", "date-time"),
        ({"type": "string", "pattern": r"(a)\1"}, ".pattern", "back references"),
        ({"type": "string", "minLength": 4000}, ".minLength", "3000"),
        ({"type": "string", "minLength": "3"}, ".minLength", "whole number"),
        ({"enum": ["x" * 76]}, ".enum[0]", "76 characters"),
        ({"enum": ["a", "a"]}, "", "same choice twice"),
        ({"enum": [str(n) for n in range(101)]}, "", "101 choices"),
        ({"enum": []}, ".enum", "not empty"),
        ({"enum": ["a"], "enumNames": ["A", "B"]}, ".enumNames", "one name for each"),
        ({"type": "string", "default": "b", "enum": ["a"]}, ".default", "does not fit"),
        ({"type": "tuple"}, ".type", "`tuple`"),
        ({"type": "object"}, "", "without `properties`"),
        ({"type": "string", "not": {}}, ".not", "`not` is not supported"),
        ({"type": "string", "x": 1}, ".x", "not supported"),
        ({"type": "number", "exclusiveMinimum": 0}, ".exclusiveMinimum", "use `minimum`"),
        (
            {"type": "string", "ui:field": "EntityPicker", "ui:options": {"catalogFilter": "Group"}},
            ".ui:options.catalogFilter",
            "must be an object",
        ),
        (
            {"type": "string", "ui:field": "EntityPicker", "ui:options": {"catalogFilters": {}}},
            ".ui:options.catalogFilters",
            "no such option",
        ),
        (
            {"type": "string", "ui:field": "RepoUrlPicker", "ui:options": {"allowedOwners": "acme"}},
            ".ui:options.allowedOwners",
            "list of texts",
        ),
    ],
)
def test_what_a_modal_cannot_hold_is_refused_by_name(parts: dict[str, Any], where: str, words: str) -> None:
    assert words in wrong(**parts)[where]


def test_every_mistake_is_reported_and_not_the_first_alone() -> None:
    found = mistakes(
        [
            {"properties": {"a": {"type": "tuple"}, "b": {"type": "string", "ui:field": "X"}}, "required": "a"},
            {"properties": {}, "patternProperties": {}},
            "page",
        ]
    )
    assert list(found) == [
        "parameters[0].required",
        "parameters[0].properties.a.type",
        "parameters[0].properties.b.ui:field",
        "parameters[1].patternProperties",
        "parameters[2]",
    ]


def test_a_name_is_asked_for_on_one_page_only() -> None:
    page = {"properties": {"name": {"type": "string"}}}
    assert mistakes([page, page]) == {"parameters[1].properties.name": "is asked for on another page too"}


def test_a_required_name_must_exist() -> None:
    assert "no property has this name" in mistakes({"properties": {}, "required": ["x"]})["parameters.required"]


def test_a_page_of_more_than_a_modal_holds_is_refused() -> None:
    many = {f"p{n}": {"type": "string"} for n in range(91)}
    assert "make more pages" in mistakes({"properties": many})["parameters"]


def test_more_choices_than_a_modal_holds_are_refused_though_each_field_is_small() -> None:
    choices = [f"{number:03} {'x' * 70}" for number in range(100)]
    many = {f"p{n}": {"type": "string", "enum": choices} for n in range(20)}
    assert "more choices and words" in mistakes({"properties": many})["parameters"]


def test_our_numbers_are_slacks() -> None:
    assert properties.OPTIONS == limits.SELECT_OPTIONS
    assert properties.OPTION_LABEL == limits.OPTION_TEXT
    assert properties.OPTION_VALUE == limits.OPTION_VALUE
    assert properties.LABEL == limits.LABEL
    assert properties.FIELD_NAME + len("#owner") < limits.ACTION_ID
    assert rules.LONGEST == limits.INPUT_TEXT
    assert schema.FIELDS < limits.VIEW_BLOCKS
    assert schema.PAGE_BYTES < limits.VIEW_BYTES


_KEYS = st.sampled_from(
    [
        *("type", "properties", "required", "enum", "oneOf", "allOf", "if", "then", "else", "dependencies", "const"),
        *("default", "items", "pattern", "format", "title", "ui:field", "ui:options", "ui:order", "ui:widget"),
        *("minLength", "maximum", "multipleOf", "string", "object", "array", "integer", "a", "b"),
    ]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS | st.text(max_size=5), inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=examples(400))
@given(parameters=_JSON)
def test_any_json_is_a_form_or_refused_with_mistakes(parameters: Any) -> None:
    try:
        form_of(parameters)
    except Invalid as error:
        assert error.mistakes  # noqa: PT017 - either way of ending is right, and a refusal must say why
