"""`spec` of a WebService, and what an environment may say differently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, create_model

from bot.model.configured import DnsLabel
from bot.model.web_service.parts import (
    Autoscaling,
    Cache,
    Database,
    Egress,
    Ingress,
    Job,
    Metrics,
    Part,
    Port,
    Probes,
    SecretReference,
    Volume,
)
from bot.model.web_service.shapes import (
    Cron,
    EnvName,
    Flag,
    Image,
    Integer,
    ServiceName,
    Text,
    WebAddress,
    WordOfPlatform,
)
from bot.model.web_service.slo import Slo

HTTP = Port(name="http", port=8080)


class _Fields(Part):
    """Everything that an environment may also say differently."""

    image: Annotated[
        Image,
        Field(
            description="Container image; left out: the one that the repository's CI builds.",
            examples=["user-api:latest", "ghcr.io/acme/user-api:v1.4.2"],
        ),
    ] = ""
    command: Annotated[
        tuple[Text, ...],
        Field(max_length=64, description="Program to start; left out: the image's.", examples=[["python"]]),
    ] = ()
    args: Annotated[
        tuple[Text, ...],
        Field(max_length=256, description="Its arguments; left out: the image's.", examples=[["-m", "service"]]),
    ] = ()
    user: Annotated[
        Integer,
        Field(ge=1, le=2_000_000_000, description="Number of the user that it runs as; never 0.", examples=[65532]),
    ] = 65532
    size: Annotated[
        WordOfPlatform | None,
        Field(
            description="CPU and memory of one replica, by the platform's word; left out: the first.",
            examples=["small"],
        ),
    ] = None
    replicas: Annotated[
        Integer | None,
        Field(
            ge=0,
            le=1000,
            description="How many run at least; left out: 2. Load may double 2 and more; 1 and 0 stay as they are.",
            examples=[3],
        ),
    ] = None
    autoscaling: Annotated[
        Autoscaling | None, Field(description="A range instead of `replicas`.", examples=[{"min": 2, "max": 10}])
    ] = None
    ports: Annotated[
        tuple[Port, ...],
        Field(
            max_length=20,
            description="Where the container listens. The first gets the requests from outside.",
            examples=[[{"name": "http", "port": 3000}, {"name": "metrics", "port": 9090}]],
        ),
    ] = (HTTP,)
    probes: Annotated[Probes, Field(description="How Kubernetes asks after its health.")] = Probes()
    grace_period: Annotated[
        Integer,
        Field(ge=1, le=3600, description="Seconds between being asked to stop and being killed.", examples=[30]),
    ] = 30
    env: Annotated[
        dict[EnvName, Text],
        Field(max_length=200, description="Environment variables. No secrets here.", examples=[{"LOG_LEVEL": "info"}]),
    ] = Field(default_factory=dict)
    secrets: Annotated[
        tuple[SecretReference, ...],
        Field(
            max_length=100,
            description="Secrets by reference.",
            examples=[[{"secret": "stripe", "key": "api-key", "env": "STRIPE_API_KEY"}]],
        ),
    ] = ()
    ingress: Annotated[
        Ingress | None, Field(description="The address from outside.", examples=[{"host": "api.example.com"}])
    ] = None
    callers: Annotated[
        tuple[ServiceName, ...],
        Field(max_length=100, description="Other WebServices that may call this one.", examples=[["checkout-web"]]),
    ] = ()
    egress: Annotated[
        tuple[Egress, ...],
        Field(
            max_length=50,
            description="What it may call; nothing else is reachable but DNS, its database and its cache.",
            examples=[[{"service": "payments"}, {"internet": True}]],
        ),
    ] = ()
    database: Annotated[
        Database | None, Field(description="A database.", examples=[{"type": "postgresql", "size": "small"}])
    ] = None
    cache: Annotated[Cache | None, Field(description="A cache.", examples=[{"type": "valkey"}])] = None
    volumes: Annotated[
        tuple[Volume, ...],
        Field(
            max_length=20,
            description="Folders that it may write to.",
            examples=[[{"name": "uploads", "path": "/uploads", "size": "10Gi", "persistent": True, "shared": True}]],
        ),
    ] = ()
    metrics: Annotated[Metrics, Field(description="What Prometheus scrapes.")] = Metrics()
    slo: Annotated[
        Slo | None,
        Field(
            description="What it promises; left out: what the platform says for all.",
            examples=[{"availability": 99.9, "latency": {"target": 99, "below": "300ms"}, "window": "30d"}],
        ),
    ] = None
    runbook: Annotated[
        WebAddress | None,
        Field(
            description="Where people read what to do when an alert fires.",
            examples=["https://github.com/acme/user-api/blob/main/docs/runbook.md"],
        ),
    ] = None
    schedule: Annotated[
        Cron | None,
        Field(description="Cron line: it runs then and ends, instead of running always.", examples=["30 3 * * *"]),
    ] = None
    job: Annotated[Job, Field(description="How the scheduled job runs.")] = Job()
    worker: Annotated[
        Flag, Field(description="`true`: it takes no requests, so it gets no Service and no address.", examples=[True])
    ] = False


def _overrides() -> type[Part]:
    """Return the same fields, none of them needed; null takes away what the document says for all environments."""
    fields: dict[str, Any] = {
        name: (Annotated[field.rebuild_annotation() | None, Field(description=field.description)], None)
        for name, field in _Fields.model_fields.items()
    }
    return create_model("Overrides", __base__=Part, __doc__="What one environment says differently.", **fields)


if TYPE_CHECKING:

    class Overrides(_Fields):
        """What one environment says differently."""
else:
    Overrides = _overrides()


class Spec(_Fields):
    environments: Annotated[
        dict[DnsLabel, Overrides],
        Field(
            max_length=20,
            description="What differs in an environment, laid over the rest: maps are merged, lists replaced, "
            "null takes away.",
            examples=[{"production": {"replicas": 5}}],
        ),
    ] = Field(default_factory=dict)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `over` laid upon it (RFC 7386, JSON Merge Patch)."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            result[key] = merged(below if isinstance(below, Mapping) else {}, value)
        else:
            result[key] = value
    return result
