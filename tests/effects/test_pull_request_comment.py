from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.effects import LivingComment
from bot.effects.comment_text import CommentedDatabase, CommentedService, Proved, Told
from bot.effects.pull_request_comment import FORGOTTEN, Step, composed, find_comment
from bot.errors import OutcomeUnknown, Refused, UpstreamUnavailable
from bot.model.effect import Effect, Outcome, Undo
from bot.model.late import Late, OutputRef
from bot.ports import LONGEST_COMMENT
from tests.effects.scenes import COMMENT, COMMENT_READY, OLD, World, prepared, run

EARLIER = "op_earlier"


async def bodies(made: World) -> list[str]:
    return [one.body for one in await made.forge.comments(OLD, 1)]


async def shown(made: World) -> str:
    """Return what the only comment says, without its hidden marks."""
    (body,) = await bodies(made)
    return "\n".join(line for line in body.splitlines() if not line.startswith("<!--")).strip()


async def go(made: World, effect: Effect, operation: str = "op_one") -> Outcome:
    return await effect.apply(made.ports, run(effect, operation=operation))


async def back(made: World, effect: Effect, outcome: Outcome | None) -> Undo:
    return (await effect.undo(made.ports, run(effect), outcome)).how


def ended(**told: object) -> LivingComment:
    return COMMENT.model_copy(update={"id": "ended", "told": Told.model_validate({"stage": "ended", **told})})


async def test_one_comment_is_written_and_then_edited_whatever_operation_tells() -> None:
    made, _ = await prepared(COMMENT)
    await go(made, COMMENT, EARLIER)
    assert await shown(made) == "### Preview `pr-1-orders`\n\n**Is being made**, asked for by Sample Author."
    await go(made, COMMENT_READY, EARLIER)
    await go(made, COMMENT)
    await go(made, COMMENT_READY)
    assert "<https://orders.pr-1-orders.example>" in await shown(made)
    assert made.forge.calls.count("create_comment") == 1


async def test_a_ready_preview_shows_addresses_databases_and_what_may_be_said() -> None:
    made, _ = await prepared(COMMENT)
    told = Told(
        stage="ready",
        head="1a2b3c4" + "0" * 33,
        ends=datetime(2026, 3, 9, 9, 5, tzinfo=UTC),
        services=(
            CommentedService(name="orders", url="https://orders.pr-1.example", version="1a2b3c4"),
            CommentedService(name="worker", version="2.1"),
        ),
        databases=(
            CommentedDatabase(name="orders-db", engine="PostgreSQL", seeded_from="staging", masked="7"),
            CommentedDatabase(name="worker-db", engine="PostgreSQL"),
        ),
        lines=("It has 2 services.",),
    )
    await go(made, COMMENT.model_copy(update={"told": told}))
    assert await shown(made) == (
        "### Preview `pr-1-orders`\n\n"
        "**Is ready** at `1a2b3c4` until 9 March at 09:05 UTC.\n\n"
        "It has 2 services.\n\n"
        "| Service | Address | Version |\n|---|---|---|\n"
        "| `orders` | <https://orders.pr-1.example> | `1a2b3c4` |\n"
        "| `worker` | none from outside | `2.1` |\n\n"
        "| Database | Engine | Filled from | Masking |\n|---|---|---|---|\n"
        "| `orders-db` | PostgreSQL | `staging` | rules `7` |\n"
        "| `worker-db` | PostgreSQL | nothing: it began empty | none |\n\n"
        "<sub>Comment `/preview extend 2d`, `/preview sleep` or `/preview down` here.</sub>"
    )


async def test_what_was_kept_though_it_does_not_run_is_told() -> None:
    made, _ = await prepared(COMMENT)
    late = Late(parts=(OutputRef(effect="healthy", output="state"),))
    told = Told(stage="ready", services=(CommentedService(name="orders", went=late),))
    effect = COMMENT.model_copy(update={"told": told}).bound({"healthy": {"state": "failure"}})
    await go(made, effect)
    assert "**Is up, though not everything runs**" in await shown(made)
    assert "none from outside (does not run)" in await shown(made)


async def test_the_end_tells_what_was_seen_to_be_gone() -> None:
    made, _ = await prepared(COMMENT)
    await go(made, COMMENT_READY, EARLIER)
    proofs = (
        Proved(what="the namespace", proved="yes"),
        Proved(what="2 volumes", proved="no"),
        Proved(what="backups outside of the cluster", proved="kept"),
    )
    await go(made, ended(proofs=proofs))
    told = await shown(made)
    assert "**Has ended**." in told
    assert "- the namespace: seen to be gone\n- 2 volumes: **not proved**" in told
    assert "- backups outside of the cluster: kept on purpose, at least in part" in told
    assert "orders.pr-1-orders.example" not in told


async def test_undo_puts_the_text_of_an_earlier_operation_back() -> None:
    made, _ = await prepared(COMMENT)
    await go(made, COMMENT, EARLIER)
    before = await bodies(made)
    outcomes = [(one, await go(made, one)) for one in (COMMENT, COMMENT_READY)]
    for effect, _outcome in reversed(outcomes):
        assert await back(made, effect, None) is Undo.UNDONE, "even where nothing was recorded"
    assert await bodies(made) == before


async def test_a_text_does_not_grow_with_every_operation() -> None:
    made, _ = await prepared(COMMENT)
    sizes = []
    for number in range(6):
        for effect in (COMMENT, COMMENT_READY):
            await go(made, effect, f"op_{number}")
        sizes.append(len((await bodies(made))[0]))
    assert max(sizes[2:]) - min(sizes[2:]) < 20


async def test_somebody_elses_copy_of_the_mark_is_nobodys_comment_of_ours() -> None:
    made, _ = await prepared(COMMENT)
    await go(made, COMMENT, EARLIER)
    (body,) = await bodies(made)
    (ours,) = await made.forge.comments(OLD, 1)
    await made.forge.delete_comment(OLD, ours.id)
    made.forge.say(OLD, 1, body, by="stranger")
    await go(made, COMMENT_READY)
    theirs, own = await made.forge.comments(OLD, 1)
    assert (theirs.body, theirs.author) == (body, "stranger")
    assert "orders.pr-1-orders.example" in own.body


async def test_a_comment_that_a_person_has_deleted_is_written_anew_and_needs_no_undo() -> None:
    made, _ = await prepared(COMMENT)
    await go(made, COMMENT)
    (first,) = await made.forge.comments(OLD, 1)
    await made.forge.delete_comment(OLD, first.id)
    outcome = await go(made, COMMENT_READY)
    assert len(await bodies(made)) == 1
    (second,) = await made.forge.comments(OLD, 1)
    await made.forge.delete_comment(OLD, second.id)
    assert await back(made, COMMENT_READY, outcome) is Undo.UNDONE


async def test_what_another_operation_has_written_since_stays() -> None:
    made, _ = await prepared(COMMENT)
    outcome = await go(made, COMMENT)
    await go(made, COMMENT_READY, "op_later")
    after = await bodies(made)
    assert await back(made, COMMENT, outcome) is Undo.UNDONE
    assert await bodies(made) == after


async def test_an_earlier_text_that_could_not_be_kept_is_not_made_up() -> None:
    made, _ = await prepared(COMMENT)
    await made.forge.create_comment(OLD, 1, composed("pr-1-orders", "old", Step("op_one", "comment", FORGOTTEN)))
    undone = await COMMENT.undo(made.ports, run(COMMENT), None)
    assert (undone.how, undone.command.startswith("gh pr view 1")) == (Undo.KEPT, True)


async def test_a_forge_that_stays_away_is_tried_thrice_and_then_left_alone() -> None:
    made, _ = await prepared(COMMENT)
    made.forge.refuse("create_comment", UpstreamUnavailable("GitHub could not be reached."), times=9)
    for attempt in (1, 2):
        with pytest.raises(UpstreamUnavailable):
            await COMMENT.apply(made.ports, run(COMMENT, attempt))
    outcome = await COMMENT.apply(made.ports, run(COMMENT, 3))
    assert outcome.seen == "The pull request was not told: GitHub could not be reached."


async def test_an_answer_that_got_lost_leaves_one_comment() -> None:
    made, _ = await prepared(COMMENT)
    made.forge.lose_answer_after("create_comment")
    with pytest.raises(OutcomeUnknown):
        await go(made, COMMENT)
    await COMMENT.apply(made.ports, run(COMMENT, 2))
    assert len(await bodies(made)) == 1


async def test_a_permission_that_was_lost_since_keeps_the_comment_and_says_so() -> None:
    made, _ = await prepared(COMMENT)
    outcome = await go(made, COMMENT)
    made.forge.refuse("*", Refused("GitHub does not let us."), times=9)
    undone = await COMMENT.undo(made.ports, run(COMMENT), outcome)
    assert (undone.how, undone.seen) == (Undo.KEPT, "GitHub does not let us.")
    assert not (await COMMENT.gone(made.ports, run(COMMENT), outcome)).absent
    assert await back(made, COMMENT, None) is Undo.NOTHING


async def test_the_longest_comment_fits() -> None:
    made, _ = await prepared(COMMENT)
    wild = "`|@#" * 200
    told = Told(
        stage="ready",
        by=wild,
        services=tuple(CommentedService(name=wild, url=wild, version=wild) for _ in range(99)),
        databases=tuple(CommentedDatabase(name=wild, engine=wild, seeded_from=wild, masked=wild) for _ in range(99)),
        lines=(wild,) * 99,
        proofs=(Proved(what=wild, proved="no"),) * 99,
    )
    effect = COMMENT.model_copy(update={"told": told})
    for operation in (EARLIER, "op_one"):
        await go(made, effect, operation)
    assert len((await bodies(made))[0]) <= LONGEST_COMMENT
    assert await find_comment(made.forge, OLD, 1, "pr-1-orders") is not None
