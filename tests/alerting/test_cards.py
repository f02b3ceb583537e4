"""The card says what matters, within Slack's limits, and what stands in an alert stays text."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alerting.actions import ACTIONS
from bot.alerting.cards import card, digest, span
from bot.model.alerts import Alert, AlertGroup, AlertState, Folded, Quieted, Severity
from bot.slack.message import Message
from tests.alerting.house import MONDAY
from tests.slack.checker import message_violations

NOW = MONDAY + timedelta(minutes=12)
ID = "ag-" + "0" * 20


def names(ref: str) -> str:
    return {"user:default/author": "Sample Author", "group:default/team-orders": "Team Orders"}.get(ref, ref)


def one_alert(number: int = 0, **labels: str) -> Alert:
    return Alert(
        fingerprint=f"{number:016x}", name="HighLatency", state=AlertState.FIRING, starts_at=MONDAY, labels=labels
    )


def a_group(**changes: Any) -> AlertGroup:
    known: dict[str, Any] = {
        "id": ID,
        "key": "{}",
        "state": AlertState.FIRING,
        "title": "HighLatency",
        "severity": Severity.CRITICAL,
        "service": "orders-api",
        "environment": "production",
        "owner": "group:default/team-orders",
        "channel": "CORDERS",
        "alerts": (one_alert(pod="orders-api-1"),),
        "firing": 1,
        "total": 1,
        "started_at": MONDAY,
        "has_card": True,
    }
    return AlertGroup(**(known | changes))


def told(**changes: Any) -> str:
    return json.dumps(card(a_group(**changes), now=NOW, names=names).blocks, ensure_ascii=False)


def offered(**changes: Any) -> list[str]:
    blocks: Any = card(a_group(**changes), now=NOW, names=names).blocks
    buttons = [one for block in blocks if block["type"] == "actions" for one in block["elements"]]
    assert {one["value"].partition(".")[0] for one in buttons} <= {ID}
    return [one["action_id"] for one in buttons]


def test_the_card_says_what_where_since_when_and_whose() -> None:
    message = card(a_group(summary="p99 is 2.4 s"), now=NOW, names=names)
    assert message.text == "Critical: HighLatency · `orders-api` in production: p99 is 2.4 s"
    shown = json.dumps(message.blocks, ensure_ascii=False)
    for words in ("🔴 HighLatency", "*Critical* · `orders-api` in production", "1 alert firing since", "12 minutes",
                  "p99 is 2.4 s", "`pod=orders-api-1`", "Owner: Team Orders"):  # fmt: skip
        assert words in shown
    assert message.metadata == {
        "event_type": "causeway_alert",
        "event_payload": {"group": ID, "state": "firing", "service": "orders-api"},
    }


def test_the_resolved_card_says_how_long_it_took() -> None:
    group = a_group(state=AlertState.RESOLVED, ended_at=NOW, firing=0)
    message = card(group, now=NOW, names=names)
    assert message.text == "Resolved after 12 minutes: HighLatency · `orders-api` in production"
    assert "✅ HighLatency" in json.dumps(message.blocks, ensure_ascii=False)
    assert offered(state=AlertState.RESOLVED, ended_at=NOW, firing=0) == ["why"]


@pytest.mark.parametrize(
    ("changes", "there", "gone"),
    [
        ({}, {"acknowledge", "why", "rollback", "silence", "assign", "escalate", "incident"}, {"adopt", "runbook"}),
        ({"acknowledged_by": "user:default/author"}, {"assign"}, {"acknowledge"}),
        ({"owner": None}, {"adopt"}, set()),
        ({"service": ""}, {"acknowledge"}, {"why", "rollback"}),
        ({"silenced": True}, {"acknowledge"}, {"silence"}),
        ({"incident_channel": "C0123456"}, set(), {"incident"}),
        ({"runbook_step": "/service restart orders-api production"}, {"runbook"}, set()),
    ],
)
def test_only_buttons_that_mean_something_are_there(changes: Any, there: set[str], gone: set[str]) -> None:
    found = set(offered(**changes))
    assert there <= found <= set(ACTIONS)
    assert not found & gone


def test_what_people_decided_is_said() -> None:
    quieted = Quieted(id="s", by="user:default/author", until=NOW + timedelta(hours=1), reason="deploy *now*")
    shown = told(
        quieted=quieted,
        acknowledged_by="user:default/author",
        acknowledged_at=NOW,
        assigned_to="user:default/author",
        escalated_to="group:default/team-orders",
        incident_channel="C0123456",
    )
    for words in ("Acknowledged by Sample Author", "Assigned to Sample Author", "Escalated to Team Orders",
                  "🔇 Silenced until", "<#C0123456>"):  # fmt: skip
        assert words in shown
    assert "Silenced until" not in told(quieted=quieted.model_copy(update={"until": NOW}))


def test_what_is_folded_is_counted_and_named() -> None:
    folded = [Folded(id=f"ag-{n}", title=f"Slow{n}", service="web", state=AlertState.FIRING) for n in range(12)]
    shown = told(folded=tuple(folded), folded_total=99)
    assert "*99 further groups fire with it, probably for the same cause:*" in shown
    assert "Slow7" in shown
    assert "Slow8" not in shown
    assert "… and 91 more" in shown


def test_only_checked_addresses_become_links() -> None:
    shown = told(runbook_url="https://runbooks.example.com/slow?a=1|2", dashboard_url="", source_url="")
    assert "<https://runbooks.example.com/slow?a=1%7C2|Runbook>" in shown
    assert "Dashboard" not in shown


HOSTILE = [
    "<!here>", "<!channel>", "@channel @here", "<@U0000001>", "<#C0000001>", "<http://evil.example|Click>",
    "*bold* _it_ ~no~ `code`", "```\nblock\n```", "&lt;!here&gt;", "x" * 50_000, "\u202egnp.exe", "a\x00b\x07",
    "{{ template }} ${jndi:ldap://x}", "<!date^0^{date}|x>", "<!subteam^S0001>", ">quote\n• list", "",
    "line\n" * 500,
]  # fmt: skip
TEXT = st.sampled_from(HOSTILE) | st.text(max_size=80)
LABELS = st.dictionaries(TEXT.map(lambda text: text[:200]), TEXT.map(lambda text: text[:500]), max_size=8)
OURS = re.compile(
    r"<!date\^\d+\^\{date_short_pretty\} at \{time\}\|[0-9: UTC-]+>|<#C0123456>|<https?://[^ |<>]+\|[A-Z][a-z]+>"
)
"""What our own cards hold of Slack's special marks."""

FOLDED = TEXT.map(lambda text: Folded(id="x", title=text, service=text, state=AlertState.FIRING))
GROUPS = st.builds(
    a_group,
    state=st.sampled_from(AlertState),
    title=TEXT,
    severity=st.sampled_from(Severity),
    service=TEXT,
    environment=TEXT,
    owner=st.none() | TEXT,
    alerts=st.lists(LABELS, max_size=20).map(
        lambda many: tuple(one_alert(n).model_copy(update={"labels": labels}) for n, labels in enumerate(many))
    ),
    firing=st.integers(0, 10_000),
    total=st.integers(0, 10_000),
    summary=TEXT,
    description=TEXT,
    acknowledged_by=st.none() | TEXT,
    assigned_to=st.none() | TEXT,
    incident_channel=st.sampled_from(["", "C0123456", "<!here>"]),
    flapping=st.integers(0, 9),
    folded=st.lists(FOLDED, max_size=50).map(tuple),
    folded_total=st.integers(50, 500),
    quieted=st.none() | TEXT.map(lambda text: Quieted(id="s", by=text, until=NOW + timedelta(hours=1), reason=text)),
    runbook_step=st.sampled_from(["", "/service restart " + "x" * 180]),
    ended_at=st.just(NOW),
)  # fmt: skip


def strings(part: Any, kind: str = "") -> list[tuple[str, str]]:
    """Return every text of a message with its type."""
    if isinstance(part, dict):
        if part.get("type") in ("mrkdwn", "plain_text"):
            return [(part["type"], part["text"])]
        return [found for value in part.values() for found in strings(value)]
    return [found for value in part for found in strings(value)] if isinstance(part, list | tuple) else []


def is_inert(message: Message) -> None:
    texts = [("mrkdwn", message.text), *strings(list(message.blocks))]
    for kind, text in texts:
        assert "\x00" not in text
        assert "\u202e" not in text
        if kind == "mrkdwn":
            assert "<" not in OURS.sub("", text), text


@settings(max_examples=150, deadline=None)
@given(group=GROUPS)
def test_nothing_from_outside_calls_links_or_breaks_a_card(group: AlertGroup) -> None:
    message = card(group, now=NOW, names=lambda ref: ref)
    assert message_violations(message.text, message.blocks, message.metadata) == []
    is_inert(message)


@settings(max_examples=40, deadline=None)
@given(groups=st.lists(GROUPS, max_size=60))
def test_nor_a_digest(groups: list[AlertGroup]) -> None:
    message = digest("ad-1", "2026-11-23", groups, total=2_000, firing=7)
    assert message_violations(message.text, message.blocks, message.metadata) == []
    is_inert(message)


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(-5, "less than a minute"), (0, "less than a minute"), (1, "1 minute"), (119, "119 minutes"), (120, "2 hours"),
     (47 * 60, "47 hours"), (48 * 60, "2 days")],
)  # fmt: skip
def test_spans(minutes: int, words: str) -> None:
    assert span(timedelta(minutes=minutes)) == words
