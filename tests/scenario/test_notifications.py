"""What a team wants to hear of: from the form in Slack to a quiet night, its morning, and CI that fails."""

from __future__ import annotations

from datetime import timedelta

from tests.scenario.test_alert_actions import SLOW, Alertmanager, Card
from tests.scenario.test_day_two import NAME, card_of, commit, created, image_of, live
from tests.scenario.world import Json, World, spoken

TEAM = "group:default/team-orders"


async def test_a_team_chooses_what_it_hears_and_sleeps_through_the_rest(here: World) -> None:
    await created(here)
    await chosen_in_the_form(here)

    version = await commit(here, "In the night", NIGHT="1")
    done = await automatic(here, version)
    assert done["state"] == "succeeded"
    assert image_of(await live(here)).endswith(version)
    assert await told_of(here, version) == []

    alertmanager = Alertmanager(here)
    await alertmanager.fire(SLOW, {"alertname": "DiskFillsUp", "team": "team-orders", "severity": "warning"})
    await here.advance("10s")
    critical = await Card(here, "team-orders", "LatencyHigh").now()

    await here.advance("4h")
    (morning,) = await said(here, "While it was quiet")
    assert f"✅ Deploy {NAME} {version[:7]} to staging" in spoken(morning)
    warning = await Card(here, "team-orders", "DiskFillsUp").now()
    assert float(warning["ts"]) - float(critical["ts"]) > 2 * 3600, "one came through at night, the other waited"
    await a_build_fails_and_is_mended(here)


async def chosen_in_the_form(here: World) -> None:
    """What stands in the form fits whose it is; another choice shows other fields, and is saved as theirs."""
    slack = here.slack
    await slack.command("author", "/idp notifications")
    view = await slack.opened("author", "notifications")
    assert "told@user:default/author" in str(view["blocks"])
    assert f"deploys@{TEAM}" not in str(view["blocks"])
    await slack.call("POST", "actions", user="author", view_id=view["id"], action_id="subject", value=TEAM)

    async def shown() -> Json | None:
        found = await slack.modal("author")
        return found if found is not None and f"deploys@{TEAM}" in str(found["blocks"]) else None

    view = await slack.until(shown)
    assert "told@user:default/author" not in str(view["blocks"])
    assert here.playground is not None
    now = here.playground.clock()
    begin, end = f"{now - timedelta(hours=1):%H:%M}", f"{now + timedelta(hours=3):%H:%M}"
    hours = {f"quiet_from@{TEAM}": begin, f"quiet_to@{TEAM}": end, f"zone@{TEAM}": "Mars/Olympus"}
    typed = {name: {name: value} for name, value in hours.items()}
    refused = await slack.call("POST", "views/submit", user="author", view_id=view["id"], values=typed)
    assert "`Mars/Olympus` is no time zone" in str(refused["body"])
    await slack.submit("author", view, {**hours, f"zone@{TEAM}": "UTC"})
    card = await card_of(here, "notifications", "succeeded")
    assert f"Quiet from {begin} to {end}, UTC." in spoken(card)


async def automatic(here: World, version: str) -> Json:
    """Wait for the end of the deploy that nobody has asked for."""
    done: Json = {}
    while done.get("state") not in ("succeeded", "failed", "undone"):  # there is no event of what is not told
        _, found = await here.api("GET", "/operations?limit=20", by="author")
        done = next((one for one in found["operations"] if one["request"].get("version") == version), {})
    return done


async def told_of(here: World, version: str) -> list[str]:
    return [spoken(one) for one in await here.slack.messages("team-orders") if version[:7] in spoken(one)]


async def said(here: World, words: str) -> list[Json]:
    async def look() -> list[Json] | None:
        return [one for one in await here.slack.messages("team-orders") if words in spoken(one)] or None

    found: list[Json] = await here.slack.until(look)
    return found


async def a_build_fails_and_is_mended(here: World) -> None:
    await here.workflows(NAME, "failure")
    broken = await commit(here, "Break CI", CI="1")
    (card,) = await said(here, f"*CI of acme/{NAME}* fails on the main branch")
    assert broken[:7] in spoken(card)
    await commit(here, "Break CI again", CI="2")
    await below(here, card, "Fails again")
    await here.workflows(NAME, "success")
    await commit(here, "Mend CI", CI="3")
    (green,) = await said(here, f"*CI of acme/{NAME}* is green again after 2 failed runs")
    assert green["ts"] == card["ts"], "one message, marked where it stands"
    await below(here, card, "Green again")


async def below(here: World, card: Json, words: str) -> None:
    async def look() -> Json | None:
        lines = await here.slack.messages("team-orders", thread_ts=card["ts"])
        return next((line for line in lines if words in spoken(line)), None)

    await here.slack.until(look)
