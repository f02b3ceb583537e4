"""What continuous delivery is asked, and the wait until a service is healthy."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from bot.effects.attendance import Attendance, Awaited
from bot.effects.marks import known
from bot.errors import NotFound, PlatformError
from bot.health.rollout import Wanted
from bot.model.effect import Effect, Outcome, Run
from bot.model.late import Text
from bot.ports import Deployments, Ports

BY_ITSELF = "Argo CD reads its repository by itself, every few minutes"


class RefreshApplication(Effect):
    """Has Argo CD read its repository now. Nothing hangs on it: Argo CD looks by itself, only later, so that what it
    answers is noted and never fails the operation."""

    kind: ClassVar[str] = "delivery.refresh_application"
    undoable: ClassVar[bool] = False

    application: str
    root: str = ""
    """The app-of-apps, when files that it applies have changed: it is asked first."""

    def describe(self) -> str:
        return f"Ask Argo CD to read the repository of {self.application} now"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        if ports.deployments is None:
            return Outcome(seen=BY_ITSELF, changed=False)
        told = [await self._refresh(ports.deployments, name) for name in (self.root, self.application) if name]
        url = ports.deployments.web_url(self.application)
        return Outcome(seen=", ".join(told), changed=False, links={"Argo CD": url} if url else {})

    async def _refresh(self, deployments: Deployments, name: str) -> str:
        try:
            await deployments.refresh(name)
        except NotFound:
            return f"Argo CD does not know {name} yet, and reads its repository as soon as it does"
        except PlatformError as error:
            return f"{error.message} {BY_ITSELF}"
        return f"Argo CD reads the repository of {name} anew"


class SyncApplication(Effect):
    """Asks for a sync where none happens by itself. It cannot be taken back: what was synced is undone in Git."""

    kind: ClassVar[str] = "delivery.sync_application"
    undoable: ClassVar[bool] = False

    application: str
    revision: Text = ""
    """Empty: the Application's target revision."""
    prune: bool = True

    def describe(self) -> str:
        return f"Ask Argo CD to sync {self.application}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        if ports.deployments is None:
            raise NotFound("No Argo CD is connected.", hint="Set `CAUSEWAY_ARGOCD_URL`, or sync it where it is.")
        await ports.deployments.sync(self.application, revision=known(self.revision), prune=self.prune)
        url = ports.deployments.web_url(self.application)
        return Outcome(seen=f"{self.application} was asked to sync", links={"Argo CD": url} if url else {})


class AwaitHealthy(Effect):
    """Waits until a service runs what was delivered, and tells why where it does not.

    By Argo CD (`application` is set): until the Application is Synced at the wanted commit or one that holds it, and
    Healthy, and the live workload carries what is wanted and is rolled out. By direct delivery: until the workload
    does. Being stuck is reported and waited through. Raises `Conflict` when the Application is deleted meanwhile.
    Outputs: `state`, `success`, or `failure` where a person has kept what is not healthy.
    """

    kind: ClassVar[str] = "delivery.await_healthy"
    undoable: ClassVar[bool] = False
    waits: ClassVar[bool] = True
    keepable: ClassVar[bool] = True

    service: str
    environment: str
    cluster: str
    namespace: str
    application: str = ""
    """Empty: direct delivery."""
    revision: Text = ""
    """The commit of the GitOps repository; empty: whatever Argo CD has compared."""
    repository: Text = ""
    """The GitOps repository, `acme/gitops`; empty: told by the Application."""
    image: Text = ""
    version_label: Text = ""
    """Value of the label `app.kubernetes.io/version` of its pods."""
    restarted_at: Text = ""
    """Value of the annotation `kubectl.kubernetes.io/restartedAt` of its pods."""
    replicas: int | None = None
    workload: Literal["Deployment", "StatefulSet", "CronJob"] = "Deployment"
    patience_s: int = Field(default=300, ge=0)
    """How long nothing may move before the card says so. What waiting cannot mend is told at once."""
    first: bool = False
    """Whether nothing has run there before: then nobody is told to roll back."""

    def describe(self) -> str:
        return (
            f"Wait until {self.service} in {self.environment} {'has stopped' if self.replicas == 0 else 'is healthy'}"
        )

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        wanted = Wanted(
            image=known(self.image),
            version=known(self.version_label),
            restarted_at=known(self.restarted_at),
            replicas=self.replicas,
        )
        awaited = Awaited(
            service=self.service,
            environment=self.environment,
            cluster=self.cluster,
            namespace=self.namespace,
            application=self.application,
            revision=known(self.revision),
            repository=known(self.repository),
            wanted=wanted,
            workload=self.workload,
            patience_s=self.patience_s,
            first=self.first,
        )
        outcome = await Attendance(awaited, ports, run.report).until_healthy()
        return outcome.model_copy(update={"outputs": {**outcome.outputs, "state": "success"}})

    def kept(self, progress: str, by: str) -> Outcome:
        """A person has ended the wait: later steps are told that it never became healthy."""
        return super().kept(progress, by).model_copy(update={"outputs": {"state": "failure"}})
