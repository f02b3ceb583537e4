"""Reading, applying, deleting and watching: what effects rely on, on every cluster alike."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import Conflict, Invalid, NotFound
from bot.ports import ObjectRef
from tests.peers.cluster.houses import House, config_map, meta, name_of, watching

OURS = {"app.kubernetes.io/managed-by": "causeway", "causeway.io/service": "orders"}


def ref(namespace: str, name: str = "one") -> ObjectRef:
    return ObjectRef("v1", "ConfigMap", name, namespace)


async def test_an_object_is_made_and_read(house: House) -> None:
    namespace = await house.namespace()
    assert await house.cluster.get(ref(namespace)) is None
    applied = await house.cluster.apply(config_map(namespace, "one", {"a": "1"}))
    assert applied["data"] == {"a": "1"}
    assert meta(applied)["uid"]
    assert await house.cluster.get(ref(namespace)) == applied


async def test_a_second_apply_changes_nothing(house: House) -> None:
    wanted = config_map(await house.namespace(), "one", {"a": "1"}, labels=OURS)
    first = await house.cluster.apply(wanted)
    again = await house.cluster.apply(wanted)
    assert meta(again)["resourceVersion"] == meta(first)["resourceVersion"]


async def test_a_change_keeps_the_object_and_gives_it_a_new_version(house: House) -> None:
    namespace = await house.namespace()
    first = await house.cluster.apply(config_map(namespace, "one", {"a": "1"}))
    second = await house.cluster.apply(config_map(namespace, "one", {"a": "2"}))
    assert second["data"] == {"a": "2"}
    assert meta(second)["uid"] == meta(first)["uid"]
    assert meta(second)["resourceVersion"] != meta(first)["resourceVersion"]


async def test_a_dry_run_tells_what_would_be_and_changes_nothing(house: House) -> None:
    namespace = await house.namespace()
    would = await house.cluster.apply(config_map(namespace, "one", {"a": "1"}), dry_run=True)
    assert would["data"] == {"a": "1"}
    assert await house.cluster.get(ref(namespace)) is None
    made = await house.cluster.apply(config_map(namespace, "one", {"a": "1"}))
    would = await house.cluster.apply(config_map(namespace, "one", {"a": "2"}), dry_run=True)
    assert would["data"] == {"a": "2"}
    assert await house.cluster.get(ref(namespace)) == made


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_conflict_names_who_owns_the_field(house: House, *, dry_run: bool) -> None:
    namespace = await house.namespace()
    await house.cluster.apply(config_map(namespace, "one", {"a": "1", "b": "1"}))
    await house.by_another(config_map(namespace, "one", {"b": "2"}), "kubectl-edit")
    with pytest.raises(Conflict) as conflict:
        await house.cluster.apply(config_map(namespace, "one", {"a": "2", "b": "3"}), dry_run=dry_run)
    assert "`kubectl-edit` owns .data.b" in str(conflict.value)
    held = await house.cluster.get(ref(namespace))
    assert held is not None
    assert held["data"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize("dry_run", [True, False])
async def test_fields_are_taken_only_from_those_whom_one_names(house: House, *, dry_run: bool) -> None:
    namespace = await house.namespace()
    await house.cluster.apply(config_map(namespace, "one", {"a": "1", "b": "1"}))
    await house.by_another(config_map(namespace, "one", {"a": "2"}), "scaler")
    wanted = config_map(namespace, "one", {"a": "3", "b": "3"})
    taken = await house.cluster.apply(wanted, dry_run=dry_run, over={"scaler"})
    assert taken["data"] == {"a": "3", "b": "3"}
    await house.by_another(config_map(namespace, "one", {"a": "4"}), "scaler")
    await house.by_another(config_map(namespace, "one", {"b": "4"}), "kubectl-edit")
    with pytest.raises(Conflict, match="`kubectl-edit` owns"):
        await house.cluster.apply(wanted, dry_run=dry_run, over={"scaler"})
    held = await house.cluster.get(ref(namespace))
    assert held is not None
    assert held["data"] == {"a": "4", "b": "4"}


async def test_two_may_own_a_field_while_they_agree(house: House) -> None:
    namespace = await house.namespace()
    await house.by_another(config_map(namespace, "one", {"a": "1"}), "kubectl")
    applied = await house.cluster.apply(config_map(namespace, "one", {"a": "1", "b": "2"}))
    assert applied["data"] == {"a": "1", "b": "2"}
    assert {"causeway", "kubectl"} <= {one["manager"] for one in meta(applied)["managedFields"]}


async def test_what_we_no_longer_ask_for_goes_and_what_others_added_stays(house: House) -> None:
    namespace = await house.namespace()
    await house.cluster.apply(config_map(namespace, "one", {"a": "1", "b": "2"}, labels=OURS))
    await house.by_another(config_map(namespace, "one", {"theirs": "3"}), "kubectl")
    applied = await house.cluster.apply(config_map(namespace, "one", {"a": "1"}, labels=OURS))
    assert applied["data"] == {"a": "1", "theirs": "3"}


async def test_objects_are_found_by_their_labels_and_namespace(house: House) -> None:
    here, there = await house.namespace(), await house.namespace()
    for namespace, name, service in [(here, "a", "orders"), (here, "b", "users"), (there, "c", "orders")]:
        labels = {"test": here, "service": service}
        await house.cluster.apply(config_map(namespace, name, {}, labels=labels))

    async def found(namespace: str = "", **labels: str) -> set[str]:
        objects = await house.cluster.list("v1", "ConfigMap", namespace=namespace, labels={"test": here, **labels})
        assert {(one["apiVersion"], one["kind"]) for one in objects} <= {("v1", "ConfigMap")}
        return {name_of(one) for one in objects}

    assert await found() == {"a", "b", "c"}
    assert await found(service="orders") == {"a", "c"}
    assert await found(here, service="orders") == {"a"}
    assert await found("nowhere") == set()


async def test_more_objects_than_a_page_holds_are_all_found(house: House) -> None:
    namespace = await house.namespace()
    names = {f"map-{number:03}" for number in range(230)}
    await asyncio.gather(*(house.cluster.apply(config_map(namespace, name, {}, labels=OURS)) for name in names))
    objects = await house.cluster.list("v1", "ConfigMap", namespace=namespace, labels=OURS)
    assert len(objects) == len(names)
    assert {name_of(one) for one in objects} == names
    async with watching(house.cluster, "v1", "ConfigMap", namespace=namespace, labels=OURS) as watch:
        assert {name_of(change.object) for change in await watch.synced()} == names
    scanned = [one async for one in house.cluster.scan("v1", "ConfigMap", namespace=namespace, labels=OURS)]
    assert {name_of(one) for one in scanned} == names
    assert {(one["apiVersion"], one["kind"]) for one in scanned} == {("v1", "ConfigMap")}
    assert {tuple(sorted(one)) for one in scanned} == {("apiVersion", "kind", "metadata")}, "no content passes"


async def test_an_inventory_is_pruned_and_nothing_else(house: House) -> None:
    namespace = await house.namespace()
    await house.cluster.apply(config_map(namespace, "kept", {}, labels=OURS))
    await house.cluster.apply(config_map(namespace, "dropped", {}, labels=OURS))
    await house.by_another(config_map(namespace, "theirs", {}), "kubectl")
    for obj in await house.cluster.list("v1", "ConfigMap", namespace=namespace, labels=OURS):
        if name_of(obj) != "kept":
            assert await house.cluster.delete(ref(namespace, name_of(obj)), uid=meta(obj)["uid"])
    left = {name_of(one) for one in await house.cluster.list("v1", "ConfigMap", namespace=namespace)}
    assert left - {"kube-root-ca.crt"} == {"kept", "theirs"}


async def test_deleting_tells_whether_there_was_anything(house: House) -> None:
    namespace = await house.namespace()
    await house.cluster.apply(config_map(namespace, "one", {}))
    assert await house.cluster.delete(ref(namespace)) is True
    assert await house.cluster.get(ref(namespace)) is None
    assert await house.cluster.delete(ref(namespace)) is False


async def test_an_object_that_took_the_name_of_ours_is_not_deleted(house: House) -> None:
    namespace = await house.namespace()
    ours = await house.cluster.apply(config_map(namespace, "one", {}))
    await house.cluster.delete(ref(namespace))
    theirs = await house.cluster.apply(config_map(namespace, "one", {}))
    with pytest.raises(Conflict, match="another object"):
        await house.cluster.delete(ref(namespace), uid=meta(ours)["uid"])
    assert await house.cluster.delete(ref(namespace), uid=meta(theirs)["uid"])


async def test_an_unknown_kind_is_named(house: House) -> None:
    namespace = await house.namespace()
    unknown = ObjectRef("example.io/v1", "Gadget", "one", namespace)
    with pytest.raises(NotFound, match="Gadget"):
        await house.cluster.get(unknown)
    with pytest.raises(NotFound, match="Gadget"):
        await house.cluster.list("example.io/v1", "Gadget")
    with pytest.raises(NotFound, match="Gadget"):
        await house.cluster.delete(unknown)
    with pytest.raises(NotFound, match="Gadget"):
        await house.cluster.apply({**config_map(namespace, "one", {}), "kind": "Gadget", "apiVersion": "v1"})


async def test_a_missing_namespace_is_named(house: House) -> None:
    assert await house.cluster.get(ref("nowhere")) is None
    assert await house.cluster.delete(ref("nowhere")) is False
    with pytest.raises(NotFound, match="no namespace `nowhere`"):
        await house.cluster.apply(config_map("nowhere", "one", {}))


async def test_an_object_that_names_no_namespace_is_refused(house: House) -> None:
    wanted = config_map(await house.namespace(), "one", {})
    del wanted["metadata"]["namespace"]
    with pytest.raises(Invalid) as refused:
        await house.cluster.apply(wanted)
    assert [mistake.path for mistake in refused.value.mistakes] == ["metadata.namespace"]


async def test_a_watch_tells_what_is_there_and_then_what_changes(house: House) -> None:
    namespace = await house.namespace()
    await house.cluster.apply(config_map(namespace, "one", {"a": "1"}, labels=OURS))
    await house.cluster.apply(config_map(namespace, "other", {}))
    async with watching(house.cluster, "v1", "ConfigMap", namespace=namespace, labels=OURS) as watch:
        assert [(change.what, name_of(change.object)) for change in await watch.synced()] == [("present", "one")]
        await house.cluster.apply(config_map(namespace, "one", {"a": "2"}, labels=OURS))
        changed = await watch.next()
        assert changed.what == "present"
        assert changed.object is not None
        assert changed.object["data"] == {"a": "2"}
        await house.cluster.apply(config_map(namespace, "two", {}, labels=OURS))
        assert name_of((await watch.next()).object) == "two"
        await house.cluster.delete(ref(namespace))
        gone = await watch.next()
        assert (gone.what, name_of(gone.object)) == ("deleted", "one")


async def test_an_object_that_loses_its_label_is_gone_for_those_who_watch_for_it(house: House) -> None:
    namespace = await house.namespace()
    await house.cluster.apply(config_map(namespace, "one", {}, labels=OURS))
    async with watching(house.cluster, "v1", "ConfigMap", namespace=namespace, labels=OURS) as watch:
        await watch.synced()
        await house.cluster.apply(config_map(namespace, "one", {}))
        await watch.gone("one")


async def test_one_object_is_watched_by_its_name(house: House) -> None:
    namespace = await house.namespace()
    await house.cluster.apply(config_map(namespace, "two", {}))
    async with watching(house.cluster, "v1", "ConfigMap", namespace=namespace, name="one") as watch:
        assert await watch.synced() == []
        await house.cluster.apply(config_map(namespace, "three", {}))
        await house.cluster.apply(config_map(namespace, "one", {}))
        assert name_of((await watch.next()).object) == "one"


async def test_who_comes_late_is_told_what_is_there(house: House) -> None:
    namespace = await house.namespace()
    await house.cluster.apply(config_map(namespace, "one", {}))
    scope = {"namespace": namespace, "name": "one"}
    async with watching(house.cluster, "v1", "ConfigMap", **scope) as first:
        await first.synced()
        await house.cluster.apply(config_map(namespace, "one", {"a": "1"}))
        await first.object(lambda obj: obj.get("data") == {"a": "1"})
        async with watching(house.cluster, "v1", "ConfigMap", **scope) as second:
            (seen,) = await second.synced()
            assert seen.object is not None
            assert seen.object["data"] == {"a": "1"}
            await house.cluster.apply(config_map(namespace, "one", {"a": "2"}))
            for watch in (first, second):
                await watch.object(lambda obj: obj["data"] == {"a": "2"})


async def test_what_an_object_owns_goes_with_it(house: House) -> None:
    namespace = await house.namespace()
    owner = await house.cluster.apply(config_map(namespace, "owner", {}))
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": meta(owner)["uid"]}
    await house.cluster.apply(config_map(namespace, "owned", {}, ownerReferences=[reference]))
    async with watching(house.cluster, "v1", "ConfigMap", namespace=namespace, name="owned") as watch:
        assert len(await watch.synced()) == 1
        await house.cluster.delete(ref(namespace, "owner"), uid=meta(owner)["uid"])
        await watch.gone("owned")


async def test_a_namespace_goes_with_all_that_is_in_it(house: House) -> None:
    namespace = await house.namespace()
    await house.cluster.apply(config_map(namespace, "one", {}))
    async with watching(house.cluster, "v1", "Namespace", name=namespace) as watch:
        assert len(await watch.synced()) == 1
        assert await house.cluster.delete(ObjectRef("v1", "Namespace", namespace))
        await watch.gone(namespace)
    assert await house.cluster.get(ref(namespace)) is None


async def test_the_server_tells_its_version_and_what_we_may(house: House) -> None:
    assert (await house.cluster.version()).startswith("v1.")
    assert await house.cluster.may("create", "apps/v1", "deployments", namespace="default")
    assert await house.cluster.may("get", "v1", "pods/log")
