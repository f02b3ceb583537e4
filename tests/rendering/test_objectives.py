"""A promise becomes recorded shares and alerts on how quickly its budget goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model.platform import Environment, Monitoring, Platform
from bot.model.web_service.slo import Slo
from bot.rendering.documents import read
from bot.rendering.objectives import spoken_seconds
from bot.rendering.render import render
from bot.rendering.rollout import Rollout
from tests.fuzz import examples

WATCHED = Environment(monitoring=Monitoring(enabled=True))
PLATFORM = Platform(environments={"staging": WATCHED, "production": WATCHED})
ROLLOUT = Rollout(image="ghcr.io/acme/orders-api:1", team="team-orders")


def spec_of(platform: Platform = PLATFORM, environment: str = "production", **spec: Any) -> Any:
    """Return the `spec` of the PrometheusRule."""
    document = {
        "apiVersion": "platform.company.io/v1",
        "kind": "WebService",
        "metadata": {"name": "orders-api"},
        "spec": spec,
    }
    (found,) = read(json.dumps(document))
    made = render(found, environment=environment, platform=platform, rollout=ROLLOUT)
    (rule,) = [obj for obj in made if obj["kind"] == "PrometheusRule"]
    return rule["spec"]


def alerts_of(spec: Any) -> dict[str, Any]:
    return {rule["alert"]: rule for group in spec["groups"] for rule in group["rules"] if "alert" in rule}


def records_of(spec: Any) -> list[str]:
    return [rule["record"] for group in spec["groups"] for rule in group["rules"] if "record" in rule]


def test_the_simple_alerts_stay_where_nothing_is_promised() -> None:
    found = spec_of()
    assert set(alerts_of(found)) == {"PodsCrashLooping", "ReplicasMissing", "ErrorRateHigh"}
    assert records_of(found) == []


def test_a_promise_on_failures_takes_the_place_of_the_simple_alert() -> None:
    found = alerts_of(spec_of(slo={"availability": 99.9}))
    assert set(found) == {"PodsCrashLooping", "ReplicasMissing", "ErrorBudgetBurnsFast", "ErrorBudgetBurnsSlowly"}
    fast = found["ErrorBudgetBurnsFast"]
    assert fast["labels"] == {
        "severity": "critical",
        "service": "orders-api",
        "environment": "production",
        "team": "team-orders",
        "slo": "availability",
    }
    assert "> 0.0144" in fast["expr"]
    assert "> 0.006" in fast["expr"]
    assert found["ErrorBudgetBurnsSlowly"]["labels"]["severity"] == "warning"


def test_a_promise_on_time_alone_keeps_the_simple_alert_on_failures() -> None:
    found = alerts_of(spec_of(slo={"latency": {"below": "1s"}}))
    assert {"ErrorRateHigh", "LatencyBudgetBurnsFast", "LatencyBudgetBurnsSlowly"} <= set(found)


def test_an_alert_says_the_numbers_and_where_to_read_on() -> None:
    link = "https://acme.example/runbook"
    found = alerts_of(spec_of(slo={"availability": 99.9, "latency": {"below": "300ms"}}, runbook=link))
    assert {alert["annotations"]["runbook_url"] for alert in found.values()} == {link}
    fast = found["ErrorBudgetBurnsFast"]["annotations"]
    assert fast["summary"] == "orders-api in production fails far more requests than it promises"
    assert "99.9 % good ones in 30d, so 0.1 % may be bad" in fast["description"]
    slow = found["LatencyBudgetBurnsSlowly"]["annotations"]["description"]
    assert "take longer than 500ms" in slow
    assert "The document says 300ms; no bucket ends there" in slow
    assert (
        "no bucket"
        not in alerts_of(spec_of(slo={"latency": {"below": "1s"}}))["LatencyBudgetBurnsFast"]["annotations"][
            "description"
        ]
    )


def test_what_can_never_be_met_is_left_out() -> None:
    """90 % leave a budget of 10 %, and 14.4 times that is more than all requests."""
    found = spec_of(slo={"availability": 90, "window": "2d"})
    fast, slow = (alerts_of(found)[f"ErrorBudgetBurns{name}"]["expr"] for name in ("Fast", "Slowly"))
    assert "rate1h" not in fast
    assert "rate6h" in fast
    assert "rate3d" not in slow, "longer than the window"
    assert slow.endswith(f"unless\n(\n{fast}\n)"), "one of the two at a time"
    assert "slo:sli_error:ratio_rate1h" not in records_of(found)
    assert set(alerts_of(spec_of(slo={"availability": 60}))) >= {"ErrorBudgetBurnsSlowly"}
    assert "ErrorBudgetBurnsFast" not in alerts_of(spec_of(slo={"availability": 60}))


def test_the_platforms_promise_counts_for_who_says_nothing() -> None:
    usual = PLATFORM.model_copy(update={"slo": Slo(availability=99)})
    assert "ErrorBudgetBurnsFast" in alerts_of(spec_of(usual))
    assert "ErrorBudgetBurnsFast" not in alerts_of(spec_of(usual, slo={"enabled": False}))
    assert "ErrorBudgetBurnsFast" not in alerts_of(spec_of(usual, worker=True))


def test_a_companys_own_query_is_what_is_recorded_and_alerted_on(tmp_path: Path) -> None:
    own = 'my_errors{n=$namespace, s=$service}[$range] / "x"'
    (tmp_path / "error_ratio.promql").write_text(own)
    platform = PLATFORM.model_copy(update={"queries": (tmp_path,)})
    (rate5m,) = [
        rule
        for group in spec_of(platform, slo={"availability": 99.9})["groups"]
        for rule in group["rules"]
        if rule.get("record") == "slo:sli_error:ratio_rate5m"
    ]
    assert rate5m["expr"] == 'my_errors{n="orders-api-production", s="orders-api"}[5m] / "x"'
    assert "my_errors" in alerts_of(spec_of(platform))["ErrorRateHigh"]["expr"]


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "availability": st.floats(50, 99.999).filter(lambda value: value <= 99.999),
            "latency": st.fixed_dictionaries(
                {"below": st.integers(5, 10_000).map("{}ms".format)}, optional={"target": st.integers(50, 99)}
            ),
            "window": st.integers(1, 90).map("{}d".format),
        },
    ).filter(lambda slo: slo.keys() - {"window"})
)
@settings(max_examples=examples(60))
def test_whatever_is_promised_each_alert_reads_only_what_is_recorded(slo: dict[str, Any]) -> None:
    found = spec_of(slo=slo)
    assert yaml.safe_load(json.dumps(found)) == found
    recorded = {(rule["record"], rule["labels"]["slo"]) for group in found["groups"] for rule in group["rules"]
                if "record" in rule}  # fmt: skip
    read_ = set()
    for alert in alerts_of(found).values():
        kind = alert["labels"].get("slo")
        words = alert["expr"].replace("{", " ").split()
        read_ |= {(word, kind) for word in words if word.startswith("slo:")}
    assert read_ == recorded, "nothing is recorded in vain, and nothing is missing"
    assert len(records_of(found)) == len(recorded)


@pytest.mark.parametrize(("seconds", "told"), [(0.3, "300ms"), (0.005, "5ms"), (1.0, "1s"), (2.5, "2.5s")])
def test_times_are_spoken_shortly(seconds: float, told: str) -> None:
    assert spoken_seconds(seconds) == told
