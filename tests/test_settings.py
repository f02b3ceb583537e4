"""Settings: read once, checked whole, mistakes told with path and mend, secrets never echoed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import Invalid
from bot.settings import load

SECRET = "xoxb-very-secret-value"


def write(folder: Path, text: str) -> dict[str, str]:
    file = folder / "causeway.yaml"
    file.write_text(text)
    return {"CAUSEWAY_CONFIG": str(file)}


def test_nothing_set_gives_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load({})
    assert settings.environment.host_and_port == ("127.0.0.1", 8080)
    assert settings.configuration.policy.self_approval is False


def test_all_mistakes_of_both_sources_are_listed_at_once(tmp_path: Path) -> None:
    environ = write(tmp_path, "catalog: {sweep: soon}\npolcy: {}\napi_tokens: [{user: a, sha256: x}]\n")
    environ |= {"CAUSEWAY_LISTEN": "nowhere", "CAUSEWAY_SLACK_BOTTOKEN": SECRET, "CAUSEWAY_DATABASE_URL": "mysql://x/y"}
    with pytest.raises(Invalid) as caught:
        load(environ)
    told = {mistake.path: mistake.message for mistake in caught.value.mistakes}
    assert set(told) == {
        "CAUSEWAY_LISTEN",
        "CAUSEWAY_SLACK_BOTTOKEN",
        "CAUSEWAY_DATABASE_URL",
        "causeway.yaml: catalog.sweep",
        "causeway.yaml: polcy",
        "causeway.yaml: api_tokens.0.sha256",
    }
    assert "CAUSEWAY_SLACK_BOT_TOKEN" in told["CAUSEWAY_SLACK_BOTTOKEN"]
    assert "`policy`" in told["causeway.yaml: polcy"]
    assert "`15m`" in told["causeway.yaml: catalog.sweep"]


def test_a_secret_is_neither_printed_nor_echoed_in_an_error(tmp_path: Path) -> None:
    settings = load(write(tmp_path, "") | {"CAUSEWAY_SLACK_BOT_TOKEN": SECRET})
    assert SECRET not in repr(settings)
    with pytest.raises(Invalid) as caught:
        load(write(tmp_path, f"slack: {{command_prefix: '{SECRET.upper()}'}}\n"))
    assert SECRET.upper() not in str(caught.value.mistakes)


def test_folders_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    settings = load(write(tmp_path, "catalog: {folders: [people]}\n"))
    assert settings.configuration.catalog.folders == (tmp_path / "people",)


@pytest.mark.parametrize("text", ["a: [", "- 1", "just words"])
def test_a_file_that_is_no_configuration_is_told_in_one_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(Invalid) as caught:
        load(write(tmp_path, text))
    assert len(caught.value.mistakes) == 1


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot start"):
        load({"CAUSEWAY_CONFIG": str(tmp_path / "missing.yaml")})


def test_folders_of_queries_are_relative_to_the_file_as_well(tmp_path: Path) -> None:
    settings = load(write(tmp_path, "platform: {queries: [questions], templates: [own]}\n"))
    assert settings.configuration.platform.queries == (tmp_path / "questions",)
    assert settings.configuration.platform.templates == (tmp_path / "own",)
