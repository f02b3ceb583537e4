from __future__ import annotations

from pathlib import Path

import pytest

from bot.model.operation import State, StepState
from tests.operations.replica import replica
from tests.operations.world import asked


async def test_an_allowed_request_runs_to_its_end(url: str, tmp_path: Path) -> None:
    async with replica(url, tmp_path) as a:
        stored = await a.operations.submit(asked("one", "two", "await"))
        assert stored.state is State.PLANNED
        done = await a.until()
        assert done.state is State.SUCCEEDED
        assert [step.state for step in done.steps] == [StepState.DONE] * 3
        assert a.folder.files() == {"one": "text of one", "two": "text of two"}
