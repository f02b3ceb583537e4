"""What holds for every test."""

from __future__ import annotations

import gc
from collections.abc import Sequence

import pytest
from _pytest.nodeid import coerce_node_id
from hypothesis import HealthCheck, settings

from tests.fuzz import FUZZ

# The suite must not fail one day in a hundred: it tries the same examples each time. `make fuzz` looks for new ones.
settings.register_profile(
    "suite", deadline=None, derandomize=not FUZZ, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")


def pytest_collection_finish() -> None:
    """Look for garbage among what tests make, and not among the modules, which stay: a fifth of the time went there."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Send the tests of an `xdist_group` to one worker (`--dist loadgroup`), so that what they share starts once.

    Tests tell their group at the end of their id. pytest-xdist 3.8 puts it where pytest 9.2 does not look any more.
    """
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        mark = item.get_closest_marker("xdist_group")
        if mark is not None and not item.nodeid.endswith(f"@{mark.args[0]}"):
            item._id = coerce_node_id(f"{item.nodeid}@{mark.args[0]}")
