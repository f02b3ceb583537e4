from __future__ import annotations

import pytest

from bot.errors import Invalid
from bot.golden_paths.template import read_template
from tests.golden_paths.helpers import PUBLISH, TEXTBOOK, fetch, step, template


def mistakes(text: str) -> list[str]:
    with pytest.raises(Invalid) as caught:
        read_template(text)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_the_textbook_template_is_read_as_it_stands() -> None:
    found = read_template(TEXTBOOK)
    assert (found.name, found.title, found.reference) == (
        "python-service",
        "Python Microservice",
        "template:default/python-service",
    )
    assert [(step.id, step.action) for step in found.steps] == [
        ("fetch", "fetch:template"),
        ("publish", "publish:github"),
    ]
    assert found.parameters[0]["title"] == "Service Info"
    assert found.warnings == ()


def test_a_template_without_pages_ids_and_names_is_read() -> None:
    found = read_template(template({"action": "debug:log"}))
    assert (found.steps[0].id, found.steps[0].name, found.parameters) == ("step-1", "debug:log", ())


def test_all_mistakes_are_told_at_once_with_their_paths() -> None:
    text = """
apiVersion: scaffolder.backstage.io/v1beta2
kind: Template
metadata: {name: "bad name", tags: one}
spec:
  parameters: [5]
  steps:
    - {id: a, action: publish:gitlab}
    - {id: a, action: fetch:template, when: later}
    - {action: [no]}
"""
    assert [mistake.split(":")[0] for mistake in mistakes(text)] == [
        "apiVersion",
        "metadata.name",
        "metadata.tags",
        "spec.parameters[0]",
        "spec.steps[0].action",
        "spec.steps[1].when",
        "spec.steps[1].input.url",
        "spec.steps[1].id",
        "spec.steps[2].action",
    ]


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"message": "${{ parameters.name | rot13 }}"}, "The filter `rot13` is not known here."),
        ({"message": "${{ 'x' | random }}"}, "The filter `random` is not known here."),
        ({"message": "${{ 1 | javascript_value }}"}, "The filter `javascript_value` is not known here."),
        ({"message": "${{ 1 is perfect }}"}, "The test `perfect` is not known here."),
        ({"message": "${{ secrets.TOKEN }}"}, "`secrets` never pass through a template here"),
        ({"message": "${{ parameters.name"}, "unexpected end of template"),
        ({"message": "{% include 'x' %}"}, "`include`, `import` and `extends` are not available"),
        ({"message": {"$yaml": "other.yaml"}}, "The include `$yaml` is not followed"),
        ({"message": "${{ " + "(" * 5000 + " }}"}, "too deeply"),
    ],
)
def test_an_expression_that_cannot_run_here_is_refused_by_name(inputs: dict[str, object], told: str) -> None:
    [mistake] = mistakes(template(step("log", "debug:log", **inputs)))
    assert told in mistake
    assert mistake.startswith("spec.steps[0].input.message")


@pytest.mark.parametrize(
    "changed",
    [
        {"if": "${{ steps.publish.output.commitHash }}"},
        {"each": "${{ steps['publish'].output['commitHash'] }}"},
        {"input": {"message": "${{ steps.publish.output.commitHash | upper }}"}},
        {"input": {"message": "${{ steps.publish.output }}"}},
        {
            "action": "fetch:template",
            "input": {"url": "./x", "values": {"sha": "${{ steps.publish.output.commitHash }}"}},
        },
        {"action": "publish:github", "input": {"repoUrl": "${{ steps.publish.output.commitHash }}"}},
    ],
)
def test_what_hangs_on_an_output_that_cannot_be_foretold_is_refused(changed: dict[str, object]) -> None:
    last = {"id": "last", "action": "debug:log", "input": {}} | changed
    [mistake] = mistakes(template(fetch(), PUBLISH, last))
    assert "known only after the step has run" in mistake


def test_a_late_output_may_be_handed_on() -> None:
    log = step("log", "debug:log", message="made ${{ steps.publish.output.commitHash }}")
    output = {"links": [{"title": "Commit", "url": "https://x/${{ steps['publish'].output.commitHash }}"}]}
    assert read_template(template(fetch(), PUBLISH, log, output=output)).warnings == ()


def test_outputs_and_names_that_nobody_sets_are_warned_of() -> None:
    message = "${{ steps.nope.output.x }} ${{ steps.publish.output.nope }} ${{ parametrs.name }}"
    found = read_template(template(fetch(), PUBLISH, step("log", "debug:log", message=message)))
    assert sorted(warning.message.split("`")[1] for warning in found.warnings) == [
        "nope",
        "parametrs",
        "publish:github",
    ]


def test_a_secret_for_a_webhook_cannot_stand_in_a_template() -> None:
    hook = step("hook", "github:webhook", repoUrl="github.com?repo=x", webhookUrl="https://x", webhookSecret="hunter2")
    [mistake] = mistakes(template(hook))
    assert "cannot hold a secret" in mistake
    assert "hunter2" not in mistake


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is none"),
        ("kind: Component\n", "there is none"),
        ("kind: Template\n---\nkind: Template\n", "there are 2"),
        ("{", "not YAML"),
        ("a: &a [*a]\n", "An alias holds itself"),
        ("a: 1\na: 2\n", "`a` is given twice"),
        ("a: !!python/object/apply:os.system [id]\n", "is not known here"),
        ("a: !secret x\n", "is not known here"),
        ("a: \0", "characters that YAML does not allow"),
        ("? [a]\n: b\n", "a key must be a text"),
        ("[" * 5000, "levels deep"),
        ("a: " + "x" * 600_000, "larger than 512 KiB"),
        ("a: .inf\n", "must be finite"),
        ("- " * 200_000, "levels deep"),
        ("[" + "1," * 150_000 + "]", "holds more than"),
        ("a: \ud800\n", "Unicode"),
        ('a: "\\ud800"\n', "Unicode character"),
    ],
)
def test_what_is_no_template_is_refused_with_its_reason(text: str, told: str) -> None:
    assert told in " ".join(mistakes(text))


def test_a_document_that_explodes_when_its_aliases_are_followed_is_refused() -> None:
    levels = [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    bomb = "a0: &a0 [x,x,x]\n" + "\n".join(levels)
    assert "once its aliases are expanded" in mistakes(bomb)[0]


def test_yaml_is_read_as_backstage_reads_it() -> None:
    text = template({"action": "debug:log", "input": {"x": "HERE"}})
    values = "{a: yes, b: 012, c: 2024-01-01, d: 0x1f, e: 1e3, f: ~, g: 1_000, h: True, i: on, <<: {j: merged}}"
    found = read_template(text.replace("HERE", values)).steps[0].input["x"]
    assert found == {
        "a": "yes",
        "b": 12,
        "c": "2024-01-01",
        "d": 31,
        "e": 1000.0,
        "f": None,
        "g": "1_000",
        "h": True,
        "i": "on",
        "j": "merged",
    }


def test_defaults_fill_what_was_not_answered() -> None:
    page = {"properties": {"name": {"type": "string", "default": "x"}, "size": {"default": 3}, "odd": True}}
    found = read_template(template({"action": "debug:log"}, parameters=page))
    assert found.with_defaults({"name": "orders"}) == {"name": "orders", "size": 3}
