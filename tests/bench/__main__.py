"""`make bench`: every figure with its spread, shown and in `build/bench.json`. It cannot fail a build."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from pathlib import Path

from tests.bench.figures import Figure

PARTS = (
    "ack",
    "options",
    "service_create",
    "operations",
    "start",
    "rendering",
    "gitops",
    "awaiting",
    "previews",
    "teardown",
    "charts",
    "health",
    "alerts",
)
OUT = Path("build/bench.json")


async def measure(parts: list[str]) -> list[Figure]:
    figures: list[Figure] = []
    for part in parts:
        module = importlib.import_module(f"tests.bench.{part}")
        for found in await module.run():
            figures.append(found)
            print(_line(found), flush=True)
    return figures


def _line(found: Figure) -> str:
    goal = found.get("goal")
    told = "" if goal is None else f"  goal {'<' if found['better'] == 'lower' else '≥'} {goal:g}"
    low, high = found["spread"]
    return (
        f"{found['name']:<24} {found['value']:>10.3f} {found['unit']:<6} [{low:g} … {high:g}]{told}  {found['against']}"
    )


if __name__ == "__main__":
    measured = asyncio.run(measure(sys.argv[1:] or list(PARTS)))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(measured, indent=2) + "\n")
    print(f"written to {OUT}")
