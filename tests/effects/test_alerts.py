"""A silence and a room are known again after a lost answer, whatever stands in their texts."""

from __future__ import annotations

import pytest

from bot.effects.alerts import mark_of
from bot.errors import OutcomeUnknown
from tests.effects.alarms import OPEN, SILENCE
from tests.effects.scenes import OPERATION, World, run


@pytest.mark.parametrize("topic", ["Queue<5 & rising of orders", "Two\nlines of orders", "A <!channel> of orders"])
@pytest.mark.parametrize("method", ["create_room", "set_topic"])
async def test_a_room_is_opened_once_whatever_slack_makes_of_its_topic(topic: str, method: str) -> None:
    world = World()
    effect = OPEN.model_copy(update={"topic": topic})
    world.rooms.faults.lose_answer_after(method)
    with pytest.raises(OutcomeUnknown):
        await effect.apply(world.ports, run(effect))
    outcome = await effect.apply(world.ports, run(effect, attempt=2))
    assert list(world.rooms.open) == [outcome.outputs["name"]] == [OPEN.name]
    assert not (await effect.gone(world.ports, run(effect), outcome)).absent
    await effect.undo(world.ports, run(effect), outcome)
    assert not world.rooms.open


async def test_a_silence_whose_reason_names_another_operation_stays_its_own() -> None:
    world = World()
    named = SILENCE.model_copy(update={"reason": f"as before ({mark_of(OPERATION)})"})
    await named.apply(world.ports, run(named, operation="op_another"))
    await SILENCE.apply(world.ports, run(SILENCE))
    assert len(world.alerts.standing) == 2
    await SILENCE.undo(world.ports, run(SILENCE), None)
    assert [one.comment for one in world.alerts.standing] == [f"{named.reason} ({mark_of('op_another')})"]
