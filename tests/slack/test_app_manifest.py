from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from bot.slack.app_manifest import EVENT_SCOPES, METHOD_SCOPES, ManifestSettings, is_current, render, scopes
from bot.slack.registry import Registry
from tests.fakes.slack_inbound import query, sample_commands

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT.parent / "shared" / "data" / "slack" / "manifest.schema.2.0.0.json"
METHOD = re.compile(r'"((?:apps|auth|chat|conversations|files|reactions|team|users|views)\.[a-zA-Z.]+)"')
TABLES = {"gateway.py", "pace.py", "app_manifest.py"}
"""Files that name methods to say something about them, not to call them."""


def told(prefix: str = "", **settings: object) -> dict[str, object]:
    text = render(Registry(sample_commands(), prefix), ManifestSettings(**settings))  # type: ignore[arg-type]  # test shorthand
    read = yaml.safe_load(text)
    assert isinstance(read, dict)
    return read


@pytest.mark.parametrize("socket_mode", [False, True])
def test_slacks_own_schema_takes_the_manifest(socket_mode: bool) -> None:
    if not SCHEMA.exists():
        pytest.skip("Slack's manifest schema is not beside the repository")
    jsonschema.validate(told(socket_mode=socket_mode), json.loads(SCHEMA.read_text()))


def test_slack_is_told_about_exactly_the_commands_that_are_built() -> None:
    features = told()["features"]
    assert isinstance(features, dict)
    assert [one["command"] for one in features["slash_commands"]] == ["/idp", "/service"]
    assert all(one["should_escape"] for one in features["slash_commands"])


def test_the_prefix_stands_before_every_command() -> None:
    features = told("acme-")["features"]
    assert isinstance(features, dict)
    assert [one["command"] for one in features["slash_commands"]] == ["/acme-idp", "/acme-service"]


def test_a_command_of_one_word_speaks_for_its_slash_command() -> None:
    text = render(Registry([query("health", "Is it well?"), query("health.why", "Why not?")]), ManifestSettings())
    commands = yaml.safe_load(text)["features"]["slash_commands"]
    told = [(one["command"], one["description"], one["usage_hint"]) for one in commands]
    assert told[1] == ("/health", "Is it well?", "[filter] | why")


def test_over_http_every_url_leads_to_the_edge_and_socket_mode_has_none() -> None:
    over_http = json.dumps(told(public_url="https://bot.acme.example/"))
    assert over_http.count("https://bot.acme.example/slack/events") == 2 + 3
    assert "example" not in json.dumps(told(socket_mode=True))


def test_the_scopes_are_those_of_the_methods_that_the_code_calls() -> None:
    files = [file for file in (ROOT / "bot" / "slack").glob("*.py") if file.name not in TABLES]
    called = {name for file in files for name in METHOD.findall(file.read_text())}
    in_a_url = {"apps.connections.open"}
    assert called | in_a_url == METHOD_SCOPES.keys()


def test_no_scope_is_asked_for_twice_or_for_nothing() -> None:
    used = {scope for table in (METHOD_SCOPES, EVENT_SCOPES) for needed in table.values() for scope in needed}
    assert set(scopes()) == used | {"commands"}
    assert len(scopes()) == len(set(scopes()))


def test_an_old_manifest_is_noticed() -> None:
    registry, settings = Registry(sample_commands()), ManifestSettings()
    assert is_current(render(registry, settings), registry, settings)
    assert not is_current(render(registry, settings).replace("/service", "/services"), registry, settings)
