"""Where somebody takes traces, each pod knows where to send them, and the network lets it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from bot.model.platform import Environment, Monitoring, Otlp, Platform
from bot.rendering.documents import read
from bot.rendering.render import render
from tests.rendering.examples import ROLLOUT

COLLECTOR = "http://collector.monitoring.svc:4318"


def made(otlp: Otlp, **spec: Any) -> dict[str, Any]:
    """Return the objects by kind."""
    document = {
        "apiVersion": "platform.company.io/v1",
        "kind": "WebService",
        "metadata": {"name": "orders-api"},
        "spec": {"image": "a:b", **spec},
    }
    (found,) = read(json.dumps(document))
    platform = Platform(environments={"production": Environment(monitoring=Monitoring(otlp=otlp))})
    rendered = render(found, environment="production", platform=platform, rollout=ROLLOUT)
    return {str(obj["kind"]): obj for obj in rendered}


def variables(found: dict[str, Any]) -> dict[str, str]:
    pod = found["Deployment"]["spec"]["template"]["spec"]
    env = pod["containers"][0].get("env") or []
    assert len({one["name"] for one in env}) == len(env)
    return {one["name"]: one.get("value", "") for one in env}


def ways_out(found: dict[str, Any]) -> list[tuple[str, int]]:
    """Return namespace and port of each rule that names a namespace."""
    rules = [rule for rule in found["NetworkPolicy"]["spec"]["egress"] if "matchLabels" in json.dumps(rule["to"])]
    return [
        (rule["to"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"], rule["ports"][0]["port"])
        for rule in rules
    ]


def test_a_pod_knows_where_its_traces_go_and_who_it_is() -> None:
    found = made(Otlp(endpoint=COLLECTOR))
    assert variables(found) == {
        "OTEL_SERVICE_NAME": "orders-api",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=production,service.namespace=orders-api-production",
        "OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    }
    assert ways_out(found) == [("monitoring", 4318)]


def test_nothing_is_said_and_nothing_opened_where_nobody_takes_them() -> None:
    found = made(Otlp())
    assert variables(found) == {}
    assert ways_out(found) == []


def test_what_the_document_says_itself_wins() -> None:
    secret = {"secret": "otlp", "key": "endpoint", "env": "OTEL_EXPORTER_OTLP_ENDPOINT"}
    found = made(Otlp(endpoint=COLLECTOR), env={"OTEL_SERVICE_NAME": "mine"}, secrets=[secret])
    assert variables(found)["OTEL_SERVICE_NAME"] == "mine"
    assert variables(found)["OTEL_EXPORTER_OTLP_ENDPOINT"] == ""


@pytest.mark.parametrize(
    ("endpoint", "namespace", "way"),
    [
        (COLLECTOR, "tracing", ("tracing", 4318)),
        ("http://collector", "", ("monitoring", 80)),
        ("https://collector/v1/", "", ("monitoring", 443)),
    ],
)
def test_the_way_out_leads_to_the_collector_alone(endpoint: str, namespace: str, way: tuple[str, int]) -> None:
    assert ways_out(made(Otlp(endpoint=endpoint, namespace=namespace))) == [way]


@pytest.mark.parametrize("endpoint", ["collector:4318", "ftp://collector", "http://", "http://a b", "http://a:99999"])
def test_an_endpoint_that_is_none_is_told_at_start(endpoint: str) -> None:
    with pytest.raises(ValidationError, match="must be an address with its port"):
        Otlp(endpoint=endpoint)
