"""The words of LogQL and TraceQL: both are cut into tokens alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

UNITS_S = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
}
_UNIT = "ns|us|µs|ms|[smhdw]"
_SPAN = re.compile(rf"(\d+(?:\.\d+)?)({_UNIT})")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_FLAGS = re.compile(r"\(\?([ims]+)\)")
_NOT_RE2 = re.compile(r"\(\?(?:[=!]|<[=!]|>)|\\[1-9]|[*+?}]\+")


class ParseError(ValueError):
    """The text is none of the language, or of a part of it that is not played here; the message says where."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    """`string`, `duration`, `number`, `name`, `sign` or `end`."""
    text: str
    """Of a string: what it means."""
    line: int
    column: int


class Words:
    """The tokens of a text, read from left to right. `name` is how a name looks, `signs` are all others."""

    def __init__(self, text: str, *, name: str, signs: Sequence[str], comment: str = "#") -> None:
        alternatives = "|".join(re.escape(sign) for sign in sorted(signs, key=len, reverse=True))
        self._pattern = re.compile(
            rf"(?P<blank>\s+|{comment}[^\n]*)"
            r'|(?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)'
            rf"|(?P<duration>(?:\d+(?:\.\d+)?(?:{_UNIT}))+)(?![\w.])"
            r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w])"
            rf"|(?P<name>{name})"
            rf"|(?P<sign>{alternatives})"
        )
        self._tokens = list(self._cut(text))
        self._at = 0

    def _cut(self, text: str) -> list[Token]:
        found: list[Token] = []
        at = 0
        while at < len(text):
            line, column = text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1
            match = self._pattern.match(text, at)
            if match is None:
                raise ParseError(f"parse error at line {line}, col {column}: syntax error: unexpected {text[at]!r}")
            kind = str(match.lastgroup)
            if kind != "blank":
                word = _meant(match[0], line, column) if kind == "string" else match[0]
                found.append(Token(kind, word, line, column))
            at = match.end()
        line, column = text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1
        return [*found, Token("end", "$end", line, column)]

    @property
    def now(self) -> Token:
        return self._tokens[self._at]

    @property
    def after(self) -> Token:
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    def next(self) -> Token:
        token = self.now
        self._at += token.kind != "end"
        return token

    def is_sign(self, *signs: str) -> bool:
        return self.now.kind == "sign" and self.now.text in signs

    def is_name(self, *names: str) -> bool:
        return self.now.kind == "name" and self.now.text in names

    def take(self, *texts: str) -> bool:
        """Go past this sign or name, if it is here."""
        here = self.now.kind in {"sign", "name"} and self.now.text in texts
        self._at += here
        return here

    def expect(self, *texts: str) -> Token:
        if self.now.kind not in {"sign", "name"} or self.now.text not in texts:
            raise self.error(f"unexpected {self.now.text}, expecting {' or '.join(texts)}")
        return self.next()

    def expect_kind(self, kind: str) -> Token:
        if self.now.kind != kind:
            raise self.error(f"unexpected {self.now.text}, expecting {kind}")
        return self.next()

    def error(self, why: str, token: Token | None = None) -> ParseError:
        at = token or self.now
        return ParseError(f"parse error at line {at.line}, col {at.column}: syntax error: {why}")

    def not_played(self, what: str) -> ParseError:
        """Return the refusal of what the real system knows and this one does not: better than a wrong answer."""
        where = f"line {self.now.line}, col {self.now.column}"
        return ParseError(f"parse error at {where}: {what} is not supported by the playground")


def _meant(written: str, line: int, column: int) -> str:
    if written.startswith("`"):
        return written[1:-1]

    def sign(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        if code:
            return chr(int(code, 16))
        if match[4] not in _ESCAPES:
            raise ParseError(f"parse error at line {line}, col {column}: invalid char escape")
        return _ESCAPES[match[4]]

    return _ESCAPE.sub(sign, written[1:-1])


def span_s(text: str) -> float:
    """Return the seconds that `1h30m` is."""
    return sum(float(number) * UNITS_S[unit] for number, unit in _SPAN.findall(text))


def expression(text: str) -> re.Pattern[str]:
    """Compile a regular expression as RE2 has them. Raise `ParseError` for what RE2 refuses."""
    flags = _FLAGS.match(text)
    rest = text[flags.end() :] if flags else text
    found = 0
    for letter in flags[1] if flags else "":
        found |= {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}[letter]
    if (strange := _NOT_RE2.search(rest)) is not None:
        raise ParseError(f"error parsing regexp: invalid or unsupported Perl syntax: `{strange[0]}`")
    try:
        return re.compile(rest, found)
    except re.error as error:
        raise ParseError(f"error parsing regexp: {error}: `{text}`") from error
