"""Where people look further: addresses in Grafana, where the platform team has said where that is. Pure."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from urllib.parse import urlencode

from bot.model.platform import Dashboards
from bot.rendering.dashboard import address
from bot.rendering.delivery import Place

AROUND = timedelta(hours=1)
"""How much time before and after a request Grafana looks for its trace in."""


def dashboard_of(place: Place, settings: Dashboards) -> str:
    """Return the service's dashboard; empty where there is none."""
    return address({"namespace": place.namespace, "name": place.service, "metrics": True}, settings)


def trace_in(settings: Dashboards, trace: str, at: datetime) -> str:
    """Return where Grafana shows a trace; empty where it shows none."""
    if not (settings.url and settings.tempo and trace.isalnum()):
        return ""
    source = {"type": "tempo", "uid": settings.tempo}
    begin, end = (str(int((at + span).timestamp() * 1000)) for span in (-AROUND, AROUND))
    pane = {
        "datasource": settings.tempo,
        "queries": [{"refId": "A", "datasource": source, "queryType": "traceql", "query": trace}],
        "range": {"from": begin, "to": end},
    }
    query = urlencode({"schemaVersion": "1", "panes": json.dumps({"a": pane}, separators=(",", ":"))})
    return f"{settings.url.rstrip('/')}/explore?{query}"
