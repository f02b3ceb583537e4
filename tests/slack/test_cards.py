from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.operation import OperationView, State, StepState, StepView
from bot.model.plan import Detail
from bot.model.principal import Principal
from bot.slack.cards import card, thread
from bot.slack.message import Message
from tests.golden import assert_golden
from tests.slack.checker import message_violations
from tests.slack.views import MONDAY, STORIES, plan, steps, view

NOW = MONDAY + timedelta(minutes=2)


def drawn(shown: OperationView) -> Message:
    return card(shown, now=NOW)


def words(message: Message) -> str:
    """Everything a person can read in the blocks."""
    return "\n".join(_texts(list(message.blocks)))


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for inner in value.values() for text in _texts(inner)]
    return [text for inner in value for text in _texts(inner)] if isinstance(value, list) else []


@pytest.mark.parametrize("story", STORIES)
def test_every_state_reads_as_agreed(story: str) -> None:
    message = drawn(STORIES[story])
    shown = {"text": message.text, "blocks": list(message.blocks), "metadata": message.metadata}
    assert_golden(f"slack/card-{story}.json", json.dumps(shown, indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("story", STORIES)
def test_every_state_is_taken_by_slack(story: str) -> None:
    message = drawn(STORIES[story])
    assert message_violations(message.text, message.blocks, message.metadata) == []


@pytest.mark.parametrize("story", STORIES)
def test_the_fallback_text_alone_says_what_who_and_how_it_stands(story: str) -> None:
    shown = STORIES[story]
    text = drawn(shown).text
    assert "Sample Author" in text
    assert (shown.plan.summary if shown.plan else "/service create") in text
    assert shown.problem.split("`")[0] in text


def test_the_metadata_names_operation_command_state_and_digest() -> None:
    assert drawn(STORIES["running"]).metadata == {
        "event_type": "causeway_operation",
        "event_payload": {
            "operation": "op-7f3k2",
            "command": "service.create",
            "state": "running",
            "digest": "3f9a1c2b" * 8,
        },
    }


def test_who_has_a_slack_id_is_mentioned_and_who_has_none_is_named() -> None:
    text = words(drawn(STORIES["running"]))
    assert "Asked by <@U0AUTHOR>" in text
    assert "Approved by Sample Lead" in text


def test_an_approval_of_an_older_plan_is_not_shown_as_one() -> None:
    assert "Approved by" not in words(drawn(STORIES["awaiting-again-after-a-change"]))


def test_destructive_buttons_ask_again_and_approve_does_not() -> None:
    blocks = drawn(STORIES["awaiting-approval"]).blocks[-1]["elements"]
    assert isinstance(blocks, list)
    asked = {block["action_id"]: "confirm" in block for block in blocks if isinstance(block, dict)}
    assert asked == {"approve": False, "reject": True, "details": False}


def test_a_step_is_told_with_a_word_and_not_by_its_sign_alone() -> None:
    text = words(drawn(STORIES["running"]))
    assert "✓ *Done:* Create the private repository" in text
    assert "▶ *Working:* Protect the branch" in text
    assert "○ *To do:* Give team-orders" in text


def test_leftovers_come_with_the_command_that_removes_them() -> None:
    text = words(drawn(STORIES["failed-with-leftovers"]))
    assert "```gh repo delete acme/orders```" in text
    assert "Two commits by teammate" in text
    assert "It is tried again <!date^" in text


def test_outside_text_cannot_mention_link_or_format() -> None:
    hostile = plan(summary="<!channel> *now* <https://evil.example|click> & `x`")
    message = drawn(view(State.SUCCEEDED, plan=hostile, steps=steps(*[StepState.DONE] * 4)))
    assert "<!channel>" not in message.text
    assert "<https://evil" not in message.text
    assert "&lt;!channel&gt;" in message.text


def test_each_mistake_of_a_document_stands_on_a_line_of_its_own_and_none_in_the_notification() -> None:
    lines = [f"• `spec.env.A{number}`: {'is wrong ' * 30}<!channel>" for number in range(20)]
    problem = "\n".join(["platform.yaml is wrong in 20 places.", *lines])
    message = drawn(view(State.FAILED, plan=None, digest=None, request={"service": "orders"}, problem=problem))
    assert message_violations(message.text, message.blocks, message.metadata) == []
    shown = words(message).splitlines()
    assert sum(line.startswith("• `spec.env.A") for line in shown) == 20
    assert not any("<!channel>" in line for line in shown)
    assert message.text.startswith("/service create orders: failed. platform.yaml is wrong in 20 places.")
    assert "spec.env" not in message.text


def test_a_hundred_steps_are_folded_and_counted() -> None:
    many = tuple(StepView(id=str(n), text=f"Step {n}", state=StepState.DONE) for n in range(100))
    message = drawn(view(State.SUCCEEDED, steps=many))
    assert message_violations(message.text, message.blocks) == []
    assert "and 61 more steps" in words(message)


@given(
    summary=st.text(max_size=12_000),
    problem=st.text(max_size=12_000),
    texts=st.lists(st.text(max_size=4_000), max_size=60),
    name=st.text(max_size=4_000),
    state=st.sampled_from(list(State)),
)
def test_whatever_stands_in_it_slack_takes_the_card(
    summary: str, problem: str, texts: list[str], name: str, state: State
) -> None:
    made = tuple(
        StepView(id=str(n), text=t, state=list(StepState)[n % len(StepState)], problem=t, command=t)
        for n, t in enumerate(texts)
    )
    principal = Principal(user="user:default/x", display_name=name, slack_user=name)
    message = drawn(view(state, plan=plan(summary=summary), problem=problem, steps=made, principal=principal))
    assert message_violations(message.text, message.blocks, message.metadata) == []


def test_the_thread_lists_the_whole_plan_and_what_was_read() -> None:
    listing, contents = thread(STORIES["awaiting-approval"])
    assert "1. Create the private repository acme/orders" in words(listing)
    assert "github:acme/orders at `absent`" in words(listing)
    assert "kind: WebService" in words(contents)
    assert all(message_violations(m.text, m.blocks, m.metadata) == [] for m in (listing, contents))


def test_contents_that_no_message_holds_become_one_file() -> None:
    details = (Detail(title="a", text="x" * 4_000), Detail(title="b", text="```"))
    _, contents = thread(view(State.AWAITING_APPROVAL, plan=plan(details=details)))
    assert contents.file is not None
    assert contents.file.name == "plan-op-7f3k2.txt"
    assert "x" * 4_000 in contents.file.text


def test_details_before_there_is_a_plan_say_so() -> None:
    (message,) = thread(STORIES["planned"])
    assert message.text == "There is no plan yet, so there are no details. Ask again in a moment."


def test_a_wait_that_a_person_ended_is_not_called_done() -> None:
    shown = words(drawn(STORIES["kept"]))
    assert "Kept as it is, and not followed any more." in shown
    assert "■ *Ended by hand:* Wait until orders is healthy" in shown
    assert "steps finished" not in shown
