"""`/service logs`: what the owners of a service read, and what nobody reads."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from pydantic import ValidationError

from bot.command import Answer
from bot.errors import NotFound, Refused, UpstreamUnavailable, UsageError
from bot.releases import logs
from bot.releases.logs import LONGEST_LINE, MOST_PODS, presentable
from commands import service_logs
from commands.service_logs import QUERY, ServiceLogs
from tests.commands.company import context
from tests.commands.running import (
    CRASHING,
    ORDERS,
    READY,
    LoggingCluster,
    cluster,
    forge,
    in_slack,
    pod,
    running,
)
from tests.slack.checker import message_violations

STAGING = ServiceLogs(service="orders-api", environment="staging")


async def ask(there: LoggingCluster, request: ServiceLogs = STAGING, *, channel: str | None = None) -> Answer:
    """Ask as a member of the owning team does in Slack."""
    asker = in_slack() if channel is None else in_slack(channel=channel)
    return await service_logs.answer(request, asker, running(await forge(), clusters={"default": there}))


def shown(answer: Answer) -> str:
    assert message_violations(answer.text, answer.blocks) == []
    return "\n".join(json.dumps(block, ensure_ascii=False) for block in answer.blocks)


def one_that_writes(*lines: str) -> LoggingCluster:
    there = cluster(pod("orders-api-1", **READY))
    there.written["orders-api-1", "orders-api", False] = lines
    return there


async def test_few_lines_are_shown_at_once() -> None:
    answer = await ask(one_that_writes("listening on :8080", "GET /orders 200"))
    assert answer.text == "orders-api in staging: 2 lines of 1 pod."
    assert "```listening on :8080\\nGET /orders 200```" in shown(answer)
    assert answer.file is None


async def test_programs_get_the_lines_as_they_are() -> None:
    there = one_that_writes("a <b> & c")
    answer = await service_logs.answer(
        STAGING, context("team-orders"), running(await forge(), clusters={"default": there})
    )
    assert isinstance(answer.data, dict)
    assert answer.data["namespace"] == "orders-api-staging"
    assert answer.data["streams"] == [
        {
            "pod": "orders-api-1",
            "container": "orders-api",
            "previous": False,
            "state": "ready",
            "lines": ["a <b> & c"],
            "problem": "",
        }
    ]
    assert answer.text.splitlines()[-1] == "a <b> & c", "a terminal shows them too"


async def test_many_lines_become_a_file_with_a_glimpse_of_the_newest() -> None:
    lines = [f"line {n} " + "x" * 40 for n in range(100)]
    answer = await ask(one_that_writes(*lines))
    assert answer.file is not None
    assert answer.file.text.splitlines()[1:] == lines
    assert answer.file.name == "orders-api-staging-logs.txt"
    glimpse = shown(answer)
    assert "line 99 " in glimpse
    assert "line 10 " not in glimpse


async def test_the_file_goes_to_the_channel_only_where_the_owners_are_at_home() -> None:
    many = ["x" * 80] * 100
    assert (await ask(one_that_writes(*many))).file_for_channel
    elsewhere = await ask(one_that_writes(*many), channel="C0GENERAL")
    assert not elsewhere.file_for_channel
    assert "to you alone" in shown(elsewhere)


async def test_what_crashed_comes_first_with_the_run_before() -> None:
    there = cluster(pod("orders-api-a", **READY), pod("orders-api-b", **CRASHING))
    there.written["orders-api-a", "orders-api", False] = ["fine"]
    there.written["orders-api-b", "orders-api", True] = ["KeyError: 'DATABASE_URL'"]
    text = shown(await ask(there))
    assert text.index("KeyError") < text.index("fine")
    assert "orders-api-b · orders-api, the run before (CrashLoopBackOff, exit code 1, 4 restarts)" in text
    assert ("orders-api-b", "orders-api", False) not in there.asked, "its last run is the run before"


async def test_what_runs_again_shows_how_it_ended_before() -> None:
    killed: dict[str, Any] = {"lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}, "restartCount": 1}
    there = cluster(pod("orders-api-a", **READY, **killed))
    there.written["orders-api-a", "orders-api", True] = ["allocating"]
    there.written["orders-api-a", "orders-api", False] = ["again"]
    text = shown(await ask(there))
    assert text.index("allocating") < text.index("again")
    assert "ready, exit code 137 (OOMKilled), 1 restart" in text


async def test_a_container_that_has_not_started_says_why() -> None:
    there = cluster(pod("orders-api-a", state={"waiting": {"reason": "ImagePullBackOff"}}))
    answer = await ask(there)
    assert answer.text == "orders-api in staging: 0 lines of 1 pod."
    assert "`orders-api-a` has written nothing (ImagePullBackOff)" in shown(answer)


async def test_init_containers_are_read_only_where_they_went_wrong() -> None:
    broken = pod("orders-api-a", state={"waiting": {"reason": "PodInitializing"}})
    broken["spec"]["initContainers"] = [{"name": "migrate"}, {"name": "warm-up"}]
    broken["status"]["initContainerStatuses"] = [
        {"name": "migrate", "state": {"terminated": {"exitCode": 0}}},
        {"name": "warm-up", "state": {"terminated": {"exitCode": 3}}},
    ]
    there = cluster(broken)
    there.written["orders-api-a", "warm-up", False] = ["no cache"]
    assert "no cache" in shown(await ask(there))
    assert "migrate" not in {container for _, container, _ in there.asked}


async def test_pods_of_other_services_and_environments_are_not_read() -> None:
    foreign = pod("billing-1", **READY)
    foreign["metadata"]["labels"]["causeway.io/service"] = "billing"
    there = cluster(foreign, pod("orders-api-p", "production", **READY), pod("orders-api-s", **READY))
    there.written["orders-api-s", "orders-api", False] = ["mine"]
    await ask(there)
    assert {name for name, _, _ in there.asked} == {"orders-api-s"}


async def test_many_pods_are_bounded_and_the_rest_is_named() -> None:
    there = cluster(*(pod(f"orders-api-{n:02}", **READY) for n in range(MOST_PODS + 3)))
    for n in range(MOST_PODS + 3):
        there.written[f"orders-api-{n:02}", "orders-api", False] = ["x" * 100] * 20
    answer = await ask(there)
    assert "3 more pods not read" in shown(answer)
    assert answer.text == f"orders-api in staging: {20 * MOST_PODS} lines of {MOST_PODS} pods."


# --- What cannot be read


async def test_no_pods_are_told() -> None:
    with pytest.raises(NotFound, match=r"orders-api has no pods in staging\. See how it stands: `/service show"):
        await ask(cluster())


async def test_a_cluster_that_is_not_connected_is_told() -> None:
    with pytest.raises(Refused, match="The cluster of staging, `default`, is not connected, so I see no logs"):
        await service_logs.answer(STAGING, in_slack(), running(await forge()))


@pytest.mark.parametrize("method", ["list", "log_tail"])
async def test_what_the_cluster_does_not_let_us_read_is_told(method: str) -> None:
    there = one_that_writes("secret")
    there.refuse(method, Refused("The cluster `default` does not let us get pods/log in orders-api-staging."))
    with pytest.raises(Refused, match="does not let us get pods/log"):
        await ask(there)


async def test_one_log_that_cannot_be_read_does_not_hide_the_others() -> None:
    there = cluster(pod("orders-api-a", **READY), pod("orders-api-b", **READY))
    for name in ("orders-api-a", "orders-api-b"):
        there.written[name, "orders-api", False] = ["fine"]
    there.refuse("log_tail", UpstreamUnavailable("The cluster `default` did not answer."))
    text = shown(await ask(there))
    assert "cannot be read: The cluster" in text
    assert "```fine```" in text


async def test_a_log_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    there = cluster(pod("orders-api-a", **READY))
    never = asyncio.Event()

    async def silent(*_: Any, **__: Any) -> tuple[str, ...]:
        await never.wait()
        return ()

    monkeypatch.setattr(there, "log_tail", silent)
    monkeypatch.setattr(logs, "PATIENCE_S", 0.0)
    assert "`orders-api-a` did not answer in time" in shown(await ask(there))


# --- Who may


async def test_policy_is_told_whose_logs_they_are_and_where() -> None:
    assert QUERY.subject is not None
    found = await QUERY.subject(ServiceLogs(), in_slack(), running(await forge()))
    assert (found.owner, found.environment) == (ORDERS, "staging"), "the channel's service, the first environment"


# --- What others wrote


async def test_secrets_are_hidden_in_blocks_file_and_data() -> None:
    key = ["-----BEGIN PRIVATE KEY-----", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "-----END PRIVATE KEY-----"]
    there = one_that_writes(
        "password=hunter2",
        "postgres://app:hunter2@db/app",
        "\x1b[31mtoken: \x1b[1mhunter2\x1b[0m",
        *key,
        *["x" * 90] * 90,
    )
    answer = await ask(there)
    assert answer.file is not None
    for told in (shown(answer), answer.file.text, json.dumps(answer.data)):
        assert "hunter2" not in told
        assert "MIIEvQ" not in told
    assert "postgres://app:‹hidden›@db/app" in answer.file.text


async def test_no_line_speaks_to_slack() -> None:
    text = shown(
        await ask(one_that_writes("<!channel> *bold* ```", "`end` <https://evil.example|here>", "a\x00b\x07c\u202ed"))
    )
    assert "<!channel>" not in text
    assert "<https" not in text
    assert text.count("```") == 2, "no line ends the code block"
    assert "abcd" in text


def test_a_secret_that_the_cut_tears_in_two_is_hidden_all_the_same() -> None:
    line = "x " * ((LONGEST_LINE - 20) // 2) + "Bearer " + "s3cr3t" * 20
    (told,) = presentable([line])
    assert len(told) <= LONGEST_LINE
    assert "s3cr3t" not in told


def test_a_giant_line_is_cut_and_long_words_are_shortened() -> None:
    (told,) = presentable(["y " * 1_000_000])
    assert len(told) == LONGEST_LINE
    assert told.endswith("…")
    (blob,) = presentable(["blob " + "A" * 5_000 + " end"])
    assert blob == f"blob {'A' * 100}…(5000 characters) end"


def test_the_newest_lines_win_where_not_all_fit() -> None:
    assert presentable(["old " * 10, "new", "newest"], 12) == ("new", "newest")
    assert presentable([], 12) == ()


def test_lines_that_are_nothing_but_noise_stay_lines() -> None:
    assert presentable(["", "\x00\x01", "\t|", "\x1b]8;;https://evil.example\x07link\x1b]8;;\x07"]) == (
        "",
        "",
        "    |",
        "link",
    )


async def test_a_log_of_entities_alone_still_fits_slack() -> None:
    answer = await ask(one_that_writes(*["&<>" * 30] * 300))
    assert answer.file is not None
    shown(answer)


# --- Words


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ServiceLogs()),
        (["orders-api"], ServiceLogs(service="orders-api")),
        (["orders-api", "production"], ServiceLogs(service="orders-api", environment="production")),
        (
            ["orders-api", "in", "production", "500"],
            ServiceLogs(service="orders-api", environment="production", lines=500),
        ),
        (["20"], ServiceLogs(lines=20)),
        (["in", "production"], ServiceLogs(environment="production")),
    ],
)
def test_the_words_are_understood(words: list[str], expected: ServiceLogs) -> None:
    assert service_logs.parse(words) == expected


@pytest.mark.parametrize("words", [["a", "b", "c"], ["1", "2"], ["a", "b", "in", "c"], ["a", "b", "1", "c"], ["in"]])
def test_words_that_do_not_fit_are_answered_with_a_line_to_paste(words: list[str]) -> None:
    with pytest.raises(UsageError, match="Try `/service logs"):
        service_logs.parse(words)


@pytest.mark.parametrize("number", ["0", "1001", "9" * 400])
def test_numbers_of_lines_are_bounded(number: str) -> None:
    with pytest.raises(ValidationError):
        service_logs.parse([number])
