"""JavaScript's regular expressions, as JSON Schema uses them, matched without backtracking.

A template's author writes the pattern for Backstage, anybody in the company writes the text. Python's `re` reads the
language differently (`$`, `\\d`, named groups) and can be made to run for ever; so the pattern is parsed by its own
grammar (ECMAScript with the `u` flag, and the lenient `{`, `]` and `-` of old pages) and run as a state machine: the
time grows with the length of text and pattern, never exponentially. Back references are refused by name: they need
backtracking.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

STATES = 3_000
"""Largest machine: `{1,1000}` of something long would only cost memory and time."""

DEPTH = 40
"""Deepest nesting of groups."""

_LINE_ENDS = frozenset("\n\r\u2028\u2029")
_SPACE = frozenset("\t\n\v\f\r \u00a0\ufeff\u1680\u2028\u2029\u202f\u205f\u3000") | {
    chr(c) for c in range(0x2000, 0x200B)
}
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_DIGIT = frozenset("0123456789")
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "0": "\0"}

Member = Callable[[str], bool]
"""Says whether one character belongs."""

Wire = Callable[["_Machine", int], int]
"""Adds states that lead to the given state; returns the first of them."""


class PatternError(ValueError):
    """The pattern is wrong, or uses what is not supported; the text says which."""


@dataclass(frozen=True, slots=True)
class _Char:
    member: Member
    then: int


@dataclass(slots=True)
class _Split:
    then: list[int]


@dataclass(frozen=True, slots=True)
class _At:
    """Goes on only where `test(text, position)` holds."""

    test: Callable[[str, int], bool]
    then: int


@dataclass(slots=True)
class _Machine:
    states: list[_Char | _Split | _At | None] = field(default_factory=lambda: [None])
    """State 0, None, is the accepting one."""
    start: int = 0
    copies: int = 0

    def copy(self) -> None:
        """Count one more copy of something repeated; even copies of nothing cost time."""
        self.copies += 1
        if self.copies > STATES:
            raise PatternError("it is too large: use smaller repeat counts")

    def add(self, state: _Char | _Split | _At) -> int:
        if len(self.states) >= STATES:
            raise PatternError("it is too large: use smaller repeat counts")
        self.states.append(state)
        return len(self.states) - 1

    def accepts(self, text: str, begin: int, end: int, *, anywhere: bool, exactly: bool) -> bool:
        """Return whether a match starts at `begin` (`anywhere`: or later) and ends by `end` (`exactly`: there)."""
        now: set[int] = set()
        for position in range(begin, end + 1):
            if position == begin or anywhere:
                now.add(self.start)
            now = self._closure(now, text, position)
            if 0 in now and (not exactly or position == end):
                return True
            if position < end:
                now = self._step(now, text[position])
                if not now and not anywhere:
                    return False
        return False

    def _step(self, now: set[int], character: str) -> set[int]:
        states = self.states
        return {s.then for i in now if isinstance(s := states[i], _Char) and s.member(character)}

    def _closure(self, now: set[int], text: str, position: int) -> set[int]:
        seen: set[int] = set()
        todo = list(now)
        while todo:
            index = todo.pop()
            if index in seen:
                continue
            seen.add(index)
            state = self.states[index]
            if isinstance(state, _Split):
                todo.extend(state.then)
            elif isinstance(state, _At) and state.test(text, position):
                todo.append(state.then)
        return seen


def check(pattern: str) -> None:
    """Raise `PatternError` for a pattern that cannot be used."""
    _machine(pattern)


def matches(pattern: str, text: str) -> bool:
    """Return whether JavaScript's `new RegExp(pattern, "u").test(text)` would be true."""
    return _machine(pattern).accepts(text, 0, len(text), anywhere=True, exactly=False)


@lru_cache(maxsize=512)
def _machine(pattern: str) -> _Machine:
    parser = _Parser(pattern)
    wire = parser.alternatives()
    if parser.at < len(pattern):
        raise PatternError("there is a `)` without its `(`")
    return _build(wire)


def _build(wire: Wire) -> _Machine:
    machine = _Machine()
    machine.start = wire(machine, 0)
    return machine


# --- How pieces are wired --------------------------------------------------------------------------------------------


def _one(member: Member) -> Wire:
    return lambda machine, then: machine.add(_Char(member, then))


def _assert(test: Callable[[str, int], bool]) -> Wire:
    return lambda machine, then: machine.add(_At(test, then))


def _sequence(parts: list[Wire]) -> Wire:
    def wire(machine: _Machine, then: int) -> int:
        for part in reversed(parts):
            then = part(machine, then)
        return then

    return wire


def _either(parts: list[Wire]) -> Wire:
    return lambda machine, then: machine.add(_Split([part(machine, then) for part in parts]))


def _repeat(part: Wire, least: int, most: int | None) -> Wire:
    def wire(machine: _Machine, then: int) -> int:
        if most is None:
            loop = _Split([then])
            then = machine.add(loop)
            loop.then.append(part(machine, then))
        for _ in range(0 if most is None else most - least):
            machine.copy()
            then = machine.add(_Split([then, part(machine, then)]))
        for _ in range(least):
            machine.copy()
            then = part(machine, then)
        return then

    return wire


def _look(inner: Wire, *, behind: bool, negated: bool) -> Wire:
    machine = _build(inner)

    def ahead(text: str, position: int) -> bool:
        return machine.accepts(text, position, len(text), anywhere=False, exactly=False) is not negated

    def back(text: str, position: int) -> bool:
        return machine.accepts(text, 0, position, anywhere=True, exactly=True) is not negated

    return _assert(back if behind else ahead)


def _at_word_edge(text: str, position: int) -> bool:
    before = position > 0 and text[position - 1] in _WORD
    after = position < len(text) and text[position] in _WORD
    return before is not after


# --- The grammar -----------------------------------------------------------------------------------------------------


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.depth = 0

    def peek(self, text: str) -> bool:
        return self.pattern.startswith(text, self.at)

    def take(self, text: str) -> bool:
        if not self.peek(text):
            return False
        self.at += len(text)
        return True

    def next(self, what: str) -> str:
        if self.at >= len(self.pattern):
            raise PatternError(f"it ends in the middle of {what}")
        self.at += 1
        return self.pattern[self.at - 1]

    def alternatives(self) -> Wire:
        self.depth += 1
        if self.depth > DEPTH:
            raise PatternError("its groups are nested too deeply")
        parts = [self.sequence()]
        while self.take("|"):
            parts.append(self.sequence())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else _either(parts)

    def sequence(self) -> Wire:
        parts: list[Wire] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            parts.append(self.term())
        return _sequence(parts)

    def term(self) -> Wire:
        if self.take("^"):
            return _assert(lambda _text, position: position == 0)
        if self.take("$"):
            return _assert(lambda text, position: position == len(text))
        if self.take("\\b"):
            return _assert(_at_word_edge)
        if self.take("\\B"):
            return _assert(lambda text, position: not _at_word_edge(text, position))
        for sign, behind, negated in (
            ("?=", False, False),
            ("?!", False, True),
            ("?<=", True, False),
            ("?<!", True, True),
        ):
            if self.take(f"({sign}"):
                return _look(self.closed(), behind=behind, negated=negated)
        return self.quantified(self.atom())

    def closed(self) -> Wire:
        inner = self.alternatives()
        if not self.take(")"):
            raise PatternError("there is a `(` without its `)`")
        return inner

    def atom(self) -> Wire:
        character = self.next("a pattern")
        match character:
            case "(":
                return self.group()
            case ".":
                return _one(lambda c: c not in _LINE_ENDS)
            case "[":
                return _one(self.character_class())
            case "\\":
                return _one(self.escape())
            case "*" | "+" | "?":
                raise PatternError(f"there is nothing before `{character}` to repeat")
            case _:
                return _one(character.__eq__)

    def group(self) -> Wire:
        if self.take("?<"):
            name = self.pattern[self.at :].partition(">")[0]
            self.at += len(name) + 1
            if not name.isidentifier():
                raise PatternError(f"`{name}` cannot name a group")
        elif self.peek("?") and not self.take("?:"):
            raise PatternError(f"the group `({self.pattern[self.at : self.at + 2]}` is not JavaScript")
        return self.closed()

    def quantified(self, part: Wire) -> Wire:
        bounds = self.bounds()
        if bounds is None:
            return part
        self.take("?")  # a lazy repeat matches the same texts
        least, most = bounds
        if most is not None and most < least:
            raise PatternError(f"the repeat count `{{{least},{most}}}` is upside down")
        if max(least, most or 0) > STATES:
            raise PatternError("it is too large: use smaller repeat counts")
        return _repeat(part, least, most)

    def bounds(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.take(sign):
                return bounds
        inside, closing, _ = self.pattern[self.at + 1 :].partition("}") if self.peek("{") else ("", "", "")
        least, comma, most = inside.partition(",")
        if not closing or not _is_number(least) or (most and not _is_number(most)):
            return None
        self.at += len(inside) + 2
        return int(least), (int(most) if most else None) if comma else int(least)

    def escape(self) -> Member:
        """Return what an escape outside of a class matches."""
        member = self.class_escape()
        if member is not None:
            return member
        if self.peek("k") or (self.at < len(self.pattern) and self.pattern[self.at] in "123456789"):
            raise PatternError("back references such as `\\1` are not supported")
        return self.escaped_character().__eq__

    def class_escape(self) -> Member | None:
        """Return the set behind `\\d`, `\\W`, `\\p{L}` and the like, or None where no such escape stands."""
        letter = self.pattern[self.at : self.at + 1]
        if letter and letter.lower() in _CLASSES:
            self.at += 1
            members = _CLASSES[letter.lower()]
            return (lambda c: c not in members) if letter.isupper() else members.__contains__
        if letter in ("p", "P") and letter:
            self.at += 1
            return self.category(negated=letter == "P")
        return None

    def category(self, *, negated: bool) -> Member:
        name = self.pattern[self.at + 1 :].partition("}")[0] if self.peek("{") else ""
        short = {"Letter": "L", "Number": "N", "Punctuation": "P", "Lowercase_Letter": "Ll", "Uppercase_Letter": "Lu"}
        wanted = short.get(name, name)
        if wanted not in _CATEGORIES:
            raise PatternError(f"the character property `\\p{{{name}}}` is not supported")
        self.at += len(name) + 2
        return lambda c: unicodedata.category(c).startswith(wanted) is not negated

    def escaped_character(self) -> str:
        character = self.next("an escape")
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character in "xu":
            return self.hexadecimal(2 if character == "x" else 4)
        if character == "c":
            return chr(ord(self.next("an escape")) % 32)
        if character.isascii() and character.isalnum():
            raise PatternError(f"the escape `\\{character}` is not JavaScript")
        return character

    def hexadecimal(self, digits: int) -> str:
        if digits == 4 and self.take("{"):
            text = self.pattern[self.at :].partition("}")[0]
            self.at += len(text) + 1
        else:
            text = self.pattern[self.at : self.at + digits]
            self.at += digits
        try:
            return chr(int(text, 16)) if len(text) >= min(digits, 1) else ""
        except (ValueError, OverflowError):
            raise PatternError(f"`{text}` is not the number of a character") from None

    def character_class(self) -> Member:
        negated = self.take("^")
        singles: set[str] = set()
        ranges: list[tuple[str, str]] = []
        sets: list[Member] = []
        while not self.take("]"):
            low = self.class_atom()
            if callable(low):
                sets.append(low)
            elif self.peek("-") and not self.peek("-]"):
                self.take("-")
                self.range_or_parts(low, singles, ranges, sets)
            else:
                singles.add(low)
        return _membership(frozenset(singles), tuple(ranges), tuple(sets), negated=negated)

    def range_or_parts(self, low: str, singles: set[str], ranges: list[tuple[str, str]], sets: list[Member]) -> None:
        high = self.class_atom()
        if callable(high):  # `[a-\d]`: three members, as old pages allow
            singles.update((low, "-"))
            sets.append(high)
        elif high < low:
            raise PatternError(f"the range `{low}-{high}` is upside down")
        else:
            ranges.append((low, high))

    def class_atom(self) -> str | Member:
        character = self.next("a `[…]`")
        if character != "\\":
            return character
        member = self.class_escape()
        if member is not None:
            return member
        if self.take("b"):
            return "\b"
        return self.escaped_character()


def _membership(
    singles: frozenset[str], ranges: tuple[tuple[str, str], ...], sets: tuple[Member, ...], *, negated: bool
) -> Member:
    def member(character: str) -> bool:
        inside = (
            character in singles
            or any(low <= character <= high for low, high in ranges)
            or any(belongs(character) for belongs in sets)
        )
        return inside is not negated

    return member


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6


_CATEGORIES = frozenset(
    "L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp".split()  # noqa: SIM905 - reads better
)
