"""Which command a person means: `/service create x`, `/idp service create x` and `@Causeway service create x` alike."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.command import AnyCommand

ROOT = "idp"
SHORTHANDS = ("service", "database", "preview", "health")
"""First words that have a slash command of their own, once a command begins with them."""
HELP = "help"


@dataclass(frozen=True, slots=True)
class Found:
    command: AnyCommand
    words: tuple[str, ...]
    """What was typed after the command."""


@dataclass(frozen=True, slots=True)
class Help:
    """Show what is possible; `noun` narrows it down to one group of commands."""

    noun: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    typed: str
    suggestion: str
    """A line to paste, or an empty text."""


class Registry:
    """All commands that are built, found by their words."""

    def __init__(self, commands: Iterable[AnyCommand], prefix: str = "") -> None:
        """`prefix` stands before every slash command: `acme-` makes `/acme-service`."""
        self.prefix = prefix.strip("/")
        self._by_name = {command.name: command for command in commands}
        self._nouns = {name.partition(".")[0] for name in self._by_name}
        self._spoken = {name.replace(".", " "): name for name in self._by_name}

    @property
    def commands(self) -> tuple[AnyCommand, ...]:
        return tuple(self._by_name.values())

    @property
    def nouns(self) -> tuple[str, ...]:
        """Slash commands without prefix: the root, then the shorthands that lead somewhere."""
        return (ROOT, *(noun for noun in SHORTHANDS if noun in self._nouns))

    def get(self, name: str) -> AnyCommand | None:
        return self._by_name.get(name)

    def slash(self, noun: str) -> str:
        return f"/{self.prefix}{noun}"

    def line(self, name: str) -> str:
        """Return how the command is typed: `/service create`."""
        noun, _, rest = name.partition(".")
        words = f"{noun} {rest}".replace(".", " ").strip()
        return f"{self.slash('')}{words}" if noun in self.nouns else f"{self.slash(ROOT)} {words}"

    def find(self, slash: str, words: Sequence[str]) -> Found | Help | Unknown:
        """`slash` is the slash command as typed; an empty text stands for a mention of the bot."""
        noun = slash.lower().removeprefix("/").removeprefix(self.prefix)
        path = [*words] if noun in ("", ROOT) else [noun, *words]
        if not noun and path:
            path[0] = path[0].lower().removeprefix("/").removeprefix(self.prefix)
            path = path[1:] if path[0] == ROOT else path
        return self._look_up(path)

    def _look_up(self, path: list[str]) -> Found | Help | Unknown:
        for length in range(min(3, len(path)), 0, -1):
            command = self._by_name.get(".".join(path[:length]).lower())
            if command is not None and HELP not in [word.lower() for word in path[length : length + 1]]:
                return Found(command, tuple(path[length:]))
        lowered = [word.lower() for word in path]
        if not path or lowered[0] == HELP:
            return Help(lowered[1] if lowered[1:] and lowered[1] in self._nouns else "")
        if lowered[0] in self._nouns and (len(path) == 1 or lowered[1] == HELP or lowered[2:3] == [HELP]):
            return Help(lowered[0])
        return Unknown(shlex.join(path[:3]), self._nearest(path))

    def _nearest(self, path: list[str]) -> str:
        typed = [word.lower() for word in path]
        for length in (2, 1, 3):
            near = difflib.get_close_matches(" ".join(typed[:length]), self._spoken, n=1, cutoff=0.6)
            if near:
                return " ".join([self.line(self._spoken[near[0]]), *map(_quoted, path[length:])])
        return ""


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word
