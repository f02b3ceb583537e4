"""Text from outside stays text, whatever it holds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.effects.comment_text import CommentedDatabase, CommentedService, Proved, Told, written
from bot.effects.markdown import NO_SPACE, address, code, plain

hostile = st.text(st.sampled_from(list("`|\\@#<>!-[]()*_&~\n\r\t aG:/w.é\u202e\u200b")), max_size=60)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Sample Author", "Sample Author"),
        ("a\n\n# b", rf"a \#{NO_SPACE} b"),
        ("@acme/admins", rf"\@{NO_SPACE}acme\/admins"),
        ("fixes #12", rf"fixes \#{NO_SPACE}12"),
        ("GH-12", rf"GH{NO_SPACE}-12"),
        ("pr-12-orders, it's up. a.b", r"pr-12-orders, it's up. a\.b"),
        ("- a -- b 1. c", r"\- a \-\- b 1\. c"),
        ("<!-- causeway:preview x -->", r"\<\!\-\- causeway\:preview x \-\-\>"),
        ("[x](https://evil.example)", r"\[x\]\(https\:\/\/evil\.example\)"),
        ("a | b", r"a \| b"),
    ],
)
def test_plain_text_is_nothing_but_text(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(hostile)
def test_plain_text_has_no_markup_that_is_not_escaped(text: str) -> None:
    shown = plain(text)
    assert "\n" not in shown
    bare = re.sub(r"\\.", " ", shown)
    assert not re.search(r"[!-&(-+/:-@\[-`{-~]", bare)
    assert not re.search(r"(?<![A-Za-z0-9])-|-(?![A-Za-z0-9])", bare)
    assert not re.search(r"(?<![A-Za-z])\.|\.(?=\S)", bare)
    assert not re.search(r"[@#][A-Za-z0-9]", shown)


@given(hostile)
def test_code_ends_where_it_ends(text: str) -> None:
    shown = code(text, in_table=True)
    fence = re.match(r"`*", shown)
    assert fence is not None
    inside = shown[len(fence[0]) : len(shown) - len(fence[0])] if fence[0] else ""
    assert fence[0] not in inside or not fence[0]
    assert not re.search(r"(?<!\\)\|", shown)


def test_only_a_plain_address_becomes_a_link() -> None:
    assert address("https://orders.pr-12.example/a") == "<https://orders.pr-12.example/a>"
    for other in ("javascript:alert(1)", "https://a.example/>x", "https://a.example/?q=1", "https://a b"):
        assert address(other).startswith("`")


@given(hostile)
def test_nothing_from_outside_can_add_a_line_or_a_hidden_mark(text: str) -> None:
    told = Told(
        stage="ready",
        by=text,
        head=text,
        services=(CommentedService(name=text, url=text, version=text),),
        databases=(CommentedDatabase(name=text, engine=text, seeded_from=text, masked=text),),
        lines=(text,),
        proofs=(Proved(what=text, proved="yes"),),
    )
    quiet = told.model_copy(
        update={
            "by": "x",
            "head": "x",
            "lines": ("x",) if plain(text) else (),
            "services": (CommentedService(name="x", url="x" if text else "", version="x"),),
            "databases": (CommentedDatabase(name="x", engine="x", seeded_from="x", masked="x"),),
            "proofs": (Proved(what="x", proved="yes"),),
        }
    )
    assert written("pr-1", told).count("\n") == written("pr-1", quiet).count("\n")
    outside_of_code = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", written("pr-1", told))
    assert "<!--" not in outside_of_code
