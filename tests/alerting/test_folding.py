"""One card for one cause: by dependencies, by what groups share, never hiding what is worse."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerting.folding import RANK, Candidate, fold
from bot.catalog.dependencies import chain_of
from bot.model.alerts import AlertState, Severity
from tests.alerting.house import INDEX, MONDAY, House, alert, delivery, resolved, seen

GRAPH: Mapping[str, tuple[str, ...]] = {
    "web": ("api", "auth"),
    "api": ("db",),
    "auth": ("db",),
    "a": ("b",),
    "b": ("a",),
}


def chain(service: str) -> Mapping[str, int]:
    reached: dict[str, int] = {}
    layer = [service]
    for steps in range(1, 6):
        layer = [one for name in layer for one in GRAPH.get(name, ()) if one not in reached and one != service]
        reached |= dict.fromkeys(layer, steps)
    return reached


def group(
    id: str,  # noqa: A002  # as groups have it
    number: int,
    service: str = "",
    *,
    severity: Severity = Severity.CRITICAL,
    at: datetime = MONDAY,
    environment: str = "production",
    has_card: bool = False,
    more: Mapping[str, str] | None = None,
    **labels: str,
) -> Candidate:
    return Candidate(
        id=id,
        number=number,
        severity=severity,
        began_at=at,
        service=service,
        environment=environment,
        labels={**labels, **(more or {})},
        has_card=has_card,
    )


def test_the_deepest_dependency_that_fires_is_the_cause_of_all_above_it() -> None:
    groups = [group("web", 1, "web"), group("api", 2, "api"), group("db", 3, "db")]
    assert fold(groups, chain) == {"web": "db", "api": "db"}


def test_a_gap_in_the_chain_does_not_hide_the_cause() -> None:
    assert fold([group("web", 1, "web"), group("db", 2, "db")], chain) == {"web": "db"}


def test_environments_have_nothing_to_do_with_one_another() -> None:
    assert fold([group("web", 1, "web"), group("db", 2, "db", environment="staging")], chain) == {}


def test_what_has_a_card_keeps_it_and_may_be_a_cause() -> None:
    assert fold([group("web", 1, "web", has_card=True), group("db", 2, "db")], chain) == {}
    assert fold([group("web", 1, "web"), group("db", 2, "db", has_card=True)], chain) == {"web": "db"}


def test_nothing_is_folded_into_what_is_less_severe() -> None:
    warning = group("db", 1, "db", severity=Severity.WARNING)
    assert fold([group("web", 2, "web"), warning], chain) == {}
    assert fold([group("web", 2, "web", severity=Severity.WARNING), warning], chain) == {"web": "db"}


def test_an_old_trouble_is_no_cause_of_a_new_one() -> None:
    old = group("db", 1, "db", at=MONDAY - timedelta(hours=2))
    assert fold([old, group("web", 2, "web")], chain) == {}


def test_in_a_circle_nobody_is_deeper() -> None:
    assert fold([group("a", 1, "a"), group("b", 2, "b")], chain) == {}


def test_one_service_has_one_card_at_a_time() -> None:
    slow, failing = group("slow", 1, "api"), group("failing", 2, "api")
    assert fold([slow, failing], chain) == {"failing": "slow"}
    assert fold([group("slow", 1, "api", at=MONDAY - timedelta(minutes=20)), failing], chain) == {}


@pytest.mark.parametrize(
    ("label", "many", "within"),
    [("node", 2, timedelta(minutes=10)), ("alertname", 3, timedelta(minutes=5)), ("cluster", 5, timedelta(minutes=5))],
)
def test_many_that_share_a_label_at_once_are_one(label: str, many: int, within: timedelta) -> None:
    groups = [group(f"g{number}", number, f"service-{number}", more={label: "same"}) for number in range(many)]
    assert fold(groups, chain) == {f"g{number}": "g0" for number in range(1, many)}
    assert fold(groups[:-1], chain) == {}
    late = group("late", many, "service-late", at=MONDAY + within + timedelta(seconds=1), more={label: "same"})
    assert "late" not in fold([*groups, late], chain)
    others = [group(f"o{number}", 10 + number, f"other-{number}", more={label: f"x{number}"}) for number in range(many)]
    assert fold(others, chain) == {}


SERVICES = st.sampled_from(["", "web", "api", "auth", "db", "a", "b"])
CANDIDATES = st.lists(
    st.builds(
        group,
        id=st.sampled_from([f"g{number}" for number in range(12)]),
        number=st.integers(0, 50),
        service=SERVICES,
        severity=st.sampled_from(Severity),
        at=st.integers(-90, 90).map(lambda minutes: MONDAY + timedelta(minutes=minutes)),
        environment=st.sampled_from(["production", "staging"]),
        has_card=st.booleans(),
        node=st.sampled_from(["", "n1", "n2"]),
        alertname=st.sampled_from(["", "Slow", "Down"]),
    ),
    max_size=12,
    unique_by=(lambda one: one.id, lambda one: one.number),
)


@given(groups=CANDIDATES, data=st.data())
def test_any_storm_folds_into_roots_that_fire_and_are_worse(groups: list[Candidate], data: st.DataObject) -> None:
    folded = fold(groups, chain)
    known = {one.id: one for one in groups}
    for id_, cause in folded.items():
        assert not known[id_].has_card
        assert cause in known
        assert cause not in folded  # nobody is told on a card that does not exist
        assert RANK[known[cause].severity] <= RANK[known[id_].severity]
    assert fold(data.draw(st.permutations(groups)), chain) == folded


def test_the_catalogs_dependencies_are_followed() -> None:
    assert chain_of(INDEX, "checkout-web", depth=5) == {"orders-api": 1, "orders-db": 2}


# --- Through the desk -----------------------------------------------------------------------------------------------

DATABASE = alert("Down", service="orders-db", environment="production")
API = alert("HighLatency", service="orders-api", environment="production")
WEB = alert("HighErrors", service="checkout-web", environment="production")


async def test_a_storm_has_one_card_and_a_line_for_the_team_it_is_not_told_to(house: House) -> None:
    await house.hear(delivery(WEB), delivery(API), delivery(DATABASE))
    (card,) = house.roots("CORDERS")
    assert card.metadata["event_payload"]["service"] == "orders-db"
    assert "*2 further groups fire with it, probably for the same cause:*" in seen(card)
    assert house.thread(card)[-1].endswith("fire with it, probably for the same cause.")
    (line,) = house.roots("CCHECKOUT")
    assert line.text == (
        "HighErrors of `checkout-web` in production fires here. The cause is probably `orders-db` in production: Down, "
        "which is told in <#CORDERS>."
    )
    assert len(house.roots()) == 2


async def test_what_comes_later_is_folded_into_the_card_that_stands(house: House) -> None:
    await house.hear(delivery(API))
    await house.hear(delivery(WEB))
    (card,) = house.roots("CORDERS")
    assert "HighErrors" in seen(card)
    assert len(house.roots("CCHECKOUT")) == 1
    more = alert("HighLatency", service="checkout-web", environment="production", severity="warning")
    await house.hear(delivery(more))
    assert len(house.roots("CCHECKOUT")) == 1  # told once for each cause
    assert len(house.roots()) == 2


async def test_a_card_that_stands_is_not_taken_back_when_its_cause_comes(house: House) -> None:
    await house.hear(delivery(WEB))
    await house.hear(delivery(API))
    assert [card.channel for card in house.roots()] == ["CCHECKOUT", "CORDERS"]


async def test_what_still_fires_when_its_cause_has_ended_gets_its_own_card(house: House) -> None:
    await house.hear(delivery(API), delivery(WEB))
    await house.hear(delivery(resolved(API, house.now)))
    assert len(house.roots("CCHECKOUT")) == 1
    house.later(minutes=1)
    await house.settle()
    assert len(house.roots("CCHECKOUT")) == 1  # mostly it ends as well, a moment later
    house.later(minutes=2)
    await house.settle()
    line, card = house.roots("CCHECKOUT")
    assert "orders-api" in line.text
    assert card.metadata["event_payload"]["service"] == "checkout-web"
    assert house.thread(card)[0] == "It fires: 1 alert."


async def test_what_ends_with_its_cause_never_had_a_card(house: House) -> None:
    await house.hear(delivery(API), delivery(WEB))
    await house.hear(delivery(resolved(API, house.now)), delivery(resolved(WEB, house.now)))
    house.later(minutes=10)
    await house.settle()
    (card,) = house.roots("CORDERS")
    assert "✅ HighErrors" in seen(card)
    assert len(house.roots("CCHECKOUT")) == 1
    assert all(group.state is AlertState.RESOLVED for group in await house.groups())


async def test_what_becomes_critical_under_a_lesser_cause_gets_its_own_card(house: House) -> None:
    lesser = alert("HighLatency", service="orders-api", environment="production", severity="warning")
    above = alert("HighErrors", service="checkout-web", environment="production", severity="warning")
    await house.hear(delivery(lesser), delivery(above))
    assert len(house.roots("CCHECKOUT")) == 1
    await house.hear(delivery(above, alert("HighErrors", service="checkout-web", environment="production")))
    cards = [one for one in house.roots("CCHECKOUT") if one.metadata["event_type"] == "causeway_alert"]
    assert [card.metadata["event_payload"]["service"] for card in cards] == ["checkout-web"]


async def test_a_critical_alert_hides_behind_no_line_that_spoke_of_less(house: House) -> None:
    await house.hear(delivery(alert("Down", service="orders-api", environment="production")))
    for name, severity in (("Slow", "warning"), ("Odd", "warning"), ("Lost", "critical"), ("Gone", "critical")):
        place = {"service": "checkout-web", "environment": "production", "severity": severity}
        await house.hear(delivery(alert(name, more=place)))
        house.later(minutes=1)
    lines = [line.text.partition(" ")[0] for line in house.roots("CCHECKOUT")]
    assert lines == ["Slow", "Lost"]
    assert len(house.roots("CORDERS")) == 1


async def test_what_becomes_critical_below_another_teams_critical_cause_is_told_to_its_own(house: House) -> None:
    await house.hear(delivery(alert("Down", service="orders-api", environment="production")))
    place = {"service": "checkout-web", "environment": "production"}
    lesser = alert("Slow", more=place | {"severity": "warning"})
    await house.hear(delivery(lesser))
    house.later(minutes=1)
    await house.hear(delivery(lesser, alert("Slow", more=place)))
    await house.settle()
    assert [line.text.partition(" ")[0] for line in house.roots("CCHECKOUT")] == ["Slow", "Slow"]
    (card,) = house.roots("CORDERS")
    assert "1 further group fires with it" in seen(card)
