"""One id for one group and episode, and what may become a link."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.alerting.identity import LONGEST_KEY, fingerprint_of, group_id, is_group, key_of
from bot.alerting.links import outside_url, web_url
from bot.alerting.steps import runbook_step

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_the_order_of_labels_makes_no_other_group() -> None:
    assert key_of({"a": "1", "b": "2"}) == key_of({"b": "2", "a": "1"}) != key_of({"a": "12", "b": ""})


def test_a_giant_group_has_a_key_of_bounded_length() -> None:
    giant, other = key_of({"a": "x" * 10_000}), key_of({"a": "x" * 10_001})
    assert giant != other
    assert max(len(giant), len(other)) <= LONGEST_KEY


def test_each_episode_has_an_id_of_its_own() -> None:
    first, second = group_id("{}", MONDAY), group_id("{}", MONDAY.replace(hour=10))
    assert first != second
    assert is_group(first)
    assert is_group(second)
    assert len(first) == len("ag-") + 20


@pytest.mark.parametrize("value", ["", "ag-", "ag-XYZ", "ag-" + "a" * 21, "op-" + "a" * 20, "ag-" + "a" * 20 + "\n"])
def test_what_is_no_id(value: str) -> None:
    assert not is_group(value)


@pytest.mark.parametrize("given", [None, 7, "", "ABC", "g" * 16, "a" * 65, "../../etc"])
def test_a_fingerprint_that_is_none_is_made_of_the_labels(given: object) -> None:
    made = fingerprint_of(given, {"alertname": "Slow"})
    assert made == fingerprint_of(None, {"alertname": "Slow"}) != fingerprint_of(None, {"alertname": "Down"})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://runbooks.example.com/slow?x=1#top", "https://runbooks.example.com/slow?x=1#top"),
        ("http://grafana/d/1", "http://grafana/d/1"),
        ("javascript:alert(1)", ""),
        ("https://", ""),
        ("https://a b", ""),
        ("https://user:password@example.com/", ""),
        ("https://[::1", ""),
        ("//example.com", ""),
        ("https://example.com/" + "x" * 2_000, ""),
        ("https://example.com/\u202egnp", ""),
    ],
)
def test_addresses_that_become_links(text: str, shown: str) -> None:
    assert web_url(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://prometheus.example.com/graph?g0.expr=up", True),
        ("http://prometheus-0:9090/graph", False),
        ("http://localhost:9090/graph", False),
        ("http://127.0.0.1:9090/graph", False),
        ("http://10.0.0.7:9090/graph", False),
        ("http://prometheus.monitoring.svc:9090/graph", False),
        ("http://prometheus.monitoring.svc.cluster.local/graph", False),
        ("http://ip-10-0-0-7.ec2.internal:9090/graph", False),
    ],
)
def test_the_name_of_a_machine_is_no_link(text: str, shown: bool) -> None:
    assert outside_url(text) == (text if shown else "")


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("/service restart orders-api production", "/service restart orders-api production"),
        ("  /service   rollback orders-api  production ", "/service rollback orders-api production"),
        ("rm -rf /", ""),
        ("/service", ""),
        ("/service restart <!here>", ""),
        ("/service restart `x`", ""),
        ("/service " + "a" * 300, ""),
    ],
)
def test_the_step_of_a_runbook(text: str, step: str) -> None:
    assert runbook_step(text) == step
