"""Rolling back is a pin: it holds a version, and lets go by itself when a fix is there."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.errors import Conflict, NotFound, Refused
from bot.following import Following
from bot.model.forge_events import BuildEnded
from bot.model.operation import Asked
from bot.model.principal import Door
from tests.releases.house import GITOPS, SOURCE, House, ids


async def twice_deployed(house: House) -> tuple[str, str]:
    """Deploy a good and then a bad version; return their commits."""
    good = house.push("Good", replicas=2)
    await house.do("service.deploy", service="orders-api")
    bad = house.push("Bad", replicas=2, env={"BROKEN": "yes"})
    await house.do("service.deploy", service="orders-api")
    return good, bad


async def test_it_goes_back_to_the_version_before_and_holds_it(house: House) -> None:
    good, bad = await twice_deployed(house)
    before = house.object("Deployment")
    plan = await house.do("service.rollback", service="orders-api", reason="It burns", user="teammate")
    release = house.release()
    assert release.current is not None
    assert release.pin is not None
    assert release.current.version.commit == good
    assert (release.pin.bad.commit, release.pin.by, release.pin.reason) == (bad, "user:default/teammate", "It burns")
    assert release.pin.until == house.now + timedelta(days=7)
    assert house.object("Deployment") != before
    assert "await-build" in ids(plan)
    appointment = house.agenda.appointments["unpin:orders-api/staging"]
    assert (appointment["command"], appointment["at"]) == ("service.unpin", release.pin.until.isoformat())
    assert "until a fix" in plan.highlights[0]
    assert (plan.notes, plan.undo_later) == ((), False), "said once; the way forward is a fix or unpin"


async def test_the_bad_version_and_older_ones_are_refused_while_it_holds(house: House) -> None:
    older = house.push("Begin", replicas=2)
    _, bad = await twice_deployed(house)
    await house.do("service.rollback", service="orders-api", reason="It burns")
    with pytest.raises(Refused, match=rf"held by author until .*It burns\. {bad[:7]} is what was rolled back\."):
        await house.plan("service.deploy", service="orders-api", version=bad)
    with pytest.raises(Refused, match=rf"{older[:7]} is not newer than {bad[:7]}, which was rolled back\."):
        await house.plan("service.deploy", service="orders-api", version=older)


async def test_it_leaves_only_the_version_that_was_meant(house: House) -> None:
    good, bad = await twice_deployed(house)
    with pytest.raises(Conflict, match=rf"runs {bad[:7]} in staging, and not {good[:7]}, which this would leave"):
        await house.plan("service.rollback", service="orders-api", leaves=good[:7])
    await house.do("service.rollback", service="orders-api", leaves=bad[:7])
    assert (current := house.release().current) is not None
    assert current.version.commit == good


async def test_a_fix_is_deployed_and_ends_the_pin(house: House) -> None:
    await twice_deployed(house)
    await house.do("service.rollback", service="orders-api")
    fix = house.push("Mend it", replicas=2)
    plan = await house.do("service.deploy", service="orders-api", version=fix)
    assert house.release().pin is None
    assert any("pin by author ends" in line for line in plan.highlights)


async def test_a_pin_is_over_with_its_term(house: House) -> None:
    _, bad = await twice_deployed(house)
    await house.do("service.rollback", service="orders-api", hold="1h")
    house.later(hours=2)
    await house.plan("service.deploy", service="orders-api", version=bad)


async def test_letting_go_strikes_out_the_term(house: House) -> None:
    _, bad = await twice_deployed(house)
    await house.do("service.rollback", service="orders-api")
    plan = await house.do("service.unpin", service="orders-api", reason="False alarm")
    assert house.release().pin is None
    assert "unpin:orders-api/staging" not in house.agenda.appointments
    assert "await-healthy" not in ids(plan), "nothing that runs has changed"
    await house.plan("service.deploy", service="orders-api", version=bad)
    with pytest.raises(Conflict, match="is not held"):
        await house.plan("service.unpin", service="orders-api")


async def test_rolling_back_twice_goes_on_to_older_versions_and_not_to_the_bad_one(house: House) -> None:
    oldest = house.push("Oldest", replicas=2)
    await house.do("service.deploy", service="orders-api")
    await twice_deployed(house)
    await house.do("service.rollback", service="orders-api")
    await house.do("service.rollback", service="orders-api")
    current = house.release().current
    assert current is not None
    assert current.version.commit == oldest


async def test_there_must_be_something_to_go_back_to(house: House) -> None:
    with pytest.raises(Conflict, match="never been deployed"):
        await house.plan("service.rollback", service="orders-api")
    await house.do("service.deploy", service="orders-api")
    with pytest.raises(NotFound, match="No other version"):
        await house.plan("service.rollback", service="orders-api")


async def test_a_freeze_does_not_stand_in_the_way(house: House) -> None:
    await twice_deployed(house)
    await house.do("service.freeze", service="orders-api", reason="Weekend")
    await house.do("service.rollback", service="orders-api")


# --- what follows from a build


def built(commit: str, **fields: object) -> BuildEnded:
    usual = {
        "delivery": f"delivery-{commit}",
        "repository": SOURCE,
        "run": 1,
        "name": "CI",
        "sha": commit,
        "branch": "main",
        "is_default_branch": True,
        "conclusion": "success",
        "actor": "mate",
        "web_url": "https://forge.example/run/1",
    }
    return BuildEnded.model_validate(usual | fields)


async def follow(house: House, event: BuildEnded) -> list[Asked]:
    asked: list[Asked] = []

    async def ask(one: Asked) -> None:
        asked.append(one)

    await Following(house.deps, ask, lambda: house.now).built(event)
    return asked


async def test_a_build_of_the_default_branch_is_deployed_where_that_is_automatic(house: House) -> None:
    await house.do("service.deploy", service="orders-api")
    commit = house.push("Next", replicas=2)
    [asked] = await follow(house, built(commit))
    assert (asked.command, asked.door, asked.principal.user) == ("service.deploy", Door.FORGE, "user:default/teammate")
    assert asked.request == {"service": "orders-api", "environment": "staging", "version": commit}
    assert [one.operation for one in await follow(house, built(commit))] == [asked.operation], "once for each build"


async def test_a_release_that_cannot_be_read_does_not_swallow_an_automatic_deploy(house: House) -> None:
    """Planning it tells the team what is wrong; nobody else would."""
    await house.do("service.deploy", service="orders-api")
    house.forge.push(GITOPS, {"apps/orders-api/staging/.causeway/release.yaml": b"hello: ["})
    commit = house.push("Next", replicas=2)
    [asked] = await follow(house, built(commit))
    assert (asked.command, asked.request["version"]) == ("service.deploy", commit)
    assert await follow(house, built(commit, actor="somebody-else")) == [], "in nobody's name nothing is asked"


async def test_nothing_follows_from_failures_branches_strangers_and_undeployed_services(house: House) -> None:
    commit = house.push("Next", replicas=2)
    assert await follow(house, built(commit)) == [], "the first deploy is somebody's decision"
    await house.do("service.deploy", service="orders-api", version=commit)
    assert await follow(house, built(commit)) == [], "it runs already"
    newer = house.push("Newer", replicas=2)
    for event in (
        built(newer, conclusion="failure"),
        built(newer, is_default_branch=False),
        built(newer, repository="acme/unknown"),
    ):
        assert await follow(house, event) == []
    await house.do("service.freeze", service="orders-api", reason="Weekend")
    assert await follow(house, built(newer)) == []


async def test_an_older_build_that_ends_late_does_not_go_back(house: House) -> None:
    older = house.push("Older", replicas=2)
    house.push("Newer", replicas=2)
    await house.do("service.deploy", service="orders-api")
    assert await follow(house, built(older)) == []


async def test_while_pinned_only_a_fix_is_deployed(house: House) -> None:
    _, bad = await twice_deployed(house)
    await house.do("service.rollback", service="orders-api")
    assert await follow(house, built(bad)) == [], "what was rolled back does not come back by itself"
    fix = house.push("Mend it", replicas=2)
    [asked] = await follow(house, built(fix))
    assert (asked.command, asked.request["version"]) == ("service.deploy", fix)


async def test_where_nothing_is_automatic_a_fix_only_lets_go(house: House) -> None:
    await twice_deployed(house)
    await house.do("service.promote", service="orders-api")
    house.push("Worse", replicas=2)
    await house.do("service.deploy", service="orders-api", environment="production")
    await house.do("service.rollback", service="orders-api", environment="production")
    fix = house.push("Mend it", replicas=2)
    asked = await follow(house, built(fix))
    [unpin] = [one for one in asked if one.request["environment"] == "production"]
    assert unpin.command == "service.unpin"
    assert unpin.request["reason"] == f"a fix was merged: {fix[:7]}"


async def test_an_unknown_login_is_taken_for_whoever_deployed_last(house: House) -> None:
    await house.do("service.deploy", service="orders-api")
    commit = house.push("Next", replicas=2)
    [asked] = await follow(house, built(commit, actor="renovate[bot]"))
    assert asked.principal.user == "user:default/author"
