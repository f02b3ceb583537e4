"""A report as people read it: each finding with whose it is, how old it is, and one button. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.slack import blocks
from bot.slack.mrkdwn import code, cut, escape
from bot.sweeping.report import Line, Orphan, Report

ACTION = "sweep"
"""The button's `action_id`."""
MOST_SHOWN = 15
"""Findings with a line of their own, each way; the others are counted."""
MOST_UNREAD = 5
LINE = 500


def value_of(report: Report, preview: str) -> str:
    """Return what a button carries: which report, and which preview."""
    return f"{report.at:%Y-%m-%d} {preview}"


def sentence(report: Report) -> str:
    """Return the report in one line, for notifications."""
    if report.is_clean:
        return f"The sweep found nothing that should not be there. It looked at {_counted(report)}."
    parts = []
    if report.orphans:
        count = len(report.orphans)
        parts.append(f"{count} thing{'' if count == 1 else 's'} that should not be there any more")
    if report.lost:
        count = len(report.lost)
        parts.append(f"{count} in Causeway's book of which nothing is left")
    if report.unread:
        parts.append(f"{len(report.unread)} that could not be looked at")
    return f"The sweep found {', '.join(parts)}. It looked at {_counted(report)}."


def shown(report: Report) -> list[Mapping[str, Any]]:
    """Return the report as blocks, within Slack's limits."""
    body: list[Mapping[str, Any]] = [blocks.header("Sweep"), blocks.section(escape(sentence(report)))]
    if report.orphans:
        body.append(blocks.section("*There, and should not be*"))
        body += [_orphan(one, report) for one in report.orphans[:MOST_SHOWN]]
        body += _more(len(report.orphans))
    if report.lost:
        body.append(blocks.section("*In Causeway's book, and not there*"))
        body += [_lost(one, report) for one in report.lost[:MOST_SHOWN]]
        body += _more(len(report.lost))
    if report.unread:
        told = blocks.fold([escape(cut(one, LINE)) for one in report.unread], MOST_UNREAD, "… and {} more")
        body += blocks.lines(["*Could not be looked at:* nothing is said of it", *told])
    return body


def _orphan(one: Orphan, report: Report) -> Mapping[str, Any]:
    text = f"*{escape(one.name)}* {escape(one.why)}. {_whose(one.team, one.since, report.at)}"
    text += f"\n{escape(cut(', '.join(one.parts), LINE))}"
    if one.by_hand:
        text += f"\nNo command finds it any more; a person deletes it: {code(cut(one.by_hand, LINE))}"
    return blocks.section(text, accessory=_button(one.preview, "Delete", report) if one.preview else None)


def _lost(one: Line, report: Report) -> Mapping[str, Any]:
    text = f"*{escape(one.name)}*: {escape(one.why)}. {_whose(one.team, one.since, report.at)}"
    if one.by_hand:
        text += f"\nLook at it with {code(cut(one.by_hand, LINE))}"
    return blocks.section(text, accessory=_button(one.preview, "Strike out", report) if one.preview else None)


def _button(preview: str, label: str, report: Report) -> dict[str, Any]:
    sure = blocks.confirm(
        f"{label}?",
        f"Asks `/preview down {preview}` in your name, with the rules that hold for it. It deletes all that is left of "
        "the preview, and proves that it is gone.",
        yes=label,
        style="danger",
    )
    value = value_of(report, preview)
    return blocks.button(label, ACTION, value, style="danger", confirm=sure, spoken=f"{label} preview {preview}")


def _more(count: int) -> Iterator[Mapping[str, Any]]:
    if count > MOST_SHOWN:
        yield blocks.context(
            f"… and {count - MOST_SHOWN} more: the next sweep shows them, or `/idp sweep` once these are gone."
        )


def _whose(team: str, since: datetime | None, now: datetime) -> str:
    owner = f"Of {escape(team)}" if team else "Of nobody who is known"
    return f"{owner}, {_age(since, now)}." if since is not None else f"{owner}."


def _age(since: datetime, now: datetime) -> str:
    hours = int((now - since).total_seconds() // 3600)
    if hours < 1:
        return "less than an hour old"
    count, unit = (hours, "hour") if hours < 48 else (hours // 24, "day")
    return f"{count} {unit}{'' if count == 1 else 's'} old"


def _counted(report: Report) -> str:
    words: Sequence[tuple[str, str, str]] = (
        ("previews", "preview", "previews"),
        ("lines", "entry in Causeway's book", "entries in Causeway's book"),
        ("objects", "object", "objects"),
    )
    counts = report.counts
    return ", ".join(f"{counts.get(key, 0)} {one if counts.get(key) == 1 else many}" for key, one, many in words)
