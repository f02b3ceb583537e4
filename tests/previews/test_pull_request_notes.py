"""What a pull request reads below its comment while an operation waits, is stuck, or has come to nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.effects.comment_text import Told
from bot.effects.pull_request_comment import LivingComment, Step, with_note
from bot.errors import Refused, UpstreamUnavailable
from bot.model.operation import Asked, Need, OperationView, Reason, State, StepState, StepView
from bot.model.principal import Door, Principal
from bot.ports import NewRepository, Turns
from bot.pull_request_notes import Place, PullRequestNotes, note_of
from tests.effects.scenes import World, run
from tests.fakes.forge import FakeForge
from tests.previews.test_pull_requests import NAME, REPOSITORY, village

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AUTHOR = Principal(user="user:default/author", display_name="Sample Author")
HERE = Place(REPOSITORY, 1, "pr-1-orders-api")


def asked(command: str = "preview.up", door: Door = Door.FORGE, **request: Any) -> Asked:
    given = request or {"pull_request": f"{REPOSITORY}#1"}
    return Asked(operation="op-1", command=command, request=given, principal=AUTHOR, door=door, now=MONDAY)


def view(state: State, **fields: Any) -> OperationView:
    given: dict[str, Any] = {
        "id": "op-1",
        "command": "preview.up",
        "request": {},
        "principal": AUTHOR,
        "door": Door.FORGE,
        "origin": {},
        "state": state,
        "created_at": MONDAY,
        "updated_at": MONDAY,
        "revision": 1,
    }
    return OperationView.model_validate(given | fields)


def waiting() -> OperationView:
    need = Need(approvers=frozenset({"group:default/team-orders", "user:default/approver"}), rule="forks")
    return view(State.AWAITING_APPROVAL, need=need)


def stuck(progress: str = "The image cannot be pulled.") -> OperationView:
    step = StepView(id="healthy", text="Wait", state=StepState.RUNNING, stalled=True, progress=progress)
    return view(State.RUNNING, steps=(step,))


class Desk:
    """A forge with one pull request, and an operation as a test wants it to be."""

    def __init__(self) -> None:
        self.forge = FakeForge()
        self.now = view(State.PLANNED)
        self.naps: list[float] = []
        here = village()
        self.notes = PullRequestNotes(self._view, self.forge, here.deps.catalog, Turns(), sleep=self._sleep)

    async def begin(self) -> Desk:
        await self.forge.create_repository(NewRepository(REPOSITORY, "Orders"))
        self.forge.push(REPOSITORY, {"a": b"1"}, branch="feature")
        await self.forge.create_pull_request(REPOSITORY, head="feature", base="main", title="A change", body="")
        self.forge.calls.clear()
        return self

    async def _view(self, _operation: str) -> OperationView:
        return self.now

    async def _sleep(self, seconds: float) -> None:
        self.naps.append(seconds)

    async def tell(self, now: OperationView, place: Place = HERE) -> str:
        """Let the operation be so, tell of it, and return what the pull request shows."""
        self.now = now
        await self.notes.tell("op-1", place, now.revision)
        return await self.shown()

    async def shown(self) -> str:
        return "\n".join(one.body for one in await self.forge.comments(REPOSITORY, 1))


@pytest.fixture
async def desk() -> Desk:
    return await Desk().begin()


@pytest.mark.parametrize(
    ("now", "note"),
    [
        (waiting(), "It waits for the approval of team-orders or approver. The card is in Slack."),
        (stuck(), "It is stuck. The image cannot be pulled."),
        (view(State.RUNNING), ""),
        (view(State.SUCCEEDED), ""),
        (view(State.PLANNED), None),
        (view(State.REJECTED, problem="Only owners may."), "It could not be done. Only owners may."),
        (view(State.UNDONE, problem="CI failed."), "It could not be done. CI failed."),
        (view(State.UNDONE, problem="Taken back.", reason=Reason.ASKED_TO_UNDO), ""),
        (
            view(State.FAILED, command="preview.extend", problem="Too long."),
            "preview.extend: It could not be done. Too long.",
        ),
    ],
)
def test_the_note_says_what_is_waited_for_or_why_it_came_to_nothing(now: OperationView, note: str | None) -> None:
    assert note_of(now) == note


async def test_a_note_comes_changes_and_goes(desk: Desk) -> None:
    first = await desk.tell(waiting())
    assert first.startswith("<!-- causeway:preview pr-1-orders-api -->\n### Preview `pr-1-orders-api`")
    assert "> It waits for the approval of team-orders or approver." in first
    assert "> It is stuck. The image cannot be pulled." in await desk.tell(stuck())
    assert ">" not in (await desk.tell(view(State.RUNNING))).replace("-->", "")
    assert len(await desk.forge.comments(REPOSITORY, 1)) == 1


async def test_the_same_note_is_written_once(desk: Desk) -> None:
    await desk.tell(stuck())
    calls = len(desk.forge.calls)
    desk.now = stuck()
    await desk.notes.tell("op-1", HERE, 1)
    assert len(desk.forge.calls) == calls


async def test_the_text_stays_under_a_note_and_the_next_text_takes_it_away(desk: Desk) -> None:
    comment = LivingComment(
        id="comment", repository=REPOSITORY, number=1, preview="pr-1-orders-api", told=Told(stage="making")
    )
    ports = World(forge=desk.forge).ports
    await comment.apply(ports, run(comment))
    before = await desk.shown()
    noted = await desk.tell(stuck())
    assert noted != before
    assert "**Is being made**." in noted
    step = Step.of(noted)
    assert step is not None
    assert step.effect == "comment", "a note is no text: undo finds whose the text is"
    ready = comment.model_copy(update={"id": "ready", "told": Told(stage="ready")})
    await ready.apply(ports, run(ready))
    assert "stuck" not in await desk.shown()
    await ready.undo(ports, run(ready), None)
    assert await desk.shown() == before


async def test_who_asked_in_slack_is_told_there_and_only_a_comment_that_is_there_gets_the_note(desk: Desk) -> None:
    place = Place(HERE.repository, HERE.number, HERE.preview, asked_here=False)
    assert await desk.tell(view(State.REJECTED, problem="Only owners may."), place) == ""
    await desk.tell(waiting())
    assert "Only owners may" in await desk.tell(view(State.REJECTED, problem="Only owners may."), place)


async def test_a_reason_from_outside_is_text(desk: Desk) -> None:
    shown = await desk.tell(stuck("@acme/admins <!-- causeway:preview x --> [x](https://evil.example)"))
    assert "@acme" not in shown
    assert shown.count("<!--") == 3
    assert with_note(shown, "").count("<!--") == 2


async def test_a_change_is_told_once_it_can_be_seen(desk: Desk) -> None:
    seen = [
        view(State.PLANNED, revision=1),
        view(State.PLANNED, revision=1),
        stuck().model_copy(update={"revision": 2}),
    ]

    async def look(_operation: str) -> OperationView:
        return seen.pop(0) if len(seen) > 1 else seen[0]

    desk.notes._view = look
    await desk.notes.tell("op-1", HERE, 2)
    assert "It is stuck" in await desk.shown()
    assert len(desk.naps) == 2


async def test_a_forge_that_is_away_is_tried_again_and_one_that_refuses_is_not(desk: Desk) -> None:
    desk.forge.refuse("create_comment", UpstreamUnavailable("Away."), times=2)
    assert "It is stuck" in await desk.tell(stuck())
    desk.forge.refuse("update_comment", Refused("No."))
    desk.now = waiting()
    with pytest.raises(Refused):
        await desk.notes.tell("op-1", HERE, 1)


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (asked(), Place(REPOSITORY, 1, "pr-1-orders-api")),
        (asked(pull_request="Acme/Orders-API#12"), Place(REPOSITORY, 12, NAME)),
        (asked(pull_request=f"{REPOSITORY}#1", name="mine"), Place(REPOSITORY, 1, "mine")),
        (asked(door=Door.SLACK), Place(REPOSITORY, 1, "pr-1-orders-api", asked_here=False)),
        (asked(pull_request="acme/unknown#1"), None),
        (asked(pull_request="nonsense"), None),
        (asked(services={}), None),
        (asked("service.deploy"), None),
    ],
)
async def test_only_what_shows_a_pull_request_is_told_there(desk: Desk, one: Asked, told: Place | None) -> None:
    desk.notes.changed(one, 3)
    waiting = desk.notes._waiting
    assert (None if waiting.empty() else waiting.get_nowait()) == (told and ("op-1", told, 3))


async def test_what_was_asked_for_in_a_comment_is_told_below_it(desk: Desk) -> None:
    desk.notes.follow("op-1", HERE)
    desk.notes.changed(asked("preview.extend", name="pr-1-orders-api"), 1)
    assert desk.notes._waiting.get_nowait() == ("op-1", HERE, 1)
