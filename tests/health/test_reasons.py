"""Every recorded case is told in exactly these words."""

from __future__ import annotations

import pytest

from bot.health import why_stuck
from tests.health.trees import Case, facts_of, recorded

LEVELS = ("applications", "workloads", "pods", "containers")
CASES = [(level, case) for level in LEVELS for case in recorded(level)]
every_case = pytest.mark.parametrize("case", [case for _, case in CASES], ids=[f"{a}: {c['name']}" for a, c in CASES])


@every_case
async def test_a_case_is_told_in_one_sentence_with_one_next_step(case: Case) -> None:
    reason = why_stuck(await facts_of(case))
    if case.get("none"):
        assert reason is None
        return
    assert reason is not None
    assert reason.sentence == case["sentence"]
    assert reason.next_step == case["next_step"]
    assert reason.final is case["final"]
    if "evidence" in case:
        assert reason.evidence == tuple(case["evidence"])


@every_case
async def test_the_same_facts_give_the_same_words(case: Case) -> None:
    assert why_stuck(await facts_of(case)) == why_stuck(await facts_of(case))


@every_case
async def test_a_reason_is_fit_to_be_read(case: Case) -> None:
    reason = why_stuck(await facts_of(case))
    for text in () if reason is None else (reason.sentence, reason.next_step):
        assert text.endswith(".")
        assert "\n" not in text
        assert "  " not in text
        assert len(text) < 600
        assert text[0].isupper() or text.startswith("orders-api in staging")
    for line in () if reason is None else reason.evidence:
        assert line
        assert "\n" not in line
        assert len(line) < 330


def test_names_of_cases_are_their_own() -> None:
    names = [case["name"] for _, case in CASES]
    assert len(names) == len(set(names))
