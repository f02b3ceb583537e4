"""The home tab never waits: it shows what was seen before, and is drawn again once more is known."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.checkups.watching import FRESH, Watch
from bot.health.verdict import State
from tests.commands.company import person
from tests.observing.scene import NOW, Scene, hold, scene

AUTHOR = person("team-orders")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> object:
        return self.now


def watching(made: Scene) -> tuple[Watch, Clock, list[str]]:
    clock, told = Clock(), []  # type: ignore[var-annotated]  # a list of texts
    return Watch(made.deps, clock, told.append), clock, told  # type: ignore[arg-type]  # a clock that can be set


async def test_what_is_not_known_yet_is_shown_as_such_and_then_drawn_again() -> None:
    made = await scene()
    made.runs("orders-api", "production")
    answers = hold(made.deployments, "application")
    watch, _, told = watching(made)
    (line,) = watch.lines(AUTHOR, "U1")
    assert (line.service, line.health) == ("orders-api", None)
    answers.set()
    await watch.settle()
    assert told == ["U1"]
    (line,) = watch.lines(AUTHOR, "U1")
    assert (line.health, line.environment) == (State.HEALTHY, "production")
    assert line.told == "2 of 2 pods are ready."


async def test_the_same_is_looked_at_again_only_after_a_while_and_once_at_a_time() -> None:
    made = await scene()
    made.runs("orders-api", "production")
    watch, clock, told = watching(made)
    watch.lines(AUTHOR, "U1")
    watch.lines(AUTHOR, "U1")
    await watch.settle()
    watch.lines(AUTHOR, "U1")
    await watch.settle()
    assert told == ["U1"]
    clock.now += FRESH + timedelta(seconds=1)
    made.measures("orders-api", "production", errors=0.7)
    (line,) = watch.lines(AUTHOR, "U1")
    assert line.health is State.HEALTHY, "what was seen before, until more is known"
    await watch.settle()
    assert told == ["U1", "U1"]
    assert watch.lines(AUTHOR, "U1")[0].health is State.DOWN


async def test_a_defect_leaves_what_was_known(caplog: pytest.LogCaptureFixture) -> None:
    made = await scene()
    watch, _, told = watching(made)

    def broken() -> None:
        raise ZeroDivisionError("ours")

    watch.lines(AUTHOR, "U1")
    await watch.settle()
    assert watch.lines(AUTHOR, "U1") == [], "it runs nowhere"
    assert told == ["U1"]
    watch._seen.clear()
    object.__setattr__(watch, "_clock", broken)
    watch.lines(AUTHOR, "U1")
    await watch.settle()
    assert "home_not_looked" in caplog.text
    assert told == ["U1"]


async def test_whoever_has_no_service_is_shown_none() -> None:
    made = await scene()
    watch, _, _ = watching(made)
    assert watch.lines(person(user="stranger"), "U1") == []
