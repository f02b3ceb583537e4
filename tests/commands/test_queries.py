"""`/service list`, `/service show` and `/idp catalog`: what people read, and what machines get."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from bot.errors import Mistake, NotFound, UsageError
from commands import catalog, service_list, service_show
from commands.catalog import CatalogSearch
from commands.service_list import ServiceList
from commands.service_show import ServiceShow
from tests.commands.company import context, deps


async def test_ones_own_services_come_first() -> None:
    answer = await service_list.answer(ServiceList(), context("team-orders"), deps())
    assert answer.text == "2 services: orders-api, checkout-web"
    assert isinstance(answer.data, list)
    assert answer.data[0] == {
        "ref": "component:default/orders-api",
        "owner": "group:default/team-orders",
        "url": "https://github.example/acme/catalog/blob/main/c",
    }
    assert "Takes &lt;orders&gt; &amp; keeps them" in json.dumps(list(answer.blocks))


@pytest.mark.parametrize(
    ("owner", "text"),
    [
        ("mine", "1 service: orders-api"),
        ("team-checkout", "1 service: checkout-web"),
        ("group:default/team-checkout", "1 service: checkout-web"),
    ],
)
async def test_a_list_can_be_narrowed_down(owner: str, text: str) -> None:
    answer = await service_list.answer(ServiceList(owner=owner), context("team-orders"), deps())
    assert answer.text == text


async def test_nothing_to_list_says_how_to_begin() -> None:
    answer = await service_list.answer(ServiceList(owner="mine"), context("team-nobody"), deps())
    assert answer.data == []
    assert "`/service create`" in json.dumps(list(answer.blocks))


async def test_an_unknown_group_is_told() -> None:
    with pytest.raises(NotFound, match="There is no group `team-order` in the catalog"):
        await service_list.answer(ServiceList(owner="team-order"), context(), deps())


async def test_a_service_is_shown_with_owner_channel_and_links() -> None:
    answer = await service_show.answer(ServiceShow(service="Orders-API"), context(), deps())
    assert answer.text == "orders-api, owned by team-orders"
    shown = json.dumps(list(answer.blocks))
    assert "#team-orders" in shown
    assert "<https://runbooks.acme.example/orders|Runbook>" in shown
    assert "<https://github.example/acme/catalog|Repository>" in shown
    assert isinstance(answer.data, dict)
    assert answer.data["kind"] == "Component"


async def test_a_service_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(NotFound, match=r"There is no service `order-api`\. Did you mean `orders-api`\?"):
        await service_show.answer(ServiceShow(service="order-api"), context(), deps())
    with pytest.raises(NotFound, match="See them all: `/service list`"):
        await service_show.answer(ServiceShow(service="zzz"), context(), deps())


def test_the_words_of_a_question_are_understood() -> None:
    assert service_show.parse(["orders-api"]) == ServiceShow(service="orders-api")
    assert service_show.parse([]) == ServiceShow(), "the channel's"
    assert service_list.parse([]) == ServiceList(owner="")
    assert service_list.parse(["team-orders"]) == ServiceList(owner="team-orders")
    with pytest.raises(UsageError, match="Which service"):
        service_show.parse(["a", "b"])
    with pytest.raises(ValidationError):
        service_show.parse(["x" * 10_000])


async def test_the_catalog_is_counted_and_its_broken_files_are_named() -> None:
    broken = (Mistake("github:acme/x[0].spec.owner", "Field required <b>"),)
    answer = await catalog.answer(CatalogSearch(), context(), deps(broken=broken))
    assert answer.text == "The catalog knows 2 Components, 2 Groups, 1 User. 1 file is broken."
    assert "&lt;b&gt;" in json.dumps(list(answer.blocks))


async def test_the_catalog_is_searched_by_a_part_of_a_name() -> None:
    answer = await catalog.answer(CatalogSearch(query="orders"), context(), deps())
    assert isinstance(answer.data, list)
    assert "component:default/orders-api" in answer.data
    nothing = await catalog.answer(CatalogSearch(query="<!channel>"), context(), deps())
    assert nothing.text == "Nothing in the catalog has “&lt;!channel&gt;” in its name."
