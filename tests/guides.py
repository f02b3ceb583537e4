"""The pages that people read, for tests that hold them to the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
GUIDES = ROOT / "docs" / "guides"
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def documents(page: str) -> list[Any]:
    """Every YAML document that a guide shows."""
    blocks = BLOCK.findall((GUIDES / page).read_text())
    return [found for language, text in blocks if language == "yaml" for found in yaml.safe_load_all(text)]


def cells(row: str) -> list[str]:
    """The cells of a table's row; a bar that belongs to a cell is written `\\|`."""
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row.strip())[1:-1]]


def rows(page: str) -> list[list[str]]:
    """The cells of every table's row of a guide."""
    return [cells(line) for line in (GUIDES / page).read_text().splitlines() if line.startswith("| `")]


def code(cell: str) -> list[str]:
    """What stands in backticks."""
    return [double or single for double, single in re.findall(r"``\s?(.+?)\s?``|`([^`]+)`", cell)]
