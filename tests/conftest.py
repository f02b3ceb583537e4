"""What holds for every test."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.fuzz import FUZZ

# The suite must not fail one day in a hundred: it tries the same examples each time. `make fuzz` looks for new ones.
settings.register_profile(
    "suite", deadline=None, derandomize=not FUZZ, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")
