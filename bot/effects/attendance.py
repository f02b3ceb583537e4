"""Follows a delivery until it is healthy: tells how far it is, and why it is stuck, and goes on looking."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from bot.effects.sight import Sight
from bot.errors import Conflict, NotFound, PlatformError, UpstreamUnavailable
from bot.health.diagnosis import looks_stuck, why_stuck
from bot.health.facts import StuckFacts, Workload
from bot.health.reading import read_stuck_facts
from bot.health.reason import Reason
from bot.health.rollout import Wanted, carries, progress
from bot.health.words import short
from bot.model.effect import Outcome, Reporter
from bot.ports import Application, Cluster, Pause, Ports, SyncWindows

TICK_S = 5.0
"""Between two looks of our own accord; everything else is told to us."""
READ_AGAIN_S = 60.0
"""A reason that does not change is looked at again after this long: logs and events tell us nothing by themselves. What
changes is looked at sooner, though less and less often where it only goes round, as restarts do."""
REFRESH_S = 30.0
"""An Argo CD that has not read our commit by then is asked again: the first request may have been lost."""
API_VERSIONS = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "CronJob": "batch/v1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """What is waited for; see `bot.effects.delivery.AwaitHealthy`."""

    service: str
    environment: str
    cluster: str
    namespace: str
    application: str
    revision: str
    repository: str
    wanted: Wanted
    workload: Literal["Deployment", "StatefulSet", "CronJob"]
    patience_s: float
    first: bool = False

    @property
    def labels(self) -> Mapping[str, str]:
        return {"causeway.io/service": self.service, "causeway.io/environment": self.environment}

    @property
    def version(self) -> str:
        return self.wanted.version or self.wanted.image.rpartition("/")[2].partition("@")[0].rpartition(":")[2]


class Attendance:
    """One attempt. Keeps nothing that the next one would need."""

    def __init__(self, awaited: Awaited, ports: Ports, report: Reporter) -> None:
        self._awaited = awaited
        self._ports = ports
        self._report = report
        self._sight = Sight()
        self._cluster = _cluster(awaited, ports)
        self._waited = 0.0
        """Seconds of our own pauses: an effect has no clock."""
        self._moved_at = 0.0
        self._told: set[str] = set()
        self._read_at = -READ_AGAIN_S
        self._read_of: object = None
        self._read_pause = TICK_S
        self._reason_read = ""
        """What the last look found, without its numbers."""
        self._outlines_read: set[object] = set()
        """Of what the looks with that result saw."""
        self._stuck: Reason | None = None
        self._refreshed_at = 0.0
        self._descendants: dict[str, bool] = {}

    async def until_healthy(self) -> Outcome:
        """Return once it is healthy. Raise `Conflict` when its Application is deleted meanwhile."""
        with self._ports.waiting.listening() as pause:
            async with self._sight.open(*self._feeds(), self._tick(pause)):
                while True:
                    await self._sight.news()
                    await self._stop_if_gone()
                    if await self._is_healthy():
                        return self._outcome()
                    await self._tell()

    # --- following

    def _feeds(self) -> list[Awaitable[None]]:
        feeds: list[Awaitable[None]] = []
        awaited, sight, deployments = self._awaited, self._sight, self._ports.deployments
        if awaited.application and deployments is not None:
            feeds.append(sight.follow_application(deployments, awaited.application))
        if self._cluster is not None:
            kind, labels = awaited.workload, awaited.labels
            workloads = self._cluster.watch(API_VERSIONS[kind], kind, namespace=awaited.namespace, labels=labels)
            pods = self._cluster.watch("v1", "Pod", namespace=awaited.namespace, labels=labels)
            feeds += [sight.follow_objects(sight.workloads, workloads), sight.follow_objects(sight.pods, pods)]
        return feeds

    async def _tick(self, pause: Pause) -> None:
        while True:
            await pause(TICK_S)
            self._waited += TICK_S
            self._sight.changed.set()

    async def _stop_if_gone(self) -> None:
        name, deployments = self._awaited.application, self._ports.deployments
        if not self._sight.gone or deployments is None:
            return
        with contextlib.suppress(UpstreamUnavailable):
            if await deployments.application(name) is None:
                raise Conflict(
                    f"The Application {name} was deleted while it was waited for.",
                    hint="See in Argo CD who deleted it, and deploy again.",
                )

    # --- judging

    async def _is_healthy(self) -> bool:
        application = self._sight.application
        if self._follows_application:
            if application is None or self._sight.argocd_problem:
                return False
            if (application.sync, application.health) != ("Synced", "Healthy"):
                return False
            if not await self._has_read(application):
                return False
        if self._sight.workloads.in_sight:
            return self._workload_is_healthy()
        # What our account may not see, Argo CD has judged. A moment may pass before the watch has told everything.
        out_of_sight = self._cluster is None or bool(self._sight.workloads.problem)
        return application is not None and out_of_sight and self._runs_image(application)

    @property
    def _follows_application(self) -> bool:
        return bool(self._awaited.application) and self._ports.deployments is not None

    def _workload_is_healthy(self) -> bool:
        mine = self._sight.workloads.values()
        return bool(mine) and all(carries(one, self._awaited.wanted) and one.is_rolled_out for one in mine)

    def _runs_image(self, application: Application) -> bool:
        return not self._awaited.wanted.image or self._awaited.wanted.image in application.images

    async def _has_read(self, application: Application) -> bool:
        """Return whether the compared commit is the wanted one or holds it: the head moves for other reasons too."""
        wanted, now = self._awaited.revision, application.revision
        if not wanted or wanted == now:
            return True
        if not now:
            return False
        if now not in self._descendants:
            repository = self._awaited.repository or _repository_of(application.repo_url)
            try:
                self._descendants[now] = (await self._ports.forge.compare(repository, wanted, now)).behind == 0
            except NotFound:
                self._descendants[now] = False
            except PlatformError:
                return False  # the next tick asks again
        return self._descendants[now]

    # --- telling

    async def _tell(self) -> None:
        facts = await self._facts()
        text = progress(facts)
        problem = self._sight.workloads.problem if not self._sight.application else ""
        if text not in self._told:
            self._told.add(text)
            self._moved_at = self._waited
        await self._ask_again(facts)
        if self._is_time_to_read(facts):
            await self._read(facts)
        if self._stuck is not None:
            await self._report(str(self._stuck), stalled=True)
        else:
            await self._report(problem or text)

    def _is_time_to_read(self, facts: StuckFacts) -> bool:
        if not self._patience_is_over and not looks_stuck(facts):
            self._stuck = None
            return False
        ago = self._waited - self._read_at
        pause = self._read_pause if _outline(facts) in self._outlines_read else TICK_S
        return ago >= READ_AGAIN_S or (ago >= pause and _signature(facts) != self._read_of)

    async def _read(self, facts: StuckFacts) -> None:
        self._read_at, self._read_of = self._waited, _signature(facts)
        reason = await self._reason()
        words = _without_numbers(reason) if reason is not None else ""
        if words and words == self._reason_read:
            self._read_pause = min(self._read_pause * 2, READ_AGAIN_S)
        else:
            self._reason_read, self._read_pause = words, TICK_S
            self._outlines_read.clear()
        self._outlines_read.add(_outline(facts))
        self._stuck = self._due(reason)

    @property
    def _patience_is_over(self) -> bool:
        return self._waited - self._moved_at >= self._awaited.patience_s

    def _due(self, reason: Reason | None) -> Reason | None:
        """Keep the words of a reason that only counts on: each new text is written down."""
        if reason is None or not (reason.final or self._patience_is_over):
            return None
        if self._awaited.first:
            reason = reason.of_a_first()
        if self._stuck is not None and _without_numbers(self._stuck) == _without_numbers(reason):
            return self._stuck
        return reason

    async def _facts(self) -> StuckFacts:
        """Return what is seen without asking anybody."""
        application = self._sight.application
        unread = application is not None and not await self._has_read(application)
        return StuckFacts(
            service=self._awaited.service,
            environment=self._awaited.environment,
            namespace=self._awaited.namespace,
            version=self._awaited.version,
            unread_revision=self._awaited.revision if unread else "",
            delivered_by=self._awaited.application if self._follows_application else "",
            application=application,
            argocd_problem=self._sight.argocd_problem,
            workloads=tuple(self._sight.workloads.values()),
            pods=tuple(self._sight.pods.values()),
        )

    async def _reason(self) -> Reason | None:
        seen = await self._facts()
        seen_by_argocd = {
            "version": seen.version,
            "unread_revision": seen.unread_revision,
            "delivered_by": seen.delivered_by,
            "argocd_problem": seen.argocd_problem,
        }
        if self._cluster is None:
            return why_stuck(seen) or self._superseded(seen)
        try:
            facts = await read_stuck_facts(
                self._cluster,
                service=seen.service,
                environment=seen.environment,
                namespace=seen.namespace,
                labels=self._awaited.labels,
                application=seen.application,
                windows=await self._windows(seen.application),
                **seen_by_argocd,
            )
        except UpstreamUnavailable as error:
            return Reason(f"{error.message.rstrip('.')}.", "Wait: it goes on by itself once the cluster is back.")
        return why_stuck(facts) or self._superseded(facts)

    def _superseded(self, facts: StuckFacts) -> Reason | None:
        """Return what to say where everything is well, but is not what was waited for."""
        other = next((one for one in facts.workloads if not carries(one, self._awaited.wanted)), None)
        if other is None or facts.unread_revision:
            return None
        return Reason(
            f"{facts.subject} is healthy, but runs {_version(other)} instead of {short(self._awaited.version)}: "
            "somebody has deployed another version since.",
            "Keep it as it is, or deploy again.",
            final=facts.application is None or facts.application.sync == "Synced",
        )

    async def _windows(self, application: Application | None) -> SyncWindows | None:
        deployments = self._ports.deployments
        if application is None or application.sync != "OutOfSync" or deployments is None:
            return None
        try:
            return await deployments.windows(application.name)
        except PlatformError:
            return None  # a reason is told without it

    async def _ask_again(self, facts: StuckFacts) -> None:
        """Have Argo CD read its repository where it has not read our commit yet."""
        deployments = self._ports.deployments
        if not facts.unread_revision or deployments is None or self._waited - self._refreshed_at < REFRESH_S:
            return
        self._refreshed_at = self._waited
        with contextlib.suppress(PlatformError):  # it reads by itself as well, only later
            await deployments.refresh(self._awaited.application)

    def _outcome(self) -> Outcome:
        awaited, application = self._awaited, self._sight.application
        pods = sum(one.available_replicas for one in self._sight.workloads.values())
        version = f" runs {short(awaited.version)}" if awaited.version else " is healthy"
        if awaited.wanted.replicas == 0 and not pods:
            version = " has stopped"
        ready = f", {pods} pod{'' if pods == 1 else 's'} ready" if pods else ""
        deployments = self._ports.deployments
        url = deployments.web_url(application.name) if deployments is not None and application is not None else ""
        return Outcome(
            seen=f"{awaited.service} in {awaited.environment}{version}{ready}",
            changed=False,
            links={"Argo CD": url} if url else {},
        )


def _cluster(awaited: Awaited, ports: Ports) -> Cluster | None:
    """Return the cluster, or None where Argo CD alone can tell."""
    if awaited.application and ports.deployments is not None and awaited.cluster not in ports.clusters:
        return None
    return ports.cluster(awaited.cluster)


def _signature(facts: StuckFacts) -> object:
    """Return what has to change before a reason is looked for again."""
    pods = sorted(
        (pod.name, pod.phase, pod.ready, *((one.name, one.waiting, one.restarts) for one in pod.containers))
        for pod in facts.pods
    )
    return _delivery(facts), tuple(facts.workloads), tuple(pods)


def _outline(facts: StuckFacts) -> object:
    """Return what a crash that repeats itself does not change for long: neither counts nor which pod it is."""
    workloads = tuple((one.generation, one.images) for one in facts.workloads)
    return _delivery(facts), workloads, frozenset(one.waiting for pod in facts.pods for one in pod.containers)


def _delivery(facts: StuckFacts) -> object:
    found = facts.application
    if found is None:
        return facts.argocd_problem
    return found.sync, found.revision, found.health, found.operation, found.conditions, facts.argocd_problem


def _without_numbers(reason: Reason) -> str:
    return re.sub(r"\d+", "#", str(reason))


def _version(workload: Workload) -> str:
    label = workload.template_labels.get("app.kubernetes.io/version", "")
    return short(label) if label else f"`{workload.images[0]}`" if workload.images else "something else"


def _repository_of(url: str) -> str:
    """`https://github.com/acme/gitops.git` and `git@github.com:acme/gitops.git` → `acme/gitops`."""
    path = urlsplit(url).path if "://" in url else url.partition(":")[2]
    return "/".join(path.removesuffix(".git").strip("/").split("/")[-2:])
