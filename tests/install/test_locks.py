"""The locks hold all that `pyproject.toml` asks for, each with its hashes and no address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"^[A-Za-z0-9._-]+")
PINNED = re.compile(r"^([a-z0-9-]+)==\S+", re.MULTILINE)


def asked_for() -> set[str]:
    """Return the names of what runs Causeway, as a lock writes them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = (NAME.match(one) for one in project["dependencies"])
    return {re.sub(r"[._-]+", "-", one.group()).lower() for one in found if one}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_whatever_is_asked_for_is_pinned(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert asked_for() <= set(PINNED.findall(text))
    assert "://" not in text


def test_both_locks_pin_the_same() -> None:
    run, develop = (
        dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))
        for lock in ("requirements.lock", "requirements-dev.lock")
    )
    assert run.items() <= develop.items()
