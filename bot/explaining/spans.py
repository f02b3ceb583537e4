"""Where one request lost its time, or failed: down the critical path to the deepest span that explains most. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.ports.traces import Span, Trace

MOST = 0.5
"""A span explains a request when so much of its time was spent waiting for that span."""
MOST_SPANS = 5_000


@dataclass(frozen=True, slots=True)
class Found:
    """The span that explains a trace."""

    root: Span
    span: Span
    seconds: float
    """How long the request waited for it."""
    share: float
    """Of the request's time, 0 to 1."""
    failed: bool


def telling_span(trace: Trace) -> Found | None:
    """Return the deepest span that failed where the request failed, else the deepest that explains most of its time.
    None of a trace without a span that took time."""
    spans = trace.spans[:MOST_SPANS]
    if not spans:
        return None
    ids = {one.id for one in spans}
    # The first span, or, where it is not kept (yet), what is left of it: the longest without a parent that is there.
    root = max((one for one in spans if one.parent not in ids), key=_length, default=max(spans, key=_length))
    below: dict[str, list[Span]] = {}
    for one in spans:
        if one is not root:
            below.setdefault(one.parent, []).append(one)
    failed = _failed(root, below)
    if failed is not None:
        seconds = min(max(failed.duration_s, 0.0), max(root.duration_s, 0.0))
        return Found(root, failed, seconds, _share(seconds, root), failed=True)
    if root.duration_s <= 0:
        return None
    span, seconds = _slow(root, below)
    return Found(root, span, seconds, _share(seconds, root), failed=False)


def _failed(root: Span, below: Mapping[str, Sequence[Span]]) -> Span | None:
    """Follow what failed: of several tries the last one, since its failure is what was passed on."""
    if not root.failed:
        return None
    span, seen = root, {root.id}
    while broken := [one for one in below.get(span.id, ()) if one.failed and one.id not in seen]:
        span = max(broken, key=lambda one: (_end(one), one.id))
        seen.add(span.id)
    return span


def _slow(root: Span, below: Mapping[str, Sequence[Span]]) -> tuple[Span, float]:
    """Follow what was waited for. A span's time counts within its parent's only: clocks of two machines disagree."""
    begin, end = root.begin.timestamp(), _end(root)
    span, seconds, seen = root, root.duration_s, {root.id}
    while True:
        waited = [
            (seconds_of, one, window)
            for seconds_of, one, window in _waited(below.get(span.id, ()), begin, end)
            if one.id not in seen
        ]
        if not waited:
            return span, seconds
        longest, child, window = max(waited, key=lambda found: (found[0], found[1].id))
        if longest < MOST * root.duration_s:
            return span, seconds
        span, seconds, (begin, end) = child, longest, window
        seen.add(span.id)


def _waited(children: Sequence[Span], begin: float, end: float) -> Sequence[tuple[float, Span, tuple[float, float]]]:
    """Return for how long each child was what the parent waited for: from the parent's end backwards, always the child
    that ended last before. What ran beside it meanwhile cost nothing."""
    found = []
    cursor = end
    for child in sorted(children, key=lambda one: (-_end(one), one.id)):
        first, last = max(child.begin.timestamp(), begin), min(_end(child), cursor)
        if last > first:
            found.append((last - first, child, (first, last)))
            cursor = first
    return found


def _share(seconds: float, root: Span) -> float:
    return min(seconds / root.duration_s, 1.0) if root.duration_s > 0 else 0.0


def _length(span: Span) -> tuple[bool, float, str]:
    return not span.parent, span.duration_s, span.id


def _end(span: Span) -> float:
    return span.begin.timestamp() + max(span.duration_s, 0.0)
