"""What holds for every Environment and every document of its services."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import Invalid
from bot.model.platform import Platform
from bot.model.web_service import WebService
from bot.rendering.documents import check as check_service
from bot.rendering.environments import check, read_environment
from bot.rendering.kinds import model_of
from bot.rendering.previews import render_preview
from bot.rendering.printing import to_stream, to_yaml
from tests.fuzz import examples
from tests.rendering import test_properties as right

PLATFORM = Platform.model_validate(
    {
        "environments": {
            "staging": {
                "domain": "staging.acme.example",
                "max_replicas": 1000,
                "monitoring": {"enabled": True},
                "personal_data": True,
                "database": {"seeding": {"method": "import", "secret": "source"}},
            }
        },
        "previews": {
            "base": "staging",
            "domain": "preview.acme.example",
            "masking": {"image": "ghcr.io/acme/mask:4", "version": "4"},
            "quota": {"cpu": "999", "memory": "999Gi", "storage": "9999Gi", "pods": 999},
        },
    }
)
environment_names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
services = st.lists(
    st.fixed_dictionaries(
        {"name": right.names, "image": st.sampled_from(["a:b", "ghcr.io/acme/a:v1", "a@sha256:" + "0" * 64])},
        optional={
            "replicas": st.integers(0, 3),
            "env": st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True), right.printable, max_size=3),
            "size": st.sampled_from(["small", "large"]),
        },
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda service: service["name"],
)
databases = st.lists(
    st.fixed_dictionaries({}, optional={"seedFrom": st.just("staging"), "size": st.sampled_from(["small", "medium"])}),
    max_size=1,
)
specs = st.fixed_dictionaries({"services": services}, optional={"databases": databases, "ttl": st.just("7d")})
documents = st.dictionaries(st.integers(0, 2), right.spec, max_size=3)


def environment(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    head = {"apiVersion": "environments.platform.io/v1", "kind": "Environment", "metadata": {"name": name}}
    return {**head, "spec": spec}


def known(spec: dict[str, Any], documents: dict[int, Any]) -> dict[str, WebService]:
    """Return documents for some of the services."""
    found = {}
    for number, service in enumerate(spec["services"]):
        if number in documents:
            metadata = {"name": service["name"]}
            document = check_service(
                {
                    "apiVersion": "platform.company.io/v1",
                    "kind": "WebService",
                    "metadata": metadata,
                    "spec": documents[number],
                }
            )
            if isinstance(document, WebService):
                found[service["name"]] = document
    return found


@given(environment_names, specs, documents, st.booleans(), st.booleans())
@settings(max_examples=examples(100))
def test_any_preview_renders_alike_twice_or_is_refused_with_sentences(
    name: str, spec: dict[str, Any], documents: dict[int, Any], fork: bool, asleep: bool
) -> None:
    document = read_environment(json.dumps(environment(name, spec), ensure_ascii=False))
    of_services = known(spec, documents)
    objects: tuple[Any, ...] = ()
    told = [""]
    try:
        objects = render_preview(document, of_services, PLATFORM, fork=fork, asleep=asleep)
    except Invalid as refused:
        told = [str(mistake) for mistake in refused.mistakes]
    assert objects or told
    assert not any("\n" in line for line in told)
    if not objects:
        return
    stream = to_stream(objects)
    assert list(yaml.load_all(stream, Loader=yaml.CSafeLoader)) == [dict(obj) for obj in objects]
    assert to_stream(render_preview(document, of_services, PLATFORM, fork=fork, asleep=asleep)) == stream
    for obj in objects:
        model = model_of(str(obj["apiVersion"]), str(obj["kind"]))
        assert model is not None
        model.model_validate(obj)
        assert obj["kind"] == "Namespace" or obj["metadata"]["namespace"] == name
    if asleep:
        assert all(obj["spec"]["replicas"] == 0 for obj in objects if obj["kind"] == "Deployment")
    if fork:
        assert '"secretRef"' not in json.dumps(objects)


@given(environment_names, specs)
@settings(max_examples=examples(100))
def test_any_environment_is_written_as_it_was_read(name: str, spec: dict[str, Any]) -> None:
    document = environment(name, spec)
    found = read_environment(json.dumps(document, ensure_ascii=False))
    assert found.written() == document
    assert read_environment(to_yaml(found.written())) == found
    assert check(document) == found
