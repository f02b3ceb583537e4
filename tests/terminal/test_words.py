"""Words of the command line that outside programs rely on."""

from __future__ import annotations

import pytest

from bot.cli import _parser


@pytest.mark.parametrize(
    "words", [["--bot-url", "http://a", "http://b"], ["--bot-url", "http://a", "--bot-url", "http://b"]]
)
def test_several_bots_may_be_named_at_once_or_one_by_one(words: list[str]) -> None:
    arguments = _parser().parse_args(["playground", "--peers-only", *words])
    assert arguments.bot_url == ["http://a", "http://b"]


def test_everything_that_the_playground_promises_is_understood() -> None:
    words = (
        "--port 0 --headless --json --data-dir d --seed 7 --config c.yaml --socket-mode --database-url sqlite:///x.db"
    )
    arguments = _parser().parse_args(["playground", *words.split()])
    assert (arguments.port, arguments.seed, arguments.json, arguments.socket_mode) == (0, 7, True, True)
