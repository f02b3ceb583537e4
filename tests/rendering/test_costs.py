"""What things cost a month."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bot.model.databases import DatabaseSize, RequestedDatabase
from bot.model.platform import Environment, Platform, Size
from bot.rendering.costs import a_month, cost_of_preview, cost_of_service, cost_of_store
from bot.rendering.documents import read
from bot.rendering.stores import store_for

PLATFORM = Platform(
    environments={"staging": Environment(max_replicas=4), "production": Environment(max_replicas=20)},
    sizes={
        "small": Size(cpu="100m", memory="128Mi", monthly_cost=Decimal("6.25")),
        "large": Size(cpu="2", memory="2Gi", monthly_cost=Decimal(100)),
    },
    database_sizes={
        "small": DatabaseSize(cpu="250m", memory="512Mi", storage="10Gi", monthly_cost=Decimal(20)),
        "large": DatabaseSize(cpu="4", memory="16Gi", storage="200Gi", monthly_cost=Decimal(900)),
    },
)
ASKED = RequestedDatabase(size="large", by="user:default/ada", at=datetime(2026, 11, 28, tzinfo=UTC))


def cost(spec: str, environment: str = "staging", **more: object) -> Decimal:
    text = f"apiVersion: platform.company.io/v1\nkind: WebService\nmetadata: {{name: hello}}\nspec: {spec}\n"
    (document,) = read(text)
    return cost_of_service(document, environment=environment, platform=PLATFORM, **more)  # type: ignore[arg-type]  # as the test says


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ("{image: a:b}", "12.50"),
        ("{image: a:b, replicas: 0}", "0"),
        ("{image: a:b, size: large, replicas: 3}", "300"),
        ("{image: a:b, autoscaling: {min: 2, max: 9}}", "12.50"),
        ("{image: a:b, replicas: 1, cache: {size: large}}", "106.25"),
        ("{image: a:b, replicas: 1, database: {}}", "26.25"),
        ('{image: a:b, schedule: "0 3 * * *", database: {size: large}}', "906.25"),
    ],
)
def test_a_service_costs_its_size_times_its_replicas_and_what_stands_beside_it(spec: str, wanted: str) -> None:
    assert cost(spec) == Decimal(wanted)


def test_each_environment_has_its_own_cost() -> None:
    spec = "{image: a:b, replicas: 1, environments: {production: {replicas: 5, size: large}}}"
    assert (cost(spec), cost(spec, "production")) == (Decimal("6.25"), Decimal(500))


def test_what_a_person_asked_for_counts_instead() -> None:
    assert cost("{image: a:b, database: {}}", replicas=1, requested=ASKED) == Decimal("906.25")
    assert cost("{image: a:b, replicas: 1}", requested=ASKED) == Decimal("906.25")


def test_a_preview_costs_its_services_and_each_database_once() -> None:
    documents = [
        read(f"kind: WebService\napiVersion: platform.company.io/v1\nmetadata: {{name: {name}}}\nspec: {spec}\n")[0]
        for name, spec in (("web", "{image: a:b, replicas: 1}"), ("api", "{image: a:b, replicas: 1, database: {}}"))
    ]
    store = store_for(service="api", team="t", environment="staging", platform=PLATFORM, requested=ASKED)
    assert store is not None
    assert cost_of_store(store) == Decimal(900)
    assert cost_of_preview(documents, [store], environment="staging", platform=PLATFORM) == Decimal("912.50")


@pytest.mark.parametrize(
    ("amount", "told"),
    [("20", "20 EUR a month"), ("7.5", "7.50 EUR a month"), ("0", "0 EUR a month"), ("1200.000", "1200 EUR a month")],
)
def test_money_reads_as_people_write_it(amount: str, told: str) -> None:
    assert a_month(Decimal(amount), PLATFORM) == told
