from __future__ import annotations

import asyncio
import gzip
import io
import json
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from bot.slack.edge import MAX_BODY, is_signed
from bot.slack.envelope import Malformed, from_http, from_socket
from bot.storage.slack_inbound import inbox
from tests.fakes.slack_inbound import MONDAY, SECRET, USER, Rig, rig, sign
from tests.fuzz import examples

EXAMPLES = examples(200)


async def rows(slack: Rig) -> list[Any]:
    async with slack.database.read() as connection:
        return list((await connection.execute(select(inbox))).all())


async def test_a_forged_request_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        body = urlencode(slack.command_fields("/service", "list")).encode()
        for headers in (
            sign(body, MONDAY, "another secret"),
            sign(body + b"x", MONDAY),
            {"X-Slack-Request-Timestamp": str(int(MONDAY.timestamp()))},
            {"X-Slack-Signature": "v0=1"},
            {},
        ):
            response = await slack.client.post("/slack/events", data=body, headers=headers)
            assert response.status == 401
        assert await rows(slack) == []


@pytest.mark.parametrize("seconds", [-301, 301, 3600])
async def test_a_request_from_another_time_is_refused(tmp_path: Path, seconds: int) -> None:
    async with rig(tmp_path) as slack:
        body = urlencode(slack.command_fields("/service", "list")).encode()
        headers = sign(body, MONDAY)
        slack.clock.advance(seconds)
        response = await slack.client.post("/slack/events", data=body, headers=headers)
        assert response.status == 401


@pytest.mark.parametrize("timestamp", ["", "abc", "1e9", "-1", "١٧٦٣", "9" * 40, " 1763888400", "0x10"])
def test_a_time_that_is_not_digits_is_refused_without_an_error(timestamp: str) -> None:
    assert not is_signed(SECRET.encode(), b"", timestamp, "v0=00", 1763888400.0)


def test_a_signature_of_odd_bytes_is_compared_and_refused() -> None:
    now = MONDAY.timestamp()
    assert not is_signed(SECRET.encode(), b"", str(int(now)), "v0=\udcff é", now)


async def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(tmp_path: Path) -> None:
    async def chunks() -> Any:
        for _ in range(MAX_BODY // 65536 + 2):
            yield b"x" * 65536

    async with rig(tmp_path) as slack:
        told = await slack.client.post("/slack/events", data=io.BytesIO(b"x" * (MAX_BODY + 1)))
        response = await slack.client.post("/slack/events", data=chunks())
        assert (told.status, response.status) == (413, 413)


async def test_a_small_body_that_unpacks_to_a_huge_one_is_refused(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        packed = gzip.compress(b"x" * (MAX_BODY * 4))
        response = await slack.client.post("/slack/events", data=packed, headers={"Content-Encoding": "gzip"})
        assert response.status == 413


async def test_a_body_that_does_not_unpack_is_refused(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        response = await slack.client.post("/slack/events", data=b"not gzip", headers={"Content-Encoding": "gzip"})
        assert response.status == 400


@pytest.mark.parametrize(
    ("body", "is_json"),
    [
        (b"", False),
        (b"\xff\xfe", False),
        (b"payload=notjson", False),
        (b"payload=%5B1%5D", False),
        (b"payload=%7B%22type%22%3A%22block_actions%22%7D", False),
        (b"&".join([b"a=1"] * 100), False),
        (b"{", True),
        (b"[" * 100_000, True),
        (b"[]", True),
        (b"null", True),
        (b'{"type": "event_callback"}', True),
        (b'{"type": "event_callback", "event": {"type": 3}}', True),
        (b'{"type": "event_callback", "event": {"type": "x\\ud800"}, "event_id": "1"}', True),
        (b'{"n": ' + b"9" * 10_000 + b"}", True),
        (b"a\x00b", True),
    ],
)
async def test_what_slack_would_not_send_is_refused_in_one_sentence(
    tmp_path: Path, body: bytes, is_json: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with rig(tmp_path) as slack:
        response = await slack.send(body, json_body=is_json)
        assert response.status == 400
        assert await response.text() == "The request is not one that Slack sends."
        assert all(record.exc_info is None for record in caplog.records)


async def test_refused_bodies_are_not_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with rig(tmp_path) as slack:
        await slack.client.post("/slack/events", data=b"text=very-secret-text")
        await slack.send(b"text=very-secret-text")
    assert "slack_request_refused" in caplog.text
    assert "very-secret-text" not in caplog.text + str([record.__dict__ for record in caplog.records])


async def test_slack_may_verify_the_url_and_look_at_the_certificate(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        verification = json.dumps({"type": "url_verification", "challenge": "c-1", "token": "x"}).encode()
        response = await slack.send(verification, json_body=True)
        assert await response.json() == {"challenge": "c-1"}
        assert (await slack.client.get("/slack/events?ssl_check=1&token=x")).status == 200
        assert (await slack.client.post("/slack/events", data={"ssl_check": "1", "token": "x"})).status == 200
        assert (await slack.client.post("/slack/events", data={"ssl_check": "1", "command": "/x"})).status == 401
        assert (await slack.client.get("/slack/events")).status == 405
        assert await rows(slack) == []


async def test_nothing_is_acknowledged_that_was_not_stored(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        async with slack.database.write() as connection:
            await connection.execute(text("ALTER TABLE slack_inbox RENAME TO elsewhere"))
        response = await slack.command("/service", "list")
        assert response.status == 503
        assert "Traceback" not in await response.text()
        assert slack.replies.said == []
        async with slack.database.write() as connection:
            await connection.execute(text("ALTER TABLE elsewhere RENAME TO slack_inbox"))
        assert (await slack.command("/service", "list")).status == 200
        assert slack.replies.texts == ["Services: "]


async def test_the_row_stands_before_the_answer_and_is_emptied_after_the_work(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        await slack.command("/service", "list secret-words")
        await slack.door.inbox.close()
        [row] = await rows(slack)
        assert (row.kind, row.state, row.body) == ("command", 1, "")


async def test_a_delivery_that_comes_again_is_done_once(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        fields = slack.command_fields("/service", "list")
        bodies = [urlencode(fields).encode()] * 6
        answers = await asyncio.gather(*(slack.send(body) for body in bodies))
        await slack.door.idle()
        answers.append(await slack.send(bodies[0]))
        await slack.door.idle()
        assert {answer.status for answer in answers} == {200}
        assert slack.replies.texts == ["Services: "]


async def test_an_event_that_slack_sends_again_is_done_once(tmp_path: Path) -> None:
    async with rig(tmp_path) as slack:
        for _ in range(3):
            await slack.event({"type": "app_mention", "channel": "C1", "text": "<@U0CAUSEWAY1> service list"})
        assert slack.replies.texts == ["Services: "]


@given(st.binary(max_size=2000), st.sampled_from(["application/json", "application/x-www-form-urlencoded", "", "x/y"]))
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_body_is_an_envelope_or_malformed(body: bytes, content_type: str) -> None:
    try:
        from_http(body, content_type, 0.0)
    except Malformed as error:
        assert str(error)  # noqa: PT017 - either outcome is right; only other exceptions are not


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
KEYS = st.sampled_from(
    [
        "type",
        "event",
        "user",
        "actions",
        "view",
        "command",
        "user_id",
        "text",
        "channel",
        "team",
        "action_id",
        "payload",
    ]
)
TYPES = st.sampled_from(
    ["event_callback", "block_actions", "view_submission", "view_closed", "block_suggestion", "shortcut", "x"]
)


@given(st.dictionaries(KEYS, json_values, max_size=8), TYPES, st.booleans())
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_payload_is_an_envelope_that_can_be_read_or_malformed(
    payload: dict[str, Any], kind: str, over_socket: bool
) -> None:
    payload["type"] = kind
    try:
        envelope = (
            from_socket({"envelope_id": "e", "payload": payload}, 0.0)
            if over_socket
            else from_http(json.dumps(payload).encode(), "application/json", 0.0)
        )
    except Malformed:
        return
    assert all(isinstance(part, str) for part in (envelope.user, envelope.team, envelope.channel, envelope.trigger))  # type: ignore[union-attr]  # `url_verification` is not among the types


async def test_signed_nonsense_never_ends_in_an_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Shapes that pass the door and are wrong behind it: each is answered, nothing unhandled is logged."""
    view: dict[str, Any] = {
        "type": "modal",
        "callback_id": "service.create",
        "private_metadata": "nobody.1",
        "id": "V1",
        "hash": "h",
    }
    odd: list[Any] = [None, [], {}, "x", 3, {"values": None}, {"values": {"name": []}}]
    async with rig(tmp_path) as slack:
        for number, value in enumerate(odd):
            for kind in ("view_submission", "view_closed", "block_actions", "block_suggestion"):
                payload = {
                    "type": kind,
                    "view": view | {"state": value, "blocks": value, "private_metadata": value if number else "a.1"},
                    "actions": [{"action_id": "name", "value": value, "selected_option": value}],
                    "action_id": "name",
                    "value": value,
                    "channel": value,
                    "container": value if isinstance(value, dict) else None,
                }
                assert (await slack.interact(payload)).status in (200, 400)
        assert "Traceback" not in caplog.text


def fuzzed(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    found: list[Any] = []

    @given(strategy)
    @settings(max_examples=count, deadline=None, database=None)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found


async def test_any_command_text_through_the_whole_door_is_acknowledged_and_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    texts = fuzzed(st.text(max_size=300), EXAMPLES)
    with tempfile.TemporaryDirectory() as folder:
        async with rig(Path(folder)) as slack:
            for text_ in texts:
                fields = slack.command_fields("/service", "", user_id=USER)
                body = urlencode(fields) + "&text=" + quote_plus(text_.encode("utf-8", "replace"))
                response = await slack.send(body.encode())
                assert response.status in (200, 400)
            await slack.door.idle()
    assert not [record for record in caplog.records if record.exc_info]
