"""How fast documents become objects, against `helm template` with a chart that makes the same objects."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml

from bot.rendering.documents import read
from bot.rendering.printing import to_stream
from bot.rendering.render import render
from bot.rendering.rollout import Rollout
from tests.bench.figures import Figure, figure
from tests.peers.tools import TOOLS
from tests.rendering.examples import PLATFORM

CHART = Path(__file__).parent / "chart"
RUNS = 5
WARM_DOCUMENTS = 200
HELM_DOCUMENTS = 10
MANY = 1000
ROLLOUT = Rollout(version="v1.4.2", team="team-orders")
CAUSEWAY = [sys.executable, "-m", "bot.cli"]


def document(number: int) -> str:
    """Return the text of a document that no other number gives: the design's, with other names."""
    return f"""\
apiVersion: platform.company.io/v1
kind: WebService
metadata:
  name: service-{number}
spec:
  image: service-{number}:v1
  replicas: {2 + number % 2}
  database:
    type: postgresql
    size: small
  ingress:
    host: service-{number}.example.com
"""


def values(number: int) -> str:
    """Return the same as values of the chart."""
    given = {
        "name": f"service-{number}",
        "image": f"service-{number}:v1",
        "replicas": 2 + number % 2,
        "host": f"service-{number}.example.com",
    }
    return json.dumps(given)


def rendered(text: str) -> str:
    """Do all that `helm template` does: read the text, make the objects, write them."""
    (found,) = read(text)
    return to_stream(render(found, environment="staging", platform=PLATFORM, rollout=ROLLOUT))


async def run() -> list[Figure]:
    figures = [_many()]
    helm = TOOLS["helm"].find()
    if helm is None:
        print("render_vs_helm is left out: helm is not installed here; `make peers` builds it")
        return figures
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _same_objects(helm, folder)
        return [*_against(helm, folder), *figures]


def _many() -> Figure:
    texts = [document(number) for number in range(MANY)]
    rendered(texts[0])
    runs = [_seconds(lambda: [rendered(text) for text in texts]) for _ in range(RUNS)]
    return figure("render_1000_s", runs, "s", better="lower", against="1,000 documents read, rendered, written")


def _against(helm: Path, folder: Path) -> Iterable[Figure]:
    texts = [document(number) for number in range(WARM_DOCUMENTS)]
    warm, cold = [], []
    for _ in range(RUNS):
        theirs = _seconds(lambda: [_helm(helm, folder, number) for number in range(HELM_DOCUMENTS)]) / HELM_DOCUMENTS
        ours = _seconds(lambda: [rendered(text) for text in texts]) / WARM_DOCUMENTS
        once = _seconds(lambda: [_causeway(folder, number) for number in range(HELM_DOCUMENTS)]) / HELM_DOCUMENTS
        warm.append(theirs / ours)
        cold.append(theirs / once)
    told = "documents a second in one process against one `helm template` each"
    yield figure("render_vs_helm", warm, "x", better="higher", goal=10, against=told)
    told = "one `causeway render` against one `helm template`"
    yield figure("render_cold_vs_helm", cold, "x", better="higher", against=told)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _helm(helm: Path, folder: Path, number: int) -> str:
    file = folder / f"{number}.values.json"
    file.write_text(values(number))
    return _output([str(helm), "template", f"service-{number}", str(CHART), "--values", str(file)], folder)


def _causeway(folder: Path, number: int) -> str:
    file = folder / f"{number}.yaml"
    file.write_text(document(number))
    return _output([*CAUSEWAY, "render", str(file)], Path.cwd())


def _output(command: list[str], folder: Path) -> str:
    environment = {"HOME": str(folder), "PATH": ""}
    answer = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, timeout=60)
    return answer.stdout


def _same_objects(helm: Path, folder: Path) -> None:
    """Refuse to compare two things that are not alike."""
    theirs, ours = _by_name(_helm(helm, folder, 1)), _by_name(rendered(document(1)))
    for name in sorted(theirs.keys() | ours.keys()):
        if theirs.get(name) != ours.get(name):
            raise AssertionError(f"the chart's {name} is not ours:\n{theirs.get(name)}\n{ours.get(name)}")


def _by_name(stream: str) -> dict[str, Any]:
    found = {f"{obj['kind']} {obj['metadata']['name']}": obj for obj in yaml.safe_load_all(stream) if obj}
    (deployment,) = (obj for obj in found.values() if obj["kind"] == "Deployment")
    for container in deployment["spec"]["template"]["spec"]["containers"]:
        container["env"].sort(key=lambda variable: variable["name"])  # the chart's order is the alphabet's
    return found
