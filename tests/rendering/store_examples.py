"""Databases of every provider that many tests use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.model.databases import (
    Backups,
    Claim,
    DatabaseProvider,
    DatabaseSize,
    GitFile,
    RequestedDatabase,
    Seeding,
)
from bot.model.platform import ClusterAccess, Environment, GitOps, Monitoring, Platform
from bot.model.previews import Masking
from bot.rendering.render import render_store
from bot.rendering.stores import SeedByJob, SeedFromBackup, SeedFromImport, Store, store_for

TEMPLATES = Path(__file__).parent / "templates_of_a_company"
SQL = Claim(
    api_version="platform.acme.example/v1alpha1",
    kind="SQLInstance",
    fields={
        "spec.parameters.size": "{size}",
        "spec.parameters.storageGB": "{storage_gib}",
        "spec.parameters.version": "{version!s}",
        "spec.parameters.name": "{team}-{name}",
        "spec.compositionSelector.matchLabels.engine": "{engine}",
    },
    keys={"host": "endpoint", "user": "username", "url": ""},
)
CACHE = Claim(
    api_version="platform.acme.example/v1alpha1", kind="SQLInstance", fields={"spec.parameters.size": "{size}"}
)
PLATFORM = Platform(
    environments={
        "dev": Environment(namespace="{team}-{environment}"),
        "staging": Environment(
            monitoring=Monitoring(enabled=True),
            database=DatabaseProvider(
                storage_class="fast",
                backups=Backups(method="volume-snapshot", snapshot_class="csi"),
                seeding=Seeding(method="import", secret="staging-data"),
            ),
            databases={
                "mysql": DatabaseProvider(provider="git", file=GitFile(template="database.tf.j2", keys={"url": ""})),
                "valkey": DatabaseProvider(provider="claim", claim=CACHE),
            },
        ),
        "acceptance": Environment(
            database=DatabaseProvider(
                backups=Backups(method="plugin", parameters={"barmanObjectName": "backups"}),
                seeding=Seeding(method="backup"),
            ),
            databases={"mysql": DatabaseProvider(provider="claim", claim=SQL)},
        ),
        "production": Environment(database=DatabaseProvider(provider="crossplane"), personal_data=True),
        "lone": Environment(
            cluster="far", database=DatabaseProvider(provider="crossplane", region="eu-west-1", cloud_name="{name}")
        ),
    },
    clusters={"default": ClusterAccess(), "far": ClusterAccess()},
    database_sizes={
        "small": DatabaseSize(
            cpu="250m", memory="512Mi", storage="10Gi", instance_class="db.t3.micro", monthly_cost=Decimal(20)
        ),
        "medium": DatabaseSize(
            cpu="1",
            memory="2Gi",
            storage="50Gi",
            instances=2,
            instance_class="db.m6g.large",
            pooler=2,
            monthly_cost=Decimal(150),
        ),
        "tiny": DatabaseSize(cpu="100m", memory="256Mi", storage="1Gi"),
    },
    gitops=GitOps(repository="acme/gitops"),
    templates=(TEMPLATES,),
)
MASKING = Masking(image="ghcr.io/acme/mask:4", command=("mask", "--all"), version="4")
AT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)


def asked(**fields: Any) -> RequestedDatabase:
    return RequestedDatabase.model_validate({"size": "small", "by": "user:default/ada", "at": AT, **fields})


def store(environment: str, service: str = "orders-api", *, platform: Platform = PLATFORM, **more: Any) -> Store:
    """Return the store of a service, by default the smallest PostgreSQL."""
    more = {"requested": asked(), **more}
    found = store_for(service=service, team="team-orders", environment=environment, platform=platform, **more)
    assert found is not None
    return found


CASES: Mapping[str, Store] = {
    "plain": store("dev"),
    "alone": store("dev", "my-db", clients=()),
    "snapshots": store("staging", requested=asked(size="medium", retention_days=14)),
    "object-storage": store("acceptance"),
    "unprotected": store("acceptance", requested=asked(protected=False)),
    "from-a-snapshot": store(
        "staging",
        passing=True,
        seed=SeedFromBackup(cluster="orders-api-db", namespace="orders-api-staging", snapshot="nightly"),
        masking=MASKING,
    ),
    "from-a-backup": store(
        "staging", seed=SeedFromBackup(cluster="orders-api-db", namespace="orders-api-staging", backup="nightly")
    ),
    "from-object-storage": store("dev", requested=asked(seed_from="acceptance"), passing=True),
    "from-the-network": store("dev", requested=asked(seed_from="staging")),
    "from-the-network-by-hand": store(
        "dev",
        seed=SeedFromImport(host="db.acme.example", secret="legacy", database="legacy", user="reader"),
    ),
    "by-a-job": store(
        "production",
        seed=SeedByJob(image="ghcr.io/acme/seed:2", command=("seed",), secret="source", source="staging"),
        passing=True,
    ),
    "cloud": store("production", requested=asked(size="medium", retention_days=30)),
    "cloud-mysql": store("production", requested=asked(engine="mysql")),
    "my-db": store("lone", "my-db", clients=()),
    "claim": store("acceptance", requested=asked(engine="mysql", size="medium")),
    "claim-valkey": store("staging", requested=asked(engine="valkey")),
    "file": store("staging", requested=asked(engine="mysql")),
}


def objects(case: str) -> tuple[Any, ...]:
    return render_store(CASES[case], platform=PLATFORM)
