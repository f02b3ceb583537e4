"""The page against the playground's own Slack simulator, with a bot of a few lines behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from bot.charts import alt_text, chart
from integrations.resvg import connect as connect_pictures
from playground.page.peer import PagePeer
from tests.charts.examples import LATENCY
from tests.page.conftest import COMMANDS, listen, window
from tests.page.samples import card, every_input, option, service_form
from tests.page.slack_fake import HANDLES, Json, text
from tests.playground.slack.rig import ORDERS, Bot, Rig, running, running_bot

pytestmark = pytest.mark.asyncio(loop_scope="session")
TEAMS = [option("team-orders", "Team Orders"), option("team-checkout", "Team Checkout")]


@dataclass(frozen=True)
class Playground:
    slack: Rig
    bot: Bot
    page: Page
    url: str

    async def sit_down(self, place: str = "author/team-orders") -> None:
        await self.page.goto(f"{self.url}/#{place}")
        await expect(self.page.locator("body")).to_have_attribute("data-ready", "true")

    async def say(self, line: str) -> None:
        composer = self.page.locator("main").get_by_role("combobox")
        await composer.fill(line)
        await composer.press("Enter")

    def opens(self, blocks: list[Json]) -> None:
        """Let the bot answer each command with a form, and each question for options with the teams."""

        async def behave(payload: Json) -> web.StreamResponse | None:
            if payload.get("command"):
                view: Json = {"type": "modal", "callback_id": "service.create", "title": text("Create a service")}
                view |= {"submit": text("Create"), "close": text("Cancel"), "blocks": blocks}
                await self.slack.ok("views.open", trigger_id=payload["trigger_id"], view=view)
            if payload.get("type") == "block_suggestion":
                return web.json_response({"options": [o for o in TEAMS if payload["value"] in o["value"]]})
            return None

        self.bot.behave = behave

    def values(self) -> Json:
        """What the bot got with the last submit, by field."""
        heard = [h.payload for h in self.bot.heard if h.payload.get("type") == "view_submission"]
        state: Json = heard[-1]["view"]["state"]["values"]
        return {block: elements[block] for block, elements in state.items()}


@pytest_asyncio.fixture(loop_scope="session")
async def playground(browser: Browser, tmp_path: Path) -> AsyncIterator[Playground]:
    async with running_bot() as bot, running(tmp_path / "slack", bot, ack_timeout_s=0.5) as slack:
        config: dict[str, object] = {"slack": slack.url, "commands": COMMANDS}
        runner, url = await listen(PagePeer(clock=slack.clock, config=lambda: config).application())
        async with window(browser) as page:
            yield Playground(slack, bot, page, url)
        await runner.cleanup()


async def test_a_service_is_asked_for_mended_approved_and_received(playground: Playground) -> None:
    page, slack, bot = playground.page, playground.slack, playground.bot
    playground.opens(service_form())
    await playground.sit_down()
    await playground.say("/service create")
    form = page.get_by_role("dialog", name="Create a service")
    await form.get_by_label("Name").fill("checkout")
    await form.get_by_role("button", name="Create").click()
    await expect(form.get_by_role("alert")).to_have_count(2)  # owner and language are required, as a client knows
    await form.get_by_role("combobox", name="Owner").press_sequentially("orders")
    await form.get_by_role("option", name="Team Orders").click()
    await form.get_by_role("combobox", name="Language").press_sequentially("pyth")
    await form.get_by_role("option", name="Python").click()
    bot.answers["view_submission"] = {"response_action": "errors", "errors": {"name": "This name is taken."}}
    await form.get_by_role("button", name="Create").click()
    await expect(form.get_by_text("This name is taken.")).to_be_visible()
    await expect(form.get_by_role("combobox", name="Owner")).to_have_value("Team Orders")
    bot.answers["view_submission"] = ""
    await form.get_by_label("Name").fill("user-api")
    await form.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert playground.values()["name"]["value"] == "user-api"
    assert playground.values()["owner"]["selected_option"]["value"] == "team-orders"

    posted = await slack.ok("chat.postMessage", channel="C0TEAMORDER", text="Create service user-api", blocks=card())
    await page.get_by_role("button", name="Switch user").click()
    await page.get_by_role("menuitemradio", name="Sample Approver").click()
    await page.get_by_role("button", name="Approve", exact=True).click()
    done = {"channel": "C0TEAMORDER", "ts": posted["ts"], "text": "Created user-api", "blocks": card("Done", done=True)}
    await slack.ok("chat.update", **done)
    await expect(page.locator(".message")).to_contain_text("Done")
    await slack.ok("chat.postMessage", channel="C0TEAMORDER", thread_ts=posted["ts"], text="31 files, 2 rules")
    await page.get_by_role("button", name="1 reply").click()
    await expect(page.get_by_role("complementary", name="Thread")).to_contain_text("31 files, 2 rules")
    (click,) = [h.payload for h in bot.heard if h.payload.get("type") == "block_actions"]
    assert (click["user"]["id"], click["actions"][0]["value"]) == (HANDLES["approver"], "approve-id")


async def test_every_kind_of_field_reaches_the_bot_as_slack_sends_it(playground: Playground) -> None:
    playground.opens(every_input())
    await playground.sit_down()
    await playground.say("/service create")
    form = playground.page.get_by_role("dialog", name="Create a service")
    await form.get_by_label("Replicas").fill("3")
    await form.get_by_role("radio", name="Large").check()
    await form.get_by_role("checkbox", name="Cache").check()
    picks = {"Zones": "b", "Depends on": "Team Orders", "Reviewer": "Sample Approver", "Channel": "#general"}
    for name, choice in picks.items():
        await form.get_by_role("combobox", name=name).press_sequentially(choice.split()[-1].lower())
        await form.get_by_role("option", name=choice).first.click()
    await form.get_by_label("At", exact=True).fill("18:15")
    await form.get_by_role("button", name="Create").click()
    await expect(playground.page.get_by_role("dialog")).to_have_count(0)
    values = playground.values()
    assert values["number"]["value"] == "3"
    assert values["size"]["selected_option"]["value"] == "large"
    assert [chosen["value"] for chosen in values["addons"]["selected_options"]] == ["cache"]
    assert [chosen["value"] for chosen in values["zones"]["selected_options"]] == ["b"]
    assert [chosen["value"] for chosen in values["needs"]["selected_options"]] == ["team-orders"]
    assert values["reviewer"]["selected_user"] == HANDLES["approver"]
    assert values["channel"]["selected_channel"] == "C0GENERAL01"
    assert (values["from"]["selected_date"], values["at"]["selected_time"]) == ("2026-12-01", "18:15")


async def test_a_command_that_no_bot_answers_is_told_to_its_user_only(playground: Playground) -> None:
    playground.bot.answers["/service"] = web.Response(status=500)
    await playground.sit_down()
    await playground.say("/service create")
    message = playground.page.locator(".message")
    await expect(message).to_contain_text("Only visible to you")
    await expect(message).to_contain_text("/service")


async def test_app_home_is_published_when_it_is_opened(playground: Playground) -> None:
    slack = playground.slack

    async def behave(payload: Json) -> None:
        if payload.get("event", {}).get("type") == "app_home_opened":
            blocks = [{"type": "header", "text": text("My services")}]
            await slack.ok("views.publish", user_id=payload["event"]["user"], view={"type": "home", "blocks": blocks})

    playground.bot.behave = behave
    await playground.sit_down("author/app-home")
    await expect(playground.page.get_by_role("heading", name="My services")).to_be_visible()
    await playground.page.get_by_role("tab", name="Messages").click()
    await slack.ok("chat.postMessage", channel=HANDLES["author"], text="Your service is ready.")
    await expect(playground.page.get_by_role("log")).to_contain_text("Your service is ready.")


async def test_a_reaction_is_added_and_taken_back(playground: Playground) -> None:
    page = playground.page
    await playground.slack.ok("chat.postMessage", channel="C0TEAMORDER", text="Done")
    await playground.sit_down()
    await page.locator(".message").hover()
    await page.get_by_role("button", name="Add a reaction").click()
    await page.get_by_role("menuitem", name="tada").click()
    mine = page.get_by_role("button", name="tada, 1")
    await expect(mine).to_have_attribute("aria-pressed", "true")
    await mine.click()
    await expect(mine).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_chart_is_shown_on_any_ground_and_said_in_its_words(playground: Playground, scheme: str) -> None:
    page, slack = playground.page, playground.slack
    pictures = connect_pictures()
    png, words = await pictures.png(chart(LATENCY)), alt_text(LATENCY)
    await pictures.close()
    step = await slack.ok("files.getUploadURLExternal", filename="latency.png", length=len(png), alt_txt=words)
    async with slack.http.post(step["upload_url"], data=png) as response:
        assert response.status == 200
    shared = {"files": [{"id": step["file_id"], "title": LATENCY.title}], "channel_id": ORDERS}
    await slack.ok("files.completeUploadExternal", initial_comment="Why is it slow?", **shared)
    block = {"type": "image", "alt_text": "in a block", "slack_file": {"id": step["file_id"]}}
    await slack.ok("chat.postMessage", channel=ORDERS, text="The same in a block", blocks=[block])
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # two of its literals
    await playground.sit_down()
    shown = page.get_by_role("img", name=words)
    await expect(shown).to_be_visible()
    for picture in (shown, page.get_by_role("img", name="in a block")):
        await picture.scroll_into_view_if_needed()
        await page.wait_for_function("node => node.complete", arg=await picture.element_handle())
        assert await picture.evaluate("node => [node.naturalWidth, node.naturalHeight]") == [1440, 640]
        place = await picture.bounding_box()
        assert place is not None
        assert place["width"] >= 400, "as wide as it can be read"
        assert place["height"] == pytest.approx(place["width"] * 640 / 1440, abs=2)
