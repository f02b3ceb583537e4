"""One rollout as the simulated cluster and Argo CD tell it, recorded once and told again of many services."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bot.health.parsing import workload
from bot.rendering.documents import read
from bot.rendering.printing import to_yaml
from bot.rendering.render import render
from bot.rendering.rollout import Rollout
from playground.kubernetes.controllers.containers import Look
from playground.kubernetes.objects import Change, Key, Object
from tests.playground.argocd.rig import Delivery, application, delivering, project
from tests.rendering.examples import PLATFORM

TEMPLATE = "orders-api"
"""The service that the recording is of."""
ENVIRONMENT = "staging"
BEFORE, AFTER = "a" * 40, "b" * 40
"""The versions are commits, as everywhere; the images are those that the rig has."""
FORMER_COMMITS = 9
"""An Application keeps its last ten syncs."""
RESTARTS = 3
"""Of the container that is recorded while it crashes."""
EVENTS: Key = ("", "events")
DOCUMENT = f"""\
apiVersion: platform.company.io/v1
kind: WebService
metadata: {{name: {TEMPLATE}}}
spec:
  replicas: 3
  ingress: {{host: {TEMPLATE}.example.com}}
  env: {{LOG_LEVEL: info}}
"""
_UID = re.compile(r"\b[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens to an object. `text` is the object as JSON."""

    key: Key
    is_gone: bool
    text: str


@dataclass(frozen=True, slots=True)
class Recording:
    """What is there before, and what happens until the rollout is all but over."""

    before: tuple[Step, ...]
    steps: tuple[Step, ...]
    commit: str
    """The commit of the GitOps repository that is rolled out."""

    def of(self, number: int) -> Recording:
        """Return the same of another service: other names, other identities."""
        return Recording(
            tuple(_renamed(step, number) for step in self.before),
            tuple(_renamed(step, number) for step in self.steps),
            self.commit,
        )


def name_of(number: int) -> str:
    return f"service-{number:04d}"


def image(version: str, service: str = TEMPLATE) -> str:
    return f"ghcr.io/acme/{service}:{version}"


def _renamed(step: Step, number: int) -> Step:
    text = _UID.sub(lambda found: f"{int(found[0], 16) ^ number:08x}", step.text)
    return Step(step.key, step.is_gone, text.replace(TEMPLATE, name_of(number)))


async def recorded(*, crashes: bool = False) -> Recording:
    """Deliver one version and record how the next one replaces it; with `crashes` its containers end at once."""
    async with delivering() as here:
        here.cluster.store.create(project(clusterResourceWhitelist=[{"group": "", "kind": "Namespace"}]))
        here.cluster.store.create(application())
        for number in range(FORMER_COMMITS):
            await here.settled(here.push(_files(BEFORE, f"level-{number}")))
        here.cluster.clock.advance(hours=1)
        changes: list[Change] = []
        before = [Step(key, False, json.dumps(obj)) for key, obj in _everything(here)]
        here.cluster.store.objects.listen(changes.append)
        if crashes:
            labels = {"app.kubernetes.io/version": AFTER[:7]}
            here.cluster.controllers.force(f"{TEMPLATE}-{ENVIRONMENT}", labels, Look.CRASHLOOP)
        commit = here.push(_files(AFTER, "info"))
        await here.until(_crashed(here) if crashes else _rolled_out(here))
        here.cluster.store.objects.unlisten(changes.append)
    return Recording(tuple(before), tuple(_steps(changes)), commit)


def _files(version: str, level: str) -> dict[str, object]:
    rollout = Rollout(version=version[:7], image=image(version), team="team-orders", repository=f"acme/{TEMPLATE}")
    (document,) = read(DOCUMENT.replace("info", level))
    objects = render(document, environment=ENVIRONMENT, platform=PLATFORM, rollout=rollout)
    folder = f"apps/{TEMPLATE}/{ENVIRONMENT}"
    return {f"{folder}/{index}.yaml": to_yaml(obj) for index, obj in enumerate(objects)}


def _everything(here: Delivery) -> Iterator[tuple[Key, Object]]:
    """Return all that belongs to the service, its Application included; its events have been forgotten meanwhile."""
    store = here.cluster.store
    for resource in store.registry.all():
        if resource.key == EVENTS:
            continue
        for obj in store.objects.all(resource.key):
            metadata = obj["metadata"]
            if TEMPLATE in metadata["name"] or metadata.get("namespace", "").startswith(TEMPLATE):
                yield resource.key, obj


def _rolled_out(here: Delivery) -> Callable[[], bool]:
    def look() -> bool:
        found = here.cluster.store.get("apps", "Deployment", f"{TEMPLATE}-{ENVIRONMENT}", TEMPLATE)
        return found is not None and _is_over(found) and here.status()["health"]["status"] == "Healthy"

    return look


def _crashed(here: Delivery) -> Callable[[], bool]:
    def look() -> bool:
        pods = here.cluster.store.list("", "Pod", f"{TEMPLATE}-{ENVIRONMENT}")
        statuses = [one for pod in pods for one in pod["status"].get("containerStatuses", ())]
        return any(one["restartCount"] >= RESTARTS for one in statuses)

    return look


def _is_over(deployment: Object) -> bool:
    seen = workload(deployment)
    return image(AFTER) in seen.images and seen.is_rolled_out


def _steps(changes: Iterable[Change]) -> Iterator[Step]:
    """Return what happens up to the moment at which a wait would end."""
    for change in changes:
        if change.key == ("apps", "deployments") and _is_over(change.object):
            return
        yield Step(change.key, change.what == "DELETED", json.dumps(change.object))
