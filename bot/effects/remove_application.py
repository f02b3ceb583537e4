"""Wait until Argo CD has deleted an Application, and with it everything that it had made."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from bot.effects.sight import Sight
from bot.errors import PlatformError, UpstreamUnavailable
from bot.health.words import said
from bot.model.effect import Effect, Outcome, Run
from bot.ports import Application, Deployments, Pause, Ports

TICK_S = 5.0
REFRESH_S = 30.0
"""An app-of-apps that has not read our commit by then is asked again."""


class AwaitApplicationGone(Effect):
    """Comes after the commit that deleted the Application's file. It tells what Argo CD says of it meanwhile."""

    kind: ClassVar[str] = "delivery.await_application_gone"
    undoable: ClassVar[bool] = False
    waits: ClassVar[bool] = True
    patient: ClassVar[bool] = True

    application: str
    root: str
    """The app-of-apps, which is asked to read its repository."""
    patience_s: int = Field(default=180, ge=0)
    contact: str = ""

    def describe(self) -> str:
        return f"Wait until Argo CD has deleted the application {self.application} with all that it made"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        deployments = ports.deployments
        if deployments is None:
            return Outcome(seen="no Argo CD is connected, so it was not waited for", changed=False)
        if await deployments.application(self.application) is not None:
            await self._until_gone(deployments, ports, run)
        return Outcome(seen=f"Argo CD has deleted the application {self.application} with all that it had made")

    async def _until_gone(self, deployments: Deployments, ports: Ports, run: Run) -> None:
        sight = Sight()
        waited = moved_at = 0.0
        refreshed_at = -REFRESH_S
        seen: object = None
        with ports.waiting.listening() as pause:

            async def tick(pause: Pause = pause) -> None:
                nonlocal waited
                while True:
                    await pause(TICK_S)
                    waited += TICK_S
                    sight.changed.set()

            async with sight.open(sight.follow_application(deployments, self.application), tick()):
                while True:
                    if waited - refreshed_at >= REFRESH_S:
                        refreshed_at = waited
                        await _refresh(deployments, self.root)
                    await sight.news()
                    if sight.application_told and sight.application is None and await self._is_gone(deployments):
                        return
                    found = sight.application
                    now = (sight.argocd_problem, found and (found.health, found.conditions, len(found.resources)))
                    if now != seen:
                        seen, moved_at = now, waited
                    stuck = waited - moved_at >= self.patience_s
                    await run.report(self._told(found, sight.argocd_problem, stuck=stuck), stalled=stuck)

    async def _is_gone(self, deployments: Deployments) -> bool:
        try:
            return await deployments.application(self.application) is None
        except UpstreamUnavailable:
            return False

    def _told(self, found: Application | None, problem: str, *, stuck: bool) -> str:
        if problem:
            return f"{problem} Causeway goes on by itself once it answers."
        left = len(found.resources) if found is not None else 0
        are = f"; {left} of its objects {'is' if left == 1 else 'are'} left" if left else ""
        told = f"Argo CD is deleting the application {self.application}{are}."
        if not stuck:
            return told
        why = next((text for kind, text in found.conditions if "Error" in kind), "") if found is not None else ""
        because = f" It says: {said(why)}." if why else ""
        whom = self.contact or "the platform team"
        held = "Look in Argo CD what holds it, a finalizer of one of its objects as a rule"
        return f"{told}{because} {held}, or ask {whom}."


async def _refresh(deployments: Deployments, root: str) -> None:
    try:
        await deployments.refresh(root)
    except PlatformError:
        return  # it reads its repository by itself as well, only later
