"""The part of the fake forge that knows conversations on pull requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.errors import NotFound
from bot.ports import LONGEST_COMMENT, Comment
from tests.fakes.faults import Faults, call
from tests.fakes.forge_state import BOT, State, get


class FakeComments:
    """What `FakeForge` adds its own storage to."""

    faults: Faults

    def _load(self) -> State:
        raise NotImplementedError

    def _save(self, state: State) -> None:
        raise NotImplementedError

    # --- what tests put there

    def say(self, full_name: str, number: int, body: str, *, by: str) -> int:
        """Comment as somebody else would; return the comment's id."""
        return self._write(full_name, number, body, by)

    def change_pull_request(self, full_name: str, number: int, **fields: Any) -> None:
        """Set what is stored of a pull request: `labels`, `head_sha`, `head_repository`, `draft`, `state`."""
        state = self._load()
        get(state, full_name)["pull_requests"][number - 1].update(fields)
        self._save(state)

    # --- the port

    @call
    async def comments(self, full_name: str, number: int) -> Sequence[Comment]:
        state = self._load()
        _conversation(state, full_name, number)
        return [_comment(full_name, one) for one in get(state, full_name)["comments"] if one["number"] == number]

    @call
    async def create_comment(self, full_name: str, number: int, body: str) -> Comment:
        made = self._write(full_name, number, body, BOT)
        return next(_comment(full_name, one) for one in get(self._load(), full_name)["comments"] if one["id"] == made)

    @call
    async def update_comment(self, full_name: str, comment: int, body: str) -> None:
        state = self._load()
        _find(state, full_name, comment)["body"] = _short_enough(body)
        self._save(state)

    @call
    async def delete_comment(self, full_name: str, comment: int) -> None:
        state = self._load()
        get(state, full_name)["comments"].remove(_find(state, full_name, comment))
        self._save(state)

    # --- details

    def _write(self, full_name: str, number: int, body: str, by: str) -> int:
        state = self._load()
        _conversation(state, full_name, number)
        made = int(state["next_id"])
        one = {"id": made, "number": number, "body": _short_enough(body), "author": by}
        get(state, full_name)["comments"].append(one)
        state["next_id"] = made + 1
        self._save(state)
        return made


def _conversation(state: State, full_name: str, number: int) -> None:
    if not 0 < number <= len(get(state, full_name)["pull_requests"]):
        raise NotFound(f"{full_name} has no #{number}.")


def _find(state: State, full_name: str, comment: int) -> State:
    found = next((one for one in get(state, full_name)["comments"] if one["id"] == comment), None)
    if found is None:
        raise NotFound(f"{full_name} has no comment {comment}.")
    return found  # type: ignore[no-any-return]  # a fake keeps whatever it is given


def _short_enough(body: str) -> str:
    assert len(body) <= LONGEST_COMMENT
    return body


def _comment(full_name: str, one: State) -> Comment:
    url = f"https://forge.example/{full_name}/pull/{one['number']}#issuecomment-{one['id']}"
    return Comment(one["id"], one["body"], one["author"], url, ours=one["author"] == BOT)
