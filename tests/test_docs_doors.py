"""The guides name every path of the server, every command and every program, and nothing else."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from bot.cli import _parser
from bot.http.api import Api
from bot.http.openapi import describe
from bot.http.probes import Probes
from bot.http.webhooks import GitHubWebhooks
from bot.intake import Registry
from bot.slack.edge import Edge
from bot.slack.registry import Found, Help
from bot.slack.registry import Registry as Spoken
from commands import COMMANDS
from tests.guides import PAGES, code, rows

SPOKEN = Spoken(COMMANDS)
SLASHES = tuple(f"/{noun} " for noun in SPOKEN.nouns)


# --- HTTP


def served() -> set[str]:
    """Method and path of everything that the server answers."""
    any_: Any = None  # which routes there are hangs on nothing that a room is given
    rooms: list[Any] = [
        Api(registry=any_, operations=any_, tokens=any_, clock=any_, explain=any_, answer=any_),
        Probes({}, CollectorRegistry()),
        object.__new__(GitHubWebhooks),
        object.__new__(Edge),
    ]
    routes: list[web.RouteDef] = [route for room in rooms for route in room.routes()]
    return {f"{route.method} {route.path}" for route in routes}


def test_every_path_of_the_server_is_in_the_guide_and_nothing_else() -> None:
    named = [code(row[0])[0] for row in rows("doors.md")]
    assert {call for call in named if call.startswith(("GET /", "POST /"))} == served()


def test_the_description_for_programs_has_every_path_of_the_api() -> None:
    described = {
        f"{method.upper()} /api/v1{'/requests/{command}' if path.startswith('/requests/') else path}"
        for path, methods in describe(Registry(COMMANDS))["paths"].items()
        for method in methods
    }
    assert described == {call for call in served() if " /api/" in call} - {"GET /api/v1/openapi.json"}


# --- Slack


def test_every_command_is_in_the_guides_as_it_is_typed_and_no_other_is() -> None:
    pages = ("alerts.md", "databases.md", "day-two.md", "doors.md", "health.md", "notifications.md", "previews.md")
    named = [code(row[0])[0] for page in pages for row in rows(page)]
    typed = [f"{SPOKEN.line(command.name)} {command.usage}".strip() for command in COMMANDS]
    assert sorted(name for name in named if name.startswith(SLASHES)) == sorted(typed)


def lines_to_type() -> list[str]:
    """Lines for Slack that a page gives: those that stand alone, and those in a sentence that are no pattern."""
    found = []
    for page in PAGES:
        prose = re.sub(r"^ *```.*?^ *```$|^\|.*?$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        alone = re.findall(r"^    (/\S+ .+)$", prose, re.MULTILINE)
        within = [line.replace("\n", " ") for line in re.findall(r"`(/[a-z]+\s[^`]+)`", prose)]
        found += [line for line in (*alone, *within) if line.startswith(SLASHES) and not re.search(r"[<…]", line)]
    return found


def test_there_are_lines_to_type_in_the_guides() -> None:
    words = {" ".join(line.split()[:2]) for line in lines_to_type()}
    assert words >= {"/service create", "/service deploy", "/service rollback", "/service freeze", "/service scale"}


@pytest.mark.parametrize("line", sorted(set(lines_to_type())))
def test_a_line_to_type_is_understood(line: str) -> None:
    slash, *words = line.split()
    found = SPOKEN.find(slash, words)
    assert isinstance(found, (Found, Help))
    # A command that stands alone in a sentence is only named.
    if isinstance(found, Found) and found.command.parse is not None and found.words:
        found.command.parse(found.words)


# --- the shell


def programs(parser: argparse.ArgumentParser, name: str = "causeway") -> Iterator[tuple[str, set[str]]]:
    """What the program can do → its options."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        options = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
        yield name, options - {"--help"}
    for action in below:
        for word, inner in action.choices.items():
            yield from programs(inner, f"{name} {word}")


def test_every_program_is_in_the_guide_with_its_options_and_nothing_else() -> None:
    told = {code(row[0])[0]: set(code(row[2])) for row in rows("doors.md") if row[0].startswith("`causeway ")}
    assert told == dict(programs(_parser()))
