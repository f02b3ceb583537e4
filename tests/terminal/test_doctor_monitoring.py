"""`causeway doctor` on Prometheus, Alertmanager, Loki and Tempo: each lack with its mend."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import yaml
from pydantic import SecretStr

from bot.model.platform import Platform
from bot.terminal.doctor.monitoring import alertmanager, loki, prometheus, tempo
from tests.integrations.reading.server import HTML, Server, Told
from tests.terminal.test_doctor_platform import ORDERS, Patient

MONITORED = Platform.model_validate({"environments": {"staging": {"monitoring": {"enabled": True}}}})
ALERT_RULES = [{"rules": [{"name": "Slow", "health": "ok"}, {"name": "Failing", "health": "ok"}]}]


@pytest.fixture
async def patient() -> AsyncIterator[Patient]:
    async with aiohttp.ClientSession() as session:
        yield Patient(session=session)


def rules(groups: Any) -> dict[str, Told]:
    return {
        "GET /api/v1/query": Told({"status": "success", "data": {}}),
        "GET /api/v1/status/buildinfo": Told({"status": "success", "data": {"version": "3.1.0"}}),
        "GET /api/v1/rules": Told({"status": "success", "data": {"groups": groups}}),
    }


async def test_what_is_not_there_is_not_spoken_of(patient: Patient) -> None:
    for check in (prometheus, alertmanager, loki, tempo):
        assert await patient.hears(check) == []


async def test_prometheus_tells_its_version_and_its_rules(patient: Patient) -> None:
    server = Server(places=rules(ALERT_RULES))
    async with server.running() as url:
        patient.environment["prometheus_url"] = url
        assert await patient.hears(prometheus) == [
            "Prometheus 3.1.0 answers queries.",
            "it evaluates 2 alert rules.",
        ]


@pytest.mark.parametrize("service", [True, False])
async def test_rules_are_missed_where_an_environment_is_monitored_and_has_a_service(
    patient: Patient, *, service: bool
) -> None:
    patient.platform, patient.services = MONITORED, (ORDERS,) if service else ()
    async with Server(places=rules([])).running() as url:
        patient.environment["prometheus_url"] = url
        _, *told = await patient.hears(prometheus)
    assert len(told) == service
    assert all(line.startswith("! it has no alert rules, though staging is monitored") for line in told)


async def test_rules_that_cannot_be_evaluated_are_named(patient: Patient) -> None:
    async with Server(places=rules([{"rules": [{"name": "Slow", "health": "err"}]}])).running() as url:
        patient.environment["prometheus_url"] = url
        _, told = await patient.hears(prometheus)
    assert told == "! it cannot evaluate the rules Slow. Its page *Rules* says why."


async def test_what_answers_like_prometheus_needs_no_rules_of_its_own(patient: Patient) -> None:
    places = {"GET /api/v1/query": rules([])["GET /api/v1/query"]}
    async with Server([Told(b"no such path", status=404)], places).running() as url:
        patient.environment["prometheus_url"] = url
        assert await patient.hears(prometheus) == ["Prometheus answers queries."]


def receiver(**hook: Any) -> dict[str, Any]:
    access = {"authorization": {"type": "Bearer", "credentials": "<secret>"}}
    whole = {"url": "http://causeway/webhooks/alertmanager", "send_resolved": True, "http_config": access} | hook
    return {"name": "causeway", "webhook_configs": [whole]}


def status(*receivers: Any, route: Any = None) -> dict[str, Any]:
    routes = route or {"receiver": "nobody", "routes": [{"receiver": "causeway"}]}
    written = yaml.safe_dump({"route": routes, "receivers": list(receivers)})
    return {"versionInfo": {"version": "0.27.0"}, "config": {"original": written}}


FINE = "it calls /webhooks/alertmanager by its receiver `causeway`."


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (status(receiver()), FINE),
        (status(receiver(), route={"receiver": "causeway"}), FINE),
        (status(receiver(url="http://other/hook")), "! none of its receivers calls /webhooks/alertmanager."),
        (status(), "! none of its receivers calls /webhooks/alertmanager."),
        (status(receiver(url="<secret>")), "it hides the addresses of its webhooks"),
        (status(receiver(), route={"receiver": "nobody"}), "! no route leads to its receiver `causeway`"),
        (status(receiver(send_resolved=False)), "! its receiver `causeway` does not tell what is resolved."),
        (status(receiver(http_config={})), "! its receiver `causeway` sends no bearer token."),
        ({"config": {"original": "a: ["}}, "its configuration cannot be read"),
        ({"config": {"original": "[" * 100_000}}, "its configuration cannot be read"),
        ({}, "its configuration cannot be read"),
    ],
)
async def test_whether_alertmanager_calls_us_is_seen_in_its_configuration(
    patient: Patient, answer: Any, told: str
) -> None:
    async with Server([Told(answer)]).running() as url:
        patient.environment |= {"alertmanager_url": url, "alertmanager_token": SecretStr("t")}
        first, line = await patient.hears(alertmanager)
        del patient.environment["alertmanager_token"]
        _, without, _ = await patient.hears(alertmanager)
    assert first.startswith("Alertmanager")
    assert line.startswith(told)
    assert without.startswith("! CAUSEWAY_ALERTMANAGER_TOKEN is not set")


async def test_loki_and_tempo_tell_their_versions(patient: Patient) -> None:
    server = Server(
        places={
            "GET /loki/api/v1/status/buildinfo": Told({"version": "3.4.1"}),
            "GET /api/status/buildinfo": Told({"status": "success", "data": {"version": "2.7.0"}}),
        }
    )
    async with server.running() as url:
        patient.environment |= {"loki_url": url, "tempo_url": url}
        assert await patient.hears(loki) == ["Loki 3.4.1 answers."]
        assert await patient.hears(tempo) == ["Tempo 2.7.0 answers."]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (Told(b"<html>", headers=HTML), "did not answer as it does (JSONDecodeError)"),
        (Told(b"[" * 100_000), "did not answer as it does (ValueError)"),
        (Told([]), "did not answer as it does (ValueError)"),
        (Told(b"", status=302, headers={"Location": "/login"}), "did not answer as it does (ValueError)"),
        (Told(b"", status=503), "did not answer as it does (status 503)"),
        (Told(b"", status=401), "wants a login (401)"),
        (Told(lost=True), "did not answer as it does (ServerDisconnectedError)"),
    ],
)
async def test_what_is_none_of_them_is_told_without_its_address(patient: Patient, told: Told, why: str) -> None:
    checks = {"prometheus": prometheus, "alertmanager": alertmanager, "loki": loki, "tempo": tempo}
    async with Server([told]).running() as url:
        hidden = url.replace("http://", "http://reader:hidden@")
        patient.environment |= {f"{name}_url": hidden for name in checks}
        for name, check in checks.items():
            [line] = await patient.hears(check)
            assert line.startswith(f"! {name.capitalize()} {why}")
            assert f"CAUSEWAY_{name.upper()}_URL" in line
            assert "hidden" not in line
