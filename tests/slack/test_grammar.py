from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.slack.grammar import MAX_TEXT, without_mention, words
from bot.slack.registry import Found, Help, Registry, Unknown
from tests.fakes.slack_inbound import query, sample_commands
from tests.fuzz import examples

EXAMPLES = examples(300)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("create orders", ["create", "orders"]),
        ('create "Order Service" --dry', ["create", "Order Service", "--dry"]),
        ("create “Order Service”", ["create", "Order Service"]),
        ("it's fine", ["it's", "fine"]),
        ("a &amp;&amp; b &lt;c&gt;", ["a", "&&", "b", "<c>"]),
        ("owner <@U123|sample author> in <#C1|general>", ["owner", "<@U123>", "in", "<#C1>"]),
        ("docs <https://a.example/x?y=1&amp;z=2|a.example/x>", ["docs", "https://a.example/x?y=1&z=2"]),
        ("mail <mailto:a@acme.example|a@acme.example>", ["mail", "a@acme.example"]),
        ("list —all", ["list", "--all"]),
        ("", []),
    ],
)
def test_words_are_read_as_people_mean_them(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_marks_that_turn_the_reading_direction_are_dropped() -> None:
    assert words("create \u202eevil\x00") == ["create", "evil"]


def test_a_text_nobody_types_is_refused_with_its_length() -> None:
    with pytest.raises(UsageError, match="10000 characters"):
        words("x" * 10_000)


def test_the_mention_a_message_begins_with_is_not_part_of_the_command() -> None:
    assert words(without_mention("<@U0CAUSEWAY1> service list <@U123>")) == ["service", "list", "<@U123>"]


@given(st.text(max_size=MAX_TEXT + 10), st.sampled_from(["/service", "/idp", "", "/SERVICE", "/x"]))
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_text_is_understood_or_answered(text: str, slash: str) -> None:
    registry = Registry(sample_commands())
    if len(text) > MAX_TEXT:
        with pytest.raises(UsageError):
            words(text)
        return
    assert isinstance(registry.find(slash, words(text)), Found | Help | Unknown)


# --- Which command is meant -----------------------------------------------------------------------------------------


def find(slash: str, text: str, prefix: str = "") -> Found | Help | Unknown:
    return Registry(sample_commands(), prefix).find(slash, words(text))


@pytest.mark.parametrize(
    ("slash", "text"),
    [
        ("/service", "create x"),
        ("/idp", "service create x"),
        ("", "service create x"),
        ("", "idp service create x"),
        ("", "/service create x"),
        ("/service", "CREATE x"),
    ],
)
def test_every_way_to_say_it_reaches_the_same_command(slash: str, text: str) -> None:
    found = find(slash, text)
    assert isinstance(found, Found)
    assert (found.command.name, found.words) == ("service.create", ("x",))


def test_a_prefix_is_taken_off() -> None:
    assert isinstance(find("/acme-service", "list", "acme-"), Found)
    assert isinstance(find("/acme-idp", "catalog", "acme-"), Found)


@pytest.mark.parametrize(
    ("slash", "text", "noun"),
    [
        ("/idp", "", ""),
        ("/idp", "help", ""),
        ("/service", "", "service"),
        ("/service", "help", "service"),
        ("/idp", "help service", "service"),
        ("/service", "create help", "service"),
        ("", "", ""),
    ],
)
def test_help_is_given_where_it_is_asked_for(slash: str, text: str, noun: str) -> None:
    assert find(slash, text) == Help(noun)


@pytest.mark.parametrize(
    ("slash", "text", "line"),
    [
        ("/service", "craete orders", "/service create orders"),
        ("/idp", "servise list", "/service list"),
        ("/idp", "catlog", "/idp catalog"),
        ("/service", 'creat "two words"', '/service create "two words"'),
        ("/idp", "xyzzy", ""),
    ],
)
def test_an_unknown_word_is_answered_with_the_nearest_line_to_paste(slash: str, text: str, line: str) -> None:
    found = find(slash, text)
    assert isinstance(found, Unknown)
    assert found.suggestion == line


def test_a_shorthand_exists_only_for_what_is_built() -> None:
    assert Registry(sample_commands()).nouns == ("idp", "service")


@pytest.mark.parametrize(
    ("slash", "text", "name", "rest"),
    [
        ("/health", "", "health", ()),
        ("/health", "orders-api production", "health", ("orders-api", "production")),
        ("/health", "why orders-api", "health.why", ("orders-api",)),
        ("/health", "Team", "health.team", ()),
        ("/idp", "health", "health", ()),
        ("/idp", "health why", "health.why", ()),
        ("", "health orders-api", "health", ("orders-api",)),
    ],
)
def test_a_shorthand_may_be_a_command_by_itself(slash: str, text: str, name: str, rest: tuple[str, ...]) -> None:
    registry = Registry([query("health", "Is it well?"), query("health.why", "Why?"), query("health.team", "All")])
    found = registry.find(slash, words(text))
    assert isinstance(found, Found)
    assert (found.command.name, found.words) == (name, rest)
    assert registry.line("health") == "/health"
    assert registry.line("health.why") == "/health why"
    assert registry.find("/health", ["help"]) == Help("health")
