"""One contract, two GitHubs: ours and `emulate`, which nobody here wrote."""

from __future__ import annotations

import asyncio
import shutil
import socket
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import yaml

from tests.peers.github import contract_of_versions  # noqa: F401  # registers its checks
from tests.peers.github.contract import CHECKS, Rest
from tests.peers.tools import need
from tests.playground.github.running import TOKEN, running

EMULATE_GAPS = {
    "an_organisation_lists_its_repositories": "it has no GET /orgs/{org}/repos; the description has",
    "an_unknown_token_is_refused": "it takes any token for its first user; the description says 401",
    "a_pull_request_lists_its_files": "its list stays empty; the description says the files of the pull request",
    "a_merged_pull_request_says_so_and_merges_no_more": "it has no GET …/merge, and 422 where the description says 405",
    "a_second_pull_request_for_the_same_branches_is_refused": "it opens a second one; GitHub answers 422",
    "a_merge_with_an_old_head_is_refused": "it answers 422; the description says 409 for a sha that is not the head",
    "tags_name_their_commits": "it lists tag objects by their own hashes; the description says tags and their commits",
}
"""Checks that the emulator does not pass, each with what GitHub's documentation or description says instead."""
START_DEADLINE_S = 60.0


@pytest.mark.parametrize("name", CHECKS)
async def test_our_github(name: str, tmp_path: Path) -> None:
    async with running(tmp_path / "github") as github:
        await CHECKS[name](Rest(github.session, f"{github.url}/api/v3", TOKEN, f"{github.hook_url}/hook"))


async def test_the_independent_emulator(tmp_path: Path) -> None:
    modules = need("node_modules")
    async with emulator(modules, tmp_path) as url, aiohttp.ClientSession() as session:
        rest = Rest(session, url, TOKEN)
        failed = {name: error for name in CHECKS if (error := await outcome(name, rest))}
    unexpected = {name: error for name, error in failed.items() if name not in EMULATE_GAPS}
    assert not unexpected, "\n".join(f"{name}: {error}" for name, error in unexpected.items())
    assert failed.keys() == EMULATE_GAPS.keys()


async def outcome(name: str, rest: Rest) -> str:
    """Return why a check failed, or an empty text."""
    try:
        await CHECKS[name](rest)
    except AssertionError as error:
        return str(error) or f"line {traceback.extract_tb(error.__traceback__)[-1].lineno}"
    return ""


@asynccontextmanager
async def emulator(modules: Path, folder: Path) -> AsyncIterator[str]:
    """Run `emulate` with an empty organisation; end it and wait for its end."""
    port = free_port()
    seed = {
        "tokens": {TOKEN: {"login": "admin", "scopes": ["repo", "admin:org", "delete_repo", "admin:repo_hook"]}},
        "github": {
            "users": [{"login": "admin", "name": "Sample Admin", "email": "admin@acme.example"}],
            "orgs": [{"login": "acme", "name": "Acme", "members": [{"login": "admin", "role": "admin"}]}],
        },
    }
    (folder / "seed.yaml").write_text(yaml.safe_dump(seed))
    process = await asyncio.create_subprocess_exec(
        shutil.which("node") or "node",
        str(modules / "emulate/dist/index.js"),
        *("start", "--service", "github", "--port", str(port), "--seed", str(folder / "seed.yaml")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    url = f"http://localhost:{port}"
    try:
        await announced(url, process)
        yield url
    finally:
        process.terminate()
        await process.communicate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def announced(url: str, process: asyncio.subprocess.Process) -> None:
    """Return when the emulator says where it listens; fail when it ends without having said so."""
    assert process.stdout is not None
    printed = []
    async with asyncio.timeout(START_DEADLINE_S):
        async for line in process.stdout:
            printed.append(line.decode())
            if url in printed[-1]:
                return
    pytest.fail(f"the emulator ended at once: {''.join(printed)[-500:]}")
