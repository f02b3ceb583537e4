"""What people decide about an alert: words, plans, and what a runbook may advise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.alerting.asking import Facts, lead_of
from bot.alerting.stepping import step_request
from bot.deps import Deps
from bot.errors import Conflict, NotFound, PlatformError, UsageError
from bot.intake import Registry
from bot.model.alerts import Alert, AlertGroup, AlertState, Quieted
from bot.policy.rules import Rule, Rules, may_ask
from commands import (
    COMMANDS,
    alert_acknowledge,
    alert_adopt,
    alert_assign,
    alert_escalate,
    alert_silence,
    alert_unsilence,
    alerts,
    incident_open,
)
from tests.commands.company import CATALOG, MONDAY, context, deps, known, person
from tests.effects.alarms import GROUP as FIRING
from tests.fakes.alert_book import FakeAlertBook
from tests.fakes.alerts import FakeAlerts

GROUP = FIRING.model_copy(update={"service": "orders-api", "environment": "production"})
ID = GROUP.id
LEAD = """
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: lead}
spec: {profile: {displayName: Sample Lead}, memberOf: [team-checkout]}
"""


def facts(*, catalog: str = CATALOG, **changes: Any) -> Facts:
    group = GROUP.model_copy(update=changes)
    return Facts(group, "user:default/author", "Sample Author", MONDAY, known(catalog))


def book_of(group: AlertGroup = GROUP) -> Deps:
    book = FakeAlertBook()
    book.put(group)
    return replace(deps(), alert_book=book, alerts=FakeAlerts())


# --- words


@pytest.mark.parametrize(
    ("words", "span", "reason"),
    [
        (f"{ID} for 4h because the disk is replaced", timedelta(hours=4), "the disk is replaced"),
        (f"{ID} 30m because known", timedelta(minutes=30), "known"),
        (f"{ID.upper()} because known", timedelta(hours=2), "known"),
    ],
)
def test_a_silence_is_said_as_people_say_it(words: str, span: timedelta, reason: str) -> None:
    said = alert_silence.parse(words.split())
    assert (said.group, said.span, said.reason) == (ID, span, reason)


@pytest.mark.parametrize(
    ("command", "words", "told"),
    [
        (alert_acknowledge, "", "Which alert?"),
        (alert_acknowledge, "orders-api", "Which alert?"),
        (alert_silence, f"{ID} for 4h", "Why?"),
        (alert_assign, ID, "To whom?"),
        (alert_adopt, f"{ID} two words", "Whose is it?"),
    ],
)
def test_what_is_unclear_is_asked_back(command: Any, words: str, told: str) -> None:
    with pytest.raises(UsageError, match=told.replace("?", r"\?")):
        command.parse(words.split())


@pytest.mark.parametrize("span", ["0m", "8d", "soon"])
def test_a_silence_has_an_end_within_a_week(span: str) -> None:
    with pytest.raises(ValueError, match="span"):
        alert_silence.parse([ID, "for", span, "because", "known"])


# --- facts


async def test_an_alert_that_nobody_knows_and_one_that_is_over_say_so() -> None:
    over = GROUP.model_copy(update={"state": AlertState.RESOLVED, "ended_at": MONDAY})
    request = alert_acknowledge.AlertAcknowledge(group=ID)
    with pytest.raises(Conflict, match="resolved already"):
        await alert_acknowledge.read_facts(request, context("team-orders"), book_of(over))
    unknown = alert_acknowledge.AlertAcknowledge(group="ag-" + "0" * 20)
    with pytest.raises(NotFound):
        await alert_acknowledge.read_facts(unknown, context("team-orders"), book_of())
    with pytest.raises(NotFound):
        await alert_acknowledge.read_facts(request, context("team-orders"), deps())
    ended = alert_unsilence.AlertUnsilence(group=ID)
    assert (await alert_unsilence.read_facts(ended, context("team-orders"), book_of(over))).group == over


# --- plans


def test_nothing_is_approved_and_the_owner_decides() -> None:
    plan = alert_acknowledge.plan(alert_acknowledge.AlertAcknowledge(group=ID), facts())
    assert (plan.owner, plan.environment, plan.undo_later) == ("group:default/team-orders", "", False)
    for command in ("alert.silence", "incident.open"):
        allowed = may_ask(Rules(), person("team-orders"), command, plan.owner)
        assert (allowed.allowed, allowed.need) == (True, None)
        assert not may_ask(Rules(), person("team-checkout"), command, plan.owner).allowed
        assert may_ask(Rules(), person("platform"), command, None).allowed


def test_a_rule_of_the_platform_team_that_speaks_of_alerts_holds() -> None:
    rules = Rules(rules=(Rule(command="alert.silence", approve=("group:platform",)), Rule()))
    owner = "group:default/team-orders"
    assert may_ask(rules, person("team-orders"), "alert.silence", owner).need is not None
    assert may_ask(rules, person("team-orders"), "alert.acknowledge", owner).need is None


@pytest.mark.parametrize(
    "labels", [{}, {"alertname": "x" * 499 + "…"}, {f"label_{number}": "x" for number in range(64)}]
)
def test_what_cannot_be_silenced_alone_is_not_silenced_at_all(labels: dict[str, str]) -> None:
    request = alert_silence.AlertSilence(group=ID, reason="known")
    with pytest.raises(Conflict):
        alert_silence.plan(request, facts(labels=labels))


def firing(**labels: str) -> Alert:
    return Alert(fingerprint="a", name="Slow", state=AlertState.FIRING, starts_at=MONDAY, labels=labels)


@pytest.mark.parametrize(
    ("by", "alerts", "more"),
    [
        ({"alertname": "Slow"}, [{"service": "orders-api"}, {"service": "orders-api", "pod": "x"}], {"service"}),
        ({"alertname": "Slow"}, [{"service": "a", "namespace": "x"}, {"namespace": "x"}], {"namespace"}),
        ({"alertname": "Slow"}, [{"service": "a"}, {"pod": "x"}], set()),
        ({"alertname": "Slow"}, [{"instance": "db-7"}], set()),
        ({"alertname": "Slow", "team": "x"}, [{"service": "orders-api", "team": "x"}], set()),
    ],
)
def test_a_silence_hides_nothing_of_others_that_fires_later(
    by: dict[str, str], alerts: list[dict[str, str]], more: set[str]
) -> None:
    request = alert_silence.AlertSilence(group=ID, reason="known")
    group = facts(labels=by, alerts=tuple(firing(**labels) for labels in alerts))
    made: Any = alert_silence.plan(request, group).steps[0].effect.body["matchers"]
    assert {one["name"] for one in made} == {*by, *more}
    assert {one["name"]: one["value"] for one in made} == by | {name: alerts[0][name] for name in more}


async def test_a_group_of_several_teams_is_silenced_by_none_of_them() -> None:
    alerts = (firing(service="orders-api"), firing(service="orders-api", pod="x"), firing(team="team-checkout"))
    mixed = GROUP.model_copy(update={"labels": {"alertname": "Slow"}, "alerts": alerts})
    request = alert_silence.AlertSilence(group=ID, reason="known")
    known_of = await alert_silence.read_facts(request, context("team-orders"), book_of(mixed))
    with pytest.raises(Conflict, match="are in this group as well"):
        alert_silence.plan(request, known_of)
    own = mixed.model_copy(update={"alerts": alerts[:2]})
    alert_silence.plan(request, await alert_silence.read_facts(request, context("team-orders"), book_of(own)))


def test_a_silence_is_about_what_the_group_is_grouped_by_and_in_the_persons_name() -> None:
    request = alert_silence.AlertSilence(group=ID, span=timedelta(hours=4), reason="<!channel> known")
    plan = alert_silence.plan(request, facts())
    silence, noted = (step.effect.body for step in plan.steps)
    assert silence["by"] == "Sample Author"
    matchers: Any = silence["matchers"]
    assert {one["name"]: one["value"] for one in matchers} == dict(GROUP.labels)
    assert "&lt;!channel&gt;" in str(noted["line"])
    assert noted["before"] == {"quieted": None}


@pytest.mark.parametrize(
    ("command", "request_", "changes", "told"),
    [
        (alert_acknowledge, {}, {"acknowledged_by": "user:default/author"}, "You are on it already"),
        (alert_silence, {"reason": "x"}, {"labels": {}}, "no labels"),
        (alert_unsilence, {}, {}, "Nobody has silenced it"),
        (alert_assign, {"person": "nobody"}, {}, "no `nobody`"),
        (alert_assign, {"person": "author"}, {"assigned_to": "user:default/author"}, "already"),
        (alert_escalate, {}, {}, "names nobody else"),
        (alert_escalate, {}, {"escalated_to": "user:default/author"}, "called already"),
        (alert_adopt, {"owner": "team-orders"}, {}, "already"),
        (alert_adopt, {"owner": "nobody"}, {"owner": None}, "no group"),
        (incident_open, {}, {"incident_channel": "C0INCIDENT1"}, "card names it"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(
    command: Any, request_: dict[str, Any], changes: dict[str, Any], told: str
) -> None:
    request = command.COMMAND.request.model_validate({"group": ID, **request_})
    with pytest.raises(PlatformError, match=told):
        command.plan(request, facts(**changes))


def test_who_takes_an_alert_themselves_is_not_told_of_it() -> None:
    request = alert_assign.AlertAssign(group=ID, person="author")
    assert [step.id for step in alert_assign.plan(request, facts()).steps] == ["note"]


def test_an_adopted_alert_is_the_team_of_its_services_and_policy_asks_them() -> None:
    request = alert_adopt.AlertAdopt(group=ID, owner="orders-api")
    plan = alert_adopt.plan(request, facts(owner=None))
    assert plan.owner == "group:default/team-orders"
    assert plan.steps[0].effect.body["changes"] == {"owner": "group:default/team-orders"}


@pytest.mark.parametrize("where", ["service", "group"])
def test_the_lead_is_whom_the_catalog_names_first_of_the_service(where: str) -> None:
    named = "annotations: {causeway.io/lead: lead}"
    old, new = {
        "service": ("{name: checkout-web}", "{name: checkout-web, " + named + "}"),
        "group": ("{name: team-checkout}", "{name: team-checkout, " + named + "}"),
    }[where]
    catalog = CATALOG.replace(old, new) + LEAD
    found = lead_of(facts(catalog=catalog, service="checkout-web", owner="group:default/team-checkout"))
    assert found == ("user:default/lead",)
    assert lead_of(facts(catalog=CATALOG)) == ("user:default/author",)  # nobody is named: everybody of the group


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "inc-2026-03-02-orders-api-0123"),
        ({"service": "", "title": "Disk <full> & Ä!"}, "inc-2026-03-02-disk-full-0123"),
        ({"service": "x" * 100}, f"inc-2026-03-02-{'x' * 60}-0123"),
        ({"service": "", "title": "é"}, "inc-2026-03-02-alert-0123"),
    ],
)
def test_the_channel_of_an_incident_is_called_by_day_and_service(changes: dict[str, Any], name: str) -> None:
    found = incident_open.room_name(facts(**changes))
    assert found == name
    assert len(found) <= incident_open.LONGEST_NAME


# --- a runbook's step


def step(text: str, **changes: Any) -> tuple[str, dict[str, Any]]:
    return step_request(facts(runbook_step=text, **changes).group, Registry(COMMANDS))


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/service restart orders-api production", "service.restart"),
        ("/idp service rollback orders-api in production", "service.rollback"),
        ("/service scale orders-api 4 in production", "service.scale"),
        ("/database resize orders-api medium in production", "database.resize"),
    ],
)
def test_a_step_that_helps_the_alerts_own_service_is_a_request(text: str, command: str) -> None:
    assert step(text)[0] == command


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/service restart checkout-web production", "not about the alert's own service"),
        ("/service restart orders-api staging", "not about the alert's own service"),
        ("/service restart orders-api", "not about the alert's own service"),
        ("/database delete orders-api production", "may not do"),
        ("/service create python-service", "may not do"),
        ("/preview down demo", "may not do"),
        ("/service scale orders-api lots in production", "cannot read"),
    ],
)
def test_any_other_step_is_left_to_people(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        step(text)


def test_an_alert_of_no_service_has_no_step() -> None:
    with pytest.raises(UsageError):
        step("/service restart orders-api production", service="")


# --- the list


async def test_the_list_tells_ids_and_who_is_on_it() -> None:
    quieted = Quieted(id="s", by="user:default/author", until=MONDAY + timedelta(hours=1), reason="known")
    group = GROUP.model_copy(
        update={"title": "<!here> & slow", "acknowledged_by": "user:default/author", "quieted": quieted}
    )
    found = await alerts.answer(alerts.AlertsList(), context("team-orders"), book_of(group))
    shown = str(found.blocks)
    assert ID in shown
    assert "&lt;!here&gt;" in shown
    assert "Sample Author is on it, silenced" in shown
    data: Any = found.data
    assert data[0]["id"] == ID
    nothing = await alerts.answer(alerts.AlertsList(service="checkout-web"), context(), book_of(group))
    assert nothing.text == "Nothing fires of checkout-web."
    with pytest.raises(NotFound):
        await alerts.answer(alerts.AlertsList(service="nobody"), context(), book_of(group))
