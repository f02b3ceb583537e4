"""Alertmanager reads the configuration that the install guide shows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from bot.http.alertmanager import MAX_BODY
from tests.guides import GUIDES
from tests.peers.tools import need


@pytest.mark.peer("amtool")
def test_the_sample_is_accepted_by_amtool(tmp_path: Path) -> None:
    text = (GUIDES / "install.md").read_text()
    (sample,) = re.findall(r"```yml\n(.*?)```", text, re.DOTALL)  # another program's file, not our own `yaml`
    (receiver,) = yaml.safe_load(sample)["receivers"]
    (webhook,) = receiver["webhook_configs"]
    assert webhook["url"].endswith("/webhooks/alertmanager")
    assert webhook["max_alerts"] * 10_000 <= MAX_BODY  # an alert of 10 kB is a large one
    file = tmp_path / "alertmanager.yml"
    file.write_text(sample)
    checked = subprocess.run([need("amtool"), "check-config", file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "SUCCESS" in checked.stdout
