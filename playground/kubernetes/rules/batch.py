"""Jobs and CronJobs."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator, Mapping
from typing import Any

from playground.kubernetes.objects import Object
from playground.kubernetes.rules.workloads import IMMUTABLE, template_causes
from playground.kubernetes.status import Cause, invalid_value, not_supported, required

MACROS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
BOUNDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 6))
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def job(obj: Object) -> Iterator[Cause]:
    yield from _job_spec(obj["spec"], "spec")


def _job_spec(spec: Mapping[str, Any], path: str) -> Iterator[Cause]:
    for name in ("parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"):
        if spec.get(name, 0) < 0:
            yield invalid_value(f"{path}.{name}", spec[name], "must be greater than or equal to 0")
    template = spec.get("template", {})
    yield from template_causes(template, f"{path}.template")
    policy = template.get("spec", {}).get("restartPolicy")
    field = f"{path}.template.spec.restartPolicy"
    if policy == "Always":
        yield required(field, 'valid values: "OnFailure", "Never"')
    elif policy not in {"OnFailure", "Never"}:
        yield not_supported(field, policy, ("Never", "OnFailure"))


def job_change(old: Object, new: Object) -> Iterator[Cause]:
    for name in ("completions", "selector", "template", "completionMode"):
        if old["spec"].get(name) != new["spec"].get(name):
            yield invalid_value(f"spec.{name}", new["spec"].get(name), IMMUTABLE)


def cron_job(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    schedule = spec.get("schedule", "")
    if schedule:
        for text in schedule_mistakes(schedule):
            yield invalid_value("spec.schedule", schedule, text)
    zone = spec.get("timeZone")
    if zone is not None and not _is_zone(zone):
        yield invalid_value("spec.timeZone", zone, f"unknown time zone {zone}")
    yield from _job_spec(spec.get("jobTemplate", {}).get("spec", {}), "spec.jobTemplate.spec")


def _is_zone(name: str) -> bool:
    return name in zoneinfo.available_timezones() and name.lower() != "local"


def schedule_mistakes(schedule: str) -> Iterator[str]:
    """Yield what the scheduler's parser (robfig/cron, standard form) would say."""
    if "TZ" in schedule:
        yield "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        return
    if schedule.startswith("@"):
        if schedule not in MACROS and not re.fullmatch(r"@every ([0-9.]+(ns|us|ms|s|m|h))+", schedule):
            yield f"unrecognized descriptor: {schedule}"
        return
    fields = schedule.split()
    if len(fields) != len(BOUNDS):
        yield f"expected exactly 5 fields, found {len(fields)}: [{schedule}]"
        return
    for (name, low, high), field in zip(BOUNDS, fields, strict=True):
        words = MONTHS if name == "month" else DAYS if name == "day of week" else ()
        for part in field.split(","):
            if text := _range_mistake(part, low, high, words):
                yield text
                return


def _range_mistake(part: str, low: int, high: int, words: tuple[str, ...]) -> str:
    span, slash, step = part.partition("/")
    if slash and not (step.isdecimal() and int(step) > 0):
        return f"failed to parse int from {step}: strconv.Atoi: parsing {step!r}: invalid syntax"
    if span in {"*", "?"}:
        return ""
    ends = [_number(text, low, words) for text in span.split("-")]
    if len(ends) > 2:
        return f"too many hyphens: {part}"
    wrong = next((text for text, end in zip(span.split("-"), ends, strict=True) if end is None), None)
    if wrong is not None:
        return f'failed to parse int from {wrong}: strconv.Atoi: parsing "{wrong}": invalid syntax'
    first, last = ends[0] or 0, ends[-1] or 0
    if first < low:
        return f"beginning of range ({first}) below minimum ({low}): {part}"
    if last > high:
        return f"end of range ({last}) above maximum ({high}): {part}"
    return f"beginning of range ({first}) beyond end of range ({last}): {part}" if first > last else ""


def _number(text: str, low: int, words: tuple[str, ...]) -> int | None:
    if text.isdecimal():
        return int(text)
    return words.index(text.lower()) + low if text.lower() in words else None
