"""Why no node takes a pod."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.health.facts import Claim, Event, Pod
from bot.health.finding import Finding
from bot.health.words import counted, listed, said

_NODES = re.compile(r"^(?P<fit>\d+)/(?P<all>\d+) nodes are available: (?P<why>.*)", re.DOTALL)
_PART = re.compile(r"^(?P<count>\d+) (?P<what>.+)$")
_RESOURCE = re.compile(r"Insufficient ([\w./-]+)")
_ROOM = "Choose a smaller size or fewer replicas, or ask the platform team for more room."
_TEAM = "Ask the platform team which nodes are meant for this service."


def finding(pod: Pod, events: tuple[Event, ...], claims: Sequence[Claim]) -> Finding | None:
    """Return what the scheduler says of a pod without a node; None when it has one, or nobody has tried yet."""
    condition = pod.condition("PodScheduled")
    if condition is None or condition.status != "False":
        return None
    if condition.reason == "SchedulingGated":
        why, next_step = "it is held back by a scheduling gate", "See who set the gate, and have it taken away."
    else:
        why, next_step = _why(condition.message)
    if any(one.reason == "TriggeredScaleUp" for one in events):
        why, next_step = f"{why}; a node is being added", "Wait for the new node."
    evidence = tuple(f"PersistentVolumeClaim {one.name}: {one.phase}" for one in claims if one.name in pod.claims)
    return Finding(
        rank=5,
        key=("unscheduled", why),
        one="has no node",
        many="have no node",
        rest=f": {why}",
        next_step=next_step,
        evidence=(*evidence, said(condition.message)),
    )


def _why(message: str) -> tuple[str, str]:
    nodes = _NODES.match(message)
    if nodes is None:
        return said(message) or "the scheduler gives no reason", _ROOM
    if int(nodes["all"]) == 0:
        return "the cluster has no nodes", "Tell the platform team."
    reasons = nodes["why"].partition("preemption:")[0].strip(" .")
    if "PersistentVolumeClaim" in reasons:
        step = "See why its PersistentVolumeClaim is not bound, or ask the platform team."
        return "its volume is not there yet", step
    parts = [_part(text.strip(" .")) for text in _split(reasons)]
    room = any(is_room for _, is_room in parts)
    return _of_nodes(int(nodes["all"]), [text for text, _ in parts]), _ROOM if room else _TEAM


def _of_nodes(count: int, parts: Sequence[str]) -> str:
    """`the only node lacks cpu`, `all 3 nodes lack cpu`, `of 3 nodes 1 lacks cpu and 2 are full of pods`."""
    alike = len(parts) == 1 and parts[0].startswith(f"{count} ")
    if not alike:
        return f"of {counted(count, 'node')} {listed(parts)}"
    rest = parts[0].removeprefix(f"{count} ")
    return f"the only node {rest}" if count == 1 else f"all {count} nodes {rest}"


def _split(reasons: str) -> list[str]:
    """Split at the commas that begin a new count; a taint may hold commas of its own."""
    return re.split(r",\s+(?=\d+ )", reasons)


def _part(text: str) -> tuple[str, bool]:
    """Return one reason in words, and whether more room would help."""
    found = _PART.match(text)
    if found is None:
        return said(text), False
    count, what = int(found["count"]), found["what"]
    resource = _RESOURCE.search(what)
    if resource is not None:
        return f"{count} {'lacks' if count == 1 else 'lack'} {resource[1]}", True
    if "Too many pods" in what:
        return f"{count} {'is' if count == 1 else 'are'} full of pods", True
    if "untolerated taint" in what or "had taint" in what:
        taint = re.search(r"\{([^}:]*)", what)
        named = f" {taint[1]}" if taint and taint[1] else ""
        return f"{count} {'has' if count == 1 else 'have'} the taint{named} that it does not tolerate", False
    if "affinity" in what or "selector" in what or "topology spread" in what:
        return f"{count} {'does' if count == 1 else 'do'} not fit its node selector, affinity or spread", False
    if "unschedulable" in what:
        return f"{count} {'is' if count == 1 else 'are'} closed for new pods", False
    if "free ports" in what:
        return f"{count} {'has' if count == 1 else 'have'} its host port taken", False
    return f"{count}: {said(what)}", False
