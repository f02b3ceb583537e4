"""An explanation as an answer: one sentence, the walk, whose it is, one button, the picture."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.charts import Chart, alt_text, chart
from bot.command import Answer, Picture
from bot.deps import Deps
from bot.errors import PlatformError
from bot.explaining import wording
from bot.explaining.explanation import Explanation
from bot.explaining.facts import Case, Moved
from bot.explaining.ranking import Cause
from bot.explaining.wording import Voice
from bot.model.canonical import JSON
from bot.slack import blocks
from bot.slack.limits import MESSAGE_TEXT, TEXT
from bot.slack.message import Block
from bot.slack.mrkdwn import code, cut, escape, link, local_time, said

LONGEST = 300
"""Characters of one piece from outside, before it is escaped."""


def _text(piece: str) -> str:
    return escape(cut(piece, LONGEST))


def _code(piece: str) -> str:
    return code(cut(piece, LONGEST))


SLACK = Voice(text=_text, code=_code, time=local_time)
FALLBACK = Voice(text=_text, code=_code)
"""Where Slack shows no times of its own, as in a notification."""


async def answer_of(explanation: Explanation, deps: Deps, *, shared: bool = False) -> Answer:
    """Return what is said so far. `complete` is there as long as something has not arrived; `shared` as in `Answer`."""
    case, rest = explanation.case, explanation.rest

    async def whole() -> Answer:
        return await answer_of(await rest() if rest is not None else explanation, deps, shared=shared)

    return Answer(
        text=cut(_first(explanation, FALLBACK), MESSAGE_TEXT),
        blocks=blocks.guarded(list(_body(explanation)), keep_last=3),
        data=_data(explanation),
        picture=await _picture(case, explanation.chart, deps) if rest is None else None,
        complete=whole if rest is not None else None,
        shared=shared,
    )


def _first(explanation: Explanation, voice: Voice) -> str:
    case = explanation.case
    if explanation.rest is not None and case.since is None:
        return f"I am looking into {voice.text(f'{case.service} in {case.environment}')}; nothing has shown itself yet."
    return wording.headline(case, explanation.causes, voice)


def _body(explanation: Explanation) -> Iterator[Block]:
    case = explanation.case
    yield blocks.section(f"*{cut(_first(explanation, SLACK), TEXT - 2)}*")
    for heading, lines in wording.walk(case, explanation.causes, SLACK):
        yield from blocks.lines([f"*{heading}*", *lines])
    links = [link(case.exemplar.url, "Open the trace")] if case.exemplar is not None and case.exemplar.url else []
    links += [link(explanation.dashboard, "Open the dashboard")] if explanation.dashboard else []
    if links:
        yield blocks.context(" · ".join(links))
    yield from _next(explanation)
    if case.missing:
        yield blocks.context(*(said(cut(one, 300)) for one in case.missing[:5]))


def _next(explanation: Explanation) -> Iterator[Block]:
    step, owner = explanation.step, explanation.owner
    if step is None:
        return
    whose = f"{_text(owner.service)} belongs to {_text(owner.name)}" if owner.name else ""
    where = f" ({_text(f'#{owner.channel}')})" if owner.name and owner.channel else ""
    told = [f"*Next:* {said(cut(step.text, 2 * LONGEST))}", f"{whose}{where}"]
    yield from blocks.lines([line for line in told if line])
    if (button := step.button) is not None:
        sure = blocks.confirm(f"{button.label}?", button.confirm, yes=button.label, style="danger")
        pressed = blocks.button(button.label, button.action, button.line, style="danger", confirm=sure)
        yield blocks.actions([pressed], block_id="why.next")
    elif step.url:
        yield blocks.context(link(step.url, "Open the runbook"))


async def _picture(case: Case, shown: Chart | None, deps: Deps) -> Picture | None:
    """Return the chart; None where nobody draws, or it cannot be drawn: the words say the same."""
    if shown is None or deps.pictures is None:
        return None
    try:
        png = await deps.pictures.png(chart(shown))
    except PlatformError:
        return None
    name = f"{case.service}-{case.symptom.kind if case.symptom else 'signal'}.png"
    return Picture(name=name, title=shown.title, png=png, alt=alt_text(shown))


def _data(explanation: Explanation) -> JSON:
    case, step, seen = explanation.case, explanation.step, explanation.case.exemplar
    return {
        "service": case.service,
        "environment": case.environment,
        "sentence": _first(explanation, wording.PLAIN),
        "since": _time(case.since),
        "moved": [_moved(one) for one in (*case.moved, *case.beside)],
        "causes": [_cause(one) for one in explanation.causes],
        "changes": [
            {"service": one.service, "kind": one.kind, "at": _time(one.at), "what": one.what, "by": one.by}
            for one in case.changes
        ],
        "troubles": [{"service": one.service, "what": one.sentence, "at": _time(one.at)} for one in case.troubles],
        "alerts": [{"service": one.service, "title": one.title, "at": _time(one.at)} for one in case.alerts],
        "new_lines": [
            {"service": one.service, "pattern": one.pattern, "count": one.count, "before": one.before}
            for one in case.lines
        ],
        "trace": (
            {
                "id": seen.trace,
                "duration_s": seen.duration_s,
                "service": seen.span_service,
                "span": seen.span,
                "span_s": seen.span_s,
                "share": seen.share,
                "failed": seen.failed,
            }
            if seen is not None
            else None
        ),
        "owner": explanation.owner.name or None,
        "next": (
            {
                "text": step.text,
                "line": step.button.line if step.button else None,
                "url": step.url or None,
            }
            if step is not None
            else None
        ),
        "missing": list(case.missing),
    }


def _moved(one: Moved) -> JSON:
    return {
        "service": one.service,
        "signal": one.kind,
        "name": one.name,
        "unit": one.unit,
        "since": _time(one.since),
        "until": _time(one.until),
        "before": one.before,
        "worst": one.worst,
        "objective": one.objective,
    }


def _cause(one: Cause) -> JSON:
    return {
        "kind": one.kind,
        "service": one.service,
        "what": one.what,
        "at": _time(one.at),
        "likely": one.likely,
        "points": one.points,
        "why": list(one.why),
        "operation": one.change.operation if one.change is not None else None,
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
