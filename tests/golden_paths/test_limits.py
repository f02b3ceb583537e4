from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import pytest

from bot.errors import Invalid, PlatformError
from bot.golden_paths.sandbox import Limits, Sandbox
from tests.golden_paths.helpers import fetch, path_of, run, template

SMALL = Limits(memory=256 * 1024 * 1024, cpu_s=1, wall_s=20.0, max_bytes=200_000, max_files=50)
LOOP = (
    "{% for a in range(100000) %}{% for b in range(100000) %}{% if a == b + 1000000 %}x{% endif %}"
    "{% endfor %}{% endfor %}"
)


def children() -> set[int]:
    """Return the processes that this one has started and that still exist, dead ones nobody waited for included."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, rest = stat.read_text().rpartition(")")
            if int(rest.split()[1]) == os.getpid():
                found.add(int(name.split()[0]))
    return found


@pytest.fixture(autouse=True)
def no_child_is_left() -> object:
    before = children()
    yield
    assert children() - before == set()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (LOOP, "did not come to an end in time"),
        ("{% macro m(n) %}${{ m(n) }}{% endmacro %}${{ m(1) }}", "calls itself too deeply"),
        ("{% for a in range(100000) %}${{ 'x'.repeat(1000) }}{% endfor %}", "grows beyond 200,000 characters"),
        ("${{ 'x' | center(1000000000) }}", "longer than 16,777,216 characters"),
        ("${{ 'x'.repeat(1000000000) }}", "longer than 16,777,216 characters"),
        ("${{ 'x'.padStart(1e9) }}${{ 'x'.padStart(1000000000) }}", "longer than 16,777,216 characters"),
        ("${{ range(1000000000) }}", "more than 100,000 numbers"),
        ("{% set s = 'x' %}{% for i in range(100) %}{% set s = s + s %}{% endfor %}${{ s }}", "longer than 16,777,216"),
        (
            "{% set s = ['x'] %}{% for i in range(100) %}{% set s = [s, s] %}{% endfor %}${{ s }}",
            r"end in time|more memory",
        ),
        ("{% set s = ['x'] %}{% for i in range(100) %}{% set s = s.concat(s) %}{% endfor %}", "more memory"),
        ("${{ " + "[" * 2000 + "]" * 2000 + " }}", "too deeply"),
        ("${{ " + "1+" * 3000 + "1 }}", "too deeply"),
        ("${{ 'a'.b.c() }}", "is not there"),
    ],
)
async def test_a_template_that_takes_too_much_ends_in_one_sentence(content: str, told: str) -> None:
    path = path_of(template(fetch(values={})), {"skeleton/file": content})
    # Where memory is what ends it, a slow machine must not run out of its second first.
    limits = SMALL.model_copy(update={"cpu_s": 60, "wall_s": 120.0}) if told == "more memory" else SMALL
    with pytest.raises(Invalid, match=told) as caught:
        await run(path, limits=limits)
    assert "Traceback" not in str(caught.value)


async def test_a_number_to_a_large_power_is_a_number() -> None:
    path = path_of(
        template(fetch(values={})), {"skeleton/file": "${{ 10**(10**9) }} ${{ 'x' * 10**9 }} ${{ 9**(9**9) }}"}
    )
    [_, file] = (await run(path, limits=SMALL)).files
    assert file.content == b"Infinity NaN Infinity"


async def test_too_many_files_and_too_much_output_are_refused() -> None:
    many = {f"skeleton/{n}": "x" for n in range(60)}
    with pytest.raises(Invalid, match="more than 50 files"):
        await run(path_of(template(fetch(values={})), many), limits=SMALL)
    large = {f"skeleton/{n}": "x" * 50_000 for n in range(5)}
    with pytest.raises(Invalid, match=r"more than 0 MB"):
        await run(path_of(template(fetch(values={})), large), limits=SMALL)


async def test_a_step_that_loops_is_stopped_too() -> None:
    with pytest.raises(Invalid, match="did not come to an end in time"):
        await run(path_of(template({"action": "debug:log", "input": {"message": LOOP}})), limits=SMALL)


async def test_a_child_that_forks_and_hangs_is_killed_with_what_it_started() -> None:
    code = "import os, time\nchild = os.fork()\ntime.sleep(600)"
    async with Sandbox(Limits(wall_s=0.5), command=[sys.executable, "-I", "-c", code]) as sandbox:
        await sandbox.start()
        assert sandbox._spare is not None
        group = sandbox._spare._process.pid
        with pytest.raises(Invalid, match="did not come to an end in time"):
            await sandbox.run(b"", _nothing)
    with pytest.raises(ProcessLookupError):
        await _gone(group)


async def _gone(group: int) -> None:
    """Wait until a killed process group has been reaped by init; raise `ProcessLookupError` then."""
    async with asyncio.timeout(30):
        while True:
            os.killpg(group, 0)
            await asyncio.sleep(0)


@pytest.mark.parametrize("code", ["pass", "import os; os.abort()", "print('not a frame' * 10)", "raise SystemExit(3)"])
async def test_a_child_that_answers_nonsense_or_dies_ends_in_a_sentence(code: str) -> None:
    async with Sandbox(Limits(wall_s=20.0), command=[sys.executable, "-I", "-c", code]) as sandbox:
        with pytest.raises(PlatformError):
            await sandbox.run(b"x" * 1_000_000, _nothing)


async def test_a_cancelled_run_leaves_no_child() -> None:
    path = path_of(template(fetch(values={})), {"skeleton/file": LOOP})
    task = asyncio.create_task(run(path, limits=Limits(cpu_s=60)))
    before = children()
    async with asyncio.timeout(30):
        while children() <= before:  # noqa: ASYNC110 - a process has no event to wait on
            await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_runs_at_the_same_time_do_not_meet() -> None:
    path = path_of(template(fetch(values={"name": "${{ parameters.name }}"})))
    found = await asyncio.gather(*(run(path, {"name": f"n{i}"}) for i in range(6)))
    assert [rendered.files[-1].content for rendered in found] == [f"# n{i}\n".encode() for i in range(6)]


async def test_the_child_can_open_no_file_and_start_no_more_than_it_has() -> None:
    root = str(Path(__file__).parents[2])
    code = (
        f"import sys; sys.path.insert(0, {root!r})\n"
        "from bot.golden_paths.child import limit\nimport resource\n"
        "limit(memory=10**9, cpu_s=5)\n"
        "for name in ('FSIZE', 'NPROC', 'CORE'):\n"
        "    assert resource.getrlimit(getattr(resource, 'RLIMIT_' + name)) == (0, 0), name\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-I", "-c", code)
    assert await process.wait() == 0


async def _nothing(_question: object) -> bytes:
    return b""
