"""Every system is asked, what it says is put together, and what it does not say is said."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.command import Answer
from bot.errors import NotFound, UpstreamUnavailable
from bot.explaining.explanation import Explanation, explain
from bot.explaining.links import trace_in
from bot.explaining.places import spots_of
from bot.model.canonical import JSON
from bot.model.operation import Approval, State
from bot.observing.decided import read_release
from bot.ports import FiringAlert, FiringGroup, NewRepository, Trace
from commands import health_why, service_rollback
from commands.health_why import HealthWhy
from tests.commands.company import known, person
from tests.commands.running import CRASHING, GITOPS, SOURCE, in_slack, keep
from tests.explaining.scene import BAD, DEPLOYED, SLOW_SINCE, Incident, a_deploy, a_span, incident, said
from tests.observing.scene import COMPANY, NOW, PLATFORM, bell, hold
from tests.slack.checker import message_violations
from tests.slack.views import LEAD

__all__ = ["bell"]

FIRST = (
    "checkout-web in production has been slow since 08:45 UTC, very likely because of the deploy of v2.0.1 of "
    "orders-api 4 minutes before."
)


async def explained(made: Incident) -> Explanation:
    return await explain(made.scene.place("checkout-web"), made.deps, NOW, person("team-checkout"))


async def asked(made: Incident, **request: Any) -> Answer:
    query = HealthWhy(**({"service": "checkout-web", "environment": "production"} | request))
    context = replace(in_slack("team-checkout"), now=NOW)
    found = await health_why.answer(query, context, made.deps)
    assert message_violations(found.text, found.blocks) == []
    return found


def shown(answer: Answer) -> str:
    return "\n".join(
        [block["text"]["text"] for block in answer.blocks if block["type"] == "section"]
        + [part["text"] for block in answer.blocks if block["type"] == "context" for part in block["elements"]]
    )


def data(answer: Answer) -> dict[str, Any]:
    told: Any = json.loads(json.dumps(answer.data))
    return dict(told)


async def test_a_dependencys_bad_deploy_is_named_with_chart_trace_owner_and_button() -> None:
    made = await incident()
    told = await asked(made)
    assert told.text == FIRST
    text = shown(told)
    for piece in (
        "latency (p99) rose from 120 ms to 1.2 s at <!date^",
        "orders-api: latency (p99) rose from 120 ms to 1.1 s at <!date^",
        "(objective: 250 ms)",
        "the deploy of v2.0.1 of orders-api by Sample Author (4 minutes before)",
        "`orders-api took 1400ms` of checkout-web: 1 time, never before",
        "A request that took 1.4 s spent 92% of it (1.29 s) in `GET /orders` of orders-api",
        (
            "it came 2 minutes before orders-api slowed down; a request lost 92% of its time in orders-api; orders-api "
            "slowed down first"
        ),
        "*Next:* Roll orders-api in production back to the version before; it stays there until a fix is merged.",
        "orders-api belongs to team-orders (#team-orders)",
    ):
        assert piece in text, piece
    [actions] = [block for block in told.blocks if block["type"] == "actions"]
    [button] = actions["elements"]
    assert button["action_id"] == "rollback"
    assert button["value"] == f"/service rollback orders-api in production leaving {BAD[:7]}"
    assert told.picture is not None
    assert (told.picture.name, told.picture.png) == ("checkout-web-latency.png", b"png")
    assert "checkout-web in production: latency (p99)" in told.picture.alt
    assert "now 1.2 s" in told.picture.alt
    [svg] = made.pictures.drawn
    assert "orders-api v2.0.1" in svg
    machine = data(told)
    assert machine["since"] == SLOW_SINCE.isoformat()
    assert (machine["causes"][0]["service"], machine["causes"][0]["operation"]) == ("orders-api", "op-bad")
    assert machine["trace"]["id"] == "t1"
    assert machine["owner"] == "team-orders"
    assert machine["next"]["line"].startswith("/service rollback orders-api")
    assert machine["missing"] == []


async def test_the_button_is_what_the_command_reads() -> None:

    made = await explained(await incident())
    assert made.step is not None
    assert made.step.button is not None
    words = made.step.button.line.split()[2:]
    request = service_rollback.parse(words)
    assert (request.service, request.environment, request.leaves) == ("orders-api", "production", BAD[:7])


async def test_what_the_commits_of_a_deploy_are_is_asked_of_the_forge() -> None:
    made = await incident()
    forge = made.scene.forge
    first = forge.push(SOURCE, {"a.py": b"1"}, message="Begin")
    second = forge.push(SOURCE, {"a.py": b"2"}, message="Ask twice\n\nfor luck")

    release = await _release(made)
    current, before = release.current, release.history[0]
    assert current is not None
    keep(
        forge,
        release.model_copy(
            update={
                "current": current.model_copy(
                    update={"version": current.version.model_copy(update={"commit": second})}
                ),
                "history": (
                    before.model_copy(update={"version": before.version.model_copy(update={"commit": first})}),
                ),
            }
        ),
    )
    text = shown(await asked(made))
    assert "Brings 1 commit:" in text
    assert f"• {second[:7]} Ask twice" in text


async def _release(made: Incident) -> Any:

    return await read_release(made.scene.place("orders-api"), made.deps)


@pytest.mark.parametrize(
    ("system", "methods", "told"),
    [
        ("logs", ("lines",), "Loki has not answered yet."),
        ("traces", ("search",), "Tempo has not answered yet."),
    ],
)
async def test_what_is_slow_is_told_later_in_the_same_answer(
    system: str, methods: tuple[str, ...], told: str, bell: asyncio.Event
) -> None:
    made = await incident()
    answers = hold(getattr(made, system), *methods)
    first = await asked(made)
    assert bell.is_set()
    assert first.text.startswith("checkout-web in production has been slow since 08:45 UTC, ")
    assert told in shown(first)
    assert first.picture is None
    assert first.complete is not None
    answers.set()
    whole = await first.complete()
    assert (whole.text, whole.complete) == (FIRST, None)
    assert told not in shown(whole)
    assert whole.picture is not None


async def test_while_nothing_has_shown_itself_it_says_that_it_looks(bell: asyncio.Event) -> None:
    made = await incident()
    answers = hold(made.scene.metrics, "over")
    first = await asked(made)
    assert first.text == "I am looking into checkout-web in production; nothing has shown itself yet."
    assert "Prometheus has not answered yet." in shown(first)
    answers.set()
    assert first.complete is not None
    assert (await first.complete()).text == FIRST


@pytest.mark.parametrize("system", ["logs", "traces", "pictures", "metrics", "alerts", "alert_book"])
async def test_a_system_that_is_not_there_is_not_spoken_of(system: str) -> None:
    made = await incident()
    without: dict[str, Any] = {system: None}
    found = await explain(made.scene.place("checkout-web"), replace(made.deps, **without), NOW, person("team-checkout"))
    assert found.case.missing == ()
    assert found.rest is None


async def test_a_system_that_fails_is_quoted_and_the_rest_is_told() -> None:
    made = await incident()
    made.logs.answers("", UpstreamUnavailable("Loki answered 503."))
    made.traces.answers("", UpstreamUnavailable("Tempo answered 404."))
    made.pictures.error = UpstreamUnavailable("Nothing can be drawn.")
    told = await asked(made)
    assert "because of the deploy of v2.0.1 of orders-api" in told.text
    assert {"Loki answered 503.", "Tempo answered 404."} <= set(data(told)["missing"])
    assert told.picture is None


async def test_a_trace_that_is_forgotten_meanwhile_is_left_out() -> None:
    made = await incident()
    made.traces.kept.clear()
    assert (await explained(made)).case.exemplar is None


async def test_an_operation_that_waited_for_approval_began_when_it_was_approved() -> None:
    made = await incident()

    approval = Approval(principal=LEAD, digest="d", approved=True, at=DEPLOYED)
    made.views = [a_deploy("op-bad", "orders-api", DEPLOYED - timedelta(hours=5), approvals=(approval,))]
    assert (await asked(made)).text == FIRST


async def test_what_was_refused_has_changed_nothing() -> None:
    made = await incident()
    made.views.append(a_deploy("op-no", "checkout-web", DEPLOYED, state=State.REJECTED))
    assert [one.operation for one in (await explained(made)).case.changes] == ["op-bad"]


async def test_pods_that_crash_are_told_and_speak_for_the_deploy() -> None:
    made = await incident()
    made.scene.runs("orders-api", "production", pods=[CRASHING])
    found = await explained(made)
    assert [one.sentence for one in found.case.troubles] == ["1 of 1 pod of orders-api crashes"]
    assert "the crash of 1 pod came after it" in found.causes[0].why


async def test_a_lost_node_is_seen_by_its_own_word() -> None:
    made = await incident()
    made.views.clear()
    pod: dict[str, Any] = {"ready": True, "state": {"running": {}}}
    made.scene.runs("checkout-web", "production", pods=[pod])
    stored = await made.scene.cluster.list("v1", "Pod", namespace="checkout-web-production")
    made.scene.cluster.put({**stored[0], "spec": {"nodeName": "worker-3", "containers": []}})
    ready: JSON = {
        "type": "Ready",
        "status": "Unknown",
        "lastTransitionTime": (SLOW_SINCE - timedelta(minutes=2)).isoformat(),
    }
    made.scene.cluster.put(
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-3"}, "status": {"conditions": [ready]}}
    )
    found = await explained(made)
    assert [one.what for one in found.case.troubles] == ["the loss of the node worker-3"]
    assert "the loss of the node worker-3" in [one.what for one in found.causes]


async def test_where_nothing_is_wrong_nothing_is_explained() -> None:
    made = await incident()
    for service in ("checkout-web", "orders-api"):
        made.rises(service, NOW + timedelta(days=1))
    told = await asked(made)
    assert told.text.startswith("Nothing is wrong with checkout-web in production as far as I see")
    assert (told.picture, [one for one in told.blocks if one["type"] == "actions"]) == (None, [])


async def test_what_a_dependency_writes_is_quoted_only_to_its_owners() -> None:
    made = await incident()
    made.logs.answers('container="orders-api"', said("pool of 5 is empty", 1, times=3))
    told = await asked(made)
    assert "3 error lines of orders-api of a kind that was not written before; its owners may read them" in shown(told)
    assert "pool of" not in shown(told)
    assert "pool of" not in json.dumps(data(told))
    found = await explain(made.scene.place("checkout-web"), made.deps, NOW, person("team-orders"))
    assert "pool of 5 is empty" in [one.example for one in found.case.lines]
    assert "orders-api writes errors that it did not write before" in found.causes[0].why


async def test_trace_and_dashboard_are_linked_where_the_platform_team_says_where_they_are() -> None:
    made = await incident()
    shows = {"enabled": True, "url": "https://grafana.acme.example", "tempo": "tempo-1"}
    platform = PLATFORM.model_validate(
        {
            "environments": {"production": {"monitoring": {"enabled": True, "dashboards": shows}}},
            "gitops": {"repository": GITOPS},
            "image_owner": "acme",
        }
    )
    context = replace(in_slack("team-checkout"), now=NOW)
    deps = replace(made.deps, platform=platform)
    text = shown(await health_why.answer(HealthWhy(service="checkout-web"), context, deps))
    assert "|Open the trace>" in text
    assert "<https://grafana.acme.example/d/causeway-" in text
    link = trace_in(platform.environment("production").monitoring.dashboards, "4bf92f", NOW)
    assert link.startswith("https://grafana.acme.example/explore?schemaVersion=1&panes=")
    pane = json.loads(parse_qs(urlsplit(link).query)["panes"][0])["a"]
    assert (pane["datasource"], pane["queries"][0]["query"]) == ("tempo-1", "4bf92f")
    assert trace_in(platform.environment("production").monitoring.dashboards, "<!channel>", NOW) == ""


HOSTILE = "<!channel> *bold* `tick` <https://evil.example|click> & \u202etxt ```"


async def test_hostile_lines_spans_and_names_break_out_of_nothing() -> None:
    made = await incident()
    made.logs.answers("", said(f"{HOSTILE} password=hunter2hunter2", 2))
    made.traces.keep(
        Trace("t1", (a_span("a", "", "checkout-web", "x", 1.4), a_span("b", "a", f"api{HOSTILE}", HOSTILE * 50, 1.3)))
    )
    made.views[0] = a_deploy("op-bad", "orders-api", DEPLOYED)
    told = await asked(made)
    text = shown(told)
    for mark in ("<!channel", "<https://evil", "hunter2hunter2", "\u202e", "```"):
        assert mark not in text
    assert "&lt;!channel&gt;" in text


async def test_a_circle_of_dependencies_is_walked_once() -> None:
    made = await incident()

    circle = COMPANY.replace(
        "spec: {type: service, lifecycle: production, owner: team-orders}",
        "spec: {type: service, lifecycle: production, owner: team-orders, dependsOn: [component:checkout-web]}",
    )
    spots = spots_of(known(circle), made.scene.place("checkout-web"))
    assert [(one.service, one.path) for one in spots] == [
        ("checkout-web", ("checkout-web",)),
        ("orders-api", ("checkout-web", "orders-api")),
    ]


async def test_where_a_service_is_not_nothing_is_called_well() -> None:
    made = await incident()
    told = await asked(made, environment="staging")
    assert told.text.startswith("I know nothing of checkout-web in staging")


async def test_in_its_owners_channel_everybody_reads_the_answer() -> None:
    made = await incident()
    assert not (await asked(made)).shared  # asked in the channel of team-orders, about a service of team-checkout
    assert (await asked(made, service="orders-api")).shared


async def test_words_name_service_and_environment() -> None:
    assert health_why.parse(["checkout-web", "production"]) == health_why.parse(["checkout-web", "in", "production"])
    made = await incident()
    assert (await asked(made, environment="")).text == FIRST  # the last one, where people feel it
    with pytest.raises(NotFound, match="There is no service `nope`"):
        await asked(made, service="nope")
    with pytest.raises(NotFound, match="There is no environment `moon`"):
        await asked(made, environment="moon")


async def test_a_repository_that_is_gone_hides_nothing_else() -> None:
    made = await incident()
    await made.scene.forge.create_repository(NewRepository("acme/other", ""))
    made.scene.forge.refuse("compare", UpstreamUnavailable("GitHub did not answer."), times=9)
    told = await asked(made)
    assert told.text == FIRST


async def test_without_an_environment_the_one_in_trouble_is_meant_and_judged() -> None:
    made = await incident()
    for where in ("staging", "production"):
        made.scene.runs("orders-api", where)
        made.scene.measures("orders-api", where, errors=0.4 if where == "staging" else 0.0)
    context = replace(in_slack("team-orders"), now=NOW)
    about = await health_why.subject(HealthWhy(service="orders-api"), context, made.deps)
    assert about.environment == "staging"
    assert about.request == HealthWhy(service="orders-api", environment="staging")
    named = await health_why.subject(HealthWhy(service="orders-api", environment="production"), context, made.deps)
    assert named.environment == "production"


async def test_where_nothing_burns_the_last_environment_is_meant() -> None:
    made = await incident()
    context = replace(in_slack("team-checkout"), now=NOW)
    about = await health_why.subject(HealthWhy(service="checkout-web"), context, made.deps)
    assert about.environment == "production"


async def test_lines_of_another_team_are_not_quoted_to_a_channel_by_who_belongs_to_both() -> None:
    made = await incident()
    made.logs.answers('container="orders-api"', said("pool of 5 is empty", 3))
    place, both = made.scene.place("checkout-web"), person("team-orders", "team-checkout")
    alone = await explain(place, made.deps, NOW, both)
    told = await explain(place, made.deps, NOW, both, among=("group:default/team-checkout",))
    assert [[one.example for one in found.case.lines if one.service == "orders-api"] for found in (alone, told)] == [
        ["pool of 5 is empty"],
        [""],
    ]
    assert "orders-api took 1400ms" in [one.example for one in told.case.lines]


async def test_where_an_alert_fires_nothing_else_is_asked_for_the_choice() -> None:
    made = await incident()
    labels = {"alertname": "Slow", "service": "orders-api", "environment": "staging", "severity": "warning"}
    made.scene.alerts.fire(FiringGroup({}, "r", (FiringAlert("f1", labels, {}, NOW),)))
    context = replace(in_slack("team-orders"), now=NOW)
    about = await health_why.subject(HealthWhy(service="orders-api"), context, made.deps)
    assert about.environment == "staging"
    assert made.scene.metrics.asked == []
