"""An incident in memory: orders-api got a version that is slow, and checkout-web waits for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.deps import Deps
from bot.model.operation import OperationView, State
from bot.model.plan import Plan
from bot.model.release import Deployed, Version
from bot.ports import LogLine, Measured, Span, Trace, TraceFound
from tests.commands import running
from tests.fakes.logs import FakeLogs
from tests.fakes.metrics import measured, moments
from tests.fakes.programmed import Asked
from tests.fakes.traces import FakeTraces
from tests.observing.scene import NOW, PROMISES, Scene, scene
from tests.slack.views import AUTHOR, view

SLOW_SINCE = NOW - timedelta(minutes=15)
DEPLOYED = SLOW_SINCE - timedelta(minutes=4)
GOOD, BAD = "3" * 40, "4" * 40


@dataclass
class Drawer:
    """Draws nothing, and keeps what it was given."""

    drawn: list[str] = field(default_factory=list)
    error: Exception | None = None

    async def png(self, svg: str) -> bytes:
        if self.error is not None:
            raise self.error
        self.drawn.append(svg)
        return b"png"


@dataclass
class Incident:
    """Everything is there; a test takes away what it needs to."""

    scene: Scene
    logs: FakeLogs = field(default_factory=FakeLogs)
    traces: FakeTraces = field(default_factory=FakeTraces)
    pictures: Drawer = field(default_factory=Drawer)
    views: list[OperationView] = field(default_factory=list)

    @property
    def deps(self) -> Deps:
        async def history(service: str, begin: datetime, end: datetime) -> tuple[OperationView, ...]:
            return tuple(one for one in self.views if one.request.get("service") == service)

        return replace(self.scene.deps, logs=self.logs, traces=self.traces, pictures=self.pictures, history=history)

    def rises(self, service: str, since: datetime, *, quick: float = 0.12, slow: float = 1.2) -> None:
        """Let its latency be so, and so since then."""

        def latency(asked: Asked) -> Measured:
            return measured(({}, [(at, slow if at >= since.timestamp() else quick) for at in moments(asked)]))

        namespace = f'namespace="{service}-production"'
        self.scene.metrics.answers(_both("histogram_quantile", namespace), latency)


async def incident() -> Incident:
    """Return checkout-web in production, slow since `SLOW_SINCE` because of a version of orders-api of 4 minutes
    before."""
    made = Incident(await scene())
    for service in ("checkout-web", "orders-api"):
        made.scene.runs(service, "production")
        made.scene.measures(service, "production")
    made.rises("checkout-web", SLOW_SINCE)
    made.rises("orders-api", SLOW_SINCE - timedelta(seconds=90), slow=1.1)
    _released(made)
    made.views.append(a_deploy("op-bad", "orders-api", DEPLOYED))
    made.logs.answers('container="checkout-web"', [*said("user 7 unknown", -20), *said("orders-api took 1400ms", 3)])
    made.traces.answers(
        '"checkout-web"', [TraceFound("t1", "checkout-web", "POST /pay", NOW - timedelta(minutes=5), 1.4)]
    )
    made.traces.keep(
        Trace(
            "t1",
            (
                a_span("a", "", "checkout-web", "POST /pay", 1.4),
                a_span("b", "a", "checkout-web", "GET orders-api", 1.3),
                a_span("c", "b", "orders-api", "GET /orders", 1.288),
            ),
        )
    )
    return made


def _released(made: Incident) -> None:
    versions = [Version(name=name, commit=commit, image=f"ghcr.io/acme/orders-api:{commit}") for name, commit in
                (("v2.0.1", BAD), ("v2.0.0", GOOD))]  # fmt: skip
    current, before = (
        Deployed(version=version, at=at, by="user:default/author", operation=operation)
        for version, at, operation in zip(
            versions, (DEPLOYED, DEPLOYED - timedelta(days=3)), ("op-bad", "op-good"), strict=True
        )
    )
    document = {
        "apiVersion": "platform.company.io/v1",
        "kind": "WebService",
        "metadata": {"name": "orders-api"},
        "spec": {"replicas": 2, "slo": PROMISES},
    }
    running.keep(
        made.scene.forge,
        running.a_release(BAD, "production", current=current, history=(before,), document=document),
    )


def a_deploy(
    operation: str, service: str, at: datetime, *, state: State = State.SUCCEEDED, **changes: Any
) -> OperationView:
    plan = Plan(
        summary=f"Deploy {service} v2.0.1 to production",
        steps=(),
        highlights=("Brings 1 commit:", "• 4444444 Ask twice (teammate)"),
        lane=f"deploy:{service}/production",
    )
    given: dict[str, Any] = {
        "id": operation,
        "command": "service.deploy",
        "request": {"service": service, "environment": "production"},
        "principal": AUTHOR,
        "plan": plan,
        "created_at": at,
        "updated_at": at + timedelta(minutes=1),
    }
    return view(state, **(given | changes))


def said(message: str, minutes: float, *, times: int = 1) -> list[LogLine]:
    """Return error lines of so many minutes after the symptom began."""
    text = json.dumps({"level": "error", "message": message})
    return [LogLine(SLOW_SINCE + timedelta(minutes=minutes), text, {})] * times


def a_span(id: str, parent: str, service: str, name: str, seconds: float) -> Span:  # noqa: A002  # its name
    return Span(id, parent, service, name, NOW - timedelta(minutes=5), seconds)


def _both(*texts: str) -> Callable[[str], bool]:
    return lambda query: all(text in query for text in texts)
