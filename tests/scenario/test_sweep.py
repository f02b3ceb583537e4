"""What nobody remembers is found at night, told in the platform's channel, and deleted by whoever may."""

from __future__ import annotations

from pathlib import Path

from tests.scenario.world import Json, World, spoken, world

NAME = "forgotten"
LABELS = {
    "app.kubernetes.io/managed-by": "causeway",
    "causeway.io/preview": NAME,
    "causeway.io/inventory": f"preview.{NAME}",
    "causeway.io/team": "team-orders",
}
PLATFORM = "platform"


async def forget(here: World) -> None:
    """Let a preview's namespace stand that is in no book."""
    metadata = {"name": NAME, "labels": LABELS}
    await here.administer("POST", "/api/v1/namespaces", {"metadata": metadata})
    config = {"metadata": {"name": "settings", "namespace": NAME}}
    await here.administer("POST", f"/api/v1/namespaces/{NAME}/configmaps", config)


async def report(here: World) -> Json:
    async def look() -> Json | None:
        messages = await here.slack.messages(PLATFORM)
        found = next((one for one in reversed(messages) if "The sweep found" in spoken(one)), None)
        if found is None:
            await here.advance("24h")  # an installation that has just been made waits for its first night
        return found

    found: Json = await here.slack.until(look)
    return found


async def test_the_nightly_sweep_finds_an_orphan_and_its_button_deletes_it_with_proof(tmp_path: Path) -> None:
    async with world(tmp_path / "playground") as here:
        await forget(here)
        told = await report(here)
        text = spoken(told)
        assert f"preview {NAME}" in text
        assert "is not in Causeway's book" in text
        assert "Of team-orders" in text
        assert f"namespace {NAME} on" in text

        await here.slack.command("author", "/idp sweep")
        await here.slack.told("author", "may use `/idp sweep` here. Ask one of them, or platform")
        await here.slack.command("platform", "/idp sweep", PLATFORM)
        await here.slack.told("platform", f"preview {NAME}", PLATFORM)

        await here.slack.click("platform", PLATFORM, told, "sweep")
        card = await here.slack.card("team-orders", "succeeded", "failed", "undone")  # whose it is
        receipt = spoken(card)
        assert f"namespace {NAME} and its workloads (the cluster knows no such namespace)" in receipt, receipt
        gone = await here.kubernetes("GET", f"/api/v1/namespaces/{NAME}")
        assert gone == {}
