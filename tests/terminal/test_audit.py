"""`causeway ledger`: what happened, and whether somebody changed the record of it."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.terminal.conftest import CREATE, Desk, causeway

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def recorded(desk: Desk, name: str) -> str:
    said = await desk.there("run", "service.create", "--json", "--set", f"name={name}", *CREATE, by="author")
    operation: str = said.json["id"]
    world = desk.place.seen_from(desk.url)
    status, _ = await world.api("POST", f"/operations/{operation}/reject", by="approver")
    assert status == 200
    return operation


async def sealed(desk: Desk) -> None:
    """Wait until every entry of now is sealed and published."""

    async def look() -> bool | None:
        verdict = (await desk.here("ledger", "verify", "--json")).json
        return True if verdict["not_sealed"] == 0 and verdict["proved"] else None

    await desk.place.until(look)


async def test_the_ledger_shows_who_did_what(desk: Desk) -> None:
    operation = await recorded(desk, "shown")
    lines = (await desk.here("ledger", "show", "--operation", operation)).out.splitlines()
    assert [line.split()[-3:-1] for line in lines] == [
        ["operation.asked", "user:default/author"],
        ["operation.planned", "system"],
        ["approval.asked", "system"],
        ["approval.refused", "user:default/approver"],
    ]
    newest = await desk.here("ledger", "show", "--limit", "1", "--json")
    assert newest.json["operation"] == operation
    assert newest.json["kind"] == "approval.refused"


async def test_an_untouched_ledger_is_proved_intact(desk: Desk) -> None:
    await recorded(desk, "intact")
    await sealed(desk)
    said = await desk.here("ledger", "verify")
    assert said.status == 0
    assert said.out.startswith("The ledger is intact: ")
    assert "ledger-heads.jsonl" in said.out


async def test_a_changed_row_is_found_and_named(desk: Desk, tmp_path: Path) -> None:
    await recorded(desk, "changed")
    await sealed(desk)
    copy = tmp_path / "causeway.db"
    with sqlite3.connect(desk.env["CAUSEWAY_DATABASE_URL"].removeprefix("sqlite:///")) as original:
        original.execute("VACUUM INTO ?", (str(copy),))
    original.close()
    with sqlite3.connect(copy) as forged:
        forged.execute("UPDATE ledger_entries SET actor = 'user:default/somebody' WHERE number = 2")
    forged.close()
    key = str(Path(desk.place.ready["data_dir"]) / "ledger-key.pem")
    settings = {"CAUSEWAY_DATABASE_URL": f"sqlite:///{copy}", "CAUSEWAY_LEDGER_KEY_FILE": key}
    said = await desk.here("ledger", "verify", **settings)
    assert said.status == 1
    assert said.out.startswith("The ledger was tampered with. entry 2: it is not what was sealed")
    found = (await desk.here("ledger", "verify", "--json", **settings)).json
    assert (found["ok"], found["findings"][0]["entry"]) == (False, 2)


async def test_without_a_key_or_a_database_it_says_what_is_missing(tmp_path: Path) -> None:
    said = await asyncio.to_thread(
        causeway, "ledger", "verify", CAUSEWAY_DATABASE_URL=f"sqlite:///{tmp_path}/causeway.db"
    )
    assert (said.status, said.out) == (2, "")
    assert said.err == f"There is no ledger key at {tmp_path}/ledger-key.pem. Set CAUSEWAY_LEDGER_KEY_FILE.\n"
    said = await asyncio.to_thread(
        causeway, "ledger", "show", CAUSEWAY_DATABASE_URL=f"sqlite:///{tmp_path}/nowhere/causeway.db"
    )
    assert said.status == 1
    assert said.err.startswith("The database cannot be used (OperationalError). Check CAUSEWAY_DATABASE_URL")


async def test_any_number_of_entries_can_be_asked_for(desk: Desk) -> None:
    await recorded(desk, "any-number")
    await sealed(desk)
    for limit in ("-5", "9" * 30):
        assert (await desk.here("ledger", "show", "--limit", limit)).status == 0
