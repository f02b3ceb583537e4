"""Wait until a commit has been built: its CI has passed and its image can be pulled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from bot.effects.marks import RepositoryName, known
from bot.errors import Refused, UpstreamUnavailable
from bot.model.effect import Effect, Outcome, Run
from bot.model.late import Text
from bot.ports import NEWEST_IMAGES, Forge, Image, Ports, WorkflowRun, build_key

SHORTEST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 30.0
"""Two hundred builds awaited at once stay well below GitHub's 900 reads a minute."""
PAUSE_SHARE = 0.1
"""The longer it has taken, the longer it will take: each pause is this share of the time waited so far."""
PATIENCE_S = 60.0
"""How long CI may take to begin, and the registry to list an image that CI has pushed."""
RUNNER_PATIENCE_S = 600.0
"""How long a run may wait for a runner before the card says so."""

PASSED = frozenset({"success", "neutral", "skipped"})
ENDED = {
    "cancelled": "was cancelled",
    "timed_out": "ran out of time",
    "action_required": "needs somebody's consent",
    "startup_failure": "could not start",
}
"""What is said of conclusions; of any other, that it failed."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is. Once the same phase has lasted for `patience_s`, `stuck` is told in place of `text`."""

    phase: str
    text: str
    stuck: str = ""
    patience_s: float = inf
    not_before_s: float = 0.0
    """How long the forge wants to be left alone."""


class AwaitBuild(Effect):
    """Waits until every workflow of a commit has passed, and until the image is there.

    A workflow has passed when one of its runs for this commit has: running a failed one again mends it. An image that
    is there without any run (old runs are forgotten) is enough, and so are passed runs where the forge has no package
    of the repository's name or shows us none. What fails is told and waited for; only an unknown repository ends it.
    Outputs: `image`, where one was given.
    """

    kind: ClassVar[str] = "forge.await_build"
    undoable: ClassVar[bool] = False
    waits: ClassVar[bool] = True

    repository: RepositoryName
    commit: Text
    """Its full hash."""
    image: Text = ""
    """`ghcr.io/acme/orders:1a2b…`, or with a digest. Empty where images are not kept in the forge's own registry."""

    def describe(self) -> str:
        return f"Wait for the build of {self._named()}"

    async def apply(self, ports: Ports, run: Run) -> Outcome:
        waited = begun = 0.0  # seconds of pauses: an effect has no clock
        phase = ""
        with ports.waiting.listening(build_key(known(self.repository), known(self.commit))) as pause:
            while not isinstance(found := await self._look(ports.forge), Outcome):
                if found.phase != phase:
                    phase, begun = found.phase, waited
                stalled = waited - begun >= found.patience_s
                await run.report(found.stuck if stalled else found.text, stalled=stalled)
                seconds = max(SHORTEST_PAUSE_S, min(waited * PAUSE_SHARE, LONGEST_PAUSE_S), found.not_before_s)
                await pause(seconds)
                waited += seconds
        return found

    # --- looking

    async def _look(self, forge: Forge) -> Outcome | Progress:
        """Return the outcome, or how far it is. Raise `NotFound` for an unknown repository."""
        try:
            runs = await forge.workflow_runs(known(self.repository), known(self.commit))
            if (progress := self._of_runs(runs)) is not None:
                return progress
            images = await forge.images(known(self.repository)) if self.image else ()
        except UpstreamUnavailable as error:
            text = f"{error.message} Causeway goes on waiting for the build of {self._named()}."
            return Progress("unreachable", text, not_before_s=error.retry_after_s or 0.0)
        except Refused as error:
            return Progress("refused", error.message, stuck=str(error), patience_s=0.0)
        return self._of_images(runs, images)

    def _of_runs(self, runs: Sequence[WorkflowRun]) -> Progress | None:
        """Return what is still to be waited for, or None when no run is left that has not passed."""
        unfinished = next((run for run in runs if run.status != "completed"), None)
        if unfinished is not None:
            return self._unfinished(unfinished)
        passed = {run.name for run in runs if run.conclusion in PASSED}
        failed = next((run for run in runs if run.name not in passed), None)
        if failed is None:
            return None
        how = ENDED.get(failed.conclusion or "", "failed")
        text = (
            f"The build of {self._named()} {how} in ‘{failed.name}’: "
            f"push a fix and deploy that, or run it again: {failed.web_url}"
        )
        return Progress("failed", text, stuck=text, patience_s=0.0)

    def _unfinished(self, run: WorkflowRun) -> Progress:
        what = f"CI of {self._named()}"
        if run.status == "waiting":
            text = f"{what} waits for somebody's approval: {run.web_url}"
            return Progress("waiting", text, stuck=text, patience_s=0.0)
        if run.status == "in_progress":
            return Progress("running", f"{what} is running: {run.web_url}")
        stuck = (
            f"No runner has taken up {what} yet: look whether there is one for the labels it asks for: {run.web_url}"
        )
        return Progress("queued", f"{what} is queued: {run.web_url}", stuck=stuck, patience_s=RUNNER_PATIENCE_S)

    def _of_images(self, runs: Sequence[WorkflowRun], images: Sequence[Image]) -> Outcome | Progress:
        there = any(self._is_ours(image) for image in images)
        if there or (runs and (not images or _too_old_to_be_listed(runs, images))):
            return self._done(runs, there=there)
        what = f"CI of {self._named()}"
        if runs:
            text = f"{what} has passed; its image is not there yet: {runs[0].web_url}"
            stuck = f"{what} has passed, but nothing is found under {self.image}: look whether it pushes that image"
            return Progress("no image", text, stuck=f"{stuck}: {runs[0].web_url}", patience_s=PATIENCE_S)
        stuck = (
            f"{what} has not begun: look on the Actions page of {self.repository} whether its workflow runs for this "
            "branch, and start it there if it does not."
        )
        return Progress("no run", f"{what} has not begun yet.", stuck=stuck, patience_s=PATIENCE_S)

    def _done(self, runs: Sequence[WorkflowRun], *, there: bool) -> Outcome:
        image = known(self.image)
        passed = f"CI of {self._named()} has passed" if runs else f"{self._named()} was built before"
        return Outcome(
            seen=f"{passed}, {image} is there" if there else passed,
            changed=False,
            outputs={"image": image} if image else {},
            links={"CI": runs[0].web_url} if runs else {},
        )

    def _is_ours(self, image: Image) -> bool:
        name, _, digest = known(self.image).partition("@")
        tag = name.rpartition("/")[2].partition(":")[2] or known(self.commit)
        return image.digest == digest if digest else tag in image.tags

    def _named(self) -> str:
        """`orders at 1a2b3c4`."""
        commit = self.commit[:7] if isinstance(self.commit, str) else str(self.commit)
        return f"{str(self.repository).rpartition('/')[2]} at {commit}"


class AwaitOneOfBuilds(AwaitBuild):
    """The same where others go on without it: of several services that stand together, one may be missing. A person may
    pass over it; so does whoever comes next, such as the push that mends it."""

    kind: ClassVar[str] = "forge.await_one_of_builds"
    keepable: ClassVar[bool] = True


def _too_old_to_be_listed(runs: Sequence[WorkflowRun], images: Sequence[Image]) -> bool:
    """Return whether the forge lists so few images that one of this build would not be among them."""
    last = max(run.updated_at for run in runs)
    return len(images) >= NEWEST_IMAGES and last < min(image.created_at for image in images)
