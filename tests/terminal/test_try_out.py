from __future__ import annotations

from bot.terminal.try_out import _welcome


def test_the_greeting_says_where_the_page_is_and_how_a_second_terminal_asks() -> None:
    ready = {
        "page": "http://127.0.0.1:1",
        "bot": "http://127.0.0.1:2",
        "github": "http://127.0.0.1:3",
        "data_dir": "place",
        "api_tokens": {"author": "cwy_1"},
    }
    greeting = _welcome(ready)
    assert "ready: http://127.0.0.1:1\n" in greeting
    assert "CAUSEWAY_TOKEN=cwy_1\n" in greeting
    assert "--server http://127.0.0.1:2\n" in greeting
