"""Our reading of JavaScript's patterns, held against JavaScript itself."""

from __future__ import annotations

import json
import random
import subprocess

import pytest

from bot.forms.patterns import PatternError, matches
from tests.peers.tools import need

_ASK = """
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map(([pattern, texts]) => {
  try { const made = new RegExp(pattern, "u"); return texts.map((text) => made.test(text)); }
  catch { return null; }
})));
"""

_PIECES = [
    *(
        "a",
        "b",
        "Z",
        "0",
        "-",
        "_",
        " ",
        "ä",
        "😀",
        "^",
        "$",
        "|",
        ".",
        "*",
        "+",
        "?",
        "{2}",
        "{1,2}",
        "{0,}",
        "*?",
        "+?",
    ),
    *("(", "(?:", ")", "(?=", "(?!", "(?<=", "(?<!", "(?<n>", "[", "[^", "]", "a-z", "0-9", r"\d", r"\D", r"\w", r"\W"),
    *(
        r"\s",
        r"\S",
        r"\b",
        r"\B",
        r"\.",
        r"\/",
        r"\-",
        r"\n",
        r"\t",
        r"\u0041",
        r"\u{1F600}",
        r"\x41",
        r"\p{L}",
        r"\P{Lu}",
    ),
]
_TEXTS = [
    "",
    "a",
    "b",
    "ab",
    "aa",
    "A",
    "Z0",
    "a-b",
    "a_b",
    " ",
    "\n",
    "a\n",
    "ä",
    "😀",
    "0",
    "00",
    "a.b",
    "/",
    "-",
    "\u00a0",
]


@pytest.mark.peer("node")
def test_three_thousand_patterns_mean_what_node_says() -> None:
    chance = random.Random(20261123)  # noqa: S311 - the same patterns in every run
    patterns = ["".join(chance.choices(_PIECES, k=chance.randint(1, 8))) for _ in range(3_000)]
    cases = json.dumps([[pattern, _TEXTS] for pattern in patterns])
    ran = subprocess.run(
        [need("node"), "-e", _ASK], input=cases, capture_output=True, text=True, check=True, timeout=120
    )
    accepted = 0
    for pattern, expected in zip(patterns, json.loads(ran.stdout), strict=True):
        if expected is None:
            continue  # JavaScript refuses it with the `u` flag; we are as lenient as pages without it
        accepted += 1
        try:
            found = [matches(pattern, text) for text in _TEXTS]
        except PatternError:
            pytest.fail(f"refused here, not in JavaScript: {pattern!r}")
        assert found == expected, pattern
    assert accepted > 500
