"""Settings, read once from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    name: str = "service"
    port: int = 8080
    log_level: str = "INFO"
    drain_s: float = 20.0
    """Longest wait for running requests when the service is asked to stop, in seconds."""

    @classmethod
    def from_environment(cls) -> Settings:
        """Raise `ValueError` that names the variable when one cannot be read."""
        return cls(
            name=os.environ.get("SERVICE_NAME", cls.name),
            port=_number("PORT", cls.port, int),
            log_level=os.environ.get("LOG_LEVEL", cls.log_level).upper(),
            drain_s=_number("DRAIN_SECONDS", cls.drain_s, float),
        )


def _number(name, default, kind):
    text = os.environ.get(name, "")
    try:
        return kind(text) if text else default
    except ValueError:
        raise ValueError(f"{name} must be a number, and is {text!r}") from None
