"""What is usual: how many requests a service gets, on which routes, and how they go. Metrics, logs and traces agree."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

DAY_S = 86_400
USUAL_ERRORS = 0.001
"""Share of requests that fail on a good day."""


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    share: float
    """Of the service's requests, from 0.0 to 1.0."""
    latency_s: float
    """How long a request usually takes, all that it waits for included; the median."""
    calls: str = ""
    """Route of the services that it depends on which it calls: `GET /orders`."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


ROUTES: Mapping[str, tuple[Route, ...]] = {
    "orders-api": (
        Route("GET", "/orders", 0.6, 0.04),
        Route("GET", "/orders/{id}", 0.25, 0.02),
        Route("POST", "/orders", 0.15, 0.09),
    ),
    "checkout-web": (
        Route("GET", "/", 0.5, 0.03),
        Route("GET", "/cart", 0.3, 0.08, calls="GET /orders"),
        Route("POST", "/pay", 0.2, 0.16, calls="POST /orders"),
    ),
}
OTHERS = (Route("GET", "/", 0.7, 0.03), Route("GET", "/items/{id}", 0.2, 0.02), Route("POST", "/items", 0.1, 0.07))
BUSY: Mapping[str, float] = {"production": 24.0, "staging": 3.0}
"""Environment → requests a second of a service on average; others get one."""


def routes(service: str) -> tuple[Route, ...]:
    return ROUTES.get(service, OTHERS)


def requests_per_s(service: str, environment: str, at: float) -> float:
    """Return the rate at a moment (seconds since 1970): a slow wave over the day, and a small one within minutes."""
    shift = share_of(f"{service}/{environment}") * DAY_S
    day = 1 + 0.35 * math.sin(2 * math.pi * (at + shift) / DAY_S)
    ripple = 1 + 0.06 * math.sin(2 * math.pi * (at + shift) / 540)
    return BUSY.get(environment, 1.0) * day * ripple


def share_of(*parts: object) -> float:
    """Return a number from 0.0 up to 1.0 that is the same for the same parts, everywhere and always."""
    digest = hashlib.sha256("\x00".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:7]) / 2**56
