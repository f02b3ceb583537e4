"""Which previews there are: one that is odd, forged or forgotten hides no other."""

from __future__ import annotations

from typing import Any

import pytest

from bot.model.platform import Platform
from bot.ports import NewRepository
from bot.previews import reading
from bot.previews.reading import read_previews
from tests.previews.village import DAY, MONDAY, PLATFORM, Village


async def names(village: Village) -> list[str]:
    return [one.name for one in (await read_previews(village.deps)).previews]


async def test_an_environment_that_takes_a_previews_name_keeps_no_other_from_its_end() -> None:
    village = Village()
    village.stands("demo")
    village.stands("later")
    told = PLATFORM.model_dump(mode="json")
    environments = {**told["environments"], "later": told["environments"]["staging"]}
    village.platform = Platform.model_validate({**told, "environments": environments})
    found = await read_previews(village.deps)
    assert [one.name for one in found.previews] == ["demo"]
    assert "later" in found.problem
    await village.replica().look(MONDAY + 3 * DAY)
    assert [one.request["name"] for one in village.asked] == ["demo"]


async def test_a_release_that_speaks_of_another_place_ends_nothing_there() -> None:
    """Whoever may write ConfigMaps in a namespace of their own says by one that somebody else's preview is over."""
    village = Village()
    village.stands("demo", lives=9 * DAY)
    config_map: dict[str, Any] = next(
        village.cluster.find(one) for one in village.cluster.refs() if one.kind == "ConfigMap"
    )
    forged = {**config_map["metadata"], "namespace": "mallory"}
    text = config_map["data"]["release.yaml"].replace("2026-03-11", "2026-03-03")
    assert text != config_map["data"]["release.yaml"]
    village.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mallory"}})
    village.cluster.put({**config_map, "metadata": forged, "data": {"release.yaml": text}})
    assert await names(village) == ["demo"]
    await village.replica().look(MONDAY + 3 * DAY)
    assert village.asked == []


async def test_more_previews_than_are_remembered_are_all_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has read many releases forgets the oldest ones; those of long-lived previews are among them."""
    told = PLATFORM.model_dump(mode="json")
    gitops = {**told, "gitops": {"repository": "acme/gitops"}, "previews": {**told["previews"], "delivery": "gitops"}}
    in_cluster, by_git = Village(), Village(platform=Platform.model_validate(gitops))
    everybody = [f"demo-{number}" for number in range(5)]
    await by_git.forge.create_repository(NewRepository("acme/gitops", ""))
    for name in everybody:
        in_cluster.stands(name)
        ref = next(one for one in in_cluster.cluster.refs() if one.kind == "ConfigMap" and one.namespace == name)
        release: Any = in_cluster.cluster.find(ref)
        text = release["data"]["release.yaml"].encode()
        by_git.forge.push("acme/gitops", {f"apps/preview/{name}/.causeway/release.yaml": text})
    assert await names(by_git) == everybody
    monkeypatch.setattr(reading, "KEPT", 2)
    reading._read.clear()
    assert await names(by_git) == everybody
    assert (await read_previews(by_git.deps)).problem == ""
    assert await names(in_cluster) == everybody
