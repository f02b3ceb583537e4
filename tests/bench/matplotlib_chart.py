"""Draws the benchmark's chart with matplotlib, in a Python of its own: reads the lines, writes what it took."""

from __future__ import annotations

import io
import json
import resource
import sys
import time
from typing import Any


def main(runs: int) -> None:
    # Installed only for the benchmark, and its import is part of what is measured.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # type: ignore[import-not-found]  # noqa: PLC0415
    from matplotlib.figure import Figure  # type: ignore[import-not-found]  # noqa: PLC0415

    lines: list[list[list[float]]] = json.load(sys.stdin)

    def draw() -> int:
        figure: Any = Figure(figsize=(7.2, 3.2), dpi=200)
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        for number, line in enumerate(lines):
            axes.plot([at for at, _ in line], [value for _, value in line], label=str(number))
        axes.axhline(0.3, linestyle="--")
        axes.set_title("orders-api in production: latency")
        axes.legend()
        out = io.BytesIO()
        figure.savefig(out, format="png")
        return len(out.getvalue())

    draw()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        draw()
        times.append(1000 * (time.perf_counter() - started))
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    json.dump({"ms": times, "rss_mb": largest}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
