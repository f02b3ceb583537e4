"""What a document promises becomes numbers; what cannot be kept or measured is said in a sentence."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError

from bot.errors import Invalid
from bot.model.objectives import Objective, bucket_for, objectives_of
from bot.model.web_service import Spec, WebService
from bot.model.web_service.slo import Slo
from bot.rendering.documents import read

MONTH = timedelta(days=30)


def document(spec: str) -> WebService:
    text = f"apiVersion: platform.company.io/v1\nkind: WebService\nmetadata: {{name: orders-api}}\nspec: {spec}\n"
    return read(text)[0]


def spec_of(slo: str) -> Spec:
    return document(f"{{slo: {slo}}}").spec


def mistake(spec: str) -> str:
    with pytest.raises(Invalid) as wrong:
        document(spec)
    (only,) = wrong.value.mistakes
    return str(only)


def test_a_promise_becomes_exact_fractions() -> None:
    availability, latency = objectives_of(spec_of("{availability: 99.9, latency: {target: 99, below: 500ms}}"))
    assert availability == Objective("availability", Decimal("0.999"), None, MONTH)
    assert availability.budget == Decimal("0.001")
    assert latency == Objective("latency", Decimal("0.99"), 0.5, MONTH, 0.5)


def test_a_time_between_two_buckets_is_measured_at_the_next_longer_one() -> None:
    (latency,) = objectives_of(spec_of("{latency: {below: 300ms}, window: 2w}"))
    assert (latency.asked_s, latency.below_s, latency.window) == (0.3, 0.5, timedelta(days=14))
    (own,) = objectives_of(document("{slo: {latency: {below: 300ms}}, metrics: {buckets: [1, 0.3, 0.1]}}").spec)
    assert own.below_s == 0.3


def test_who_says_nothing_gets_the_platforms_and_may_refuse_it() -> None:
    usual = Slo(availability=99)
    assert objectives_of(document("{}").spec) == ()
    assert [one.target for one in objectives_of(document("{}").spec, usual)] == [Decimal("0.99")]
    assert [one.target for one in objectives_of(spec_of("{availability: 99.9}"), usual)] == [Decimal("0.999")]
    assert objectives_of(spec_of("{enabled: false}"), usual) == ()


@pytest.mark.parametrize("spec", ["{worker: true}", '{schedule: "1 1 * * *"}', "{metrics: {enabled: false}}"])
def test_where_no_requests_are_counted_there_is_no_objective(spec: str) -> None:
    assert objectives_of(document(spec).spec, Slo(availability=99)) == ()


def test_the_platforms_latency_is_left_out_where_no_bucket_is_that_long() -> None:
    usual = Slo.model_validate({"availability": 99, "latency": {"below": "5s"}})
    kinds = [one.kind for one in objectives_of(document("{metrics: {buckets: [0.1, 1]}}").spec, usual)]
    assert kinds == ["availability"]
    assert bucket_for(5, (0.1, 1)) is None


def test_an_environment_may_promise_more_less_or_nothing() -> None:
    whole = document(
        "{slo: {availability: 99.9, latency: {below: 1s}}, environments: {"
        "staging: {slo: null}, production: {slo: {availability: 99.95}}}}"
    )
    assert objectives_of(whole.for_environment("staging").spec) == ()
    availability, latency = objectives_of(whole.for_environment("production").spec)
    assert (availability.target, latency.below_s) == (Decimal("0.9995"), 1.0)


@pytest.mark.parametrize(
    ("slo", "told"),
    [
        ("{availability: 100}", "availability: leaves no room for a single failure"),
        ("{availability: 250}", "availability: leaves no room for a single failure"),
        ("{availability: 99.9999}", "availability: is finer than can be measured; write at most 99.999"),
        ("{availability: 0}", "availability: promises nothing; write at least 50 percent"),
        ("{availability: -1}", "availability: promises nothing; write at least 50 percent"),
        ("{availability: 0.999}", "availability: is meant in percent; write `99.9`"),
        ("{availability: '99.9'}", "availability: must be a number in percent"),
        ("{availability: true}", "availability: must be a number in percent"),
        ("{latency: {target: 100, below: 1s}}", "latency.target: leaves no room for a single failure"),
        ("{latency: {below: 1ms}}", "latency.below: `1ms` is shorter than the smallest bucket (0.005s)"),
        ("{latency: {below: 11s}}", "latency.below: `11s` is longer than the largest bucket (10s)"),
        ("{latency: {below: 0ms}}", "latency.below: is no time at all"),
        ("{latency: {below: 300}}", "latency.below: must be a number with `ms` or `s`"),
        ("{latency: {target: 99}}", "latency.below: is missing; add it"),
        ("{availability: 99, window: 91d}", "window: `91d` is not between 1d and 90d"),
        ("{availability: 99, window: 0d}", "window: `0d` is not between 1d and 90d"),
        ("{availability: 99, window: 13w}", "window: `13w` is not between 1d and 90d"),
        ("{availability: 99, window: 12h}", "window: must be a number of days or weeks"),
        ("{availability: 99, window: 30}", "window: must be a number of days or weeks"),
    ],
)
def test_what_cannot_be_promised_is_told_in_one_sentence(slo: str, told: str) -> None:
    assert mistake(f"{{slo: {slo}}}").startswith(f"spec.slo.{told}")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("{slo: {}}", "promises nothing; add"),
        ("{slo: {availability: 99}, worker: true}", "is about requests, and a worker takes none"),
        ('{slo: {availability: 99}, schedule: "1 1 * * *"}', "is about requests, and a scheduled job takes none"),
        ("{slo: {availability: 99}, metrics: {enabled: false}}", "is measured by metrics"),
    ],
)
def test_what_nobody_could_keep_or_measure_is_told(spec: str, told: str) -> None:
    assert mistake(spec).startswith(f"spec.slo: {told}")


def test_an_override_that_takes_every_promise_away_is_told_for_its_environment() -> None:
    told = mistake("{slo: {availability: 99}, environments: {staging: {slo: {availability: null}}}}")
    assert told.startswith("spec.environments.staging.slo: promises nothing")


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://a b", "ftp://x", "https://x/<y>"])
def test_a_runbook_is_an_address_that_can_be_a_link(address: str) -> None:
    assert "is not an address" in mistake(f"{{runbook: '{address}'}}")


def test_what_is_no_number_is_no_promise_wherever_it_is_written() -> None:
    for told in ({"availability": math.nan}, {"latency": {"target": math.nan, "below": "1s"}}):
        with pytest.raises(ValidationError, match="promises nothing; write at least 50 percent"):
            Slo.model_validate(told)
