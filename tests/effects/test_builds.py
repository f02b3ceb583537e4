from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from bot.effects import AwaitBuild, AwaitOneOfBuilds
from bot.effects.builds import LONGEST_PAUSE_S, PATIENCE_S, RUNNER_PATIENCE_S, SHORTEST_PAUSE_S
from bot.errors import NotFound, Refused, UpstreamUnavailable
from bot.model.effect import Outcome
from bot.model.late import Late, OutputRef
from bot.ports import NEWEST_IMAGES
from tests.effects.scenes import OLD, World, run, world
from tests.fakes.forge_versions import RunStatus
from tests.fakes.waiting import FakeWaiting, Happening

RUN_URL = "https://forge.example/acme/gitops/actions/runs"


@dataclass
class Wait:
    """A build that is awaited: the world, what happens in each pause, what was reported."""

    made: World
    sha: str
    waiting: FakeWaiting = field(default_factory=FakeWaiting)
    reports: list[tuple[str, bool]] = field(default_factory=list)

    @property
    def image(self) -> str:
        return f"ghcr.io/acme/gitops:{self.sha}"

    @property
    def named(self) -> str:
        return f"gitops at {self.sha[:7]}"

    @property
    def effect(self) -> AwaitBuild:
        return AwaitBuild(id="build", repository=OLD, commit=self.sha, image=self.image)

    async def outcome(self, *happenings: Happening, effect: AwaitBuild | None = None) -> Outcome:
        self.waiting.happenings = list(happenings)
        effect = effect or self.effect
        ports = replace(self.made.ports, waiting=self.waiting)
        async with asyncio.timeout(30):
            return await effect.apply(ports, run(effect).model_copy(update={"report": self._report}))

    async def told(self, *happenings: Happening) -> tuple[str, bool]:
        """Return what was reported last, once nothing happens any more; nothing must have ended it."""
        waiting = asyncio.ensure_future(self.outcome(*happenings))
        await asyncio.wait_for(self.waiting.exhausted.wait(), 30)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return self.reports[-1]

    def publish(self) -> None:
        self.made.forge.publish_image(OLD, self.sha, self.sha[:7], "main")

    def runs(self, conclusion: str | None = "success", *, name: str = "CI", status: RunStatus = "in_progress") -> int:
        return self.made.forge.run_workflow(OLD, self.sha, conclusion, name=name, status=status)

    def ends(self, number: int, conclusion: str | None) -> Happening:
        return lambda: self.made.forge.end_run(OLD, number, conclusion)

    async def _report(self, text: str, *, stalled: bool = False) -> None:
        self.reports.append((text, stalled))


@pytest.fixture
async def wait() -> Wait:
    made = await world()
    return Wait(made, made.forge.push(OLD, {"app.py": b"1"}))


def nothing() -> None:
    """A pause in which nothing happens."""


def pauses(seconds: float) -> list[Happening]:
    """Return enough pauses in which nothing happens for so many seconds to pass."""
    return [nothing] * int(seconds / SHORTEST_PAUSE_S)


async def test_a_build_that_is_there_is_not_waited_for(wait: Wait) -> None:
    number = wait.runs()
    wait.publish()
    outcome = await wait.outcome()
    assert outcome == Outcome(
        seen=f"CI of {wait.named} has passed, {wait.image} is there",
        changed=False,
        outputs={"image": wait.image},
        links={"CI": f"{RUN_URL}/{number}"},
    )
    assert (wait.waiting.pauses, wait.reports) == ([], [])


async def test_a_build_is_followed_from_the_push_to_its_image(wait: Wait) -> None:
    runs: list[int] = []
    outcome = await wait.outcome(
        lambda: runs.append(wait.runs(None, status="queued")),
        lambda: wait.made.forge.end_run(OLD, runs[0], None),
        lambda: wait.made.forge.end_run(OLD, runs[0], "success"),
        lambda: wait.made.forge.publish_image(OLD, "main"),
        wait.publish,
    )
    assert outcome.outputs == {"image": wait.image}
    url = f"{RUN_URL}/{runs[0]}"
    assert [text for text, _ in wait.reports] == [
        f"CI of {wait.named} has not begun yet.",
        f"CI of {wait.named} is queued: {url}",
        f"CI of {wait.named} is running: {url}",
    ], "passed runs are enough where the registry is empty"
    assert not any(stalled for _, stalled in wait.reports)
    assert wait.waiting.keys == [f"build:{OLD}@{wait.sha}"]


async def test_an_image_is_waited_for_where_the_forge_has_images_of_others(wait: Wait) -> None:
    wait.made.forge.publish_image(OLD, "0" * 40)
    number = wait.runs()
    outcome = await wait.outcome(nothing, wait.publish)
    assert outcome.seen.endswith("is there")
    expected = f"CI of {wait.named} has passed; its image is not there yet: {RUN_URL}/{number}"
    assert wait.reports == [(expected, False)] * 2


async def test_an_image_that_never_comes_is_said_after_a_minute(wait: Wait) -> None:
    wait.made.forge.publish_image(OLD, "0" * 40)
    number = wait.runs()
    text, stalled = await wait.told(*pauses(PATIENCE_S))
    assert stalled
    assert text == (
        f"CI of {wait.named} has passed, but nothing is found under {wait.image}: look whether it pushes that image: "
        f"{RUN_URL}/{number}"
    )
    assert wait.reports[0][1] is False


async def test_an_image_without_any_run_is_enough(wait: Wait) -> None:
    wait.publish()
    outcome = await wait.outcome()
    assert (outcome.seen, outcome.links) == (f"{wait.named} was built before, {wait.image} is there", {})


async def test_without_an_image_to_look_for_passed_runs_are_enough(wait: Wait) -> None:
    wait.made.forge.publish_image(OLD, "0" * 40)
    wait.runs()
    outcome = await wait.outcome(effect=wait.effect.model_copy(update={"image": ""}))
    assert (outcome.seen, outcome.outputs) == (f"CI of {wait.named} has passed", {})
    assert "images" not in wait.made.forge.calls


async def test_a_digest_is_compared_with_digests(wait: Wait) -> None:
    wait.made.forge.publish_image(OLD, "main")
    digest = (await wait.made.forge.images(OLD))[0].digest
    pinned = wait.effect.model_copy(update={"image": f"ghcr.io/acme/gitops@{digest}"})
    wait.runs()
    assert (await wait.outcome(effect=pinned)).seen.endswith(f"@{digest} is there")
    other = wait.effect.model_copy(update={"image": f"ghcr.io/acme/gitops@sha256:{'0' * 64}"})
    assert (await wait.outcome(nothing, lambda: wait.made.forge.change(OLD, images=[]), effect=other)).seen
    assert "its image is not there yet" in wait.reports[-1][0]


async def test_a_port_in_the_registrys_name_is_no_tag(wait: Wait) -> None:
    wait.runs()
    wait.publish()
    plain = wait.effect.model_copy(update={"image": "registry.example:5000/acme/gitops"})
    assert (await wait.outcome(effect=plain)).seen.endswith("is there"), "without a tag it is the commit's"


async def test_a_build_older_than_what_the_forge_lists_is_believed(wait: Wait) -> None:
    wait.runs()
    for number in range(NEWEST_IMAGES):
        wait.made.forge.publish_image(OLD, f"later-{number}")
    assert (await wait.outcome()).seen == f"CI of {wait.named} has passed"


async def test_a_new_build_is_not_taken_for_an_old_one_where_many_images_are_listed(wait: Wait) -> None:
    for number in range(NEWEST_IMAGES):
        wait.made.forge.publish_image(OLD, f"earlier-{number}")
    wait.runs()
    text, _ = await wait.told()
    assert "its image is not there yet" in text


@pytest.mark.parametrize(
    ("conclusion", "how"),
    [
        ("failure", "failed"),
        ("cancelled", "was cancelled"),
        ("timed_out", "ran out of time"),
        ("action_required", "needs somebody's consent"),
        ("startup_failure", "could not start"),
        ("stale", "failed"),
    ],
)
async def test_a_failed_build_is_said_at_once_and_mended_by_running_it_again(
    wait: Wait, conclusion: str, how: str
) -> None:
    number = wait.runs(conclusion)
    await wait.outcome(nothing, wait.ends(number, None), wait.ends(number, "success"))
    failed = (
        f"The build of {wait.named} {how} in ‘CI’: push a fix and deploy that, or run it again: {RUN_URL}/{number}",
        True,
    )
    assert wait.reports == [failed, failed, (f"CI of {wait.named} is running: {RUN_URL}/{number}", False)]


async def test_an_image_does_not_hide_that_a_workflow_has_failed(wait: Wait) -> None:
    wait.runs(name="Image")
    wait.runs("failure", name="Tests")
    wait.publish()
    text, stalled = await wait.told()
    assert "failed in ‘Tests’" in text
    assert stalled


@pytest.mark.parametrize("first", ["failure", "success"])
async def test_a_workflow_has_passed_when_one_of_its_runs_has(wait: Wait, first: str) -> None:
    for conclusion in (first, "success" if first == "failure" else "failure"):
        wait.runs(conclusion)
    wait.publish()
    assert (await wait.outcome()).seen.endswith("is there")


@pytest.mark.parametrize("conclusion", ["neutral", "skipped"])
async def test_a_workflow_with_nothing_to_do_has_passed(wait: Wait, conclusion: str) -> None:
    wait.runs(conclusion, name="Docs")
    wait.runs()
    wait.publish()
    assert (await wait.outcome()).seen.endswith("is there")


async def test_ci_that_never_begins_is_said_after_a_minute(wait: Wait) -> None:
    text, stalled = await wait.told(*pauses(PATIENCE_S))
    assert stalled
    calm = wait.reports.index((text, True))
    assert set(wait.reports[:calm]) == {(f"CI of {wait.named} has not begun yet.", False)}
    assert sum(wait.waiting.pauses[: calm - 1]) < PATIENCE_S <= sum(wait.waiting.pauses[:calm])
    assert text == (
        f"CI of {wait.named} has not begun: look on the Actions page of {OLD} whether its workflow runs for this "
        "branch, and start it there if it does not."
    )


async def test_a_run_that_waits_for_an_approval_is_said_at_once(wait: Wait) -> None:
    number = wait.runs(None, status="waiting")
    assert await wait.told() == (f"CI of {wait.named} waits for somebody's approval: {RUN_URL}/{number}", True)


async def test_a_run_that_no_runner_takes_is_said_after_ten_minutes(wait: Wait) -> None:
    wait.runs(None, status="queued")
    text, stalled = await wait.told(*pauses(RUNNER_PATIENCE_S))
    assert stalled
    assert text.startswith(f"No runner has taken up CI of {wait.named} yet: ")


async def test_a_forge_that_stays_away_is_waited_for(wait: Wait) -> None:
    wait.runs()
    wait.publish()
    wait.made.forge.refuse("workflow_runs", UpstreamUnavailable("GitHub could not be reached."), times=2)
    wait.made.forge.refuse("images", UpstreamUnavailable("GitHub lets us go on.", retry_after_s=120.0))
    await wait.outcome(nothing, nothing, nothing)
    away = f"GitHub could not be reached. Causeway goes on waiting for the build of {wait.named}."
    assert wait.reports[:2] == [(away, False)] * 2
    assert wait.waiting.pauses == [SHORTEST_PAUSE_S, SHORTEST_PAUSE_S, 120.0]


async def test_a_missing_permission_is_said_and_looked_at_again(wait: Wait) -> None:
    wait.runs()
    wait.publish()
    refusal = Refused("GitHub does not let us read the CI runs.", hint="It needs the permission actions=read.")
    wait.made.forge.refuse("workflow_runs", refusal)
    await wait.outcome(nothing)
    told = "GitHub does not let us read the CI runs. It needs the permission actions=read."
    assert wait.reports == [(told, True)]


async def test_a_repository_that_does_not_exist_ends_the_wait(wait: Wait) -> None:
    with pytest.raises(NotFound):
        await wait.outcome(effect=wait.effect.model_copy(update={"repository": "acme/none"}))


async def test_nobody_looks_more_often_than_every_two_seconds_and_a_long_build_less(wait: Wait) -> None:
    wait.runs(None)
    await wait.told(*pauses(600.0))
    assert wait.waiting.pauses[:3] == [SHORTEST_PAUSE_S] * 3
    assert wait.waiting.pauses == sorted(wait.waiting.pauses)
    assert wait.waiting.pauses[-1] == LONGEST_PAUSE_S


def test_it_says_what_it_waits_for_before_the_commit_is_known() -> None:
    first = Late(parts=(OutputRef(effect="first", output="commitHash"),))
    effect = AwaitBuild(id="build", repository="acme/orders", commit=first, image=Late(parts=("ghcr.io/acme/orders:",)))
    assert effect.describe() == "Wait for the build of orders at ‹commitHash of first›"
    assert effect.bound({"first": {"commitHash": "1a2b3c4d"}}).describe() == "Wait for the build of orders at 1a2b3c4"


async def test_it_goes_on_in_another_process(wait: Wait) -> None:
    """It keeps nothing: cancelled and begun again, it sees what has happened meanwhile."""
    number = wait.runs(None)
    await wait.told()
    wait.ends(number, "success")()
    assert (await wait.outcome()).seen == f"CI of {wait.named} has passed"


def test_of_several_builds_one_may_be_passed_over() -> None:
    assert AwaitOneOfBuilds.keepable
    assert not AwaitBuild.keepable, "a deploy of this service alone has nothing to go on with"
