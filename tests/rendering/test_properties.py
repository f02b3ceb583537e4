"""What holds for every document, every text and every value."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import Invalid
from bot.model.platform import Environment, Monitoring, Platform
from bot.rendering.documents import check, read
from bot.rendering.printing import to_stream, to_yaml
from bot.rendering.render import render
from bot.rendering.rollout import Rollout
from bot.rendering.text import parse
from tests.fuzz import examples
from tests.rendering.examples import EVERYTHING

ROOMY = Platform(
    environments={"staging": Environment(domain="acme.example", max_replicas=1000, monitoring=Monitoring(enabled=True))}
)
names = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
printable = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
numbers = st.integers(1, 1000)
text_values = st.text(st.characters(codec="utf-8"), max_size=10)
whole = st.integers(-(2**53), 2**53)
json_values = st.recursive(
    st.none() | st.booleans() | whole | st.floats(allow_nan=False, allow_infinity=False) | text_values,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text_values, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return maps with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


port_names = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,5})?", fullmatch=True)
ports = st.lists(
    st.fixed_dictionaries({"name": port_names, "port": st.integers(1, 65535)}),
    min_size=1,
    max_size=3,
    unique_by=(lambda port: port["name"], lambda port: port["port"]),
)
spec = some(
    image=st.sampled_from(["a:b", "acme/a", "ghcr.io/acme/a:v1", "a@sha256:" + "0" * 64]),
    args=st.lists(printable, max_size=3),
    size=st.sampled_from(["small", "large"]),
    replicas=st.integers(0, 1000),
    ports=ports,
    env=st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True), printable, max_size=4),
    secrets=st.lists(
        st.fixed_dictionaries({"secret": names, "key": names, "env": st.from_regex(r"S_[A-Z]{5}", fullmatch=True)}),
        max_size=3,
        unique_by=lambda part: part["env"],
    ),
    ingress=some(host=st.just("a.example"), paths=st.just(["/a", "/b"]), tls=st.booleans(), enabled=st.booleans()),
    database=some(size=st.sampled_from(["small", "large"]), version=st.integers(14, 18)),
    cache=some(size=st.just("small")),
    callers=st.lists(names, max_size=2),
    egress=st.lists(
        st.sampled_from(
            [{"service": "a"}, {"namespace": "b"}, {"cidr": "10.0.0.0/8", "ports": [1]}, {"internet": True}]
        ),
        max_size=3,
    ),
    probes=some(path=st.just("/up"), enabled=st.booleans(), startup=some(every=numbers, tcp=st.booleans())),
    metrics=some(enabled=st.booleans(), every=st.integers(5, 600)),
    slo=st.fixed_dictionaries(
        {"availability": st.floats(50, 99.999)},
        optional={
            "latency": st.fixed_dictionaries({"below": st.integers(5, 10_000).map("{}ms".format)}),
            "window": st.integers(1, 90).map("{}d".format),
            "enabled": st.booleans(),
        },
    ),
    gracePeriod=st.integers(1, 3600),
).filter(lambda found: "slo" not in found or found.get("metrics", {}).get("enabled", True))


@given(spec, names)
@settings(max_examples=examples(150))
def test_any_right_document_renders_alike_twice(spec: dict[str, Any], name: str) -> None:
    document = {"apiVersion": "platform.company.io/v1", "kind": "WebService", "metadata": {"name": name}, "spec": spec}
    text = json.dumps(document, ensure_ascii=False)
    streams = []
    for _ in range(2):
        (found,) = read(text)
        rollout = Rollout(version=name, image=None if "image" in spec else "a:b")
        objects = render(found, environment="staging", platform=ROOMY, rollout=rollout)
        streams.append(to_stream(objects))
        assert list(yaml.load_all(streams[-1], Loader=yaml.CSafeLoader)) == [dict(obj) for obj in objects]
    assert streams[0] == streams[1]


@given(spec, names)
@settings(max_examples=examples(100))
def test_any_document_is_written_as_it_was_read(spec: dict[str, Any], name: str) -> None:
    document = {"apiVersion": "platform.company.io/v1", "kind": "WebService", "metadata": {"name": name}, "spec": spec}
    (found,) = read(json.dumps(document, ensure_ascii=False))
    assert found.written() == document
    assert read(to_yaml(found.written())) == (found,)


@given(st.text(max_size=200) | st.binary(max_size=200))
@settings(max_examples=examples(300))
def test_no_text_ends_in_anything_but_a_document_or_mistakes(text: str | bytes) -> None:
    refused_or_read(text)


@given(st.integers(0, len(EVERYTHING)), st.integers(0, 40), st.text(max_size=8))
@settings(max_examples=examples(300))
def test_no_spoiled_document_ends_in_anything_else(place: int, gone: int, put: str) -> None:
    refused_or_read(EVERYTHING[:place] + put + EVERYTHING[place + gone :])


def refused_or_read(text: str | bytes) -> None:
    mistakes = ["read"]
    try:
        read(text)
    except Invalid as refused:
        mistakes = [str(mistake) for mistake in refused.mistakes]
    assert mistakes
    assert not any("Traceback" in mistake or "\n" in mistake for mistake in mistakes)


@given(json_values)
@settings(max_examples=examples(60))
def test_no_value_ends_in_anything_but_a_document_or_mistakes(value: Any) -> None:
    assert check(value)
    assert check({"apiVersion": "platform.company.io/v1", "kind": "WebService", "metadata": value, "spec": value})
    fields = (
        "ports",
        "env",
        "ingress",
        "egress",
        "volumes",
        "schedule",
        "environments",
        "probes",
        "autoscaling",
        "secrets",
    )
    head = {"apiVersion": "platform.company.io/v1", "kind": "WebService", "metadata": {"name": "a"}}
    for field in fields:
        assert check({**head, "spec": {field: value}})
        assert check({**head, "spec": {"environments": {"staging": {field: value}}}})


@given(st.dictionaries(text_values, json_values, max_size=5))
@settings(max_examples=examples(300))
def test_any_value_that_is_written_reads_back_by_every_reader(value: dict[str, Any]) -> None:
    text = to_yaml(value)
    assert yaml.safe_load(text) == (value or None)
    found = parse(text)
    assert found.mistakes == ()
    assert found.documents == ((value,) if value else ())
