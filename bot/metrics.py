"""What `/metrics` shows, read at the moment it is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.catalog.catalog import Catalog
from bot.model.entities import KINDS


class CatalogMetrics(Collector):
    """How much the catalog knows, and how much of it is broken."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def collect(self) -> Iterator[Metric]:
        index = self._catalog.index
        entities = GaugeMetricFamily("causeway_catalog_entities", "Entities in the catalog", labels=["kind"])
        for kind in KINDS:
            entities.add_metric([kind], len(index.search("", kinds=[kind], limit=10**9)))
        yield entities
        yield GaugeMetricFamily(
            "causeway_catalog_mistakes", "Broken or unreadable catalog files", value=len(self._catalog.mistakes)
        )


def observed(registry: CollectorRegistry, *, catalog: Catalog) -> CollectorRegistry:
    """Return `registry` with everything that is counted."""
    registry.register(CatalogMetrics(catalog))
    return registry
