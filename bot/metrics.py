"""What `/metrics` shows, read at the moment it is asked for."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.alerting.figures import Figures
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


class AlertMetrics(Collector):
    """How alerts are dealt with."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        seen = self._figures
        yield CounterMetricFamily("causeway_alerts_taken", "Alerts taken apart by this process", value=seen.taken)
        yield GaugeMetricFamily("causeway_alert_groups_firing", "Groups of alerts that fire", value=seen.firing)
        yield GaugeMetricFamily(
            "causeway_alert_bodies_waiting", "Deliveries stored and not yet taken apart", value=seen.waiting
        )
        yield GaugeMetricFamily(
            "causeway_alert_bodies_broken", "Deliveries that could not be taken apart", value=seen.broken
        )
        yield GaugeMetricFamily(
            "causeway_alert_oldest_unposted_seconds",
            "Age of the oldest group of alerts that no channel shows yet",
            value=seen.oldest_unposted_s,
        )


class Metrics:
    """Everything that is counted, and the middleware that counts answers."""

    def __init__(self, catalog: Catalog, alerts: Figures) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(CatalogMetrics(catalog))
        self.registry.register(AlertMetrics(alerts))
        self._answers = Histogram(
            "causeway_http_seconds",
            "Time until an HTTP request was answered; for Slack that is the acknowledgement",
            ["path", "status"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=self.registry,
        )
        self.timed = self._middleware()

    def _middleware(self) -> Middleware:
        @web.middleware
        async def timed(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            begin = time.perf_counter()
            status = 500
            try:
                response = await handler(request)
                status = response.status
            except web.HTTPException as answer:
                status = answer.status
                raise
            finally:
                self._answers.labels(_route(request), status).observe(time.perf_counter() - begin)
            return response

        return timed


def _route(request: web.Request) -> str:
    """The route's pattern, so that ids in paths make no labels of their own."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "other"
