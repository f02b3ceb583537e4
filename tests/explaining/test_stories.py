"""Named stories, each with the exact sentence that a person reads first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.explaining.facts import AlertSeen, Case, Changed, Exemplar, Moved, NewLine, Trouble
from bot.explaining.ranking import causes
from bot.explaining.wording import headline, walk

NOW = datetime(2026, 11, 28, 10, 20, tzinfo=UTC)
TEN = datetime(2026, 11, 28, 10, 4, tzinfo=UTC)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def slow(service: str = "checkout-web", since: datetime = TEN, **changes: Any) -> Moved:
    given: dict[str, Any] = {
        "kind": "latency",
        "name": "latency (p99)",
        "unit": "s",
        "before": 0.12,
        "worst": 1.2,
        "objective": 0.3,
    }
    return Moved(service=service, since=since, **(given | changes))


def failing(service: str = "checkout-web", since: datetime = TEN) -> Moved:
    return slow(
        service, since, kind="errors", name="failing requests", unit="ratio", before=0.0, worst=0.31, objective=0.001
    )


def deploy(service: str = "checkout-web", before: float = 3, **changes: Any) -> Changed:
    given: dict[str, Any] = {"kind": "deploy", "what": "the deploy of v1.5.0", "by": "author"}
    return Changed(service=service, at=TEN - minutes(before), **(given | changes))


PATHS = {"checkout-web": ("checkout-web",), "orders-api": ("checkout-web", "orders-api")}
TRACE = Exemplar(
    trace="4bf92f", duration_s=1.4, span_service="orders-api", span="GET /orders", span_s=1.288, share=0.92
)


def case(**facts: Any) -> Case:
    given: dict[str, Any] = {"service": "checkout-web", "environment": "production", "now": NOW, "paths": PATHS}
    return Case(**(given | facts))


SURGE = slow(
    kind="traffic", name="requests", unit="req/s", before=20.0, worst=100.0, objective=None, since=TEN - minutes(1)
)
FULL = slow(kind="saturation", name="CPU", unit="ratio", before=0.3, worst=0.98, objective=None)

SLOW = "checkout-web in production has been slow since 10:04 UTC, "
FAILS = "checkout-web in production has been failing since 10:04 UTC, "
V1 = "likely because of the deploy of v1.5.0 3 minutes before"
EITHER = f"{V1} or the change of env.POOL_SIZE 4 minutes before: I cannot tell them apart."
WAS_SLOW = f"checkout-web in production was slow from 10:04 UTC until 10:13 UTC, {V1}."
FIRES = f"HighErrorRate has been firing for checkout-web in production since 10:04 UTC, {V1}."
WELL = "Nothing is wrong with checkout-web in production as far as I see: every signal is as usual, and no alert "
WHY = (
    "Because it came 3 minutes before orders-api slowed down; a request lost 92% of its time in orders-api; "
    "orders-api slowed down first; "
)

STORIES = {
    "bad deploy": (
        case(
            moved=(failing(),),
            changes=(deploy(),),
            lines=(NewLine(service="checkout-web", pattern="boom", example="boom", count=7),),
        ),
        FAILS + f"very {V1}.",
    ),
    "deploy alone": (
        case(moved=(slow(),), changes=(deploy(),)),
        SLOW + f"{V1}.",
    ),
    "dependency's bad deploy": (
        case(
            moved=(slow(),),
            beside=(slow("orders-api", TEN - minutes(1)),),
            changes=(deploy(before=40), deploy("orders-api", 4, what="the deploy of v2.0.1")),
            exemplar=TRACE,
        ),
        SLOW + "very likely because of the deploy of v2.0.1 of orders-api 4 minutes before.",
    ),
    "dependency without a change": (
        case(moved=(slow(),), beside=(slow("orders-api", TEN - minutes(1)),), exemplar=TRACE),
        SLOW + "likely because of orders-api, which slowed down first; I found no change in it that explains it.",
    ),
    "a dependency that had recovered before": (
        case(
            moved=(slow(),),
            beside=(
                slow("orders-api", TEN - minutes(90), until=TEN - minutes(80)),
                slow("orders-api", TEN - minutes(1), kind="errors", name="failing requests"),
            ),
            changes=(
                deploy("orders-api", 91, what="the deploy of v1"),
                deploy("orders-api", 4, what="the deploy of v2"),
            ),
        ),
        SLOW + "very likely because of the deploy of v2 of orders-api 4 minutes before.",
    ),
    "node lost": (
        case(
            moved=(failing(),),
            troubles=(
                Trouble(
                    service="checkout-web",
                    kind="node",
                    what="the loss of the node worker-3",
                    sentence="The node worker-3 is not ready, and 2 pods of checkout-web were on it",
                    at=TEN - minutes(2),
                ),
            ),
        ),
        FAILS + "very likely because of the loss of the node worker-3 2 minutes before.",
    ),
    "database disk full": (
        case(
            moved=(failing(),),
            troubles=(
                Trouble(
                    service="checkout-web",
                    kind="disk",
                    what="the full disk of its database",
                    sentence="The disk of the database checkout-web-db is full",
                ),
            ),
            lines=(NewLine(service="checkout-web", pattern="no space", example="no space left on device", count=40),),
        ),
        FAILS + "very likely because of the full disk of its database.",
    ),
    "traffic surge": (
        case(moved=(slow(), FULL, SURGE)),
        SLOW + "very likely because of more requests to checkout-web than usual 1 minute before.",
    ),
    "config change": (
        case(moved=(slow(),), changes=(deploy(before=1, kind="config", what="the change of env.POOL_SIZE"),)),
        SLOW + "likely because of the change of env.POOL_SIZE 1 minute before.",
    ),
    "nothing found": (
        case(moved=(slow(),)),
        SLOW + "and I found nothing that explains it.",
    ),
    "two changes at once": (
        case(
            moved=(slow(),),
            changes=(deploy(before=3), deploy(before=4, kind="config", what="the change of env.POOL_SIZE")),
        ),
        SLOW + EITHER,
    ),
    "clocks that disagree": (
        case(moved=(slow(),), changes=(deploy(before=-1.5),)),
        SLOW + "perhaps because of the deploy of v1.5.0 at that time.",
    ),
    "deploy long before": (
        case(moved=(slow(),), changes=(deploy(before=5 * 60),), exemplar=TRACE),
        SLOW + "and I found nothing that explains it.",
    ),
    "change after the symptom": (
        case(moved=(slow(),), beside=(slow("orders-api"),), changes=(deploy("orders-api", -3), deploy(before=-3))),
        SLOW + "perhaps because of orders-api, which slowed down first; I found no change in it that explains it.",
    ),
    "crash after a deploy": (
        case(
            moved=(failing(),),
            changes=(deploy(),),
            troubles=(
                Trouble(service="checkout-web", kind="crash", what="the crash of 2 pods", sentence="2 of 2 pods crash"),
            ),
        ),
        FAILS + f"very {V1}.",
    ),
    "fewer replicas": (
        case(
            moved=(slow(),),
            changes=(deploy(before=2, kind="scale", what="the scaling to 1 replica", fewer=True),),
        ),
        SLOW + "very likely because of the scaling to 1 replica 2 minutes before.",
    ),
    "a pin is no cause": (
        case(moved=(slow(),), changes=(deploy(before=2, kind="pin", what="the pin to v1.4.0"),)),
        SLOW + "and I found nothing that explains it.",
    ),
    "a dependency's deploy of which nothing is seen": (
        case(moved=(slow(),), changes=(deploy("orders-api", 3),)),
        SLOW + "perhaps because of the deploy of v1.5.0 of orders-api 3 minutes before.",
    ),
    "it is over": (
        case(moved=(slow(until=TEN + minutes(9)),), changes=(deploy(),)),
        WAS_SLOW,
    ),
    "it was so all the time": (
        case(moved=(slow(from_start=True, since=NOW - minutes(180), before=None),)),
        "checkout-web in production has been slow for at least 3 hours, and I found nothing that explains it.",
    ),
    "an alert without numbers": (
        case(alerts=(AlertSeen(service="checkout-web", title="HighErrorRate", at=TEN),), changes=(deploy(),)),
        FIRES,
    ),
    "trouble without numbers": (
        case(
            troubles=(
                Trouble(service="checkout-web", kind="crash", what="the crash of 2 pods", sentence="2 of 2 pods crash"),
            )
        ),
        "checkout-web in production is in trouble: 2 of 2 pods crash.",
    ),
    "a pod that had no node an hour ago": (
        case(
            troubles=(
                Trouble(
                    service="checkout-web",
                    kind="pods",
                    what="pods for which no node has room",
                    sentence="no node has room",
                    at=TEN,
                    over=True,
                ),
            )
        ),
        f"{WELL}fires.",
    ),
    "all is well": (
        case(changes=(deploy(),)),
        f"{WELL}fires.",
    ),
    "it is not there": (
        case(there=False),
        "I know nothing of checkout-web in production: no version was deployed there, and nothing of it is measured.",
    ),
    "nothing was read": (
        case(missing=("Prometheus has not answered yet.",)),
        "I see nothing wrong with checkout-web in production, but I do not see all of it.",
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_is_told_in_one_sentence(name: str) -> None:
    seen, sentence = STORIES[name]
    assert headline(seen, causes(seen)) == sentence


def test_the_walk_goes_from_the_signal_to_the_reasons() -> None:
    seen = case(
        moved=(slow(),),
        beside=(slow("orders-api", TEN - minutes(1), worst=1.1),),
        changes=(
            deploy("orders-api", 4, what="the deploy of v2.0.1", details=("• 1a2b3c4 Ask twice (teammate)",)),
            deploy(before=-3),
        ),
        lines=(NewLine(service="orders-api", pattern="pool empty", example="pool empty", count=12),),
        exemplar=TRACE,
    )
    assert list(walk(seen, causes(seen))) == [
        (
            "What moved",
            [
                "latency (p99) rose from 120 ms to 1.2 s at 10:04 UTC (objective: 300 ms)",
                "orders-api: latency (p99) rose from 120 ms to 1.1 s at 10:03 UTC (objective: 300 ms)",
            ],
        ),
        (
            "What changed before",
            [
                "10:00 UTC the deploy of v2.0.1 of orders-api by author (4 minutes before)",
                "    • 1a2b3c4 Ask twice (teammate)",
                "10:07 UTC the deploy of v1.5.0 of checkout-web by author (3 minutes after it began, so not the cause)",
            ],
        ),
        ("What is new in the logs", ["pool empty of orders-api: 12 times, never before"]),
        (
            "Where a request loses its time",
            ["A request that took 1.4 s spent 92% of it (1.29 s) in GET /orders of orders-api"],
        ),
        (
            "Why I say so",
            [f"{WHY}orders-api writes errors that it did not write before."],
        ),
    ]


def test_where_nothing_changed_it_says_so() -> None:
    seen = case(moved=(slow(),))
    told = dict(walk(seen, causes(seen)))
    assert told["What changed before"] == ["I found no change of checkout-web or orders-api in the 6 hours before."]
