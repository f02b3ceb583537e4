"""Deliveries that are taken back one after the other: what the undo of a later one puts back is the earlier one's."""

from __future__ import annotations

from bot.effects import ApplyObjects
from bot.model.canonical import JSON
from bot.model.effect import Outcome, Undo
from bot.ports import ObjectRef
from tests.effects.scenes import NAMESPACE, RehearsedCluster, World, kubernetes, run

Objects = tuple[dict[str, JSON], ...]
DEPLOYMENT = ObjectRef("apps/v1", "Deployment", "web", NAMESPACE)
SERVICE = ObjectRef("v1", "Service", "web", NAMESPACE)


def web(version: str) -> dict[str, JSON]:
    return kubernetes("Deployment", "web", spec={"version": version})


ENTRY: dict[str, JSON] = {**kubernetes("Service", "web", spec={"port": 80}), "apiVersion": "v1"}


class Releases:
    """One service that is delivered again and again."""

    def __init__(self) -> None:
        self.world = World(cluster=RehearsedCluster(namespaces=[NAMESPACE]))
        self._before: Objects = ()
        self._steps: dict[str, tuple[ApplyObjects, Outcome]] = {}

    async def deliver(self, operation: str, *objects: dict[str, JSON]) -> None:
        effect = ApplyObjects(
            id="apply",
            cluster="default",
            namespace=NAMESPACE,
            inventory="web.staging",
            objects=objects,
            before=self._before,
        )
        self._steps[operation] = effect, await effect.apply(self.world.ports, run(effect, operation=operation))
        self._before = objects

    async def undo(self, operation: str) -> Undo:
        effect, outcome = self._steps[operation]
        return (await effect.undo(self.world.ports, run(effect, operation=operation), outcome)).how

    async def is_gone(self, operation: str) -> bool:
        effect, outcome = self._steps[operation]
        return (await effect.gone(self.world.ports, run(effect, operation=operation), outcome)).absent

    def version(self) -> object:
        live = self.world.cluster.find(DEPLOYMENT)
        return None if live is None else live["spec"]["version"]


async def test_taken_back_in_turn_nothing_is_left() -> None:
    releases = Releases()
    await releases.deliver("op_one", web("1"), ENTRY)
    await releases.deliver("op_two", web("2"))
    assert await releases.undo("op_two") is Undo.UNDONE
    assert await releases.is_gone("op_two")
    assert releases.version() == "1"
    assert releases.world.cluster.find(SERVICE) is not None
    assert not await releases.is_gone("op_one")
    assert await releases.undo("op_one") is Undo.UNDONE
    assert await releases.is_gone("op_one")
    assert releases.version() is None
    assert releases.world.cluster.find(SERVICE) is None


async def test_what_was_taken_back_already_is_taken_back_again() -> None:
    releases = Releases()
    await releases.deliver("op_one", web("1"), ENTRY)
    await releases.deliver("op_two", web("2"))
    for _ in range(2):
        assert await releases.undo("op_two") is Undo.UNDONE
        assert await releases.is_gone("op_two")
        assert releases.version() == "1"


async def test_the_release_between_two_is_not_taken_for_the_first() -> None:
    releases = Releases()
    for number in ("1", "2", "3"):
        await releases.deliver(f"op_{number}", web(number))
    assert await releases.undo("op_3") is Undo.UNDONE
    assert await releases.undo("op_1") is Undo.KEPT
    assert releases.version() == "2"
    assert not await releases.is_gone("op_1")
