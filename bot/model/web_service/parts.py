"""The pieces of a WebService's `spec`. Descriptions and examples here become the JSON Schema and the CRD."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from bot.model.web_service.shapes import (
    EnvName,
    Flag,
    Host,
    Integer,
    MountPath,
    NamespaceName,
    ObjectName,
    PortName,
    SecretKey,
    ServiceName,
    ShortName,
    Size,
    Text,
    TimeZone,
    UrlPath,
    WordOfPlatform,
)

PortNumber = Annotated[Integer, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
USUAL_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of the histogram's buckets in seconds, as the golden paths and most clients have them."""


class Part(BaseModel):
    """Frozen, without unknown fields; written as Kubernetes writes (`timeZone`)."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class Autoscaling(Part):
    """Between which numbers of replicas the load decides."""

    min: Annotated[Integer, Field(ge=1, le=1000, description="Never fewer than these.", examples=[2])] = 2
    max: Annotated[
        Integer | None,
        Field(ge=1, le=1000, description="Never more than these. Left out: twice the minimum.", examples=[10]),
    ] = None
    cpu: Annotated[
        Integer,
        Field(ge=1, le=400, description="Add replicas above this use of the requested CPU, in percent.", examples=[70]),
    ] = 70
    memory: Annotated[
        Integer | None,
        Field(
            ge=1, le=100, description="Add replicas above this use of the requested memory, in percent.", examples=[80]
        ),
    ] = None


class Port(Part):
    """A port that the container listens at."""

    name: Annotated[PortName, Field(description="By which probes, metrics and ingress name it.", examples=["http"])]
    port: Annotated[PortNumber, Field(description="Number inside the container.", examples=[8080])]
    protocol: Annotated[Literal["TCP", "UDP"], Field(description="TCP, or UDP.", examples=["TCP"])] = "TCP"


class Probe(Part):
    """How Kubernetes asks the container about one thing. What is left out is taken from `probes`."""

    path: Annotated[UrlPath | None, Field(description="Asked by HTTP GET.", examples=["/readyz"])] = None
    port: Annotated[PortName | None, Field(description="Name of one of `ports`.", examples=["http"])] = None
    command: Annotated[
        tuple[Text, ...],
        Field(max_length=64, description="Run inside instead of HTTP; exit 0 is yes.", examples=[["/bin/check"]]),
    ] = ()
    tcp: Annotated[Flag, Field(description="Only open a connection to the port, send nothing.", examples=[True])] = (
        False
    )
    every: Annotated[Integer, Field(ge=1, le=3600, description="Seconds between two questions.", examples=[10])] = 10
    timeout: Annotated[Integer, Field(ge=1, le=600, description="Seconds to wait for the answer.", examples=[3])] = 3
    failures: Annotated[
        Integer, Field(ge=1, le=1000, description="So many failures in a row count as one.", examples=[3])
    ] = 3
    enabled: Annotated[Flag, Field(description="`false`: do not ask at all.", examples=[False])] = True


class StartupProbe(Probe):
    """Asked until it first succeeds; only then are the others asked."""

    every: Annotated[Integer, Field(ge=1, le=3600, description="Seconds between two questions.", examples=[2])] = 2
    failures: Annotated[
        Integer,
        Field(
            ge=1,
            le=1000,
            description="Restart after so many failures; with `every`: how long a start may take.",
            examples=[60],
        ),
    ] = 60


class Probes(Part):
    """How Kubernetes finds out whether the service has started, lives, and can take requests."""

    path: Annotated[UrlPath, Field(description="What all three ask for.", examples=["/healthz"])] = "/healthz"
    port: Annotated[
        PortName | None, Field(description="Name of one of `ports`; left out: the first.", examples=["http"])
    ] = None
    liveness: Annotated[Probe, Field(description="Fails: the container is restarted.")] = Probe()
    readiness: Annotated[Probe, Field(description="Fails: no requests come here for now.")] = Probe()
    startup: Annotated[StartupProbe, Field(description="How long a start may take.")] = StartupProbe()
    enabled: Annotated[Flag, Field(description="`false`: none of the three.", examples=[False])] = True


class SecretReference(Part):
    """A Secret that stands in the namespace already; only its name is written here, never its content."""

    secret: Annotated[ObjectName, Field(description="Name of the Secret.", examples=["stripe"])]
    key: Annotated[
        SecretKey | None, Field(description="One key of it; left out: the whole Secret.", examples=["api-key"])
    ] = None
    env: Annotated[
        EnvName | None, Field(description="Variable that holds the key's value.", examples=["STRIPE_API_KEY"])
    ] = None
    path: Annotated[
        MountPath | None,
        Field(description="Folder in which each key is a file, instead of variables.", examples=["/etc/tls"]),
    ] = None
    optional: Annotated[Flag, Field(description="Start even where it does not exist.", examples=[True])] = False


class Ingress(Part):
    """The service's address from outside."""

    host: Annotated[
        Host,
        Field(
            description="Host name; left out: `<name>.<domain>` with the environment's domain.",
            examples=["api.example.com"],
        ),
    ] = ""
    paths: Annotated[
        tuple[UrlPath, ...],
        Field(min_length=1, max_length=50, description="Only what begins with one of these.", examples=[["/", "/v2"]]),
    ] = ("/",)
    port: Annotated[
        PortName | None, Field(description="Name of one of `ports`; left out: the first.", examples=["http"])
    ] = None
    tls: Annotated[Flag, Field(description="Serve HTTPS with a certificate of the platform.", examples=[True])] = True
    enabled: Annotated[
        Flag, Field(description="`false`: no address, not even the environment's usual one.", examples=[False])
    ] = True


class Database(Part):
    """A database of the service's own. Its address and password arrive as `DATABASE_URL`, `DATABASE_HOST`, …"""

    type: Annotated[
        Literal["postgresql", "mysql", "valkey"],
        Field(description="Which kind, as far as the environment has it.", examples=["postgresql"]),
    ] = "postgresql"
    size: Annotated[
        WordOfPlatform | None,
        Field(description="One of the platform's database sizes; left out: the first.", examples=["small"]),
    ] = None
    version: Annotated[
        Integer | None,
        Field(
            ge=1,
            le=99,
            description="Major version; left out: 17 of PostgreSQL, 8 of MySQL and Valkey.",
            examples=[17],
        ),
    ] = None


class Cache(Part):
    """A cache of the service's own, gone when it restarts. Its address arrives as `CACHE_URL`."""

    type: Annotated[Literal["valkey"], Field(description="Which kind; speaks Redis.", examples=["valkey"])] = "valkey"
    size: Annotated[
        WordOfPlatform | None,
        Field(description="One of the platform's sizes; left out: the first.", examples=["small"]),
    ] = None


class Volume(Part):
    """A folder beside the read-only root file system. `/tmp` is always there."""

    name: Annotated[ShortName, Field(description="Unique among the volumes.", examples=["uploads"])]
    path: Annotated[MountPath, Field(description="Where it appears.", examples=["/uploads"])]
    size: Annotated[Size | None, Field(description="How much fits; needed when it lasts.", examples=["10Gi"])] = None
    persistent: Annotated[
        Flag,
        Field(description="`true`: outlives the pods; `false`: each pod starts with an empty one.", examples=[True]),
    ] = False
    shared: Annotated[
        Flag,
        Field(
            description="Several replicas write to the same one; the cluster must have such storage.", examples=[True]
        ),
    ] = False
    config_map: Annotated[
        ObjectName | None, Field(description="Files from this ConfigMap instead.", examples=["app-settings"])
    ] = None


class Egress(Part):
    """Something outside that the service may call: exactly one of `service`, `namespace`, `cidr`, `internet`."""

    service: Annotated[
        ServiceName | None, Field(description="Another WebService of the environment.", examples=["payments"])
    ] = None
    namespace: Annotated[NamespaceName | None, Field(description="All pods of a namespace.", examples=["kafka"])] = None
    cidr: Annotated[Text | None, Field(description="A range of addresses.", examples=["203.0.113.0/24"])] = None
    internet: Annotated[Flag, Field(description="Every public address.", examples=[True])] = False
    ports: Annotated[
        tuple[PortNumber, ...],
        Field(max_length=50, description="TCP ports; left out: any, and 443 for the internet.", examples=[[443]]),
    ] = ()


class Metrics(Part):
    """What Prometheus scrapes, where the environment has it."""

    path: Annotated[UrlPath, Field(description="Where the metrics are.", examples=["/metrics"])] = "/metrics"
    port: Annotated[
        PortName | None,
        Field(
            description="Name of one of `ports`; left out: `metrics` where there is one, else the first.",
            examples=["metrics"],
        ),
    ] = None
    every: Annotated[Integer, Field(ge=5, le=600, description="Seconds between two scrapes.", examples=[30])] = 30
    buckets: Annotated[
        tuple[Seconds, ...],
        Field(
            min_length=1,
            max_length=100,
            description="Where the buckets of `http_request_duration_seconds` end, in seconds.",
            examples=[[0.1, 0.3, 1, 3]],
        ),
    ] = USUAL_BUCKETS
    enabled: Annotated[Flag, Field(description="`false`: it has none.", examples=[False])] = True


class Job(Part):
    """How a scheduled job runs. Only with `schedule`."""

    time_zone: Annotated[TimeZone, Field(description="In which the schedule is meant.", examples=["Europe/Berlin"])] = (
        "Etc/UTC"
    )
    concurrency: Annotated[
        Literal["Forbid", "Allow", "Replace"],
        Field(
            description="When the next run is due and the last one still runs: skip, run both, or replace it.",
            examples=["Forbid"],
        ),
    ] = "Forbid"
    timeout: Annotated[
        Integer, Field(ge=1, le=604_800, description="Seconds after which a run is ended.", examples=[3600])
    ] = 3600
    retries: Annotated[Integer, Field(ge=0, le=20, description="Tries after a failure.", examples=[2])] = 2
    suspended: Annotated[Flag, Field(description="`true`: does not run for now.", examples=[True])] = False
