from __future__ import annotations

import pytest

from tests.databases.house import DatabaseHouse


@pytest.fixture
async def house() -> DatabaseHouse:
    made = DatabaseHouse()
    await made.begin()
    return made


@pytest.fixture
async def held(house: DatabaseHouse) -> DatabaseHouse:
    """The same with a service that runs, and a database that was asked for it."""
    await house.do("service.deploy", service="orders-api")
    await house.do("database.request", service="orders-api", size="small")
    return house
