"""What may be done with a preview that stands, what is told of it, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.command import Answer, Query
from bot.errors import Conflict, NotFound, Refused, UsageError
from bot.intake import request_of
from bot.model.canonical import JSON
from bot.model.previews import PreviewTerms
from bot.model.principal import Door
from bot.ports import EnvironmentRecord
from bot.previews.reading import read_preview
from bot.rendering.delivery.change import NAMESPACE_LABELS
from commands import COMMANDS
from commands.preview_extend import parse as extended_by
from tests.commands.running import in_slack
from tests.previews.asking import applied, effects, kinds, plan, village
from tests.previews.village import AUTHOR, DAY, MONDAY, Village

HOUR = timedelta(hours=1)


async def standing(**up: Any) -> Village:
    """A village with the preview `demo`, made on Monday for three days."""
    made = await village()
    await applied(made, await plan(made, "preview.up", name="demo", services=["orders-api"], **up))
    return made


async def terms(made: Village) -> PreviewTerms:
    preview, _ = await read_preview("demo", made.deps)
    assert preview is not None
    return preview.terms


async def ask(made: Village, query_name: str, /, **request: Any) -> Answer:
    query = next(one for one in COMMANDS if one.name == query_name)
    assert isinstance(query, Query)
    context = replace(in_slack(), now=made.now)
    answer: Answer = await query.answer(request_of(query, request), context, made.deps)
    return answer


# --- its end is moved


@pytest.mark.parametrize(
    ("words", "name", "by"),
    [("", "", None), ("demo", "demo", None), ("demo by 2d", "demo", 2 * DAY), ("2d", "", 2 * DAY)],
)
def test_words_of_an_extension(words: str, name: str, by: timedelta | None) -> None:
    asked = extended_by(words.split())
    assert (asked.name, asked.by) == (name, by)


def test_too_many_words_are_refused() -> None:
    with pytest.raises(UsageError, match="/preview extend"):
        extended_by(["demo", "other"])


async def test_extending_changes_the_release_and_nothing_else() -> None:
    made = await standing()
    before = made.cluster.world()
    found = await plan(made, "preview.extend", name="demo", by="2d")
    assert found.details == (), "no object is different"
    assert kinds(found) == ["book.enter", "cluster.apply_objects"]
    await applied(made, found)
    assert (await terms(made)).expires_at == MONDAY + 5 * DAY
    changed = {name for name, obj in made.cluster.world().items() if before[name] != obj}
    assert changed == {"ConfigMap causeway-release-preview in demo"}
    line = await made.book.get("preview", "main", "demo")
    assert line is not None
    assert line.expires_at == MONDAY + 5 * DAY
    assert line.holds["hosts"] == ["orders-api.demo.preview.acme.example"]


async def test_the_ceiling_holds_and_the_card_no_longer_offers_what_is_refused() -> None:
    made = await standing(ttl="10d")
    with pytest.raises(Refused, match="no preview lives longer than 10d"):
        await plan(made, "preview.extend", name="demo")
    question = await plan(made, "preview.remind", name="demo")
    assert [offer.action for offer in question.offers] == ["sleep", "delete"]
    assert "It cannot be extended any more." in question.highlights
    assert question.steps == ()


# --- asleep


async def test_asleep_nothing_runs_and_awake_it_is_as_before() -> None:
    made = await standing()
    made.now = MONDAY + HOUR
    await applied(made, await plan(made, "preview.sleep", name="demo"))
    assert replicas(made) == 0
    assert (await terms(made)).asleep_since == made.now
    with pytest.raises(Conflict, match="sleeps already"):
        await plan(made, "preview.sleep", name="demo")
    made.now = MONDAY + 2 * HOUR
    await applied(made, await plan(made, "preview.wake", name="demo"))
    assert replicas(made) == 1
    told = await terms(made)
    assert (told.asleep_since, told.used_at, told.expires_at) == (None, made.now, MONDAY + 3 * DAY)
    with pytest.raises(Conflict, match="is awake"):
        await plan(made, "preview.wake", name="demo")


def replicas(made: Village) -> Any:
    found = made.cluster.find(next(ref for ref in made.cluster.refs() if ref.kind == "Deployment"))
    return found["spec"]["replicas"]


# --- who may


async def test_what_was_agreed_on_needs_nobodys_leave_and_nothing_else_does() -> None:
    made = await standing()
    assert not (await plan(made, "preview.down", name="demo")).agreed
    assert not (await plan(made, "preview.sleep", name="demo")).agreed
    made.now = MONDAY + DAY
    assert (await plan(made, "preview.sleep", name="demo", door=Door.AGENDA)).agreed
    made.now = MONDAY + 3 * DAY
    over = await plan(made, "preview.down", name="demo")
    assert (over.agreed, over.owner, over.environment) == (True, "group:default/team-orders", "preview")


async def test_what_was_used_while_its_sleep_stood_in_line_stays_awake() -> None:
    made = await standing()
    made.now = MONDAY + DAY
    await applied(made, await plan(made, "preview.extend", name="demo", by="1d"))
    with pytest.raises(Conflict, match="has been used meanwhile"):
        await plan(made, "preview.sleep", name="demo", door=Door.AGENDA)
    assert (await plan(made, "preview.sleep", name="demo")).summary == "Put the preview demo to sleep"


# --- it goes


async def test_the_clock_ends_nothing_that_has_been_extended_meanwhile() -> None:
    made = await standing()
    made.now = MONDAY + 3 * DAY - timedelta(seconds=1)
    with pytest.raises(Conflict, match="until 5 March at 09:00 UTC"):
        await plan(made, "preview.down", name="demo", door=Door.AGENDA)
    assert not (await plan(made, "preview.down", name="demo")).agreed


async def test_an_end_tells_what_goes_and_proves_it() -> None:
    made = await standing()
    found = await plan(made, "preview.down", name="demo")
    assert found.summary == "Delete the preview demo"
    assert "Its addresses go: orders-api.demo.preview.acme.example." in found.highlights
    assert kinds(found)[0] == "cluster.remove_namespace"
    assert kinds(found)[-1] == "book.end"
    assert "teardown.prove_gone" in kinds(found)
    assert (found.takes_over, found.undo_later) == (True, False)


async def test_one_of_a_pull_request_tells_github_last() -> None:
    made = await village()
    head = made.forge.push("acme/orders-api", {"next": b"1"}, branch="next")
    await made.forge.create_pull_request("acme/orders-api", head="next", base="main", title="Next", body="")
    await applied(made, await plan(made, "preview.up", name="demo", pull_request="acme/orders-api#1"))
    found = await plan(made, "preview.down", name="demo")
    assert kinds(found)[-2:] == ["forge.end_deployments", "forge.living_comment"]
    (comment,) = [one for one in effects(found) if one.kind == "forge.living_comment"]
    assert head in str(comment)
    assert "the namespace demo" in str(comment)


async def test_what_is_not_there_is_a_mistake_of_a_persons_and_none_of_an_events() -> None:
    made = await standing()
    with pytest.raises(NotFound, match="There are: `demo`"):
        await plan(made, "preview.down", name="dmeo")
    gone = await plan(made, "preview.down", name="dmeo", door=Door.FORGE)
    assert (kinds(gone), gone.agreed) == (["note"], True)


@pytest.mark.parametrize("name", ["staging", "kube-system", "DEMO", "../demo", "a" * 60])
@pytest.mark.parametrize("command", ["preview.down", "preview.extend", "preview.sleep"])
async def test_what_no_preview_can_be_called_is_not_there_either(command: str, name: str) -> None:
    made = await standing()
    with pytest.raises(NotFound, match="There are: `demo`"):
        await plan(made, command, name=name)


@pytest.mark.parametrize("labels", [NAMESPACE_LABELS, {**NAMESPACE_LABELS, "causeway.io/preview": "another"}])
async def test_the_namespace_of_a_service_is_no_preview(labels: Mapping[str, str]) -> None:
    made = await standing()
    name = "orders-api-production"
    made.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {**labels}}})
    with pytest.raises(NotFound, match="There are: `demo`"):
        await plan(made, "preview.down", name=name)
    event = await plan(made, "preview.down", name=name, door=Door.FORGE)
    assert kinds(event) == ["note"]


async def test_what_nobody_remembers_is_judged_by_whose_its_namespace_is() -> None:
    made = await standing()
    labels: dict[str, JSON] = {**NAMESPACE_LABELS, "causeway.io/preview": "stray", "causeway.io/team": "team-checkout"}
    made.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "stray", "labels": {**labels}}})
    found = await plan(made, "preview.down", name="stray")
    assert found.owner == "group:default/team-checkout"
    assert kinds(found)[0] == "cluster.remove_namespace"


async def test_what_was_half_made_and_has_no_release_can_be_ended() -> None:
    made = await village()
    made.book.put(
        EnvironmentRecord(
            name="demo",
            kind="preview",
            cluster="main",
            namespace="demo",
            team="team-orders",
            by=AUTHOR,
            operation="op-0",
            created_at=MONDAY,
        )
    )
    found = await plan(made, "preview.down", name="demo")
    assert kinds(found)[-1] == "book.end"
    assert found.owner == "group:default/team-orders"


# --- what is told


async def test_the_only_one_of_a_channels_team_need_not_be_named() -> None:
    made = await standing()
    assert (await ask(made, "preview.show")).text.startswith("demo of team-orders, awake")
    await applied(made, await plan(made, "preview.up", name="other", services=["orders-api"]))
    with pytest.raises(NotFound, match="Which preview"):
        await ask(made, "preview.show")


async def test_a_list_tells_whose_it_is_and_when_it_ends() -> None:
    made = await standing()
    answer = await ask(made, "preview.list")
    assert answer.text == "1 preview of team-orders: demo"
    told = str(answer.blocks)
    for word in ("demo", "author, team-orders", "5 March at 09:00", "awake", "orders-api", "6 EUR"):
        assert word in told
    assert (await ask(made, "preview.list", owner="team-checkout")).text == "There is no preview of team-checkout."
    with pytest.raises(NotFound):
        await ask(made, "preview.list", owner="nobody")


async def test_what_cannot_be_read_is_said_and_hides_nothing_else() -> None:
    made = await standing()
    made.stands("broken")
    ref = next(one for one in made.cluster.refs() if one.namespace == "broken")
    made.cluster.put({**made.cluster.find(ref), "data": {"release.yaml": "not: [ours"}})
    answer = await ask(made, "preview.list")
    assert "The preview broken cannot be read" in str(answer.blocks)
    assert "demo" in answer.text


async def test_show_says_where_it_answers_and_what_it_shows() -> None:
    made = await standing()
    answer = await ask(made, "preview.show", name="demo")
    assert "https://orders-api.demo.preview.acme.example" in str(answer.blocks)
    data: Any = answer.data
    (service,) = data["services"]
    assert (service["replicas"], data["problems"]) == (1, [])
