from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.command import FormStart
from bot.errors import Invalid
from bot.forms import schema
from bot.forms.answers import complete
from bot.forms.model import FieldError, Form, FormField, Kind
from bot.slack import forms
from tests.golden import assert_golden
from tests.slack.checker import view_violations

SERVICE: Any = [
    {
        "title": "Service Info",
        "description": "What it is and who looks after it.",
        "required": ["name", "owner", "public"],
        "properties": {
            "name": {
                "type": "string",
                "title": "Name",
                "pattern": "^[a-z][a-z0-9-]*$",
                "maxLength": 40,
                "ui:autofocus": True,
                "ui:help": "Small letters, digits and hyphens.",
                "ui:placeholder": "orders",
            },
            "owner": {"type": "string", "title": "Owner", "ui:field": "OwnerPicker"},
            "watchers": {"type": "array", "title": "Watchers", "ui:field": "MultiEntityPicker"},
            "public": {"type": "boolean", "title": "Open to the internet"},
            "metrics": {"type": "boolean", "title": "Metrics", "default": True},
            "database": {"title": "Database", "enum": ["none", "postgresql"], "default": "none"},
        },
        "dependencies": {
            "database": {
                "oneOf": [
                    {"properties": {"database": {"const": "none"}}},
                    {
                        "properties": {
                            "database": {"const": "postgresql"},
                            "size": {"title": "Size", "enum": ["small", "large"], "ui:widget": "radio"},
                        },
                        "required": ["size"],
                    },
                ]
            }
        },
    },
    {
        "title": "The rest",
        "properties": {
            "replicas": {"type": "integer", "title": "Replicas", "minimum": 1, "maximum": 9, "default": 2},
            "ratio": {"type": "number", "title": "Ratio"},
            "languages": {
                "type": "array",
                "title": "Languages",
                "items": {"type": "string", "enum": ["en", "de"]},
                "ui:widget": "checkboxes",
            },
            "zones": {"type": "array", "title": "Zones", "maxItems": 2, "items": {"enum": [1, 2, 3]}},
            "until": {"type": "string", "title": "Until", "format": "date"},
            "contact": {"type": "string", "title": "Contact", "format": "email"},
            "docs": {"type": "string", "title": "Docs", "format": "uri"},
            "notes": {"type": "string", "title": "Notes", "ui:widget": "textarea"},
            "tags": {"type": "array", "title": "Tags", "items": {"type": "string"}},
            "region": {"type": "string", "title": "Region", "const": "eu"},
            "repoUrl": {
                "type": "string",
                "title": "Repository",
                "ui:field": "RepoUrlPicker",
                "ui:options": {"allowedOwners": ["acme", "acme-labs"]},
            },
        },
    },
]
FORM = schema.form_of(SERVICE)


def modal(page: int = 0, values: Mapping[str, Any] | None = None, form: Form = FORM, **rest: Any) -> dict[str, Any]:
    start = FormStart(title="Create a service", form=form)
    return forms.modal(
        start, page=page, values=values or {}, callback_id="service.create", private_metadata="draft-1", **rest
    )


def inputs(view: Mapping[str, Any]) -> dict[str, Any]:
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


def one_field(kind: Kind, **parts: Any) -> FormField:
    return FormField(name="it", kind=kind, title="It", **parts)


@pytest.mark.parametrize("page", [0, 1])
def test_each_page_looks_as_agreed(page: int) -> None:
    text = json.dumps(modal(page), indent=2, ensure_ascii=False)
    assert_golden(f"slack/modal-service-{page + 1}.json", text + "\n")


@pytest.mark.parametrize("page", [0, 1])
@pytest.mark.parametrize("values", [{}, {"database": "postgresql", "owner": "group:default/team-orders"}])
def test_slack_takes_each_page(page: int, values: dict[str, Any]) -> None:
    assert view_violations(modal(page, values)) == []


def test_block_and_action_are_named_like_the_field() -> None:
    for name, block in (inputs(modal(0)) | inputs(modal(1))).items():
        assert block["element"]["action_id"] == name


def test_a_choice_that_others_depend_on_is_dispatched_and_shows_them() -> None:
    before, after = inputs(modal()), inputs(modal(values={"database": "postgresql"}))
    assert before["database"]["dispatch_action"] is True
    assert "dispatch_action" not in before["name"]
    assert set(after) - set(before) == {"size"}


def test_only_later_pages_have_a_way_back_and_only_the_last_creates() -> None:
    first, last = modal(0), modal(1)
    assert [b["type"] for b in first["blocks"]].count("actions") == 0
    assert last["blocks"][-1]["elements"][0]["action_id"] == "back"
    assert (first["submit"]["text"], last["submit"]["text"]) == ("Next", "Create")


def test_the_page_number_is_said() -> None:
    assert modal(1)["blocks"][0]["elements"][0]["text"] == "Page 2 of 2 · The rest"


def test_pickers_ask_for_their_options_and_show_what_was_chosen() -> None:
    element = inputs(modal(values={"owner": "group:default/team-orders"}))["owner"]["element"]
    assert (element["type"], element["min_query_length"]) == ("external_select", 0)
    assert element["initial_option"]["value"] == "group:default/team-orders"
    assert element["initial_option"]["text"]["text"] == "team-orders"


def test_an_optional_box_may_stay_empty_and_a_required_yes_or_no_must_be_said() -> None:
    shown = inputs(modal())
    assert (shown["metrics"]["element"]["type"], shown["metrics"]["optional"]) == ("checkboxes", True)
    assert (shown["public"]["element"]["type"], shown["public"]["optional"]) == ("radio_buttons", False)


def test_a_fixed_value_is_shown_and_not_asked_for() -> None:
    view = modal(1)
    assert "region" not in inputs(view)
    assert "*Region*\neu" in json.dumps(view, ensure_ascii=False).replace("\\n", "\n")


def test_errors_of_elsewhere_stand_above_the_fields() -> None:
    view = modal(errors=[FieldError(field="x", message="The name is taken.")])
    assert "The name is taken." in view["blocks"][0]["text"]["text"]


def test_a_page_where_nothing_shows_says_so() -> None:
    form = Form(pages=(schema.form_of([]).pages))
    assert "nothing to fill in" in modal(form=form)["blocks"][0]["text"]["text"]


def test_what_a_person_typed_comes_back_typed() -> None:
    state = {
        "name": {"name": {"type": "plain_text_input", "value": "orders"}},
        "owner": {"owner": {"type": "external_select", "selected_option": {"value": "group:default/team-orders"}}},
        "watchers": {"watchers": {"type": "multi_external_select", "selected_options": []}},
        "public": {"public": {"type": "radio_buttons", "selected_option": {"value": "false"}}},
        "metrics": {"metrics": {"type": "checkboxes", "selected_options": []}},
        "replicas": {"replicas": {"type": "number_input", "value": "3"}},
        "languages": {"languages": {"type": "checkboxes", "selected_options": [{"value": "de"}]}},
        "zones": {"zones": {"type": "multi_static_select", "selected_options": [{"value": "2"}]}},
        "until": {"until": {"type": "datepicker", "selected_date": "2026-12-01"}},
        "contact": {"contact": {"type": "email_text_input", "value": None}},
        "tags": {"tags": {"type": "plain_text_input", "value": "a, b\nc"}},
        "repoUrl": {"repoUrl": {"type": "plain_text_input", "value": "orders"}},
        "repoUrl#owner": {"repoUrl#owner": {"type": "static_select", "selected_option": {"value": "acme-labs"}}},
        "unknown": {"unknown": {"type": "plain_text_input", "value": "x"}},
    }
    assert forms.answers(FORM.fields(), state) == {
        "name": "orders",
        "owner": "group:default/team-orders",
        "watchers": None,
        "public": False,
        "metrics": False,
        "replicas": 3,
        "languages": ["de"],
        "zones": [2],
        "until": "2026-12-01",
        "contact": None,
        "tags": ["a, b", "c"],
        "repoUrl": "github.com?owner=acme-labs&repo=orders",
    }


@pytest.mark.parametrize("state", [{"it": None}, {"it": {}}, {"it": {"it": None}}, {"it": {"it": {"value": 3}}}, {}])
def test_a_state_of_any_shape_is_read(state: dict[str, Any]) -> None:
    for kind in Kind:
        forms.answers([one_field(kind)], state)


def submitted(view: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of a view in which nobody changed anything."""
    found: dict[str, Any] = {}
    for name, block in inputs(view).items():
        element = block["element"]
        kind = element["type"]
        if kind in ("checkboxes", "multi_static_select", "multi_external_select"):
            value: dict[str, Any] = {"selected_options": element.get("initial_options", [])}
        elif kind in ("radio_buttons", "static_select", "external_select"):
            value = {"selected_option": element.get("initial_option")}
        elif kind == "datepicker":
            value = {"selected_date": element.get("initial_date")}
        else:
            value = {"value": element.get("initial_value")}
        found[name] = {name: {"type": kind, **value}}
    return found


def test_a_page_submitted_unchanged_gives_the_values_it_was_drawn_from() -> None:
    values: dict[str, Any] = {
        "replicas": 4,
        "ratio": 0.5,
        "languages": ["en"],
        "zones": [1, 3],
        "until": "2026-12-01",
        "contact": "a@b.example",
        "docs": "https://b.example/x",
        "notes": "one\ntwo",
        "tags": ["a", "b"],
        "repoUrl": "github.com?owner=acme-labs&repo=orders",
    }
    assert forms.answers(FORM.fields(), submitted(modal(1, values))) == values
    assert complete(FORM, values)["region"] == "eu"


def test_notices_are_taken_by_slack() -> None:
    assert view_violations(forms.loading("Create a service")) == []
    shown: Any = forms.problem("A title that is far too long for Slack", "It broke. Quote `a1b2`.")
    assert view_violations(shown) == []
    assert "Quote `a1b2`." in shown["blocks"][0]["text"]["text"]


_TEXT = st.text(min_size=1, max_size=80)
_PROPERTY = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={
            "title": st.text(max_size=2_500),
            "description": st.text(max_size=2_500),
            "default": st.text(max_size=100),
            "minLength": st.integers(0, 4_000),
            "maxLength": st.integers(0, 4_000),
            "ui:placeholder": st.text(max_size=200),
            "ui:widget": st.sampled_from(["textarea", "hidden"]),
            "format": st.sampled_from(["date", "email", "uri"]),
        },
    ),
    st.fixed_dictionaries({"enum": st.lists(_TEXT, max_size=12)}, optional={"ui:widget": st.just("radio")}),
    st.fixed_dictionaries({"type": st.just("array"), "items": st.fixed_dictionaries({"enum": st.lists(_TEXT)})}),
    st.fixed_dictionaries({"type": st.sampled_from(["integer", "number"])}, optional={"minimum": st.integers()}),
    st.fixed_dictionaries(
        {"type": st.just("string"), "ui:field": st.sampled_from(["OwnerPicker", "RepoUrlPicker", "EntityPicker"])}
    ),
)


@given(
    properties=st.dictionaries(st.text(max_size=210), _PROPERTY, max_size=6),
    values=st.dictionaries(st.text(max_size=3), st.text(max_size=4_000)),
    data=st.data(),
)
def test_a_template_that_loads_has_modals_that_slack_takes(
    properties: dict[str, Any], values: dict[str, Any], data: st.DataObject
) -> None:
    try:
        form = schema.form_of({"properties": properties})
    except Invalid:
        return
    answers = {name: data.draw(st.text(max_size=3_500) | st.integers() | st.none()) for name in properties}
    assert view_violations(modal(values=values | answers, form=form)) == []
