"""Nothing that we send calls a whole channel, whoever wrote it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.broadcasts import sends, without_broadcasts

CALLS = (
    "<!here>",
    "<!channel>",
    "<!everyone>",
    "<!here|here>",
    "<!CHANNEL|all of you>",
    "<! everyone >",
    "@here",
    "@Channel",
)


def is_loud(value: Any) -> bool:
    text = repr(value).lower()
    return any(mark in text for mark in ("<!", "@here", "@channel", "@everyone", "'broadcast'"))


@pytest.mark.parametrize("call", CALLS)
def test_a_call_becomes_a_word_wherever_it_stands(call: str) -> None:
    said = without_broadcasts(
        {
            "channel": "C1",
            "text": f"a {call} b",
            "blocks": [{"type": "section", "fields": [{"type": "mrkdwn", "text": f"{call} {call}"}]}],
            "metadata": {"event_payload": {"note": call}},
        }
    )
    assert not is_loud(said)
    assert said["channel"] == "C1"
    assert said["text"].startswith("a @")
    assert said["text"].endswith(" b")


def test_rich_text_calls_nobody_either() -> None:
    block = {"type": "rich_text_section", "elements": [{"type": "broadcast", "range": "here"}]}
    assert not is_loud(without_broadcasts({"blocks": [block]}))


def test_what_calls_nobody_stays_as_it_is() -> None:
    said = {
        "address": "https://x.example/@here",
        "text": "<@U1> in <#C1>: <https://x.example|here>, `git@here.example`, <!date^1^{date}|then>, &lt;!here&gt;",
        "unfurl_links": False,
        "count": 3,
        "blocks": None,
    }
    assert without_broadcasts(said) == said


@given(st.lists(st.sampled_from(["<", "!", "here", "channel", ">", "|", "@", " ", "x", "everyone"]), max_size=12))
def test_no_combination_of_pieces_calls_anybody(pieces: list[str]) -> None:
    said = without_broadcasts("".join(pieces))
    assert not re.search(r"(?<![\w/])@(here|channel|everyone)\b", said)
    assert not any(f"<!{name}>" in said for name in ("here", "channel", "everyone"))
    assert without_broadcasts(said) == said


def test_only_what_reaches_a_conversation_is_looked_at() -> None:
    assert all(map(sends, ("chat.postMessage", "chat.update", "chat.postEphemeral", "files.completeUploadExternal")))
    assert not any(map(sends, ("views.open", "users.info", "conversations.history")))
