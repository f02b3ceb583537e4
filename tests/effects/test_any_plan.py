"""Any plan of forge effects, any call lost or refused: undo leaves the world exactly as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.effects import (
    CommitFiles,
    CreateRepository,
    CreateWebhook,
    FileBody,
    FinishRepository,
    GrantTeam,
    OpenPullRequest,
    ProtectBranch,
    SetVariables,
)
from bot.errors import Conflict, OutcomeUnknown, PlatformError, UpstreamUnavailable
from bot.model.canonical import JSON
from bot.model.effect import Effect, Outcome, Undo
from bot.model.late import Late, OutputRef
from tests.effects.scenes import OLD, World, run, world
from tests.fakes.faults import Fault, When

words = st.text("abcdefg", min_size=1, max_size=8)
contents = st.text(max_size=20)
file_bodies = st.dictionaries(words, contents, min_size=1, max_size=4).map(
    lambda files: tuple(FileBody(path=f"{name}.txt", text=text) for name, text in sorted(files.items()))
)


@st.composite
def settings_of(draw: st.DrawFn, number: int, repository: str) -> list[Effect]:
    known: list[Effect] = [
        ProtectBranch(id=f"protect{number}", repository=repository),
        GrantTeam(id=f"grant{number}", repository=repository, team=draw(words), permission="push"),
        SetVariables(
            id=f"variables{number}", repository=repository, variables=draw(st.dictionaries(words, words, min_size=1))
        ),
        CreateWebhook(
            id=f"hook{number}", repository=repository, url=f"https://bot.example/{draw(words)}", secret_name="webhook"
        ),
    ]
    return draw(st.lists(st.sampled_from(known), unique_by=id))


@st.composite
def services(draw: st.DrawFn, number: int) -> list[Effect]:
    name = f"acme/{draw(words)}-{number}"
    create = CreateRepository(id=f"create{number}", repository=name, private=draw(st.booleans()))
    head = Late(parts=(OutputRef(effect=create.id, output="head"),))
    effects: list[Effect] = [create]
    if draw(st.booleans()):
        effects.append(
            CommitFiles(id=f"first{number}", repository=name, files=draw(file_bodies), message="Go", replaces=head)
        )
    effects += draw(settings_of(number, name))
    if draw(st.booleans()):
        topics = tuple(draw(st.lists(words, unique=True, max_size=3)))
        effects.append(
            FinishRepository(id=f"finish{number}", repository=name, description=draw(contents), topics=topics)
        )
    return effects


@st.composite
def changes(draw: st.DrawFn, number: int) -> list[Effect]:
    body = draw(file_bodies)
    if draw(st.booleans()):
        deleted = ("run.sh",) if draw(st.booleans()) else ()
        return [CommitFiles(id=f"next{number}", repository=OLD, files=body, deleted=deleted, message="Change")]
    return [OpenPullRequest(id=f"pr{number}", repository=OLD, branch=f"b{number}", title="Change", files=body)]


@st.composite
def plans(draw: st.DrawFn) -> list[Effect]:
    parts = draw(st.lists(st.booleans(), min_size=1, max_size=3))
    return [
        effect for number, fresh in enumerate(parts) for effect in draw(services(number) if fresh else changes(number))
    ]


faults = st.builds(
    lambda skip, when, refused: Fault(
        "*", Conflict("No.") if refused and when is When.BEFORE else OutcomeUnknown("Lost."), when, skip
    ),
    st.integers(0, 60),
    st.sampled_from(list(When)),
    st.booleans(),
)


async def go(plan: Sequence[Effect], made: World) -> list[tuple[Effect, Outcome | None]]:
    """Apply until the first failure; return what may have happened, in order."""
    outputs: dict[str, Mapping[str, JSON]] = {}
    done: list[tuple[Effect, Outcome | None]] = []
    for effect in plan:
        bound = effect.bound(outputs)
        try:
            outcome = await bound.apply(made.ports, run(bound))
        except PlatformError:
            return [*done, (bound, None)]
        outputs[effect.id] = outcome.outputs
        done.append((bound, outcome))
    return done


async def back(done: Sequence[tuple[Effect, Outcome | None]], made: World, forgotten: bool) -> None:
    for effect, outcome in reversed(done):
        recorded = None if forgotten and effect is done[-1][0] else outcome
        for _ in range(3):
            try:
                undone = await effect.undo(made.ports, run(effect), recorded)
                assert undone.how is not Undo.KEPT, undone.seen
                assert (await effect.gone(made.ports, run(effect), recorded)).absent
                break
            except (UpstreamUnavailable, Conflict):
                continue
        else:
            raise AssertionError(f"{effect.id} could not be undone")


@settings(deadline=None, max_examples=300)
@given(plan=plans(), going=faults, returning=faults, forgotten=st.booleans())
def test_apply_then_undo_leaves_the_world_as_it_was(
    plan: list[Effect], going: Fault, returning: Fault, *, forgotten: bool
) -> None:
    async def there_and_back() -> None:
        made = await world()
        before = made.look()
        made.forge.faults.faults = [going]
        done = await go(plan, made)
        made.forge.faults.faults = [returning]
        await back(done, made, forgotten)
        assert made.look() == before

    asyncio.run(there_and_back())
