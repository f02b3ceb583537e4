"""What stands in the book, whoever made it before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.effects import EndInBook, EnterBook
from bot.errors import NotFound
from bot.ports import Ports
from tests.effects.scenes import END, ENTER, EXTEND, LINE, MONDAY, OPERATION, World, run


async def test_a_new_line_names_the_operation_and_when_it_began() -> None:
    world = World()
    outcome = await ENTER.apply(world.ports, run(ENTER))
    assert outcome.seen == "the preview pr-8 is written down; it ends on 5 March 2026 at 09:00 UTC"
    alone = ENTER.model_copy(update={"what": "database", "name": "reports.staging"})
    assert alone.describe() == "Write down the database reports in staging, so that nothing of it is forgotten"
    (line,) = await world.book.standing()
    assert (line.operation, line.created_at, line.holds) == (OPERATION, MONDAY, {"folders": ["apps/preview/pr-8"]})


async def test_a_later_attempt_keeps_the_time_of_the_first() -> None:
    world = World()
    await ENTER.apply(world.ports, run(ENTER))
    await ENTER.apply(world.ports, run(ENTER, attempt=2).model_copy(update={"now": MONDAY + timedelta(hours=1)}))
    assert [line.created_at for line in await world.book.standing()] == [MONDAY]


async def test_a_change_keeps_who_made_it_and_what_it_holds() -> None:
    world = World()
    world.book.put(LINE)
    await EXTEND.apply(world.ports, run(EXTEND))
    assert await world.book.standing() == [replace(LINE, expires_at=MONDAY + timedelta(days=9))]


async def test_a_line_that_an_earlier_life_left_open_ends_where_the_next_begins() -> None:
    world = World()
    world.book.put(replace(LINE, name="pr-8"))
    await ENTER.apply(world.ports, run(ENTER))
    assert [line.operation for line in await world.book.standing()] == [OPERATION]
    assert len(world.book.lines) == 2, "lines are never deleted"


async def test_an_end_leaves_the_line_of_a_later_life_alone() -> None:
    world = World()
    world.book.put(replace(LINE, operation="op_later"))
    outcome = await END.apply(world.ports, run(END))
    assert (outcome.changed, len(world.book.open)) == (False, 1)


async def test_without_a_maker_whatever_stands_ends() -> None:
    world = World()
    world.book.put(LINE)
    end = EndInBook(id="end", name="pr-7", what="preview", cluster="default")
    assert (await end.apply(world.ports, run(end))).changed
    assert world.book.open == {}


@pytest.mark.parametrize("more", [{"proofs": ("yes", "no", "kept")}, {"unseen": True}])
async def test_what_is_not_proved_stays_in_the_book(more: dict[str, Any]) -> None:
    world = World()
    world.book.put(LINE)
    end = EndInBook(id="end", name="pr-7", what="preview", cluster="default", **more)
    outcome = await end.apply(world.ports, run(end))
    assert (outcome.changed, await world.book.standing()) == (False, [LINE])
    assert outcome.seen == (
        "the preview pr-7 stays written down, for not all of it is proved to be gone; the nightly sweep tells of it"
    )
    proved = EndInBook(id="end", name="pr-7", what="preview", cluster="default", proofs=("yes", "kept"))
    assert (await proved.apply(world.ports, run(proved))).changed


@pytest.mark.parametrize("effect", [ENTER, END])
async def test_without_a_book_it_says_so(effect: EnterBook | EndInBook) -> None:
    world = World()
    ports = Ports(forge=world.forge, catalog=world.catalog)
    with pytest.raises(NotFound, match="keeps no book"):
        await effect.apply(ports, run(effect))
