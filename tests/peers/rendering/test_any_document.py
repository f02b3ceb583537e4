"""Whatever document we take, a real API server takes what it becomes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model.platform import Environment, Platform
from bot.model.web_service.cron import check_cron
from bot.rendering.documents import check
from bot.rendering.render import render
from bot.rendering.rollout import Rollout
from tests.fuzz import examples
from tests.peers.control_plane.fixtures import CONTROL_PLANE, need_real_crds
from tests.peers.control_plane.rig import ControlPlane
from tests.peers.rendering.test_api_server import refused, send
from tests.rendering import test_properties as right

pytestmark = CONTROL_PLANE

DOMAIN = r"[a-z0-9-]{1,8}(\.[a-z0-9-]{1,8}){0,3}"


def like(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True)


volumes = st.fixed_dictionaries(
    {"name": like(r"[a-z0-9-]{1,6}"), "path": like(r"/[a-z/.:]{0,8}")},
    optional={"size": like(r"[0-9.]{1,4}(Mi|G|k)"), "persistent": st.booleans(), "shared": st.booleans()},
)
ports = st.fixed_dictionaries({"name": like(r"[a-z0-9-]{1,16}"), "port": st.integers(1, 65535)})
paths = st.lists(like(r"/[a-zA-Z0-9%._~!:@/-]{0,8}"), min_size=1, max_size=2)
edges = right.some(
    ports=st.lists(ports, min_size=1, max_size=2),
    ingress=right.some(host=like(DOMAIN) | st.just("*.example.com"), paths=paths),
    env=st.dictionaries(like(r"[A-Za-z0-9_.-]{1,6}"), st.text(st.characters(codec="utf-8"), max_size=9)),
    volumes=st.lists(volumes, max_size=2),
    egress=st.lists(st.fixed_dictionaries({"cidr": like(r"[0-9.:a-f]{2,9}/[0-9]{1,2}")}), max_size=1),
    gracePeriod=st.integers(1, 10),
    replicas=st.integers(0, 3),
)
cron_part = like(r"(\*|[0-9]{1,2}|[0-9]-[0-9]{1,2}|\?|mon|JAN-MAR)(/[0-9]{1,2})?")
cron_lines = st.lists(cron_part, min_size=4, max_size=6).map(" ".join) | st.sampled_from(
    ["@daily", "@never", "* * * * 7"]
)
label = like(r"[A-Za-z0-9._/-]{1,12}")
PLATFORM = Platform(environments={"staging": Environment(domain="acme.example", namespace="default-{environment}")})


def sent(plane: ControlPlane, document: dict[str, Any]) -> None:
    found = check(document)
    if isinstance(found, list):
        return  # we do not take it
    rollout = Rollout(version=found.name, image="ghcr.io/acme/a:b")
    for obj in render(found, environment="staging", platform=PLATFORM, rollout=rollout):
        here = json.loads(json.dumps(obj))
        here["metadata"]["namespace"] = "default"
        send(plane, here)


def document(spec: Any, **metadata: Any) -> dict[str, Any]:
    head = {"apiVersion": "platform.company.io/v1", "kind": "WebService", "metadata": {"name": "any", **metadata}}
    return {**head, "spec": spec}


@settings(max_examples=examples(40))
@given(spec=right.spec)
def test_any_right_document_passes_a_dry_run(control_plane: ControlPlane, spec: Any) -> None:
    need_real_crds()
    if spec.get("replicas", 0) <= PLATFORM.environments["staging"].max_replicas:
        sent(control_plane, document(spec))


@settings(max_examples=examples(150))
@given(spec=edges, labels=st.dictionaries(label, label, max_size=2))
def test_no_document_passes_us_and_fails_there(control_plane: ControlPlane, spec: Any, labels: Any) -> None:
    sent(control_plane, document(spec, labels=labels))


@settings(max_examples=examples(100))
@given(line=cron_lines)
def test_no_cron_line_is_judged_otherwise_there(control_plane: ControlPlane, line: str) -> None:
    job = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "any", "namespace": "default"},
        "spec": {
            "schedule": line,
            "jobTemplate": {
                "spec": {
                    "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a:b"}]}}
                }
            },
        },
    }
    assert refused(control_plane, job) == (check_cron(line) is not None), line
