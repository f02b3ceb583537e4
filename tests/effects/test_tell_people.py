"""Who has chosen not to be told of something directly is not."""

from __future__ import annotations

import pytest

from bot.effects import TellPeople
from bot.model.notifications import Personal, PersonalWishes
from tests.effects.scenes import AUTHOR, run, world


@pytest.mark.parametrize(
    ("news", "told", "is_told"),
    [
        (Personal.ASSIGNED, None, True),  # so it is until somebody says otherwise
        (Personal.ASSIGNED, frozenset({Personal.ASSIGNED}), True),
        (Personal.ASSIGNED, frozenset({Personal.ENDED}), False),
        (None, frozenset(), True),  # an escalation asks nobody whether they want it
    ],
)
async def test_wishes_decide_who_is_told(
    news: Personal | None, told: frozenset[Personal] | None, *, is_told: bool
) -> None:
    made = await world()
    if told is not None:
        made.wishes.put(AUTHOR.user, PersonalWishes(told=told))
    effect = TellPeople(id="tell", people=(AUTHOR.user,), text="Look at it.", news=news)
    outcome = await effect.apply(made.ports, run(effect))
    assert (outcome.seen == "they have chosen not to be told of this directly") is not is_told
    assert ("tell" in made.rooms.faults.calls) is is_told
