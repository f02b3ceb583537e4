"""Take back a first deploy to its last object: proof that Argo CD has removed what it had made."""

from __future__ import annotations

from typing import ClassVar

from bot.errors import NotFound, UpstreamUnavailable
from bot.model.effect import Effect, Outcome, Proof, Run, Undo, Undone
from bot.ports import Ports

LOOK_S = 2.0
LOOKS = 60
"""About two minutes; then the undo is shown as stuck, and tried again by itself."""


class RetireApplication(Effect):
    """Does nothing when it is applied. Undo comes after the commit that made the Application has been reverted: it
    waits until Argo CD has deleted the Application, and with it everything that it had applied."""

    kind: ClassVar[str] = "delivery.retire_application"

    application: str
    root: str
    """The app-of-apps, which is asked to read its repository anew."""
    repository: str = ""
    branch: str = "main"
    file: str = ""
    """Where the Application stands in Git. As long as it does, it is not to go."""

    def describe(self) -> str:
        return f"Note that the Argo CD application {self.application} is new, so that an undo removes it"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        return Outcome(seen=f"{self.application} is new in Argo CD")

    async def undo(self, ports: Ports, run: Run, outcome: Outcome | None) -> Undone:
        if ports.deployments is None:
            return Undone(how=Undo.NOTHING, seen="Argo CD removes it with its next look at the repository")
        if self.file and await ports.forge.file(self.repository, self.branch, self.file) is not None:
            # The commit was kept, because others have built upon it: waiting, or deleting by hand, would harm them.
            told = f"{self.file} is still in {self.repository}, so the application stays"
            return Undone(how=Undo.KEPT, seen=told, command=f"git rm {self.file}")
        with ports.waiting.listening() as pause:
            for _ in range(LOOKS):
                if await ports.deployments.application(self.application) is None:
                    return Undone(how=Undo.UNDONE, seen=f"application {self.application} is gone")
                try:
                    await ports.deployments.refresh(self.root)
                except NotFound:  # nobody else would remove it: the proof below says what is left
                    break
                await pause(LOOK_S)
        raise UpstreamUnavailable(
            f"Argo CD has not removed the application {self.application} yet.",
            hint="Look in Argo CD what holds it; a finalizer of one of its objects, as a rule.",
        )

    async def gone(self, ports: Ports, run: Run, outcome: Outcome | None) -> Proof:
        if ports.deployments is None:
            return Proof(absent=True, seen="there is no Argo CD to ask")
        found = await ports.deployments.application(self.application)
        return Proof(absent=found is None, seen=f"application {self.application}: {'still there' if found else 'gone'}")

    def manual(self) -> str:
        return f"argocd app delete {self.application}"
