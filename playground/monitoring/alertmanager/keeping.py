"""What this Alertmanager knows, in one file: unlike the real one it also remembers its alerts."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from playground.monitoring.alertmanager.alerts import Alert
from playground.monitoring.alertmanager.groups import Told
from playground.monitoring.alertmanager.matching import Matcher
from playground.monitoring.alertmanager.silences import Silence, Silences


class Kept:
    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self.alerts: dict[str, Alert] = {}
        """By fingerprint; ended ones until everybody has been told."""
        self.silences = Silences()
        self.told: dict[tuple[str, str], Told] = {}
        """By group and receiver's address."""
        if file is not None and file.exists():
            self._load(json.loads(file.read_text()))

    def take(self, alert: Alert) -> None:
        old = self.alerts.get(alert.fingerprint)
        self.alerts[alert.fingerprint] = old.merged(alert) if old else alert

    def drop(self, alert: Alert) -> None:
        self.alerts.pop(alert.fingerprint, None)

    def tell(self, who: tuple[str, str], told: Told) -> None:
        self.told[who] = told

    def save(self) -> None:
        """Write everything down."""
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        document = {
            "alerts": [_without(asdict(alert), "fingerprint") for alert in self.alerts.values()],
            "silences": [asdict(silence) for silence in self.silences],
            "told": [
                {"group": group, "url": url, "firing": sorted(t.firing), "resolved": sorted(t.resolved), "at": t.at}
                for (group, url), t in self.told.items()
            ],
        }
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(document, default=datetime.isoformat))
        new.rename(self._file)

    def _load(self, document: dict[str, Any]) -> None:
        for told in document["alerts"]:
            self.take(Alert(**_with_moments(told, "starts_at", "ends_at", "updated_at")))
        for told in document["silences"]:
            matchers = tuple(Matcher(**one) for one in told["matchers"])
            moments = _with_moments(told, "starts_at", "ends_at", "updated_at")
            self.silences.keep(Silence(**{**moments, "matchers": matchers}))
        for told in document["told"]:
            at = datetime.fromisoformat(told["at"])
            self.told[told["group"], told["url"]] = Told(frozenset(told["firing"]), frozenset(told["resolved"]), at)


def _without(told: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key != name}


def _with_moments(told: dict[str, Any], *names: str) -> dict[str, Any]:
    return {**told, **{name: datetime.fromisoformat(told[name]) for name in names}}
