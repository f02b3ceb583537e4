"""`causeway doctor`: each thing that is missing is told with a mend."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.terminal.conftest import Desk, causeway

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_on_the_playground_nothing_is_missing(desk: Desk) -> None:
    said = await desk.here("doctor")
    assert said.status == 0, said.out
    assert all(line.startswith("ok ") for line in said.out.splitlines())
    assert "speaks as causeway in acme" in said.out


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("CAUSEWAY_SLACK_BOT_TOKEN", "", "slack: CAUSEWAY_SLACK_BOT_TOKEN is not set."),
        ("CAUSEWAY_SLACK_BOT_TOKEN", "xoxb-wrong", "slack: Slack does not take the bot token: invalid_auth."),
        ("CAUSEWAY_SLACK_API_URL", "http://127.0.0.1:9/api", "Check CAUSEWAY_SLACK_API_URL."),
        ("CAUSEWAY_GITHUB_TOKEN", "", "github: neither CAUSEWAY_GITHUB_TOKEN nor CAUSEWAY_GITHUB_APP_ID is set."),
        ("CAUSEWAY_GITHUB_TOKEN", "ghp_wrong", "github: "),
        ("CAUSEWAY_GITHUB_API_URL", "http://127.0.0.1:9/api/v3", "github: "),
        ("CAUSEWAY_DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:9/x", "Check CAUSEWAY_DATABASE_URL"),
        ("CAUSEWAY_SLACK_SIGNING_SECRET", "", "CAUSEWAY_SLACK_SIGNING_SECRET is not set"),
        ("CAUSEWAY_GITHUB_WEBHOOK_SECRET", "", "CAUSEWAY_GITHUB_WEBHOOK_SECRET is not set"),
    ],
)
async def test_what_is_missing_is_told_with_a_mend(desk: Desk, setting: str, value: str, told: str) -> None:
    said = await desk.here("doctor", **{setting: value})
    assert said.status == 1
    mends = [line for line in said.out.splitlines() if line.startswith("MEND")]
    assert len(mends) == 1, said.out
    assert told in mends[0]
    assert value not in mends[0] or not value or setting.endswith("URL")
    assert "hunter2" not in said.out


async def test_a_broken_template_and_an_unpublished_ledger_are_told(tmp_path: Path) -> None:
    path = tmp_path / "paths" / "broken"
    path.mkdir(parents=True)
    (path / "template.yaml").write_text("apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nspec: 3\n")
    config = tmp_path / "causeway.yaml"
    config.write_text("golden_paths: {folders: [paths]}\n")
    said = await asyncio.to_thread(
        causeway, "doctor", CAUSEWAY_CONFIG=str(config), CAUSEWAY_DATABASE_URL=f"sqlite:///{tmp_path}/a.db"
    )
    assert said.status == 1
    assert "MEND  golden paths: 0 can be used: none." in said.out
    assert "template.yaml" in said.out
    assert "the ledger's head is published nowhere" in said.out
