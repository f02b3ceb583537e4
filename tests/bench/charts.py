"""How long a chart takes to become a picture, and what the process that draws it holds, beside matplotlib."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

from bot.charts import chart
from integrations.resvg import connect
from tests.bench.figures import Figure, figure
from tests.charts.examples import CHARTS
from tests.peers.tools import CACHE

DRAWN = CHARTS["three-lines"]
RUNS = 15
LOCK = Path(__file__).with_name("matplotlib.lock")
THEIRS = Path(__file__).with_name("matplotlib_chart.py")


async def run() -> list[Figure]:
    figures = await _ours()
    python = await asyncio.to_thread(_with_matplotlib)
    if python is None:
        print(f"chart_vs_matplotlib is left out: matplotlib could not be installed into {CACHE}")
        return figures
    points = [list(series.points) for series in DRAWN.series]
    found = await asyncio.to_thread(
        subprocess.run,
        [str(python), "-I", str(THEIRS), str(RUNS)],
        input=json.dumps(points),
        capture_output=True,
        text=True,
    )
    theirs = json.loads(found.stdout)
    ours_ms, ours_mb = figures[0]["value"], figures[1]["value"]
    return [
        *figures,
        figure("matplotlib_ms", theirs["ms"], "ms", better="lower", against="the same three lines, Agg, as large"),
        figure("matplotlib_rss_mb", [theirs["rss_mb"]], "MB", better="lower", against="its process at its largest"),
        figure(
            "chart_vs_matplotlib",
            [ms / ours_ms for ms in theirs["ms"]],
            "x",
            better="higher",
            goal=1,
            against="matplotlib's time by ours, in one run",
        ),
        figure(
            "chart_rss_vs_matplotlib",
            [theirs["rss_mb"] / ours_mb],
            "x",
            better="higher",
            goal=1,
            against="matplotlib's memory by ours, in one run",
        ),
    ]


async def _ours() -> list[Figure]:
    pictures = connect()
    try:
        await pictures.png(chart(DRAWN))  # starts the process
        times = []
        for _ in range(RUNS):
            started = time.perf_counter()
            await pictures.png(chart(DRAWN))
            times.append(1000 * (time.perf_counter() - started))
        process = pictures._process
        assert process is not None
        memory = _largest_mb(process.pid)
    finally:
        await pictures.close()
    return [
        figure(
            "chart_ms", times, "ms", better="lower", goal=250, against="three lines of 121 points as PNG, 1440 x 640"
        ),
        figure(
            "chart_rss_mb",
            [memory],
            "MB",
            better="lower",
            goal=40,
            against="the process that draws, at its largest in 16 charts",
        ),
    ]


def _largest_mb(pid: int) -> float:
    """Return the most that a process has held in memory, in MB (10⁶ bytes)."""
    (line,) = (one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def _with_matplotlib() -> Path | None:
    """Return a Python that has matplotlib, in the user cache; it is no dependency of ours."""
    place = CACHE / f"matplotlib-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    python, done = place / "bin" / "python", place / "done"
    if done.exists():
        return python
    options = ["--quiet", "--disable-pip-version-check", "--require-hashes"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(place)],
        [str(python), "-m", "pip", "install", *options, "-r", str(LOCK)],
    ):
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            return None
    done.touch()
    return python
