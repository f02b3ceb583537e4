from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from bot.errors import OutcomeUnknown, UpstreamUnavailable
from bot.slack.gateway import SlackGateway, SlackRefused
from bot.slack.pace import Bucket, Pace
from tests.fakes.slack import FakeTimer

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Peer:
    """A local server that answers as the test says and remembers what it was sent."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.seen: list[tuple[str, Any]] = []
        self.ports: set[int] = set()
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        form = await request.post() if "form" in request.content_type else None
        self.seen.append((request.path, dict(form) if form is not None else await _body(request)))
        assert request.transport is not None
        self.ports.add(request.transport.get_extra_info("peername")[1])
        answer = self.answers.pop(0) if self.answers else says({"ok": True})
        return await answer(request)


async def _body(request: web.Request) -> Any:
    raw = await request.read()
    return json.loads(raw) if raw and request.content_type == "application/json" else raw


def says(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=headers)

    return answer


def shows(text: str, status: int) -> Answer:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=text, status=status, content_type="text/html")

    return answer


async def hangs_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def truncates(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"ok": tr')
    assert request.transport is not None
    request.transport.close()
    return response


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    made = Peer()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", made.handle)
    async with TestServer(app) as server:
        made.url = str(server.make_url("/api/"))
        yield made


@pytest.fixture
async def timer() -> FakeTimer:
    return FakeTimer()


@pytest.fixture
async def gateway(peer: Peer, timer: FakeTimer) -> AsyncIterator[SlackGateway]:
    async with aiohttp.ClientSession() as session:
        yield SlackGateway(session, "xoxb-test", base_url=peer.url, timer=timer)


async def test_posts_are_sent_as_json_and_reads_as_a_form(gateway: SlackGateway, peer: Peer) -> None:
    await gateway.call("chat.postMessage", channel="C1", text="hi", blocks=[], thread_ts=None)
    await gateway.call("conversations.history", channel="C1", include_all_metadata=True, limit=5, cursor=None)
    assert peer.seen == [
        ("/api/chat.postMessage", {"channel": "C1", "text": "hi", "blocks": []}),
        ("/api/conversations.history", {"channel": "C1", "include_all_metadata": "true", "limit": "5"}),
    ]


async def test_nothing_that_is_sent_calls_a_whole_channel(gateway: SlackGateway, peer: Peer) -> None:
    loud = [{"type": "section", "text": {"type": "mrkdwn", "text": "<!channel> look"}}]
    for method in ("chat.postMessage", "chat.update", "chat.postEphemeral"):
        await gateway.call(method, channel="C1", text="<!here> look", blocks=loud)
    await gateway.call("files.completeUploadExternal", channel_id="C1", initial_comment="<!everyone> look")
    await gateway.respond(f"{peer.url}respond", {"text": "<!here> look", "blocks": loud})
    assert len(peer.seen) == 5
    assert all("look" in str(sent) and "<!" not in str(sent) for _, sent in peer.seen)


async def test_all_calls_share_one_connection(gateway: SlackGateway, peer: Peer) -> None:
    for _ in range(3):
        await gateway.call("auth.test")
    assert len(peer.ports) == 1


async def test_the_answer_comes_back_as_it_was(gateway: SlackGateway, peer: Peer) -> None:
    peer.answers = [says({"ok": True, "ts": "1.2", "channel": "C1"})]
    assert await gateway.call("chat.postMessage", channel="C1", text="x") == {"ok": True, "ts": "1.2", "channel": "C1"}


async def test_a_refusal_has_slacks_own_name_for_it(gateway: SlackGateway, peer: Peer) -> None:
    peer.answers = [says({"ok": False, "error": "channel_not_found"})]
    with pytest.raises(SlackRefused) as caught:
        await gateway.call("chat.postMessage", channel="C1", text="x")
    assert caught.value.code == "channel_not_found"


async def test_slacks_words_on_what_was_wrong_are_kept(gateway: SlackGateway, peer: Peer) -> None:
    metadata = {"messages": ["[ERROR] must be less than 151 characters [json-pointer:/blocks/0]"]}
    peer.answers = [says({"ok": False, "error": "invalid_blocks", "response_metadata": metadata})]
    with pytest.raises(SlackRefused, match="less than 151"):
        await gateway.call("chat.postMessage", channel="C1", text="x")


async def test_too_many_calls_pause_the_method_for_everybody(
    gateway: SlackGateway, peer: Peer, timer: FakeTimer
) -> None:
    peer.answers = [says({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "30"})]
    with pytest.raises(UpstreamUnavailable) as caught:
        await gateway.call("chat.update", channel="C1", ts="1", text="x")
    assert caught.value.retry_after_s == 30
    assert not isinstance(caught.value, OutcomeUnknown)
    assert 29 < gateway.delay("chat.update") <= 30
    assert gateway.delay("views.update") == 0
    began = timer.now()
    await gateway.call("chat.update", channel="C2", ts="1", text="x")
    assert timer.now() - began >= 30


async def test_a_full_channel_pauses_that_channel_only(gateway: SlackGateway, peer: Peer) -> None:
    peer.answers = [says({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "30"})]
    with suppress(UpstreamUnavailable):
        await gateway.call("chat.postMessage", channel="C1", text="x")
    assert gateway.delay("chat.postMessage", "C1") > 29
    assert gateway.delay("chat.postMessage", "C2") == 0


async def test_whoever_will_not_wait_is_told_how_long_it_would_be(gateway: SlackGateway) -> None:
    await gateway.call("chat.postMessage", channel="C1", text="x")
    with pytest.raises(UpstreamUnavailable) as caught:
        await gateway.call("chat.postMessage", channel="C1", text="x", patience_s=0.5)
    assert caught.value.retry_after_s == pytest.approx(1.0)


async def test_a_form_is_opened_now_or_not_at_all(gateway: SlackGateway, peer: Peer, timer: FakeTimer) -> None:
    peer.answers = [says({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "5"})]
    began = timer.now()
    for _ in range(2):
        with pytest.raises(UpstreamUnavailable):
            await gateway.call("views.open", trigger_id="1", view={})
    assert timer.now() == began
    assert len(peer.seen) == 1


async def test_many_people_may_open_forms_at_once(gateway: SlackGateway, peer: Peer, timer: FakeTimer) -> None:
    began = timer.now()
    for _ in range(60):
        await gateway.call("views.open", trigger_id="1", view={})
    assert timer.now() == began
    assert len(peer.seen) == 60


@pytest.mark.parametrize(
    "answer",
    [
        says({"ok": False, "error": "internal_error"}),
        says({"ok": False, "error": "fatal_error"}, 500),
        shows("<h1>Bad gateway</h1>", 502),
        shows("not json", 200),
        hangs_up,
        truncates,
    ],
)
async def test_a_write_whose_answer_was_lost_may_have_happened(
    gateway: SlackGateway, peer: Peer, answer: Answer
) -> None:
    peer.answers = [answer]
    with pytest.raises(OutcomeUnknown):
        await gateway.call("chat.postMessage", channel="C1", text="x")


@pytest.mark.parametrize("answer", [shows("<h1>Bad gateway</h1>", 502), hangs_up, truncates])
async def test_a_read_whose_answer_was_lost_just_did_not_work(
    gateway: SlackGateway, peer: Peer, answer: Answer
) -> None:
    peer.answers = [answer]
    with pytest.raises(UpstreamUnavailable) as caught:
        await gateway.call("conversations.history", channel="C1")
    assert not isinstance(caught.value, OutcomeUnknown)


async def test_a_call_that_never_left_did_not_happen(timer: FakeTimer) -> None:
    async with aiohttp.ClientSession() as session:
        gateway = SlackGateway(session, "x", base_url=f"http://127.0.0.1:{unused_port()}/api/", timer=timer)
        with pytest.raises(UpstreamUnavailable) as caught:
            await gateway.call("chat.postMessage", channel="C1", text="x")
    assert not isinstance(caught.value, OutcomeUnknown)


async def test_silence_ends_the_call(peer: Peer, timer: FakeTimer) -> None:
    released = asyncio.Event()

    async def silent(_request: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.Response()

    peer.answers = [silent]
    async with aiohttp.ClientSession() as session:
        gateway = SlackGateway(session, "x", base_url=peer.url, timer=timer, timeout_s=0.05)
        with pytest.raises(OutcomeUnknown):
            await gateway.call("chat.postMessage", channel="C1", text="x")
        released.set()


async def test_no_error_holds_the_token_or_what_was_sent(gateway: SlackGateway, peer: Peer) -> None:
    for answer in (says({"ok": False, "error": "invalid_auth"}), shows("x", 502), hangs_up):
        peer.answers = [answer]
        with pytest.raises((SlackRefused, UpstreamUnavailable)) as caught:
            await gateway.call("chat.update", channel="C1", ts="1", text="confidential")
        assert "xoxb" not in str(caught.value)
        assert "confidential" not in str(caught.value)


async def test_a_response_url_and_an_upload_are_posted(gateway: SlackGateway, peer: Peer) -> None:
    await gateway.respond(f"{peer.url}hook", {"text": "x"})
    await gateway.upload(f"{peer.url}upload", b"bytes")
    assert peer.seen == [("/api/hook", {"text": "x"}), ("/api/upload", b"bytes")]


@pytest.mark.parametrize(
    ("status", "error"), [(429, UpstreamUnavailable), (500, OutcomeUnknown), (404, SlackRefused), (410, SlackRefused)]
)
async def test_a_response_url_may_refuse(
    gateway: SlackGateway, peer: Peer, status: int, error: type[Exception]
) -> None:
    peer.answers = [shows("no", status)]
    with pytest.raises(error):
        await gateway.respond(f"{peer.url}hook", {"text": "x"})


async def test_only_web_addresses_are_posted_to(gateway: SlackGateway) -> None:
    with pytest.raises(SlackRefused):
        await gateway.respond("file:///etc/passwd", {})


# --- Pace -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("per_minute", "burst"), [(45.0, 9.0), (20.0, 4.0), (60.0, 1.0), (1.0, 1.0)])
def test_no_minute_holds_more_calls_than_allowed(per_minute: float, burst: float) -> None:
    bucket = Bucket(per_minute=per_minute, burst=burst)
    times: list[float] = []
    now = 0.0
    while now < 600:
        now += bucket.delay(now) + 1e-6
        bucket.take(now)
        times.append(now)
    busiest = max(sum(start <= time < start + 60 for time in times) for start in times)
    assert busiest <= per_minute + 1


def test_quiet_channels_are_forgotten() -> None:
    timer = FakeTimer()
    pace = Pace(timer)
    for number in range(5_000):
        pace.take("chat.postMessage", f"C{number}")
        timer.at += 1
    assert len(pace._channels) <= 2_001
