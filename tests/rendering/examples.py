"""Documents and platforms that many tests use."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bot.model.databases import DatabaseProvider
from bot.model.platform import Environment, Monitoring, Platform, Size, Tls
from bot.rendering.documents import read
from bot.rendering.render import render
from bot.rendering.rollout import Rollout

COMMIT = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"

DESIGN = """\
apiVersion: platform.company.io/v1
kind: WebService
metadata: {name: user-api}
spec:
  image: user-api:latest
  replicas: 3
  database: {type: postgresql, size: small}
  ingress: {host: api.example.com}
"""
"""The very document of design.md."""

SMALLEST = """\
apiVersion: platform.company.io/v1
kind: WebService
metadata:
  name: hello
spec: {}
"""

EVERYTHING = """\
apiVersion: platform.company.io/v1
kind: WebService
metadata:
  name: orders-api
  labels: {acme.com/cost-center: "4711"}
  annotations: {acme.com/contact: "#team-orders"}
spec:
  image: orders-api:main
  command: [python]
  args: ["-m", "service", "--greeting", "a: b # c"]
  user: 10001
  size: medium
  autoscaling: {min: 2, max: 4, cpu: 60, memory: 80}
  ports:
    - {name: http, port: 8080}
    - {name: metrics, port: 9090}
    - {name: statsd, port: 8125, protocol: UDP}
  probes:
    path: /livez
    readiness: {path: /readyz, every: 5}
    startup: {tcp: true, port: http}
    liveness: {command: [/bin/check, --fast]}
  gracePeriod: 60
  env:
    LOG_LEVEL: info
    GREETING: 'say "hello": {{ twice }}'
    "NO": "no"
  secrets:
    - {secret: mail}
    - {secret: stripe, key: api-key, env: STRIPE_API_KEY}
    - {secret: client-certificate, path: /etc/client, optional: true}
  ingress: {host: orders.acme.example, paths: [/orders, /v2/orders]}
  callers: [checkout-web]
  egress:
    - {service: payments, ports: [8080]}
    - {namespace: kafka, ports: [9092]}
    - {cidr: 203.0.113.0/24}
    - {internet: true}
  database: {size: medium, version: 16}
  cache: {size: small}
  volumes:
    - {name: scratch, path: /scratch, size: 1Gi}
    - {name: uploads, path: /uploads, size: 10Gi, persistent: true, shared: true}
    - {name: settings, path: /etc/orders, configMap: orders-settings}
  metrics: {path: /internal/metrics, every: 15}
  environments:
    staging: {autoscaling: {max: 3}, env: {LOG_LEVEL: debug}}
"""

PROMISED = """\
apiVersion: platform.company.io/v1
kind: WebService
metadata: {name: orders-api}
spec:
  image: orders-api:main
  slo: {availability: 99.9, latency: {target: 99, below: 300ms}, window: 30d}
  runbook: https://github.com/acme/orders-api/blob/main/docs/runbook.md
  environments:
    staging: {slo: {availability: 99, latency: null}}
"""

ALONE = """\
apiVersion: platform.company.io/v1
kind: WebService
metadata: {name: notebook}
spec:
  image: quay.io/acme/notebook:2
  replicas: 1
  volumes: [{name: work, path: /work, size: 5Gi, persistent: true}]
  ingress: {enabled: false}
"""

WORKER = """\
apiVersion: platform.company.io/v1
kind: WebService
metadata: {name: mailer}
spec:
  image: mailer:v3
  worker: true
  probes: {liveness: {command: [/bin/alive]}}
  cache: {}
"""

NIGHTLY = """\
apiVersion: platform.company.io/v1
kind: WebService
metadata: {name: invoices}
spec:
  image: invoices:v1
  schedule: "30 3 * * MON-FRI"
  job: {timeZone: Europe/Berlin, retries: 1, timeout: 1800}
  database: {}
"""

PLATFORM = Platform(
    environments={
        "staging": Environment(domain="staging.acme.example", max_replicas=4),
        "production": Environment(
            domain="acme.example",
            tls=Tls(issuer="letsencrypt"),
            monitoring=Monitoring(enabled=True, labels={"release": "prometheus"}),
            max_replicas=20,
            database=DatabaseProvider(provider="crossplane", region="eu-central-1"),
        ),
    },
    sizes={
        "small": Size(cpu="100m", memory="128Mi", monthly_cost=Decimal(6)),
        "medium": Size(cpu="500m", memory="512Mi", monthly_cost=Decimal(25)),
    },
    image_owner="acme",
)
ROLLOUT = Rollout(version="v1.4.2", team="team-orders", repository="acme/orders-api")
RELEASED = Rollout(
    version="1a2b3c4",
    image=f"ghcr.io/acme/orders-api:{COMMIT}",
    team="team-orders",
    repository="acme/orders-api",
    restarted_at=datetime(2026, 11, 25, 9, 30, tzinfo=UTC),
)

CASES: dict[str, tuple[str, str, Rollout]] = {
    "design": (DESIGN, "staging", ROLLOUT),
    "design-in-production": (DESIGN, "production", ROLLOUT),
    "smallest": (SMALLEST, "staging", RELEASED),
    "everything": (EVERYTHING, "staging", RELEASED),
    "everything-in-production": (EVERYTHING, "production", ROLLOUT),
    "alone": (ALONE, "staging", ROLLOUT),
    "worker": (WORKER, "production", ROLLOUT),
    "promised": (PROMISED, "production", ROLLOUT),
    "nightly": (NIGHTLY, "staging", ROLLOUT),
    "scaled-by-hand": (DESIGN, "staging", ROLLOUT.model_copy(update={"replicas": 1})),
}


def objects(case: str, platform: Platform = PLATFORM) -> tuple[Any, ...]:
    """Return what one of the cases becomes."""
    text, environment, rollout = CASES[case]
    (document,) = read(text)
    return render(document, environment=environment, platform=platform, rollout=rollout)
