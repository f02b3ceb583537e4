"""Templates lay values out; values never become YAML, and a wrong template says where it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.errors import Invalid
from bot.rendering.documents import read
from bot.rendering.render import render
from bot.rendering.rollout import Rollout
from bot.rendering.templates import render_template
from tests.rendering.examples import DESIGN, PLATFORM, ROLLOUT


def rendered(folder: Path, text: str, **values: Any) -> Any:
    (folder / "own.yaml.j2").write_text(text)
    return render_template("own.yaml.j2", values, (folder,))


def refused(folder: Path, text: str, **values: Any) -> str:
    with pytest.raises(Invalid) as wrong:
        rendered(folder, text, **values)
    (mistake,) = wrong.value.mistakes
    assert mistake.path.startswith("own.yaml.j2")
    return str(mistake)


@pytest.mark.parametrize(
    "value",
    [
        "a: b",
        "- x",
        "{a: 1}",
        "x\ny: z",
        "*x",
        "&x",
        "!!int 3",
        "'",
        '"',
        "{{ 1 }}",
        "{% raw %}",
        "\ue0000\ue001",
        "#",
        7,
        True,
    ],
)
def test_a_value_is_only_ever_the_value(tmp_path: Path, value: Any) -> None:
    assert rendered(tmp_path, "a: {{ value }}\nb: [{{ value }}]\n", value=value) == {"a": value, "b": [value]}


def test_whole_maps_and_keys_are_values_too(tmp_path: Path) -> None:
    found = rendered(tmp_path, "{{ key }}: {{ inner }}\n", key="a: b", inner={"c": [1, {"d": None, "e": 2}]})
    assert found == {"a: b": {"c": [1, {"e": 2}]}}


def test_none_leaves_its_key_out(tmp_path: Path) -> None:
    assert rendered(tmp_path, "a: {{ none }}\nb: 1\n") == {"b": 1}


def test_a_template_may_make_nothing(tmp_path: Path) -> None:
    assert rendered(tmp_path, "{% if false %}a: 1{% endif %}\n") is None


def test_conditions_loops_and_text_put_together(tmp_path: Path) -> None:
    text = "list:\n{% for name in names %}\n  - {{ name ~ '-db' }}\n{% endfor %}\n"
    assert rendered(tmp_path, text, names=["a", "b"]) == {"list": ["a-db", "b-db"]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: {{ name }}-db\n", "own.yaml.j2: a: an expression must be the whole value"),
        ("a: {{ missing }}\n", "'missing' is undefined"),
        ("a: {{ name.x.y }}\n", "has no attribute 'x'"),
        ("a: {{ name\n", "own.yaml.j2: line 1"),
        ("a: [\n", "own.yaml.j2: line 2: is not YAML"),
        ("a: 1\na: 2\n", "own.yaml.j2: a: is given twice"),
        ("a: 1\n---\nb: 2\n", "makes several documents"),
        ("{% include 'x' %}\n", "uses `include`"),
        ("{% macro x() %}{% endmacro %}\n", "uses `macro`"),
        ("{% set x %}a: {{ name }}{% endset %}\n", "uses `assignblock`"),
        ("a: {{ name.__class__ }}\n", "own.yaml.j2"),
        ("a: {{ 1 / 0 }}\n", "cannot be rendered"),
        ("a: {{ name.upper }}\n", "cannot stand in a manifest"),
        ("a: \ue0000\ue001\n", "remove U+E000"),
    ],
)
def test_a_wrong_template_says_where_and_why(tmp_path: Path, text: str, told: str) -> None:
    assert told in refused(tmp_path, text, name="orders")


def platform_with(folder: Path, **templates: str) -> Any:
    for name, text in templates.items():
        (folder / f"{name}.yaml.j2").write_text(text)
    return PLATFORM.model_copy(update={"templates": (folder,)})


def of_design(platform: Any, rollout: Rollout = ROLLOUT) -> Any:
    (document,) = read(DESIGN)
    return {
        str(obj["kind"]): obj for obj in render(document, environment="staging", platform=platform, rollout=rollout)
    }


SHIPPED = Path("manifests/web_service")


def test_a_platform_team_replaces_one_template(tmp_path: Path) -> None:
    text = (SHIPPED / "service.yaml.j2").read_text() + "  sessionAffinity: ClientIP\n"
    found = of_design(platform_with(tmp_path, service=text))
    assert found["Service"]["spec"]["sessionAffinity"] == "ClientIP"
    assert "sessionAffinity" not in of_design(PLATFORM)["Service"]["spec"]


def test_a_changed_template_counts_at_once(tmp_path: Path) -> None:
    text = (SHIPPED / "service.yaml.j2").read_text()
    platform = platform_with(tmp_path, service=text)
    of_design(platform)
    (tmp_path / "service.yaml.j2").write_text(text + "  sessionAffinity: ClientIP\n")
    assert of_design(platform)["Service"]["spec"]["sessionAffinity"] == "ClientIP"


def test_an_empty_template_takes_an_object_away(tmp_path: Path) -> None:
    found = of_design(platform_with(tmp_path, pod_disruption_budget="# we drain by hand\n"))
    assert "PodDisruptionBudget" not in found


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("service", ("  type:", "  typ:"), "service.yaml.j2: spec.typ: is not a field; did you mean `type`?"),
        ("deployment", ("Limit: 5", 'Limit: "5"'), "deployment.yaml.j2: spec.revisionHistoryLimit: is a text"),
        ("deployment", ("matchLabels: {{ selector }}", "matchLabels: {app: x}"), "must be among the labels"),
        ("pod", ("readOnlyRootFilesystem", "readOnlyRoot"), "spec.containers[0].securityContext.readOnlyRoot: is not"),
        ("service", ("kind: Service", "kind: Servcie"), "did you mean `v1 Service`?"),
        ("ingress", ("  namespace: {{ namespace }}\n", ""), "ingress.yaml.j2: metadata.namespace: is missing"),
    ],
)  # fmt: skip
def test_an_object_that_kubernetes_would_not_take_is_refused(
    tmp_path: Path, name: str, change: tuple[str, str], told: str
) -> None:
    text = (SHIPPED / f"{name}.yaml.j2").read_text()
    assert change[0] in text
    with pytest.raises(Invalid) as wrong:
        of_design(platform_with(tmp_path, **{name: text.replace(*change)}))
    assert told in "; ".join(str(mistake) for mistake in wrong.value.mistakes)
