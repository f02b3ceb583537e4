"""Each service has a dashboard where the platform wants it, and it asks nothing that is not in `manifests/queries/`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from bot.model.platform import Dashboards, Environment, Monitoring, Platform
from bot.queries import QUESTIONS, load_queries
from bot.rendering.documents import read
from bot.rendering.render import render
from tests.golden import assert_golden
from tests.rendering.examples import PROMISED, ROLLOUT, WORKER

EVERYWHERE = Dashboards(
    enabled=True, folder="Services", url="https://grafana.acme.example/", loki="loki", tempo="tempo"
)


def platform(dashboards: Dashboards = EVERYWHERE, **more: Any) -> Platform:
    monitored = Environment(monitoring=Monitoring(enabled=True, dashboards=dashboards))
    return Platform(environments={"staging": monitored, "production": monitored}, **more)


def objects(text: str = PROMISED, *, by: Platform | None = None, environment: str = "production") -> list[Any]:
    (document,) = read(text)
    return list(render(document, environment=environment, platform=by or platform(), rollout=ROLLOUT))


def config_map(**how: Any) -> Any:
    (found,) = [obj for obj in objects(**how) if obj["kind"] == "ConfigMap"]
    return found


def board(**how: Any) -> Any:
    ((name, text),) = config_map(**how)["data"].items()
    drawn = json.loads(text)
    assert name == f"{drawn['uid']}.json"
    return drawn


def asked(drawn: Any) -> Iterator[tuple[str, str]]:
    """Yield language and text of everything that the dashboard asks."""
    languages = {"prometheus": "promql", "loki": "logql", "tempo": "traceql"}
    for one in (*drawn["annotations"]["list"], *(target for panel in drawn["panels"] for target in panel["targets"])):
        yield languages[one["datasource"]["type"]], one.get("expr") or one["query"]


def test_it_is_what_was_agreed_on() -> None:
    assert_golden("rendering/dashboard.json", json.dumps(board(), indent=2, ensure_ascii=False) + "\n")


def test_the_sidecar_finds_it_by_its_label() -> None:
    found = config_map()
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert found["metadata"]["labels"]["causeway.io/service"] == "orders-api"
    assert found["metadata"]["annotations"] == {"grafana_folder": "Services"}
    own = Dashboards(enabled=True, labels={"dashboards": "yes"})
    assert config_map(by=platform(own))["metadata"]["labels"]["dashboards"] == "yes"


def test_nobody_gets_one_who_did_not_ask_or_is_not_measured() -> None:
    assert not [obj for obj in objects(by=platform(Dashboards())) if obj["kind"] == "ConfigMap"]
    assert not [obj for obj in objects(WORKER) if obj["kind"] == "ConfigMap"]


def test_it_shows_the_signals_the_promise_the_lines_and_the_requests() -> None:
    titles = [panel["title"] for panel in board()["panels"]]
    assert {"Traffic", "Errors", "Latency", "Saturation"} <= set(titles)
    assert {"Burn rate (availability)", "Burn rate (latency)", "Error budget spent (latency, 30d)"} <= set(titles)
    assert {"What they say", "Requests that failed", "Requests longer than 500ms"} <= set(titles)
    assert [one["name"] for one in board()["annotations"]["list"]] == ["Deploys"]


def test_what_the_company_has_not_is_not_shown() -> None:
    drawn = board(by=platform(Dashboards(enabled=True)))
    assert {language for language, _ in asked(drawn)} == {"promql"}


def test_the_objective_is_a_line_in_the_chart() -> None:
    (errors,) = [panel for panel in board()["panels"] if panel["title"] == "Errors"]
    (latency,) = [panel for panel in board()["panels"] if panel["title"] == "Latency"]
    for panel, limit in ((errors, 0.001), (latency, 0.5)):
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["thresholds"]["steps"][-1]["value"] == limit
        assert defaults["custom"]["thresholdsStyle"] == {"mode": "line"}


def test_no_panel_lies_over_another_or_beside_the_grid() -> None:
    places = [panel["gridPos"] for panel in board()["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] != other["y"]
    assert len({panel["id"] for panel in board()["panels"]}) == len(places)


@pytest.mark.parametrize("name", sorted({*QUESTIONS} - {"latency_share", "new_patterns"}))
def test_each_expression_is_one_that_a_company_can_replace(name: str, tmp_path: Path) -> None:
    language = QUESTIONS[name].language
    needed = " ".join(f"${value}" for value in QUESTIONS[name].values)
    (tmp_path / f"{name}.{language}").write_text(f"OWN {needed}")
    theirs = [text for _, text in asked(board(by=platform(queries=(tmp_path,))))]
    ours = [text for _, text in asked(board())]
    assert len(theirs) == len(ours)
    changed = [text for text, before in zip(theirs, ours, strict=True) if text != before]
    assert changed
    assert all(text.startswith("OWN ") for text in changed)


def test_nothing_is_asked_beside_the_named_queries() -> None:
    queries = load_queries()
    place = {"namespace": "orders-api-production", "service": "orders-api"}
    plain = {queries.text(name, **place) for name, one in QUESTIONS.items() if set(one.values) == {*place, "range"}}
    found = {text for _, text in asked(board())}
    assert {queries.text("deploys", **place), queries.text("error_lines", **place)} <= found
    assert plain - {queries.text("new_patterns", **place), queries.text("restarts", **place)} <= found
    assert queries.text("restarts", **place, range=timedelta(minutes=15)) in found


def test_alerts_link_it_where_somebody_knows_where_it_is_seen() -> None:
    (rule,) = [obj for obj in objects() if obj["kind"] == "PrometheusRule"]
    alerts = [one for group in rule["spec"]["groups"] for one in group["rules"] if "alert" in one]
    links = {alert["annotations"]["dashboard_url"] for alert in alerts}
    assert links == {f"https://grafana.acme.example/d/{board()['uid']}"}
    unknown = objects(by=platform(Dashboards(enabled=True)))
    assert "dashboard_url" not in json.dumps(unknown)


def test_each_place_has_a_dashboard_of_its_own() -> None:
    assert board()["uid"] != board(environment="staging")["uid"]
    assert board()["uid"] == board()["uid"]
    assert len(board()["uid"]) <= 40
