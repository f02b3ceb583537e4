"""What a person reads of an error."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, Field, ValidationError

from bot.errors import LONGEST_LINE, MOST_LINES, Invalid, Mistake, Refused, UpstreamUnavailable, plainly


def test_every_mistake_is_told_with_its_path() -> None:
    mistakes = [Mistake("spec.replicas", "is a text; write `3`"), Mistake("", "the file is no YAML")]
    assert str(Invalid("platform.yaml is wrong in 2 places.", mistakes, hint="Mend each and try again.")) == (
        "platform.yaml is wrong in 2 places. Mend each and try again.\n"
        "• `spec.replicas`: is a text; write `3`\n"
        "• the file is no YAML"
    )


def test_what_the_sentence_tells_already_is_not_told_twice() -> None:
    mistake = Mistake("metadata.name", "has to be `orders`")
    assert str(Invalid("It is wrong.", [mistake], hint=f"{mistake}.")) == (
        "It is wrong. metadata.name: has to be `orders`."
    )


def test_of_very_many_mistakes_the_rest_is_counted_and_long_ones_are_cut() -> None:
    mistakes = [Mistake(f"spec.env.A{number}", "x" * 1_000) for number in range(MOST_LINES + 7)]
    lines = str(Invalid("It is wrong.", mistakes)).splitlines()
    assert len(lines) == 1 + MOST_LINES + 1
    assert lines[-1] == "• and 7 more"
    assert max(map(len, lines)) == LONGEST_LINE


def test_who_watches_us_wait_is_not_asked_to_try_again() -> None:
    away = UpstreamUnavailable("The cluster is away.", hint="Try again in a minute.")
    assert away.while_waiting() == "The cluster is away. Causeway goes on by itself once it answers."
    assert Refused("It does not let us.", hint="Ask for it.").while_waiting() == "It does not let us. Ask for it."


def test_a_wrong_value_is_told_without_the_words_of_a_library() -> None:
    class Asked(BaseModel):
        service: str = Field(max_length=3)

    with pytest.raises(ValidationError) as wrong:
        Asked.model_validate({"service": "orders"})
    assert plainly(wrong.value.errors()[0]["msg"]) == "must have at most 3 characters"
    assert plainly("Value error, is no name") == "is no name"
    with pytest.raises(ValidationError) as wrong:
        Asked.model_validate({})
    assert plainly(wrong.value.errors()[0]["msg"]) == "is missing"
