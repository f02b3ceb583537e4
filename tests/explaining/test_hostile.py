"""Whatever other systems call things: Slack takes the message, and nothing in it becomes a mention, link or mark."""

from __future__ import annotations

import asyncio
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.explaining.answering import answer_of
from bot.explaining.explanation import Explanation
from bot.explaining.facts import AlertSeen, Case, Changed, Exemplar, NewLine, Trouble
from bot.explaining.ranking import causes
from bot.explaining.steps import Owner, Step
from tests.commands.company import deps
from tests.explaining.test_stories import NOW, PATHS, TEN, minutes, slow
from tests.fuzz import examples
from tests.slack.checker import message_violations

HOSTILE = st.text(alphabet="<>&|!@#*_~`\u202e\n a1/:", min_size=1, max_size=60) | st.sampled_from(
    ["<!channel>", "<@U0AUTHOR01>", "<https://evil.example|click>", "```", "*b*", "x" * 5_000]
)
TIME = re.compile(r"<!date\^\d+\^\{date_short_pretty\} at \{time\}\|[\d: UTC-]+>")


@settings(max_examples=examples(60))
@given(text=HOSTILE, other=HOSTILE)
def test_nothing_breaks_out_of_the_answer(text: str, other: str) -> None:
    case = Case(
        service="checkout-web",
        environment="production",
        now=NOW,
        moved=(slow(name=text),),
        beside=(slow("orders-api", TEN - minutes(1), name=other),),
        changes=(
            Changed(
                service="orders-api", kind="deploy", at=TEN - minutes(3), what=text, by=other, details=(text, other)
            ),
        ),
        troubles=(Trouble(service="checkout-web", kind="pods", what=other, sentence=text, at=TEN),),
        alerts=(AlertSeen(service="checkout-web", title=text, at=TEN),),
        lines=(NewLine(service="checkout-web", pattern=text, example=other, count=3),),
        exemplar=Exemplar(trace="t", duration_s=1.0, span_service=text, span=other, span_s=0.9, share=0.9),
        paths=PATHS,
        missing=(f"Prometheus said {text}",),
    )
    told = Explanation(
        case=case,
        causes=causes(case),
        owner=Owner(service="orders-api", name=text, channel=other),
        step=Step(text=f"Ask {text}.", url="javascript:alert(1)"),
    )
    answer = asyncio.run(answer_of(told, deps()))
    assert message_violations(answer.text, answer.blocks) == []
    texts = [answer.text]
    for block in answer.blocks:
        texts += [block["text"]["text"]] if block["type"] == "section" else []
        texts += [part["text"] for part in block.get("elements", ())] if block["type"] == "context" else []
    for one in texts:
        assert "<" not in TIME.sub("", one)
        assert "\u202e" not in one
        assert "```" not in one
