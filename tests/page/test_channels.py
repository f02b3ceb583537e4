"""Channels, messages, threads and users, as somebody at the page sees them."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.page.conftest import World
from tests.page.samples import card
from tests.page.slack_fake import HANDLES

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def sit_down(page: Page, world: World, place: str = "author/team-orders") -> None:
    await page.goto(f"{world.url}/#{place}")
    await expect(page.locator("body")).to_have_attribute("data-ready", "true")


async def test_the_sidebar_shows_own_channels_apart_from_others(page: Page, world: World) -> None:
    await sit_down(page, world)
    own = page.get_by_role("list", name="Channels", exact=True)
    await expect(own.get_by_role("listitem")).to_have_text(["team-orders", "platformshared", "general"])
    await expect(page.get_by_role("list", name="Channels you are not in")).to_have_text("team-checkout")


async def test_a_message_in_another_channel_is_counted_until_it_is_read(page: Page, world: World) -> None:
    await sit_down(page, world)
    world.slack.post("general", "Lunch?", user=HANDLES["stranger"])
    general = page.get_by_role("button", name="general, 1 unread")
    await expect(general).to_be_visible()
    await general.click()
    await expect(page.get_by_role("log")).to_contain_text("Lunch?")
    await expect(page.get_by_role("separator", name="New")).to_be_visible()
    await expect(page.get_by_role("button", name="general", exact=True)).to_have_attribute("aria-current", "page")


async def test_what_arrives_while_one_looks_is_not_marked_as_new(page: Page, world: World) -> None:
    await sit_down(page, world)
    world.slack.post("team-orders", "Look here", user=HANDLES["teammate"])
    await expect(page.get_by_role("log")).to_contain_text("Look here")
    await expect(page.get_by_role("separator", name="New")).to_have_count(0)
    await page.get_by_role("button", name="general").click()
    await expect(page.get_by_role("button", name="team-orders", exact=True)).to_be_visible()


async def test_a_card_is_edited_in_place_while_one_looks(page: Page, world: World) -> None:
    ts = world.slack.post("team-orders", "Create service user-api", blocks=card())
    await sit_down(page, world)
    await expect(page.get_by_role("button", name="Approve", exact=True)).to_be_visible()
    world.slack.edit("team-orders", ts, blocks=card("Succeeded", done=True))
    await expect(page.locator(".message")).to_contain_text("Succeeded")
    await expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    await expect(page.locator(".message")).to_have_count(1)


async def test_a_click_is_sent_for_the_user_who_sits_there(page: Page, world: World) -> None:
    ts = world.slack.post("team-orders", "Create service user-api", blocks=card())
    await sit_down(page, world, "approver/team-orders")
    async with page.expect_response("**/sim/actions"):
        await page.get_by_role("button", name="Approve", exact=True).click()
    assert world.slack.bodies("/sim/actions") == [
        {
            "user": HANDLES["approver"],
            "channel": "C0TEAMORDER",
            "message_ts": ts,
            "block_id": "decide",
            "action_id": "approve",
            "value": "approve-id",
        }
    ]


async def test_a_button_with_a_confirmation_asks_first(page: Page, world: World) -> None:
    world.slack.post("team-orders", "Create service user-api", blocks=card())
    await sit_down(page, world)
    await page.get_by_role("button", name="Reject", exact=True).click()
    dialog = page.get_by_role("alertdialog", name="Reject this?")
    await dialog.get_by_role("button", name="Back").click()
    await expect(dialog).to_have_count(0)
    assert world.slack.bodies("/sim/actions") == []
    await page.get_by_role("button", name="Reject", exact=True).click()
    async with page.expect_response("**/sim/actions"):
        await dialog.get_by_role("button", name="Reject", exact=True).click()
    assert [body["action_id"] for body in world.slack.bodies("/sim/actions")] == ["reject"]


async def test_an_app_that_does_not_answer_a_click_is_named(page: Page, world: World) -> None:
    world.slack.post("team-orders", "Create service user-api", blocks=card())
    world.slack.answers["/sim/actions"] = lambda _: {
        "status": None,
        "ack_ms": 3000,
        "body": "",
        "error": "operation_timeout",
    }
    await sit_down(page, world)
    await page.get_by_role("button", name="Approve", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("did not respond in time")


async def test_a_thread_opens_beside_the_channel_and_takes_replies(page: Page, world: World) -> None:
    ts = world.slack.post("team-orders", "Create service user-api", blocks=card())
    world.slack.post("team-orders", "31 files", thread_ts=ts)
    await sit_down(page, world)
    await page.get_by_role("button", name="1 reply").click()
    thread = page.get_by_role("complementary", name="Thread")
    await expect(thread).to_contain_text("31 files")
    await thread.get_by_role("combobox").fill("Looks right to me")
    await thread.get_by_role("combobox").press("Enter")
    await expect(thread).to_contain_text("Looks right to me")
    await expect(page.get_by_role("button", name="2 replies")).to_be_visible()
    assert world.slack.bodies("/sim/messages")[-1]["thread_ts"] == ts


async def test_a_command_in_a_thread_is_refused_as_in_slack(page: Page, world: World) -> None:
    ts = world.slack.post("team-orders", "Hello")
    await sit_down(page, world, f"author/team-orders/{ts}")
    field = page.get_by_role("complementary", name="Thread").get_by_role("combobox")
    await field.fill("/service create")
    await field.press("Enter")
    await expect(page.get_by_role("alert").filter(has_text="do not work inside threads")).to_be_visible()
    assert world.slack.bodies("/sim/commands") == []


async def test_only_its_addressee_sees_an_ephemeral_message(page: Page, world: World) -> None:
    world.slack.post("team-orders", "You may not do that.", ephemeral_to=HANDLES["author"])
    await sit_down(page, world)
    await expect(page.locator(".message")).to_contain_text("Only visible to you")
    await page.get_by_role("button", name="Switch user").click()
    await page.get_by_role("menuitemradio", name="Sample Approver").click()
    await expect(page.get_by_role("button", name="you are Sample Approver")).to_be_visible()
    await expect(page.locator(".message")).to_have_count(0)


async def test_a_switched_user_speaks_with_their_own_voice(page: Page, world: World) -> None:
    await sit_down(page, world)
    await page.get_by_role("button", name="Switch user").click()
    await page.get_by_role("menuitemradio", name="Sample Teammate").click()
    await expect(page).to_have_url(f"{world.url}/#teammate/team-orders")
    field = page.get_by_role("combobox", name="Message #team-orders")
    await field.fill("Hello @approver & <all> in #general")
    await field.press("Enter")
    await expect(page.locator(".message")).to_contain_text("Hello @approver & <all> in #general")
    assert world.slack.bodies("/sim/messages") == [
        {
            "user": HANDLES["teammate"],
            "channel": "C0TEAMORDER",
            "text": f"Hello <@{HANDLES['approver']}> &amp; &lt;all&gt; in <#C0GENERAL01>",
        }
    ]


async def test_a_guest_sees_only_what_a_guest_is_in(page: Page, world: World) -> None:
    await sit_down(page, world, "guest/general")
    await expect(page.get_by_role("list", name="Channels", exact=True)).to_have_text("general")
    await expect(page.get_by_role("list", name="Channels you are not in")).to_be_hidden()


async def test_somebody_who_is_no_member_reads_but_does_not_write(page: Page, world: World) -> None:
    world.slack.post("team-checkout", "Ours", user=HANDLES["stranger"])
    await sit_down(page, world)
    await page.get_by_role("button", name="team-checkout").click()
    await expect(page.get_by_role("log")).to_contain_text("Ours")
    await expect(page.get_by_role("combobox", name="Message #team-checkout")).to_be_disabled()


async def test_a_file_is_previewed_and_can_be_downloaded(page: Page, world: World) -> None:
    world.slack.files["F1"] = "kind: WebService\n"
    file = {
        "id": "F1",
        "name": "platform.yaml",
        "title": "platform.yaml",
        "mimetype": "text/yaml",
        "filetype": "yaml",
        "size": 17,
    }
    world.slack.post("team-orders", "The document", files=[file])
    await sit_down(page, world)
    await page.get_by_role("button", name="Preview platform.yaml").click()
    await expect(page.locator(".file-preview")).to_contain_text("kind: WebService")
    await expect(page.get_by_role("link", name="Download platform.yaml")).to_have_attribute(
        "href", f"{world.slack_url}/sim/files/F1"
    )


async def test_a_payload_can_be_inspected_and_metadata_is_shown_only_there(page: Page, world: World) -> None:
    metadata = {"event_type": "causeway_operation", "event_payload": {"digest": "4f1c9a"}}
    world.slack.post("team-orders", "A card", metadata=metadata)
    await sit_down(page, world)
    await expect(page.locator(".message")).not_to_contain_text("causeway_operation")
    await page.locator(".message").hover()
    await page.get_by_role("button", name="Show payload").click()
    await expect(page.get_by_role("complementary", name="Developer drawer")).to_contain_text("causeway_operation")


async def test_the_delivery_log_follows_what_happens(page: Page, world: World) -> None:
    await sit_down(page, world)
    await page.get_by_role("button", name="Developer drawer", exact=True).click()
    field = page.get_by_role("combobox", name="Message #team-orders")
    await field.fill("/idp help")
    await field.press("Enter")
    world.slack.post("team-orders", "Help")
    await expect(page.get_by_role("complementary", name="Developer drawer")).to_contain_text("/sim/commands")


async def test_app_home_is_asked_for_and_drawn_when_published(page: Page, world: World) -> None:
    await sit_down(page, world)
    await page.get_by_role("button", name="Causeway", exact=True).click()
    await expect(page.get_by_role("heading", name="has not drawn its Home yet")).to_be_visible()
    world.slack.publish_home(
        HANDLES["author"], [{"type": "header", "block_id": "h", "text": {"type": "plain_text", "text": "My services"}}]
    )
    await expect(page.get_by_role("heading", name="My services")).to_be_visible()
    assert world.slack.bodies("/sim/home")[-1] == {"user": HANDLES["author"]}


async def test_the_first_visit_is_greeted_and_helped_to_start(page: Page, world: World) -> None:
    await page.add_init_script("localStorage.removeItem('playground.toured')")
    await sit_down(page, world, "stranger/general")
    card = page.get_by_role("region", name="Welcome to Causeway")
    await card.get_by_role("button", name="Type it for me").click()
    await expect(page.get_by_role("combobox", name="Message #team-orders")).to_have_value("/service create")
    await card.get_by_role("button", name="Switch").click()
    await expect(page.get_by_role("button", name="you are Sample Approver")).to_be_visible()
    await card.get_by_role("button", name="Close the tour").click()
    await expect(card).to_be_hidden()


async def test_the_clock_is_moved_from_the_page(page: Page, world: World) -> None:
    await sit_down(page, world)
    await page.get_by_role("button", name="Playground clock").click()
    await page.get_by_role("textbox", name="How far").fill("soon")
    async with page.expect_response("**/sim/clock"):
        await page.get_by_role("button", name="+ 1 week").click()
    await expect(page.locator(".clock-panel")).not_to_have_attribute("aria-busy", "true")
    assert world.clock.state["offset_s"] == 604_800
