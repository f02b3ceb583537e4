from __future__ import annotations

from typing import Any

import pytest

from bot.golden_paths.evaluation import ABSENT, Evaluator, LateText, plain
from bot.golden_paths.faults import Fault
from bot.golden_paths.values import LateValue, wrap

SCOPE: dict[str, Any] = {
    "parameters": {
        "name": "orders",
        "owner": "group:default/team-orders",
        "plain": "team-orders",
        "count": 3,
        "yes": True,
        "list": ["a", "b"],
        "repo": "github.com?owner=other&repo=thing",
        "own": "github.com?repo=thing",
        "object": {"a": {"b": [1, 2]}},
        "empty": [],
        "azure": "dev.azure.com?organization=o&owner=w&project=p&repo=r",
        "none": None,
        "blank": "",
    },
    "user": {
        "ref": "user:default/author",
        "entity": {"metadata": {"name": "author"}, "spec": {"profile": {"email": "a@b.c"}}},
    },
    "steps": {"publish": {"output": {"remoteUrl": "https://x", "commitHash": LateValue("publish", "commitHash")}}},
}


def value(source: Any) -> Any:
    return Evaluator("acme").value(source, {name: wrap(item) for name, item in SCOPE.items()}, "here")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain text", "plain text"),
        ("${{ parameters.count }}", 3),
        ("${{ parameters.yes }}", True),
        ("${{ parameters.list }}", ["a", "b"]),
        ("${{ parameters.object }}", {"a": {"b": [1, 2]}}),
        ("n=${{ parameters.count }}", "n=3"),
        ("${{ parameters.none }}", None),
        ("${{ parameters.repo | parseRepoUrl }}", {"host": "github.com", "owner": "other", "repo": "thing"}),
        ("${{ parameters.own | parseRepoUrl | pick('owner') }}", "acme"),
        ("${{ (parameters.own | parseRepoUrl).repo }}", "thing"),
        ("${{ (parameters.repo | parseRepoUrl)['owner'] }}", "other"),
        ("${{ parameters.azure | parseRepoUrl | pick('project') }}", "p"),
        ("${{ parameters.repo | projectSlug }}", "other/thing"),
        ("${{ parameters.own | projectSlug }}", "acme/thing"),
        ("${{ parameters.owner | parseEntityRef }}", {"kind": "group", "namespace": "default", "name": "team-orders"}),
        ("${{ parameters.owner | parseEntityRef | pick('name') }}", "team-orders"),
        (
            "${{ parameters.plain | parseEntityRef({ defaultKind: 'Group', defaultNamespace: 'x' }) }}",
            {"kind": "Group", "namespace": "x", "name": "team-orders"},
        ),
        ("${{ parameters.object | pick('a.b[1]') }}", 2),
        ("${{ parameters.object | pick('a.x') }}", ABSENT),
        ("${{ parameters.list | dump }}", '["a","b"]'),
        ("${{ parameters.name | upper }}", "ORDERS"),
        ("${{ parameters.name | replace('o', '0') }}", "0rders"),
        ("${{ 'one-two three' | title }}", "One-two Three"),
        ("${{ parameters.missing | default('x') }}", "x"),
        ("${{ parameters.list.length }}", 2),
        ("${{ parameters.list.join('-') }}", "a-b"),
        ("${{ parameters.owner.split('/')[1] }}", "team-orders"),
        ("${{ parameters.count === 3 }}", True),
        ("${{ parameters.count !== 3 }}", False),
        ("${{ 'y' if parameters.empty else 'n' }}", "y"),
        ("${{ 'y' if parameters.blank else 'n' }}", "n"),
        ("${{ user.ref }}", "user:default/author"),
        ("${{ user.entity.spec.profile.email }}", "a@b.c"),
        ("${{ parameters.missing }}", ABSENT),
        ("${{ parameters.missing.a.b }}", ABSENT),
        ("", ABSENT),
        ("{% if parameters.blank %}x{% endif %}", ABSENT),
        ("${{ parameters.blank }}", ""),
        ("${{ steps.publish.output.remoteUrl }}/x", "https://x/x"),
        ("${{ steps['publish'].output['remoteUrl'] }}", "https://x"),
        ("${{ steps.nope.output.x }}", ABSENT),
        ({"a": "${{ parameters.missing }}", "b": ["${{ parameters.missing }}", 1]}, {"b": [None, 1]}),
        ({"a": {"b": "${{ parameters.count }}"}, "c": 5, "d": None}, {"a": {"b": 3}, "c": 5, "d": None}),
        ("${{ parameters | length }}", 13),
        ("${{ 0.1 + 0.2 }}", 0.30000000000000004),
        ("${{ 4 / 2 }}", 2),
    ],
)
def test_an_expression_has_the_value_that_backstage_gives_it(source: Any, expected: Any) -> None:
    assert value(source) == expected
    assert type(value(source)) in (type(expected), type(wrap(expected)))


@pytest.mark.parametrize(
    "source",
    [
        "${{ parameters.__class__ }}",
        "${{ range.__globals__ }}",
        "${{ self.__init__ }}",
        "${{ parameters.list.append }}",
        "${{ ''['__class__'] }}",
        "${{ parameters.name.format }}",
        "${{ (parameters | dump).__class__ }}",
        "${{ config }}",
        "${{ request }}",
        "${{ lipsum }}",
        "${{ cycler }}",
        "${{ joiner }}",
        "${{ namespace }}",
        "${{ dict }}",
        "${{ ''.join.__self__ }}",
        "${{ parameters.list.join.__globals__ }}",
        "${{ range['__globals__'] }}",
    ],
)
def test_nothing_of_python_is_within_reach(source: str) -> None:
    assert value(source) is ABSENT


@pytest.mark.parametrize(
    "source",
    [
        "${{ lipsum() }}",
        "${{ ''.__class__.__mro__[1].__subclasses__() }}",
        "${{ ''.format('x') }}",
        "${{ parameters.list.append(1) }}",
        "${{ 'x' | attr('__class__') }}",
        "${{ 1 | xmlattr }}",
        "${{ 'no kind' | parseEntityRef }}",
        "${{ 'a:b:c' | parseEntityRef }}",
        "${{ 'x' | parseRepoUrl }}",
        "${{ 1 | first }}",
        "${{ 1 < 'x' }}",
        "{% extends 'x' %}",
        "{% import 'x' as y %}",
        "${{ parameters.name | replace }}",
        "${{ 'a' | truncate('x') }}",
        "{% set parameters.x = 1 %}",
        "${{ 'x' | batch(2) | foo }}",
        "${{ parameters.list.join(1, 2, 3) }}",
        "${{ ['b', 1] | sort }}",
    ],
)
def test_what_cannot_be_evaluated_is_a_fault_with_a_sentence(source: str) -> None:
    with pytest.raises(Fault) as caught:
        value(source)
    assert caught.value.message.endswith((".", "?"))
    assert "object at 0x" not in caught.value.message


def test_a_late_value_is_handed_on_inside_a_text() -> None:
    found = value("at ${{ steps.publish.output.commitHash }} and ${{ steps.publish.output.commitHash }}")
    assert isinstance(found, LateText)
    ref = {"effect": "publish", "output": "commitHash"}
    assert plain(found, "") == {"$late": ["at ", ref, " and ", ref]}


@pytest.mark.parametrize(
    "source",
    [
        "${{ steps.publish.output.commitHash | upper }}",
        "${{ steps.publish.output.commitHash + 'x' }}",
        "${{ steps.publish.output.commitHash ~ 'x' }}",
        "${{ steps.publish.output.commitHash.length }}",
        "${{ steps.publish.output.commitHash == 'x' }}",
        "${{ steps.publish.output | dump }}",
        "${{ 'x' if steps.publish.output.commitHash else 'y' }}",
        "{% for c in steps.publish.output.commitHash %}x{% endfor %}",
        "${{ [steps.publish.output.commitHash] | join }}",
        "${{ not steps.publish.output.commitHash }}",
        "${{ 'a' in steps.publish.output.commitHash }}",
        "${{ steps.publish.output.commitHash * 2 }}",
        "${{ -steps.publish.output.commitHash }}",
        "x ${{ [steps.publish.output.commitHash] }}",
    ],
)
def test_nothing_is_computed_from_a_late_value(source: str) -> None:
    with pytest.raises(Fault, match="known only after the step has run"):
        value(source)
