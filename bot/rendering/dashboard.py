"""A Grafana dashboard of one service in one environment. Whatever it asks stands in `manifests/queries/`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.model.duration import format_duration
from bot.model.objectives import Objective
from bot.model.platform import Dashboards
from bot.queries import Queries
from bot.rendering.objectives import FAST, SLOW, burns, spoken_seconds

Panel = dict[str, Any]
WIDTH = 24
"""Of Grafana's grid, in columns."""
QUANTILES = (0.5, 0.95, 0.99)
SCHEMA = 39
"""Of the dashboard's JSON; newer ones of Grafana read older ones."""
BURN_WINDOWS = (timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6))
SLOW_ABOVE = timedelta(seconds=1)
"""Requests that are worth a look, where nothing is promised."""
HEIGHT = 8


def dashboard(
    known: Mapping[str, Any], objectives: Sequence[Objective], queries: Queries, settings: Dashboards
) -> dict[str, Any] | None:
    """Return name, file, text and marks of the ConfigMap; None where nothing is measured or nobody wants it."""
    if not settings.enabled or not known["metrics"]:
        return None
    whole = Drawing(known, queries, settings).dashboard(objectives)
    return {
        "name": f"{known['name']}-dashboard",
        "file": f"{uid(known)}.json",
        "text": json.dumps(whole, ensure_ascii=False, separators=(",", ":")),
        "labels": known["labels"] | settings.labels,
        "annotations": {"grafana_folder": settings.folder} if settings.folder else None,
    }


def uid(known: Mapping[str, Any]) -> str:
    """Return what Grafana calls the dashboard in its address: the same for the same place."""
    place = f"{known['namespace']}/{known['name']}"
    return f"causeway-{hashlib.sha256(place.encode()).hexdigest()[:16]}"


def address(known: Mapping[str, Any], settings: Dashboards) -> str:
    """Return where the dashboard is seen; empty where there is none, or nobody knows."""
    if not (settings.enabled and settings.url and known["metrics"]):
        return ""
    return f"{settings.url.rstrip('/')}/d/{uid(known)}"


class Drawing:
    """Draws for one place: each method returns panels without a place of their own."""

    def __init__(self, known: Mapping[str, Any], queries: Queries, settings: Dashboards) -> None:
        self._known = known
        self._queries = queries
        self._settings = settings
        self._environment = known["environment"]["name"]
        self._place = {"namespace": known["namespace"], "service": known["name"]}
        self._sender = {"service": known["name"], "environment": self._environment}

    def dashboard(self, objectives: Sequence[Objective]) -> dict[str, Any]:
        rows = [
            *(self._promised(one) for one in objectives),
            self._signals(objectives),
            self._pods(),
            self._logs(),
            self._traces(objectives),
        ]
        team = self._known["labels"]["causeway.io/team"]
        return {
            "uid": uid(self._known),
            "title": f"{self._known['name']} in {self._environment}",
            "tags": ["causeway", self._environment, team],
            "schemaVersion": SCHEMA,
            "editable": False,
            "graphTooltip": 1,
            "time": {"from": "now-6h", "to": "now"},
            "refresh": "1m",
            "timezone": "browser",
            "annotations": {"list": [self._deploys()]},
            "panels": list(_placed(row for row in rows if row)),
        }

    def _deploys(self) -> dict[str, Any]:
        return {
            "name": "Deploys",
            "enable": True,
            "iconColor": "blue",
            "datasource": self._metrics(),
            "expr": self._queries.text("deploys", **self._place),
            "titleFormat": "{{image}}",
            "step": "60s",
        }

    def _promised(self, one: Objective) -> list[Panel]:
        what = f"answered within {spoken_seconds(one.below_s)}" if one.below_s else "answered without failure"
        window = format_duration(one.window)
        told = f"Promised: {_percent(one.target)} of the requests are {what}, over {window}."
        limits = [float(burn.factor) for burn in burns(one, (*FAST, *SLOW))]
        spent = self._number(
            f"Error budget spent ({one.kind}, {window})",
            self._burn(one, one.window),
            f"{told} At 100 % nothing more may go wrong.",
            (0.75, 1),
        )
        rate = self._graph(
            f"Burn rate ({one.kind})",
            {f"over {format_duration(over)}": self._burn(one, over) for over in BURN_WINDOWS},
            f"{told} At 1 the budget lasts exactly as long as it must; alerts fire above the lines.",
            limits=sorted(limits),
        )
        return [spent | {"width": 6}, rate | {"width": 18}]

    def _burn(self, one: Objective, window: timedelta) -> str:
        below = {"below_s": one.below_s} if one.kind == "latency" else {}
        return self._queries.text(f"burn_{one.kind}", **self._place, range=window, budget=one.budget, **below)

    def _signals(self, objectives: Sequence[Objective]) -> list[Panel]:
        ask, place = self._queries.text, self._place
        failing = [float(one.budget) for one in objectives if one.kind == "availability"]
        slow = [one.below_s for one in objectives if one.below_s is not None]
        quantiles = {f"{q:.0%} within": ask("latency_quantile", **place, quantile=q) for q in QUANTILES}
        saturation = {"CPU": ask("saturation_cpu", **place), "memory": ask("saturation_memory", **place)}
        return [
            self._graph("Traffic", {"requests": ask("request_rate", **place)}, "Requests a second.", unit="reqps"),
            self._graph(
                "Errors",
                {"failing": ask("error_ratio", **place)},
                "The share of requests that fail (5xx).",
                unit="percentunit",
                limits=failing,
            ),
            self._graph("Latency", quantiles, "How long answers take.", unit="s", limits=slow),
            self._graph(
                "Saturation",
                saturation,
                "Use of the limit, or of what was asked for where there is no limit.",
                unit="percentunit",
                limits=[1],
            ),
        ]

    def _pods(self) -> list[Panel]:
        ask, place = self._queries.text, self._place
        return [
            self._graph("In progress", {"requests": ask("in_progress", **place)}, "Requests that are being answered."),
            self._graph("Restarts", {"in 15 minutes": self._restarts()}, "Containers that were started anew."),
            self._graph(
                "Scraped", {"pods": ask("up", **place)}, "The share of pods whose metrics are read.", unit="percentunit"
            ),
        ]

    def _restarts(self) -> str:
        return self._queries.text("restarts", **self._place, range=timedelta(minutes=15))

    def _logs(self) -> list[Panel]:
        if not self._settings.loki:
            return []
        source = {"type": "loki", "uid": self._settings.loki}
        counts = self._queries.text("error_counts", **self._place)
        lines = self._queries.text("error_lines", **self._place)
        return [
            {
                **_panel("timeseries", "Lines that tell of an error", "In five minutes.", source),
                "targets": [{"refId": "A", "datasource": source, "expr": counts, "legendFormat": "lines"}],
                "width": 8,
            },
            {
                **_panel("logs", "What they say", "The newest first.", source),
                "targets": [{"refId": "A", "datasource": source, "expr": lines}],
                "options": {"sortOrder": "Descending", "wrapLogMessage": True, "enableLogDetails": True},
                "width": 16,
            },
        ]

    def _traces(self, objectives: Sequence[Objective]) -> list[Panel]:
        if not self._settings.tempo:
            return []
        promised = [one.below_s for one in objectives if one.below_s is not None]
        above = timedelta(seconds=promised[0]) if promised else SLOW_ABOVE
        asked = {
            "Requests that failed": self._queries.text("failing_requests", **self._sender),
            f"Requests longer than {spoken_seconds(above.total_seconds())}": self._queries.text(
                "slow_requests", **self._sender, above=above
            ),
        }
        source = {"type": "tempo", "uid": self._settings.tempo}
        target = {"refId": "A", "datasource": source, "queryType": "traceql", "tableType": "traces", "limit": 20}
        return [
            {
                **_panel("table", title, "Open one to see where its time went.", source),
                "targets": [target | {"query": query}],
            }
            for title, query in asked.items()
        ]

    def _metrics(self) -> dict[str, str]:
        return {"type": "prometheus", "uid": self._settings.prometheus}

    def _graph(
        self, title: str, asked: Mapping[str, str], told: str, *, unit: str = "short", limits: Sequence[float] = ()
    ) -> Panel:
        steps = [{"color": "green", "value": None}, *({"color": "red", "value": limit} for limit in limits)]
        custom = {"fillOpacity": 10, "showPoints": "never", "thresholdsStyle": {"mode": "line" if limits else "off"}}
        return {
            **_panel("timeseries", title, told, self._metrics()),
            "fieldConfig": {
                "defaults": {
                    "unit": unit,
                    "min": 0,
                    "custom": custom,
                    "thresholds": {"mode": "absolute", "steps": steps},
                },
                "overrides": [],
            },
            "targets": self._targets(asked),
        }

    def _number(self, title: str, query: str, told: str, limits: tuple[float, float]) -> Panel:
        colors = zip(("orange", "red"), limits, strict=True)
        steps = [{"color": "green", "value": None}, *({"color": name, "value": limit} for name, limit in colors)]
        return {
            **_panel("stat", title, told, self._metrics()),
            "fieldConfig": {
                "defaults": {"unit": "percentunit", "thresholds": {"mode": "absolute", "steps": steps}},
                "overrides": [],
            },
            "options": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background"},
            "targets": [target | {"instant": True} for target in self._targets({"spent": query})],
        }

    def _targets(self, asked: Mapping[str, str]) -> list[dict[str, Any]]:
        return [
            {"refId": chr(ord("A") + number), "datasource": self._metrics(), "expr": query, "legendFormat": name}
            for number, (name, query) in enumerate(asked.items())
        ]


def _panel(kind: str, title: str, told: str, source: Mapping[str, str]) -> Panel:
    return {"type": kind, "title": title, "description": told, "datasource": dict(source)}


def _placed(rows: Iterator[list[Panel]]) -> Iterator[Panel]:
    """Yield the panels with their number and place: those of a row beside one another."""
    number = 0
    for line, row in enumerate(rows):
        x = 0
        for panel in row:
            number += 1
            width = panel.pop("width", WIDTH // len(row))
            yield {"id": number, **panel, "gridPos": {"x": x, "y": line * HEIGHT, "w": width, "h": HEIGHT}}
            x += width


def _percent(share: Any) -> str:
    return f"{(share * 100).normalize():f} %"
