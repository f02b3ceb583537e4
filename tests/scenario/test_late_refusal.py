"""A golden path whose owner is asked for under another name: policy can decide only once the plan is made."""

from __future__ import annotations

from pathlib import Path

from tests.golden_paths.helpers import TEXTBOOK
from tests.scenario.world import world

OTHER_NAME = TEXTBOOK.replace("        - owner", "        - team").replace("        owner:\n", "        team:\n")


async def test_a_refusal_after_planning_is_told_to_the_person_alone(tmp_path: Path) -> None:
    folder = tmp_path / "paths" / "python-service"
    (folder / "skeleton").mkdir(parents=True)
    (folder / "template.yaml").write_text(OTHER_NAME)
    (folder / "skeleton" / "README.md").write_text("# ${{ values.name }}\n")
    config = tmp_path / "given.yaml"
    config.write_text(f"golden_paths: {{folders: ['{tmp_path / 'paths'}']}}\n")
    async with world(tmp_path / "playground", config=config) as here:
        await here.slack.command("stranger", "/service create python-service", "team-checkout")
        view = await here.slack.opened("stranger", "service.create")
        answers = {"name": "sneaky", "team": "group:default/team-orders"}
        await here.slack.submit("stranger", view, answers)
        told = await here.slack.told("stranger", "Only members of team-orders", "team-checkout")
        assert "form.open" in str(told["blocks"])
        assert [m for m in await here.slack.messages("team-orders") if m.get("metadata")] == []
        assert (await here.github("GET", "/repos/acme/sneaky"))[0] == 404
