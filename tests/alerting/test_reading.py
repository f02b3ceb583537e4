"""Whatever a body holds is read as far as it goes: bounded, cleaned, each alert once."""

from __future__ import annotations

import contextlib
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerting.merging import Known, merge
from bot.alerting.reading import MOST_LABELS, NAME, VALUE, Malformed, read_body, severity_of
from bot.model.alerts import Severity
from tests.alerting.house import MONDAY, alert, delivery, resolved


def test_giant_labels_are_cut_and_the_telling_ones_kept() -> None:
    labels = {f"l{number:04}": "x" * 10_000 for number in range(500)} | {"service": "orders-api", "n" * 900: "1"}
    told = read_body(json.dumps(delivery(alert(more=labels))), MONDAY)
    (one,) = told.alerts
    assert len(one.labels) == MOST_LABELS
    assert one.labels["service"] == "orders-api"
    assert max(map(len, one.labels)) <= NAME
    assert max(map(len, one.labels.values())) <= VALUE


def test_labels_that_differ_only_beyond_what_is_kept_are_two_alerts() -> None:
    some = [{**alert(path="x" * 900 + end), "fingerprint": None} for end in ("a", "b")]
    assert len(read_body(json.dumps(delivery(*some)), MONDAY).alerts) == 2


def test_a_label_that_comes_twice_counts_as_json_has_it() -> None:
    body = '{"alerts": [{"status": "firing", "labels": {"alertname": "A", "alertname": "B"}}]}'
    assert read_body(body, MONDAY).alerts[0].name == "B"


def test_what_a_database_cannot_hold_is_left_out() -> None:
    odd = {**alert(), "labels": {"a\x00b": "c\x00d", "half": "\ud800!"}, "fingerprint": None}
    told = read_body(json.dumps(delivery(odd)), MONDAY)
    (one,) = told.alerts
    assert one.labels["ab"] == "cd"
    one.labels["half"].encode()


def test_an_alert_that_stands_twice_in_a_body_counts_once_and_its_end_wins() -> None:
    one = alert()
    for order in ([one, resolved(one, MONDAY)], [resolved(one, MONDAY), one]):
        (heard,) = read_body(json.dumps(delivery(*order)), MONDAY).alerts
        assert not heard.firing


@pytest.mark.parametrize(
    ("label", "severity"),
    [("critical", "critical"), (" Critical ", "critical"), ("info", "info"), ("page", "warning"), ("", "warning")],
)
def test_a_severity_that_is_none_is_a_warning(label: str, severity: str) -> None:
    assert severity_of({"severity": label}) is Severity(severity)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("status", "labels", "annotations", "startsAt", "endsAt", "fingerprint", "generatorURL")
ODD = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JUNK))


@given(alerts=st.lists(ODD | JUNK, max_size=4), more=st.fixed_dictionaries({}, optional={
    "groupLabels": JUNK, "receiver": JUNK, "truncatedAlerts": JUNK, "commonAnnotations": JUNK
}))  # fmt: skip
def test_a_body_of_any_shape_is_read(alerts: list[Any], more: dict[str, Any]) -> None:
    told = read_body(json.dumps({"alerts": alerts, **more}), MONDAY)
    assert len(told.key) <= 500
    assert told.left_out >= 0
    for one in told.alerts:
        assert one.starts_at <= MONDAY + timedelta(hours=1)
        assert one.firing == (one.ends_at is None)
        assert one.ends_at is None or one.ends_at <= MONDAY
        json.dumps([one.labels, one.annotations], ensure_ascii=False).encode()


@given(body=st.text() | JUNK.map(json.dumps))
def test_what_is_no_body_is_malformed_and_nothing_else(body: str) -> None:
    with contextlib.suppress(Malformed):
        read_body(body, MONDAY)


# --- Any order ------------------------------------------------------------------------------------------------------


@given(order=st.permutations(range(6)), twice=st.lists(st.integers(0, 5), max_size=4))
def test_deliveries_of_one_alert_in_any_order_end_the_same(order: list[int], twice: list[int]) -> None:
    """Three times it fired, three times it ended: however they come, and come again, it has ended at last."""
    events = []
    for number in range(3):
        begin = MONDAY + timedelta(minutes=10 * number)
        one = {**alert(), "startsAt": begin.isoformat()}
        events += [one, resolved(one, begin + timedelta(minutes=5))]
    now = MONDAY + timedelta(hours=1)
    state: dict[str, Known] = {}
    for number in [*order, *twice, *(one for one in order)]:
        told = read_body(json.dumps(delivery(events[number])), now)
        merged = merge(state, told)
        for heard in (*merged.began, *merged.mended, *merged.ended):
            state[heard.fingerprint] = Known(
                firing=heard.firing, starts_at=heard.starts_at, changed_at=now, annotations=heard.annotations
            )
    (known,) = state.values()
    assert not known.firing
    assert known.starts_at == MONDAY + timedelta(minutes=20)


def test_alerts_beyond_what_we_take_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.alerting.reading.MOST_ALERTS", 2)
    told = read_body(json.dumps(delivery(*(alert(pod=str(number)) for number in range(5)), truncatedAlerts=4)), MONDAY)
    assert (len(told.alerts), told.left_out) == (2, 7)
