"""Burn-rate alerts fire when a promise is being broken, and at no other time: judged by Prometheus' own rule tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.peers.rules.promtool import complaint, unmet
from tests.rendering.examples import CASES, objects
from tests.rendering.test_objectives import spec_of

WHERE = 'namespace="orders-api-production", service="orders-api", job="orders-api"'
FAST, SLOW, TIME = "ErrorBudgetBurnsFast", "ErrorBudgetBurnsSlowly", "LatencyBudgetBurnsFast"
SLO = {"availability": 99.9, "latency": {"target": 99, "below": "300ms"}}


def counted(status: int, values: str, *, route: str = "/orders", pod: str = "a") -> dict[str, str]:
    labels = f'{WHERE}, pod="{pod}", method="GET", route="{route}", status="{status}"'
    return {f"http_requests_total{{{labels}}}": values}


def timed(values: str, quick: str, *, bound: str = "0.5") -> dict[str, str]:
    labels = f'{WHERE}, pod="a", method="GET", route="/orders"'
    name = "http_request_duration_seconds"
    return {
        f'{name}_bucket{{{labels}, le="{bound}"}}': quick,
        f'{name}_bucket{{{labels}, le="+Inf"}}': values,
        f"{name}_count{{{labels}}}": values,
    }


@pytest.fixture(scope="module")
def promised() -> Any:
    return spec_of(slo=SLO)


@pytest.mark.parametrize("case", [case for case in CASES if CASES[case][1] == "production"])
def test_every_rule_can_be_read(case: str, tmp_path: Path) -> None:
    rules = [obj["spec"] for obj in objects(case) if obj["kind"] == "PrometheusRule"]
    assert rules
    assert [complaint(spec, tmp_path) for spec in rules] == [""] * len(rules)


def test_a_rule_that_cannot_be_read_is_complained_of(tmp_path: Path) -> None:
    wrong = {"groups": [{"name": "a", "rules": [{"alert": "A", "expr": 'up{a="b'}]}]}
    assert "rules.yml" in complaint(wrong, tmp_path)


NORMAL = counted(200, "0+600x600")
CASES_OF_AN_HOUR: dict[str, tuple[dict[str, str], dict[str, list[str]]]] = {
    "nobody measures": ({}, {"2h": []}),
    "nobody asks": ({**counted(200, "5000x600"), **counted(500, "900x600"), **timed("5000x600", "10x600")}, {"2h": []}),
    "all is well": ({**NORMAL, **timed("0+600x600", "0+600x600")}, {"2h": []}),
    "each fails from the hundredth minute on, until they do not; half the budget is gone": (
        {**counted(200, "0+600x100 60000x30 60000+600x200"), **counted(500, "0x100 0+600x30 18000x200")},
        {"1h": [], "98m": [], "112m": [FAST], "129m": [FAST], "180m": [SLOW]},
    ),
    "one in fifty fails": ({**NORMAL, **counted(500, "0+12x600")}, {"30m": [FAST], "3h": [FAST]}),
    "one of a few fails at night": (
        {**counted(200, "0+1x600"), **counted(500, "0x100 1x500")},
        {"101m": [], "104m": [], "3h": []},
    ),
    "pods that start anew lose their counts": (
        {**counted(200, "0+600x60 0+600x60 0+600x60"), **counted(500, "50000x60 0x60 0x60")},
        {"65m": [], "2h": [], "150m": []},
    ),
    "a pod that drains says so to who asks after its health": (
        {**NORMAL, **counted(503, "0+60x600", route="/readyz")},
        {"2h": []},
    ),
    "half of them are slow": ({**NORMAL, **timed("0+600x600", "0+300x600")}, {"1h": [TIME]}),
    "another client writes its buckets without a point": (
        {**NORMAL, **timed("0+600x600", "0+300x600", bound="0.50")},
        {"1h": [TIME]},
    ),
    "nothing is known of the bucket": ({**NORMAL, **timed("0+600x600", "0+300x600", bound="0.7")}, {"2h": []}),
}


@pytest.mark.parametrize("case", CASES_OF_AN_HOUR)
def test_a_fast_burn(case: str, promised: Any, tmp_path: Path) -> None:
    series, fires = CASES_OF_AN_HOUR[case]
    assert unmet(promised, tmp_path, series=series, fires=fires) == ""


DAYS = "0+18000x1200"
CASES_OF_DAYS: dict[str, tuple[dict[str, str], dict[str, list[str]]]] = {
    "four in a thousand fail for a day": ({**counted(200, DAYS), **counted(500, "0+72x1200")}, {"30h": [SLOW]}),
    "two in a thousand fail for three days": ({**counted(200, DAYS), **counted(500, "0+36x1200")}, {"75h": [SLOW]}),
    "half as many as may": ({**counted(200, DAYS), **counted(500, "0+9x1200")}, {"30h": [], "80h": []}),
}


@pytest.mark.parametrize("case", CASES_OF_DAYS)
def test_a_slow_burn(case: str, promised: Any, tmp_path: Path) -> None:
    series, fires = CASES_OF_DAYS[case]
    assert unmet(promised, tmp_path, series=series, fires=fires, every="5m") == ""


def test_the_test_itself_can_fail(promised: Any, tmp_path: Path) -> None:
    series = {**counted(200, "0+600x600"), **counted(500, "0+12x600")}
    assert FAST in unmet(promised, tmp_path, series=series, fires={"3h": []})


def test_the_simple_alert_waits_for_requests(tmp_path: Path) -> None:
    simple = spec_of()
    broken = {**NORMAL, **counted(500, "0+60x600")}
    assert unmet(simple, tmp_path, series=broken, fires={"30m": ["ErrorRateHigh"]}) == ""
    quiet = {**counted(200, "10x600"), **counted(500, "10x600")}
    assert unmet(simple, tmp_path, series=quiet, fires={"30m": [], "2h": []}) == ""
