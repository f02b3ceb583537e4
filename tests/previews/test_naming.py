from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UsageError
from bot.model.environment import LONGEST_NAME
from bot.model.platform import Platform
from bot.previews.naming import of_pull_request, of_services, refuse_name

PLATFORM = Platform.model_validate({"environments": {"staging": {}, "production": {}}})


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "cannot be the name"),
        ("New", "cannot be the name"),
        ("a_b", "cannot be the name"),
        ("-a", "cannot be the name"),
        ("a-", "cannot be the name"),
        ("a\n", "cannot be the name"),
        ("a" * (LONGEST_NAME + 1), "longer than"),
        ("staging", "name of an environment"),
        ("preview", "name of an environment"),
        ("fork", "name of an environment"),
        ("list", "means something else"),
    ],
)
def test_names_that_no_preview_can_have(name: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        refuse_name(name, PLATFORM)


def test_the_preview_of_a_pull_request_always_has_the_same_name() -> None:
    assert of_pull_request("acme/orders-api", 12) == "pr-12-orders-api"
    assert of_pull_request("acme/Orders.API", 12) == "pr-12-orders-api"


@given(st.from_regex(r"[A-Za-z0-9._-]{1,100}", fullmatch=True), st.integers(min_value=1, max_value=10**7))
def test_whatever_a_repository_is_called_its_previews_can_have_that_name(repository: str, number: int) -> None:
    refuse_name(of_pull_request(f"acme/{repository}", number), PLATFORM)


@given(st.from_regex(r"[a-z]([a-z0-9-]{0,60}[a-z0-9])?", fullmatch=True), st.text())
def test_a_name_that_was_not_said_is_one_that_can_be_had(service: str, operation: str) -> None:
    refuse_name(of_services((service,), operation), PLATFORM)
