"""The command line, as a person uses it beside a running playground."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.cli import main
from tests.scenario.children import Town, free_urls, town

CREATE = ("--set", "template=python-service", "--set", "owner=group:default/team-orders")


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def causeway(*words: str, **env: str) -> Said:
    """Run one command in this process with these settings and no others. No traceback is ever printed."""
    before, handlers, level = dict(os.environ), logging.getLogger().handlers, logging.getLogger().level
    for name in [name for name in os.environ if name.startswith("CAUSEWAY_")]:
        del os.environ[name]
    os.environ.update(env)
    out, err = StringIO(), StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(err):
            try:
                status = main(words)
            except SystemExit as end:
                status = int(end.code or 0)
    finally:
        os.environ.clear()
        os.environ.update(before)
        logging.getLogger().handlers, logging.getLogger().level = handlers, level
    said = Said(status, out.getvalue(), err.getvalue())
    assert "Traceback (most" not in said.out + said.err
    return said


@dataclass
class Desk:
    """A terminal: `here` has everybody's settings, `there` only a server's address."""

    place: Town
    url: str

    def token(self, who: str) -> str:
        token: str = self.place.ready["api_tokens"][who]
        return token

    @property
    def env(self) -> dict[str, str]:
        env: dict[str, str] = self.place.ready["env"]
        return env

    async def here(self, *words: str, by: str = "", **env: str) -> Said:
        token = {"CAUSEWAY_TOKEN": self.token(by)} if by else {}
        return await asyncio.to_thread(causeway, *words, **{**self.env, **token, **env})

    async def there(self, *words: str, by: str) -> Said:
        return await asyncio.to_thread(causeway, *words, "--server", self.url, "--token", self.token(by))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("town")
    (url,) = free_urls(1)
    async with town(folder / "playground", [url]) as place:
        await place.bot(url, "only")
        yield Desk(place, url)
