"""LogQL and TraceQL as Grafana's own grammars read them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.peers.tools import need

SCRIPT = Path(__file__).parent / "grammars.cjs"
WRONG = "⚠"


def trees(texts: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Return the tree of each `(language, text)`: the names of its nodes, `WRONG` where the text does not fit."""
    modules = need("node_modules")
    done = subprocess.run(
        [str(need("node")), str(SCRIPT)],
        input=json.dumps(texts),
        env={"PATH": os.environ["PATH"], "NODE_PATH": str(modules)},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    found: list[list[str]] = json.loads(done.stdout)
    return found
