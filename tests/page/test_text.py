"""What text becomes: mrkdwn, Markdown, rich text; and that hostile text stays text."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.page.conftest import World
from tests.page.samples import HOSTILE, field, option
from tests.page.slack_fake import HANDLES, mrkdwn, text
from tests.page.test_channels import sit_down

pytestmark = pytest.mark.asyncio(loop_scope="session")

RENDER = """async ([module, name, source]) => {
  const box = document.createElement("div");
  box.append(...(await import(`/static/js/${module}.js`))[name](source));
  return box.innerHTML;
}"""
OUTSIDE = 'target="_blank" rel="noopener noreferrer"'


def line(inside: str) -> str:
    return f'<span class="line">{inside}</span>'


MRKDWN = {
    "*bold* _it_ ~gone~": line("<strong>bold</strong> <em>it</em> <s>gone</s>"),
    "2*3*4 snake_case_name a~b~c": line("2*3*4 snake_case_name a~b~c"),
    "*a _b_*": line("<strong>a <em>b</em></strong>"),
    "`*code* &lt;b&gt;`": line("<code>*code* &lt;b&gt;</code>"),
    "```\na *b*\n```": "<pre><code>a *b*</code></pre>",
    "&gt; quoted\nplain": f"<blockquote>{line('quoted')}</blockquote>{line('plain')}",
    "<https://a.test/?x=1&amp;y=2|Link>": line(f'<a href="https://a.test/?x=1&amp;y=2" {OUTSIDE}>Link</a>'),
    "see https://a.test/x.": line(f'see <a href="https://a.test/x" {OUTSIDE}>https://a.test/x</a>.'),
    "<javascript:alert(1)|click>": line("&lt;javascript:alert(1)|click&gt;"),
    "<@U0AUTHOR01>": line('<span class="mention mention-me">@author</span>'),
    "<#C0GENERAL01|general>": line('<a class="mention" href="#author/general">#general</a>'),
    "<!here>": line('<span class="mention mention-me">@here</span>'),
    ":wave: :no_such_thing: 10:30:15": line("👋 :no_such_thing: 10:30:15"),
    "• one": '<span class="line line-item depth-0"><span class="line-sign">•</span><span>one</span></span>',
    "&lt;script&gt; &amp;lt;": line("&lt;script&gt; &amp;lt;"),
    "*unclosed _and `open": line("*unclosed _and `open"),
}


async def test_mrkdwn_reads_as_slack_reads_it(page: Page, world: World) -> None:
    await sit_down(page, world)
    read = {source: await page.evaluate(RENDER, ["mrkdwn", "mrkdwn", source]) for source in MRKDWN}
    assert read == MRKDWN


async def test_a_date_is_told_in_the_readers_words(page: Page, world: World) -> None:
    await sit_down(page, world)
    rendered = await page.evaluate(
        RENDER, ["mrkdwn", "mrkdwn", "<!date^0^{date_num} {no_such}|then> <!date^soon^{date}|later>"]
    )
    assert (
        rendered
        == '<span class="line"><time title="then">1970-01-01 {no_such}</time> <time title="later">later</time></span>'
    )


async def test_markdown_has_headings_lists_code_and_tables(page: Page, world: World) -> None:
    await sit_down(page, world)
    source = "# Plan\n\n- **one**\n- `two`\n\n```\n<b>\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    rendered = await page.evaluate(RENDER, ["markdown", "markdown", source])
    for piece in (
        'aria-level="4">Plan</p>',
        "<ul><li><strong>one</strong></li><li><code>two</code></li></ul>",
        "<pre><code>&lt;b&gt;</code></pre>",
        "<td>2</td>",
    ):
        assert piece in rendered


async def test_hostile_text_is_inert_wherever_it_stands(page: Page, world: World) -> None:
    hostile_link = {"type": "link", "url": "javascript:alert(1)", "text": HOSTILE}
    hostile_blocks = [
        {"type": "header", "block_id": "1", "text": text(HOSTILE)},
        {"type": "section", "block_id": "2", "text": mrkdwn(HOSTILE), "fields": [mrkdwn(f"*{HOSTILE}*")]},
        {"type": "context", "block_id": "3", "elements": [mrkdwn(f"<https://a.test|{HOSTILE}>")]},
        {"type": "markdown", "block_id": "4", "text": f"# {HOSTILE}\n\n[{HOSTILE}](javascript:alert(1))"},
        {"type": "rich_text", "block_id": "5", "elements": [{"type": "rich_text_section", "elements": [hostile_link]}]},
        {"type": "image", "block_id": "6", "image_url": "javascript:alert(1)", "alt_text": HOSTILE},
        {"type": HOSTILE, "block_id": "7"},
        {"type": "table", "block_id": "8", "rows": [[{"type": "raw_text", "text": HOSTILE}]]},
    ]
    world.slack.post("team-orders", HOSTILE, username=HOSTILE, blocks=hostile_blocks)
    world.slack.post(
        "team-orders", HOSTILE, files=[{"id": "F1", "name": HOSTILE, "mimetype": "image/svg+xml", "size": 1}]
    )
    await sit_down(page, world)
    await expect(page.locator(".message")).to_have_count(2)
    await page.locator(".message").first.hover()
    await page.locator(".message").first.get_by_role("button", name="Show payload").click()
    choice = {"type": "static_select", "options": [option("x", HOSTILE)], "placeholder": text(HOSTILE)}
    world.slack.open_modal(
        HANDLES["author"],
        title=text(HOSTILE),
        errors={"a": HOSTILE},
        blocks=[
            field("a", HOSTILE, choice, hint=text(HOSTILE)),
        ],
    )
    await page.get_by_role("dialog").get_by_role("combobox").click()
    await expect(page.get_by_role("option")).to_contain_text("<script>")
    assert await page.locator("body script, body img, a[href^='javascript']").count() == 0
    assert "pwned" not in await page.title()


async def test_a_picture_from_outside_is_named_and_not_loaded(page: Page, world: World) -> None:
    world.slack.post(
        "team-orders",
        "",
        blocks=[{"type": "image", "block_id": "i", "image_url": "https://cdn.example/x.png", "alt_text": "A diagram"}],
    )
    await sit_down(page, world)
    await expect(page.get_by_role("img", name="A diagram")).to_be_visible()
    await expect(page.locator(".message img")).to_have_count(0)
