"""`/service logs`: what the service's pods wrote last, for those who own it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from bot.command import Answer, Context, Query, Subject, TextFile
from bot.deps import Deps
from bot.errors import UsageError
from bot.model.principal import Door
from bot.releases.logs import MOST_LINES, Stream, Tail, read_lines
from bot.releases.services import Service, service_and_environment
from bot.releases.wording import read
from bot.rendering.delivery import Place
from bot.slack import blocks
from bot.slack.mrkdwn import code, escape

USAGE = "[service] [environment] [lines]"
LINES = 100
SHORT = 2_500
"""Characters of all lines together that are shown at once; what is longer becomes a file."""
SHORT_STREAMS = 8
GLIMPSE = 1_500
"""Characters that are shown beside a file."""


class ServiceLogs(BaseModel, frozen=True, extra="forbid"):
    """Whose lines, and how many."""

    service: str = Field(default="", max_length=200, description="Its name; empty: the channel's", examples=["orders"])
    environment: str = Field(default="", max_length=63, description="Empty: the first one", examples=["production"])
    lines: int = Field(default=LINES, ge=1, le=MOST_LINES, description="The newest of each container", examples=[500])


def parse(words: Sequence[str]) -> ServiceLogs:
    usage = f"/service logs {USAGE}"
    said = read(words, most=3, known=("in",), usage=usage)
    numbers = [word for word in said.plain if word.isdecimal()]
    names = [word for word in said.plain if not word.isdecimal()]
    if len(numbers) > 1 or len(names) > 2 or (len(names) == 2 and "in" in said.after):
        raise UsageError(f"I could not read `{' '.join(words)[:200]}`.", hint=f"Try `{usage}`.")
    service, environment = [*names, "", ""][:2]
    return ServiceLogs(
        service=service,
        environment=said.after.get("in") or environment,
        lines=int(numbers[0][:9]) if numbers else LINES,
    )


async def subject(request: ServiceLogs, context: Context, deps: Deps) -> Subject:
    """Logs may hold what customers entered, so policy decides by owner and environment."""
    service, place = await _whose(request, context, deps)
    return Subject(owner=service.owner, environment=place.environment)


async def answer(request: ServiceLogs, context: Context, deps: Deps) -> Answer:
    """Show the lines; as a file when they are many. The file goes to the channel only where the owners are at home.

    Raise `NotFound` without pods, `Refused` where we may not read.
    """
    service, place = await _whose(request, context, deps)
    tail = await read_lines(place, deps, request.lines)
    title = f"{place.service} in {place.environment}"
    summary = f"{title}: {_count(tail.count, 'line')} of {_count(tail.pods, 'pod')}."
    told = Answer(text=summary, blocks=[_head(title, tail), *_notes(tail)], data=_for_machines(place, tail))
    text = _plain(tail)
    if context.door is not Door.SLACK:
        return Answer(text=f"{summary}\n{text}".strip(), data=told.data)
    is_short = not tail.count or (len(text) <= SHORT and len(tail.streams) <= SHORT_STREAMS)
    if is_short and (shown := _at_once(tail)) is not None:
        return Answer(text=summary, blocks=[told.blocks[0], *shown, *told.blocks[1:]], data=told.data)
    at_home = context.channel is not None and service.owner in await deps.groups_of_channel(context.channel)
    return Answer(
        text=summary,
        blocks=[told.blocks[0], *_glimpse(tail), *told.blocks[1:], _follows(at_home)],
        data=told.data,
        file=TextFile(name=f"{place.service}-{place.environment}-logs.txt", title=f"Logs of {title}", text=text),
        file_for_channel=at_home,
    )


async def _whose(request: ServiceLogs, context: Context, deps: Deps) -> tuple[Service, Place]:
    service, environment = await service_and_environment(request.service, request.environment, context, deps)
    return service, service.place(deps, environment)


def _head(title: str, tail: Tail) -> dict[str, Any]:
    counted = f"{_count(tail.count, 'line')} of {_count(tail.pods, 'pod')}"
    return blocks.section(f"*{escape(title)}* · {counted}, what is broken first")


def _at_once(tail: Tail) -> list[dict[str, Any]] | None:
    """Return every line in code blocks; None where they do not fit."""
    shown = []
    for stream in tail.streams:
        if not stream.lines:
            continue
        block = blocks.preformatted(_unfenced("\n".join(stream.lines)))
        if block is None:
            return None
        shown += [blocks.context(escape(_title(stream))), block]
    return shown


def _glimpse(tail: Tail) -> list[dict[str, Any]]:
    """Return the newest lines of the first container that wrote any."""
    stream = next(stream for stream in tail.streams if stream.lines)
    kept: list[str] = []
    size = 0
    for line in reversed(stream.lines):
        short = line if len(line) <= GLIMPSE // 3 else f"{line[: GLIMPSE // 3]}…"
        size += len(short) + 1
        if size > GLIMPSE:
            break
        kept.append(short)
    block = blocks.preformatted(_unfenced("\n".join(reversed(kept))))
    if block is None:  # every character an entity, or nothing but blanks
        return []
    return [blocks.context(f"{escape(_title(stream))} · its newest {_count(len(kept), 'line')}"), block]


def _follows(at_home: bool) -> dict[str, Any]:
    whom = "" if at_home else ", to you alone: this is not the channel of the team that owns it"
    return blocks.context(f"All lines follow as a file{whom}.")


def _notes(tail: Tail) -> list[dict[str, Any]]:
    """Say of whom there are no lines, and why."""
    told = [f"• {code(stream.pod)} {escape(stream.problem)}" for stream in tail.streams if stream.problem]
    if tail.left_out:
        told.append(f"• {_count(len(tail.left_out), 'more pod')} not read, such as {code(tail.left_out[0])}")
    return blocks.lines(blocks.fold(told, 12, "• and {} more"))


def _plain(tail: Tail) -> str:
    """Return all lines as one text, each container under its title."""
    parts = [
        "\n".join((f"== {_title(stream)} ==", *(stream.lines or (f"({stream.problem})",)))) for stream in tail.streams
    ]
    if tail.left_out:
        parts.append(f"== not read: {', '.join(tail.left_out)} ==")
    return "\n\n".join(parts)


def _title(stream: Stream) -> str:
    run = ", the run before" if stream.previous else ""
    return f"{stream.pod} · {stream.container}{run} ({stream.state})"


def _for_machines(place: Place, tail: Tail) -> dict[str, Any]:
    streams = [
        {
            "pod": stream.pod,
            "container": stream.container,
            "previous": stream.previous,
            "state": stream.state,
            "lines": list(stream.lines),
            "problem": stream.problem,
        }
        for stream in tail.streams
    ]
    told = {"service": place.service, "environment": place.environment, "namespace": place.namespace}
    return {**told, "streams": streams, "left_out": list(tail.left_out)}


def _unfenced(text: str) -> str:
    """Let no line end the code block that it stands in."""
    return text.replace("```", "ˋˋˋ")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


QUERY: Query[ServiceLogs] = Query(
    name="service.logs",
    summary="Show what a service's pods wrote last; for its owners",
    usage=USAGE,
    request=ServiceLogs,
    parse=parse,
    answer=answer,
    subject=subject,
)
