"""What is different between two releases, in words: commits, settings, migrations, and every line of the objects."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping

from bot.model.canonical import JSON
from bot.model.credentials import HIDDEN, holds_credential, without_credentials
from bot.model.plan import Detail
from bot.ports import Comparison
from bot.releases.versions import is_migration
from bot.rendering.delivery import Change, Standing

COMMITS_SHOWN = 5
SETTINGS_SHOWN = 8
MIGRATIONS_SHOWN = 3
_VALUE = 60
"""Longest value of a setting that a line shows, in characters."""
_NAME = re.compile(r"\s*- name: [\"']?(\w+)[\"']?")
_VALUE_LINE = re.compile(r"(\s*value: )(.+)")


def commits(comparison: Comparison | None) -> tuple[str, ...]:
    """Return what comes with it, newest first, and what is taken away when it goes back."""
    if comparison is None:
        return ()
    lines: list[str] = []
    if comparison.ahead:
        lines.append(f"Brings {_count(comparison.ahead, 'commit')}:")
        newest = list(reversed(comparison.commits))[:COMMITS_SHOWN]
        lines += [f"• {one.sha[:7]} {_title(one.message)} ({one.author})" for one in newest]
        if comparison.ahead > len(newest):
            lines.append(f"• and {comparison.ahead - len(newest)} more")
    if comparison.behind:
        lines.append(f"Takes away {_count(comparison.behind, 'commit')}.")
    return tuple(lines)


def migrations(comparison: Comparison | None) -> tuple[str, ...]:
    """Return the files that change a database's schema: going back may not be as easy as going forward."""
    if comparison is None:
        return ()
    touched = [file.path for file in comparison.files if is_migration(file.path)]
    if not touched:
        return ()
    more = f" and {len(touched) - MIGRATIONS_SHOWN} more" if len(touched) > MIGRATIONS_SHOWN else ""
    return (f"Database migrations are touched: {', '.join(touched[:MIGRATIONS_SHOWN])}{more}.",)


def settings(before: Mapping[str, JSON], after: Mapping[str, JSON]) -> tuple[str, ...]:
    """Return each setting of the platform document that differs: `replicas: 2 → 3`."""
    old, new = dict(_flat(before.get("spec"))), dict(_flat(after.get("spec")))
    lines = [
        f"• {path}: {_shown(path, old.get(path))} → {_shown(path, new.get(path))}"
        for path in sorted({*old, *new})
        if old.get(path) != new.get(path) and path != "image"
    ]
    if not lines:
        return ()
    more = [f"• and {len(lines) - SETTINGS_SHOWN} more"] if len(lines) > SETTINGS_SHOWN else []
    return ("Settings that change:", *lines[:SETTINGS_SHOWN], *more)


def files(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Detail, ...]:
    """Return a unified diff of each file that differs, as Git would show it."""
    details = []
    for name in sorted({*before, *after}):
        old, new = before.get(name, ""), after.get(name, "")
        if old == new:
            continue
        source, target = (f"a/{name}" if old else "/dev/null"), (f"b/{name}" if new else "/dev/null")
        lines = difflib.unified_diff(_hidden(old), _hidden(new), source, target, lineterm="")
        details.append(Detail(title=name, text="\n".join(lines)))
    return tuple(details)


def delivered(standing: Standing, change: Change) -> tuple[Detail, ...]:
    """Return every line of what is delivered that differs, of the service's folder and of what stands beside it."""
    touched = {*change.beside, *change.removed}
    beside = {path: text for path, text in standing.beside.items() if path in touched}
    return files({**standing.files, **beside}, {**change.files, **change.beside})


def _flat(value: JSON, path: str = "") -> Iterator[tuple[str, JSON]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else key)
    elif path:
        yield path, value


def _shown(path: str, value: JSON) -> str:
    if value is None:
        return "(not set)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if holds_credential(path.rpartition(".")[2], text):
        return HIDDEN
    return text if len(text) <= _VALUE else f"{text[:_VALUE]}…"


def _hidden(text: str) -> list[str]:
    """Return the lines of an object's file without the values of variables that hold a credential."""
    lines = without_credentials(text).splitlines()
    for number, line in enumerate(lines[1:], start=1):
        name, value = _NAME.fullmatch(lines[number - 1]), _VALUE_LINE.fullmatch(line)
        if name and value and holds_credential(name[1], value[2].strip("\"'")):
            lines[number] = f"{value[1]}{HIDDEN}"
    return lines


def _title(message: str) -> str:
    return message.partition("\n")[0][:100]


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
