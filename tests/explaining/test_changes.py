"""What people did becomes changes with a name, a time and a way back; what broke a trouble; both have a next step."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.explaining.changes import changes_of, with_commits
from bot.explaining.facts import AlertSeen, Button, Case, Changed, Moved
from bot.explaining.ranking import causes
from bot.explaining.steps import Owner, next_step, replicas_of
from bot.explaining.troubles import LostNode, troubles_of
from bot.health.facts import Event
from bot.health.parsing import pod as pod_of
from bot.model.operation import OperationView, State
from bot.model.plan import Plan
from bot.model.release import Release, Scaled
from bot.ports import ChangedFile, Commit, Comparison
from bot.rendering.delivery import Place
from tests.commands.running import CRASHING, a_release, pod
from tests.explaining.scene import a_deploy
from tests.explaining.test_stories import NOW, SURGE, TEN, minutes, slow
from tests.observing.scene import PLATFORM
from tests.slack.views import AUTHOR

PLACE = Place(platform=PLATFORM, service="orders-api", environment="production", team="team-orders")
NEW, OLD = "5" * 40, "6" * 40


def done(
    command: str,
    request: dict[str, Any],
    *,
    before: float = 5,
    id: str = "op-x",  # noqa: A002  # as operations have it
) -> OperationView:
    plan = Plan(summary=f"Do {command}", steps=(), lane=PLACE.lane)
    at = TEN - minutes(before)
    return a_deploy(id, "orders-api", at, command=command, request=request, plan=plan, principal=AUTHOR)


def one(command: str, **request: Any) -> Changed:
    [found] = changes_of(PLACE, [done(command, {"service": "orders-api", **request})], None)
    return found


@pytest.mark.parametrize(
    ("command", "request_", "kind", "what"),
    [
        ("service.deploy", {"version": "v1.4"}, "deploy", "the deploy of v1.4"),
        ("service.deploy", {}, "deploy", "the deploy"),
        ("service.promote", {"version": "v1.4"}, "promote", "the deploy of v1.4"),
        ("service.rollback", {"version": "v1.3"}, "rollback", "the rollback to v1.3"),
        ("service.rollback", {}, "rollback", "the rollback"),
        ("service.scale", {"replicas": 1}, "scale", "the scaling to 1 replica"),
        ("service.scale", {"replicas": 4}, "scale", "the scaling to 4 replicas"),
        ("service.unscale", {}, "scale", "the end of its scaling"),
        ("service.restart", {}, "restart", "the restart"),
        ("service.freeze", {}, "freeze", "the freeze"),
        ("service.unpin", {}, "pin", "the end of the pin"),
        ("database.resize", {}, "database", "the resizing of its database"),
        ("database.connect", {}, "database", "“Do database.connect”"),
        ("sweep.out", {}, "other", "“Do sweep.out”"),
    ],
)
def test_each_operation_has_a_kind_and_a_name(command: str, request_: dict[str, Any], kind: str, what: str) -> None:
    found = one(command, **request_)
    assert (found.kind, found.what, found.by) == (kind, what, "Sample Author")


def test_another_environments_operations_are_no_changes_here() -> None:
    elsewhere = Place(platform=PLATFORM, service="orders-api", environment="staging", team="team-orders")
    assert changes_of(elsewhere, [done("service.deploy", {})], None) == ()


def test_fewer_replicas_are_seen_against_the_scaling_before_or_the_document() -> None:
    release = a_release(NEW, "production")  # its document says 2
    fewer = changes_of(PLACE, [done("service.scale", {"replicas": 1})], release)
    assert [change.fewer for change in fewer if change.kind == "scale"] == [True]
    steps = [
        done("service.scale", {"replicas": 6}, before=50, id="op-a"),
        done("service.scale", {"replicas": 4}, before=5, id="op-b"),
    ]
    assert [(change.what, change.fewer) for change in changes_of(PLACE, steps, release) if change.kind == "scale"] == [
        ("the scaling to 4 replicas", True),
        ("the scaling to 6 replicas", False),
    ]


def test_what_only_the_release_tells_is_told_once_and_the_present_one_can_be_left() -> None:
    release = _twice()
    found = changes_of(PLACE, [], release)
    assert [(change.what, change.is_current, change.button is not None) for change in found] == [
        ("the deploy of 5555555", True, True),
        ("the deploy of 6666666", False, False),
    ]
    assert found[0].button is not None
    assert found[0].button.line == "/service rollback orders-api in production leaving 5555555"
    assert len(changes_of(PLACE, [a_deploy("op-0", "orders-api", TEN)], release)) == 2


def _twice() -> Release:
    now, before = a_release(NEW, "production").current, a_release(OLD, "production").current
    assert now is not None
    assert before is not None
    earlier = before.model_copy(update={"operation": "op-earlier", "at": before.at - timedelta(days=1)})
    return a_release(NEW, "production", history=(earlier,))


@pytest.mark.parametrize(
    ("paths", "kind", "what"),
    [
        (("platform.yaml",), "config", "the new settings of v1.4"),
        (("platform.yaml", "app.py"), "deploy", "the deploy of v1.4"),
        ((), "deploy", "the deploy of v1.4"),
    ],
)
def test_a_deploy_that_touches_the_document_only_is_a_change_of_settings(
    paths: tuple[str, ...], kind: str, what: str
) -> None:
    commit = Commit(NEW, "t", (), "Wait longer\n\nfor luck", "teammate", "https://github.example")
    files = tuple(ChangedFile(path, "modified") for path in paths)
    change = Changed(
        service="orders-api", kind="deploy", at=TEN, what="the deploy of v1.4", details=("• env.WAIT: 1 → 5",)
    )
    found = with_commits(change, Comparison(1, 0, (commit,), files, "https://github.example"))
    assert (found.kind, found.what) == (kind, what)
    assert found.details == ("• env.WAIT: 1 → 5", "Brings 1 commit:", "• 5555555 Wait longer (teammate)")


# --- what broke


def warning(reason: str, message: str, kind: str = "Pod", name: str = "orders-api-1") -> Event:
    return Event(kind=kind, name=name, reason=reason, message=message, warning=True, at=TEN)


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([warning("NodeNotReady", "Node is not ready")], [("node", "the loss of a node")]),
        ([warning("FailedScheduling", "0/3 nodes")], [("pods", "pods for which no node has room")]),
        ([warning("FailedCreate", "exceeded quota: x", "ReplicaSet")], [("quota", "a quota that is used up")]),
        ([warning("FailedCreate", "forbidden")], []),
        ([warning("Unhealthy", "probe failed")], []),
        ([Event(kind="Pod", name="p", reason="Evicted", message="moved", at=TEN)], []),  # no warning: it was meant
        (
            [warning("OOMKilling", "a"), warning("OOMKilling", "b")],
            [("memory", "pods that ran out of memory")],
        ),
    ],
)
def test_events_that_tell_of_trouble_are_told_once(events: list[Event], told: list[tuple[str, str]]) -> None:
    assert [(one.kind, one.what) for one in troubles_of("orders-api", "production", events=events)] == told


@pytest.mark.parametrize(("name", "ready", "over"), [("a", False, False), ("a", True, True), ("gone", False, True)])
def test_what_an_event_tells_is_over_once_its_pod_is_ready_or_gone(name: str, ready: bool, over: bool) -> None:
    waits = warning("FailedScheduling", "0/3 nodes are available. preemption: 0/3 nodes are available.", name="a")
    [found] = troubles_of(
        "orders-api",
        "production",
        pods=[pod_of(pod(name, "production", ready=ready, state={"running": {}}))],
        events=[waits],
    )
    [there] = troubles_of(
        "orders-api",
        "production",
        pods=[pod_of(pod("b", "production", ready=False, state={"running": {}}))],
        events=[waits, warning("FailedScheduling", "0/3 nodes are available.", name="b")],
    )
    assert not there.over  # one pod has found its node, another has not
    assert (found.over, found.sentence) == (over, "no node has room for the pod a (0/3 nodes are available)")


def test_pods_nodes_and_databases_are_told_with_what_to_do() -> None:
    ended = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": TEN.isoformat()}
    killed: dict[str, Any] = {"state": {"running": {}}, "lastState": {"terminated": ended}}
    found = troubles_of(
        "orders-api",
        "production",
        pods=[
            pod_of(pod("a", **CRASHING)),
            pod_of(pod("b", "production", ready=True, **killed)),
            pod_of(pod("c", ready=True)),
        ],
        nodes=[LostNode("worker-3", TEN, 1)],
        database="The database orders-api-db is not ready: its disk is full. Choose a larger size.",
    )
    assert [(one.kind, one.sentence) for one in found] == [
        ("node", "the node worker-3 is not ready, and 1 pod of orders-api is on it"),
        ("disk", "The database orders-api-db is not ready: its disk is full. Choose a larger size"),
        ("memory", "1 of 3 pods of orders-api ran out of memory"),
        ("crash", "1 of 3 pods of orders-api crashes"),
    ]
    assert found[2].at == TEN
    assert (
        troubles_of("orders-api", "production", pods=[pod_of(pod("b", "production", ready=True, **killed))], since=NOW)
        == ()
    )
    assert found[1].next_step == "Give the database more room: `/database resize orders-api`."


# --- what to do

OWNER = Owner(service="orders-api", name="team-orders", channel="team-orders")


def step_of(*, release: Release | None = None, owner: Owner = OWNER, **facts: Any) -> tuple[str, str]:
    case = Case(service="orders-api", environment="production", now=TEN + minutes(10), **facts)
    found = next_step(case, causes(case), owner, PLACE, release)
    assert found is not None
    return found.text, found.button.line if found.button is not None else ""


def own(moved: Moved) -> Moved:
    return slow(
        "orders-api", kind=moved.kind, name=moved.name, before=moved.before, worst=moved.worst, since=moved.since
    )


def test_what_is_over_is_not_taken_back() -> None:
    change = Changed(
        service="orders-api",
        kind="deploy",
        at=TEN - minutes(1),
        what="the deploy of v2",
        button=Button(action="rollback", label="Roll back", line="/service rollback orders-api", confirm=""),
    )
    moved = own(slow())
    assert step_of(moved=(moved,), changes=(change,))[1] == "/service rollback orders-api"
    over = replace(moved, until=TEN + minutes(5))
    assert step_of(moved=(over,), changes=(change,)) == (
        (
            "It is over and no alert fires, so nothing has to be done now. Ask again if it comes back: "
            "`/health why orders-api production`."
        ),
        "",
    )
    fires = AlertSeen(service="orders-api", title="TooSlow", at=TEN)
    assert step_of(moved=(over,), changes=(change,), alerts=(fires,))[1] == "/service rollback orders-api"


def test_more_requests_than_usual_ask_for_more_replicas_within_the_ceiling() -> None:
    surge = own(SURGE)
    moved = (slow("orders-api"), surge)
    assert step_of(moved=moved, release=a_release(NEW, "production")) == (
        "Run more replicas of orders-api in production for a while: 6 in the place of 2.",
        "/service scale orders-api 6 in production for 2h",
    )
    scaled = Scaled(replicas=10, by="user:default/author")
    text, line = step_of(moved=moved, release=a_release(NEW, "production", scaled=scaled))
    full = "orders-api in production runs 10 replicas, and production allows no more."
    assert (text, line) == (f"{full} Ask team-orders in #team-orders who sends so many requests.", "")
    text, line = step_of(moved=moved)
    assert "`/service scale orders-api <replicas> in production for 2h`" in text
    assert line == ""


def test_without_a_cause_it_says_where_to_read_and_whom_to_ask() -> None:
    assert step_of(moved=(slow("orders-api"),))[0] == (
        "Read what it writes: `/service logs orders-api production`. Ask team-orders in #team-orders."
    )
    assert "nobody owns orders-api" in step_of(moved=(slow("orders-api"),), owner=Owner(service="orders-api"))[0]


def test_what_cannot_be_taken_back_is_asked_of_its_owner() -> None:
    change = Changed(service="orders-api", kind="deploy", at=TEN - minutes(2), what="the deploy of v1")
    assert step_of(moved=(slow("orders-api"),), changes=(change,)) == (
        "Ask team-orders in #team-orders whether the deploy of v1 can be taken back.",
        "",
    )


def test_what_ran_out_of_memory_may_be_restarted() -> None:
    killed = troubles_of("orders-api", "production", events=[warning("OOMKilling", "killed")])
    text, line = step_of(moved=(slow("orders-api"),), troubles=killed)
    assert text.endswith("A restart wins time.")
    assert line == "/service restart orders-api in production"


def test_how_many_replicas_run_is_what_was_decided() -> None:
    assert replicas_of(None, "production") is None
    assert replicas_of(a_release(NEW, "production"), "production") == 2
    document = {"spec": {"replicas": 2, "environments": {"production": {"replicas": 5}}}}
    assert replicas_of(a_release(NEW, "production", document=document), "production") == 5
    assert replicas_of(a_release(NEW, "production", document={"spec": {"autoscaling": {}}}), "production") is None


def test_a_refused_operation_is_none() -> None:
    refused = a_deploy("op-no", "orders-api", TEN, state=State.EXPIRED)
    assert changes_of(PLACE, [refused], None) == ()
