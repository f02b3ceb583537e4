"""Whatever is wrong with an Environment document is said at once, with its path and a mend."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import Invalid
from bot.model.environment import Environment
from bot.model.web_service import WebService
from bot.rendering.environments import check, read_all, read_environment
from tests.fuzz import examples
from tests.rendering.environment_examples import DESIGN
from tests.rendering.examples import DESIGN as SERVICE
from tests.rendering.test_properties import json_values

HEAD = "apiVersion: environments.platform.io/v1\nkind: Environment\nmetadata: {name: pr-1}\n"


def wrong(text: str | bytes, **options: Any) -> dict[str, str]:
    """Return path → sentence of every mistake."""
    with pytest.raises(Invalid) as refused:
        read_environment(text, **options)
    assert refused.value.mistakes
    return {mistake.path: mistake.message for mistake in refused.value.mistakes}


def wrong_spec(spec: str, **options: Any) -> dict[str, str]:
    return wrong(f"{HEAD}spec: {spec}\n", **options)


def test_the_design_s_document_is_read_and_written_again() -> None:
    document = read_environment(DESIGN)
    assert document.lifetime == timedelta(days=7)
    assert document.written() == {
        "apiVersion": "environments.platform.io/v1",
        "kind": "Environment",
        "metadata": {"name": "pr-123-preview"},
        "spec": {
            "ttl": "7d",
            "services": [
                {"name": "frontend", "image": "frontend:pr-123"},
                {"name": "backend", "image": "backend:pr-123"},
            ],
            "databases": [{"type": "postgresql", "seedFrom": "staging"}],
        },
    }


def test_all_mistakes_come_at_once() -> None:
    found = wrong(
        "apiVersion: environments.platform.io/v1\nkind: Enviroment\nmetadata: {name: PR_1}\n"
        "spec: {ttl: 0d, services: [{name: a, imag: x, replicas: 99}, {name: b, env: {DB_PASSWORD: hunter2}}], "
        "databases: [{type: postgres}, {seedfrom: staging}], base: production}\n"
    )
    assert set(found) == {
        *("kind", "metadata.name", "spec.ttl", "spec.services[0].imag", "spec.services[0].replicas", "spec.base"),
        *("spec.services[1].env.DB_PASSWORD", "spec.databases[0].type", "spec.databases[1].seedfrom"),
    }
    assert found["kind"] == "is not a kind; did you mean `Environment`?"
    assert found["spec.services[0].imag"] == "is not a field; did you mean `image`?"
    assert found["spec.databases[1].seedfrom"] == "is not a field; did you mean `seedFrom`?"


def test_no_secret_stands_in_a_document_and_none_is_repeated() -> None:
    found = wrong_spec("{services: [{name: a, env: {API_KEY: abcdefgh}}]}")
    assert found["spec.services[0].env.API_KEY"].endswith("`secrets` in the service's own document")
    assert "abcdefgh" not in str(found)


@pytest.mark.parametrize(
    "ttl", ["0d", "0s", "1s", "9m", "-7d", "seven days", "1.5h", "36500d", "5218w", "999999w", "d"]
)
def test_a_term_that_nobody_can_have_is_refused_with_the_allowed_range(ttl: str) -> None:
    found = wrong_spec(f"{{ttl: '{ttl}', services: [{{name: a}}]}}", longest=timedelta(days=30))
    assert found["spec.ttl"].endswith("write from 10m to 30d, such as `7d`")


@pytest.mark.parametrize("ttl", ["10m", "4h", "30d", "2w"])
def test_a_term_within_the_range_is_taken(ttl: str) -> None:
    assert read_environment(f"{HEAD}spec: {{ttl: {ttl}, services: [{{name: a}}]}}", longest=timedelta(days=30))


def test_a_term_needs_a_unit() -> None:
    assert wrong_spec("{ttl: 7, services: [{name: a}]}") == {
        "spec.ttl": "says no unit; write a number and `m`, `h`, `d` or `w`, such as `7d`"
    }


@pytest.mark.parametrize("name", ["PR-1", "-a", "a-", "a.b", "a" * 51, "é", "a b", "a_b"])
def test_a_name_becomes_a_namespace_and_a_part_of_a_host(name: str) -> None:
    head = f'apiVersion: environments.platform.io/v1\nkind: Environment\nmetadata: {{name: "{name}"}}\n'
    assert "metadata.name" in wrong(f"{head}spec: {{services: [{{name: a}}]}}\n")


@pytest.mark.parametrize("name", ["pr-123-preview", "a", "1a", "a" * 50])
def test_other_names_are_taken(name: str) -> None:
    head = f'apiVersion: environments.platform.io/v1\nkind: Environment\nmetadata: {{name: "{name}"}}\n'
    assert read_environment(f"{head}spec: {{services: [{{name: a}}]}}\n").name == name


def test_what_contradicts_itself_is_told() -> None:
    found = wrong_spec(
        "{services: [{name: a}, {name: b}, {name: a}], databases: [{service: c}, {service: a}, {service: a}, "
        "{mask: true}]}"
    )
    assert found == {
        "spec.services[2].name": "`a` is given twice; keep one",
        "spec.databases[0].service": "`c` is not one of its services; there are: a, b, a",
        "spec.databases[2]": "is a second one of `a`, and a service has one database; keep one, or say `service`",
        "spec.databases[3].mask": "masks what it is filled with; add `seedFrom`, or remove it",
    }


def test_a_contradiction_is_told_beside_other_mistakes() -> None:
    assert set(wrong_spec("{ttl: 0d, services: [{name: a}, {name: a}]}")) == {"spec.ttl", "spec.services[1].name"}


def test_an_environment_without_services_is_none() -> None:
    assert set(wrong_spec("{services: []}")) == {"spec.services"}
    assert set(wrong_spec("{ttl: 7d}")) == {"spec.services"}
    assert set(wrong(f"{HEAD}")) == {"spec"}


@pytest.mark.parametrize("label", ["causeway.io/database-visitor", "app.kubernetes.io/name", "cnpg.io/cluster"])
def test_labels_by_which_pods_are_known_are_refused(label: str) -> None:
    """With one of them a pod would pass for a database's, or for one that may reach it."""
    head = "apiVersion: environments.platform.io/v1\nkind: Environment\n"
    labels = f"metadata: {{name: a, labels: {{{label}: backend-db}}}}\n"
    assert set(wrong(f"{head}{labels}spec: {{services: [{{name: a}}]}}\n")) == {f"metadata.labels.{label}"}
    with pytest.raises(Invalid) as refused:
        read_all(f"apiVersion: platform.company.io/v1\nkind: WebService\n{labels}spec: {{}}\n")
    assert [mistake.path for mistake in refused.value.mistakes] == [f"metadata.labels.{label}"]


def test_one_file_holds_one_environment() -> None:
    assert set(wrong(f"{DESIGN}---\n{DESIGN.replace('123', '124')}")) == {"documents[1]"}


def test_documents_of_both_kinds_stand_in_one_text() -> None:
    found = read_all(f"{DESIGN}---\n{SERVICE}")
    assert [type(document) for document in found] == [Environment, WebService]
    with pytest.raises(Invalid) as refused:
        read_all(f"{DESIGN.replace('ttl', 'tll')}---\n{SERVICE.replace('replicas', 'repicas')}")
    assert {mistake.path for mistake in refused.value.mistakes} == {
        "documents[0].spec.tll",
        "documents[1].spec.repicas",
    }


@given(st.integers(0, len(DESIGN)), st.integers(0, 40), st.text(max_size=8))
@settings(max_examples=examples(200))
def test_no_spoiled_document_ends_in_anything_but_a_document_or_mistakes(place: int, gone: int, put: str) -> None:
    try:
        read_environment(DESIGN[:place] + put + DESIGN[place + gone :])
    except Invalid as refused:
        told = [str(mistake) for mistake in refused.mistakes]
        assert told
        assert not any("Traceback" in line or "\n" in line for line in told)


@given(json_values)
@settings(max_examples=examples(60))
def test_no_value_ends_in_anything_but_a_document_or_mistakes(value: Any) -> None:
    head = {"apiVersion": "environments.platform.io/v1", "kind": "Environment", "metadata": {"name": "a"}}
    assert check(value)
    assert check({**head, "metadata": value, "spec": value})
    for field in ("ttl", "services", "databases"):
        assert check({**head, "spec": {"services": [{"name": "a"}], field: value}})
