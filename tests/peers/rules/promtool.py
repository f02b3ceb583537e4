"""Rules as Prometheus' own tool sees them: whether it can read them, and what fires when numbers come in."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.peers.tools import need


def complaint(spec: Mapping[str, Any], folder: Path) -> str:
    """Return what `promtool check rules` says against the `spec` of a PrometheusRule; empty for nothing."""
    done = _promtool("check", "rules", str(_written(spec, folder)))
    return "" if done.returncode == 0 else done.stdout + done.stderr


def unmet(
    spec: Mapping[str, Any],
    folder: Path,
    *,
    series: Mapping[str, str],
    fires: Mapping[str, Sequence[str]],
    every: str = "1m",
) -> str:
    """Return what `promtool test rules` says against the expectation; empty for nothing.

    `series` maps each series to its values in Prometheus' short form, one each `every`. `fires` maps a moment to the
    names of exactly those alerts that fire then.
    """
    _written(spec, folder)
    tests = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": every,
        "tests": [
            {
                "interval": every,
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {
                        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                        "eval_time": moment,
                        "exp_samples": [{"labels": f"{{alertname={json.dumps(name)}}}", "value": 1} for name in names],
                    }
                    for moment, names in fires.items()
                ],
            }
        ],
    }
    file = folder / "tests.yml"
    file.write_text(yaml.safe_dump(tests), encoding="utf-8")
    done = _promtool("test", "rules", str(file))
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _written(spec: Mapping[str, Any], folder: Path) -> Path:
    file = folder / "rules.yml"
    file.write_text(yaml.safe_dump(json.loads(json.dumps(spec)), allow_unicode=True), encoding="utf-8")
    return file


def _promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(need("promtool")), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
