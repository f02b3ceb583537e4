"""LogQL answered: lines by stream, and counts at moments."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playground.monitoring.loki.language import Aggregated, Counted, Grouping, Metric, Pipeline
from playground.monitoring.loki.lines import Line

SERIES_LIMIT = 500
Key = tuple[tuple[str, str], ...]
Vector = dict[Key, float]
Read = Callable[[Pipeline, int, int], Iterable[Line]]
"""From a pipeline, begin and end (nanoseconds since 1970) to the lines of the streams that it selects."""


class CannotAnswer(ValueError):
    """The query is right, and yet not answered; the text is Loki's."""


def streams(pipeline: Pipeline, found: Iterable[Line], *, limit: int, forward: bool) -> list[dict[str, Any]]:
    """Return the newest `limit` lines, or the oldest with `forward`, by the labels that the pipeline leaves them."""
    kept: list[tuple[int, str, Key]] = []
    for line in found:
        labels = pipeline.run(line.text, line.labels)
        if labels is not None:
            kept.append((line.at, line.text, key_of(labels)))
    kept.sort(reverse=not forward)
    answer: dict[Key, list[list[str]]] = {}
    for at, text, key in kept[:limit]:
        answer.setdefault(key, []).append([str(at), text])
    return [{"stream": dict(key), "values": values} for key, values in answer.items()]


def key_of(labels: Mapping[str, str]) -> Key:
    return tuple(sorted((name, value) for name, value in labels.items() if value))


@dataclass(frozen=True, slots=True)
class _Series:
    """When the lines of one set of labels were written, in nanoseconds, oldest first."""

    key: Key
    times: Sequence[int]


class Evaluation:
    """One query over one time. The lines are read once; each moment only counts."""

    def __init__(self, metric: Metric, read: Read, begin: int, end: int) -> None:
        self._metric = metric
        self._series: dict[int, list[_Series]] = {}
        self._prepare(metric, None, read, begin, end)

    def _prepare(self, metric: Metric, grouping: Grouping | None, read: Read, begin: int, end: int) -> None:
        if isinstance(metric, Aggregated):
            pushed = metric.grouping if metric.operation == "sum" else None
            self._prepare(metric.inner, pushed, read, begin, end)
            return
        back, shift = int(metric.range_s * 1e9), int(metric.offset_s * 1e9)
        times: dict[Key, list[int]] = {}
        for line in read(metric.pipeline, begin - back - shift, end - shift + 1):
            labels = metric.pipeline.run(line.text, line.labels)
            if labels is None:
                continue
            if labels.get("__error__"):
                raise CannotAnswer(f"pipeline error: '{labels['__error__']}' for series")
            key = key_of(grouping.of(labels) if grouping else labels)
            times.setdefault(key, []).append(line.at)
        self._series[id(metric)] = [_Series(key, sorted(found)) for key, found in times.items()]

    def at(self, moment: int) -> Vector:
        return self._at(self._metric, moment)

    def _at(self, metric: Metric, moment: int) -> Vector:
        if isinstance(metric, Counted):
            return self._counted(metric, moment)
        return aggregate(metric, self._at(metric.inner, moment))

    def _counted(self, metric: Counted, moment: int) -> Vector:
        end = moment - int(metric.offset_s * 1e9)
        begin = end - int(metric.range_s * 1e9)
        per = metric.range_s if metric.function == "rate" else 1.0
        counts = Counter[Key]()
        for series in self._series[id(metric)]:
            counts[series.key] += bisect_right(series.times, end) - bisect_right(series.times, begin)
        return {key: count / per for key, count in counts.items() if count}


def aggregate(how: Aggregated, vector: Vector) -> Vector:
    """Return what an aggregation makes of one moment."""
    groups: dict[Key, list[tuple[Key, float]]] = {}
    for key, value in vector.items():
        groups.setdefault(key_of(how.grouping.of(dict(key))), []).append((key, value))
    if how.operation in {"topk", "bottomk"}:
        upwards = how.operation == "bottomk"
        return {
            key: value
            for members in groups.values()
            for key, value in sorted(members, key=lambda m: (m[1] if upwards else -m[1], m[0]))[: how.count]
        }
    operations: dict[str, Callable[[list[float]], float]] = {
        "sum": sum,
        "min": min,
        "max": max,
        "avg": lambda values: sum(values) / len(values),
        "count": len,
    }
    work = operations[how.operation]
    return {group: float(work([value for _, value in members])) for group, members in groups.items()}


def limited(series: Mapping[Key, Any]) -> None:
    """Raise `CannotAnswer` where an answer has more series than Loki gives."""
    if len(series) > SERIES_LIMIT:
        raise CannotAnswer(f"maximum of series ({SERIES_LIMIT}) reached for a single query")


def number(value: float) -> str:
    """Write a value as Loki does: without a fraction that says nothing."""
    return str(int(value)) if value == int(value) else repr(value)
