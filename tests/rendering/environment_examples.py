"""Environment documents that many tests use."""

from __future__ import annotations

from typing import Any

from bot.model.platform import Platform
from bot.model.web_service import WebService
from bot.rendering.documents import read
from bot.rendering.environments import read_environment
from bot.rendering.previews import render_preview
from bot.rendering.rollout import Rollout

DESIGN = """\
apiVersion: environments.platform.io/v1
kind: Environment
metadata: {name: pr-123-preview}
spec:
  ttl: 7d
  services:
    - {name: frontend, image: frontend:pr-123}
    - {name: backend, image: backend:pr-123}
  databases:
    - {type: postgresql, seedFrom: staging}
"""
"""The very document of design.md."""

FRONTEND = """\
apiVersion: platform.company.io/v1
kind: WebService
metadata: {name: frontend}
spec:
  replicas: 4
  egress: [{service: backend}]
  ingress: {host: shop.acme.example}
"""

BACKEND = """\
apiVersion: platform.company.io/v1
kind: WebService
metadata: {name: backend, labels: {acme.com/cost-center: "4711"}}
spec:
  size: medium
  autoscaling: {min: 2, max: 4}
  env: {LOG_LEVEL: info}
  secrets:
    - {secret: mail}
    - {secret: stripe, key: api-key, env: STRIPE_API_KEY}
  ingress: {host: api.acme.example, paths: [/api]}
  egress:
    - {service: payments, ports: [8080]}
    - {namespace: kafka, ports: [9092]}
    - {internet: true}
  database: {type: postgresql, size: small, version: 16}
  cache: {}
  volumes:
    - {name: uploads, path: /uploads, size: 1Gi, persistent: true, shared: true}
    - {name: settings, path: /etc/backend, configMap: backend-settings}
  environments:
    staging: {env: {PAYMENTS: sandbox}, database: {size: medium}}
    production: {env: {PAYMENTS: real}}
"""

NIGHTLY = """\
apiVersion: platform.company.io/v1
kind: WebService
metadata: {name: report}
spec:
  schedule: "30 3 * * *"
  egress: [{service: backend}, {service: payments}]
"""

SHOP = """\
apiVersion: environments.platform.io/v1
kind: Environment
metadata: {name: new-checkout, labels: {acme.com/cost-center: "1"}}
spec:
  ttl: 3d
  services:
    - {name: frontend, image: "frontend:pr-7", replicas: 2}
    - {name: backend, env: {LOG_LEVEL: debug}}
    - {name: report, image: "report:v1"}
  databases:
    - {type: postgresql, seedFrom: production}
"""
"""What nobody says of `backend` is said by its document; its image is the one that was asked for."""

COMMIT = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
ROLLOUTS = {
    "backend": Rollout(
        version="1a2b3c4",
        image=f"ghcr.io/acme/backend:{COMMIT}",
        team="team-orders",
        repository="acme/backend",
    )
}

PLATFORM = Platform.model_validate(
    {
        "environments": {
            "staging": {
                "domain": "staging.acme.example",
                "max_replicas": 4,
                "database": {
                    "seeding": {"method": "backup"},
                    "backups": {"method": "plugin", "parameters": {"barmanObjectName": "backups"}},
                },
            },
            "production": {
                "domain": "acme.example",
                "monitoring": {"enabled": True},
                "max_replicas": 20,
                "personal_data": True,
                "database": {
                    "provider": "crossplane",
                    "seeding": {"method": "job", "image": "ghcr.io/acme/copy:2", "secret": "copy-production"},
                },
            },
        },
        "previews": {
            "base": "staging",
            "domain": "preview.acme.example",
            "secrets": True,
            "masking": {"image": "ghcr.io/acme/mask:4", "command": ["/mask"], "version": "4"},
            "quota": {"storage": "300Gi"},
        },
        "image_owner": "acme",
    }
)


def documents(*texts: str) -> dict[str, WebService]:
    """Return the documents by the names of their services."""
    return {document.name: document for text in texts for document in read(text)}


CASES: dict[str, tuple[str, dict[str, WebService], dict[str, bool]]] = {
    "design": (DESIGN, {}, {}),
    "shop": (SHOP, documents(FRONTEND, BACKEND, NIGHTLY), {}),
    "shop-asleep": (SHOP, documents(FRONTEND, BACKEND, NIGHTLY), {"asleep": True}),
    "shop-of-a-fork": (SHOP, documents(FRONTEND, BACKEND, NIGHTLY), {"fork": True}),
}


def preview_objects(case: str, platform: Platform = PLATFORM) -> tuple[Any, ...]:
    """Return what one of the cases becomes."""
    text, services, how = CASES[case]
    fork, asleep = how.get("fork", False), how.get("asleep", False)
    return render_preview(
        read_environment(text), services, platform, ROLLOUTS, team="team-shop", fork=fork, asleep=asleep
    )
