"""How long an option list over 10,000 services takes while somebody types."""

from __future__ import annotations

import random
import time

from bot.catalog.documents import Document, Read
from bot.catalog.index import Index
from bot.catalog.options import CatalogOptions
from bot.forms.model import FormField, Kind
from bot.model.entities import Component, ComponentSpec, Metadata
from bot.model.principal import Principal
from tests.bench.figures import Figure, figure, percentile

SERVICES = 10_000
WORDS = ("orders", "checkout", "search", "billing", "ledger", "profile", "stock", "mail", "pricing", "returns")
ENTITY = FormField(
    name="service",
    kind=Kind.ENTITY,
    title="Service",
    catalog_filter=[{"kind": "Component", "spec.type": "service"}],
)


def _index(chance: random.Random) -> Index:
    entities = [
        Component(
            apiVersion="backstage.io/v1alpha1",
            kind="Component",
            metadata=Metadata(name=f"{chance.choice(WORDS)}-{chance.choice(WORDS)}-{number}"),
            spec=ComponentSpec(type="service", lifecycle="production", owner="team-orders"),
        )
        for number in range(SERVICES)
    ]
    return Index([Read(Document("folder:bench", "1", ""), tuple(entities), ())])


async def run() -> list[Figure]:
    chance = random.Random(7)
    index = _index(chance)
    source = CatalogOptions(lambda: index)
    person = Principal(user="user:default/author", display_name="Author")
    queries = ["", "o", "or", "ord", "orders-9", "zzz", "99", "team", "mail-stock", *WORDS]
    p99s: list[float] = []
    for _ in range(5):
        times: list[float] = []
        for _ in range(200):
            query = chance.choice(queries)
            begin = time.perf_counter()
            source.options(ENTITY, "service", query, person)
            times.append((time.perf_counter() - begin) * 1000)
        p99s.append(percentile(times, 0.99))
    return [figure("options_10k_p99_ms", p99s, "ms", better="lower", goal=10, against=f"{SERVICES} services")]
