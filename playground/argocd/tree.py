"""The resource tree of an application: its objects and what they brought forth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from playground.argocd.comparison import Managed, version_of
from playground.argocd.health import health_of
from playground.argocd.live import Live, images_of, key_of
from playground.kubernetes.controllers.objects import Object, meta, spec_of, status_of, uid_of


def resource_tree(live: Live, managed: Sequence[Managed]) -> Object:
    missing = [one.body() for one in managed if one.live is None]
    return tree_of(live, [one.live for one in managed if one.live is not None], missing)


def tree_of(live: Live, objects: Sequence[Object], missing: Sequence[Object]) -> Object:
    """Return the tree of live objects, with a bare node for each line of `status.resources` that is not there."""
    named = ("group", "version", "kind", "namespace", "name")
    nodes: list[Object] = [{part: one[part] for part in named if one.get(part)} for one in missing]
    for obj in objects:
        _add(live, obj, None, nodes)
    nodes.sort(key=lambda node: (node.get("group", ""), node["kind"], node.get("namespace", ""), node["name"]))
    return {"nodes": nodes}


def _add(live: Live, obj: Object, parent: Object | None, nodes: list[Object]) -> None:
    nodes.append(node_of(obj, parent))
    for child in live.below(obj):
        _add(live, child, obj, nodes)


def reference(obj: Object) -> Object:
    key = key_of(obj)
    body = {"group": key.group, "version": version_of(obj), "kind": key.kind, "namespace": key.namespace}
    return {**{name: value for name, value in body.items() if value}, "name": key.name, "uid": uid_of(obj)}


def node_of(obj: Object, parent: Object | None) -> Object:
    node = reference(obj)
    node |= {"resourceVersion": meta(obj)["resourceVersion"], "createdAt": meta(obj)["creationTimestamp"]}
    if parent is not None:
        node["parentRefs"] = [reference(parent)]
    if found := health_of(obj):
        node["health"] = found.body()
    if info := details(obj):
        node["info"] = info
    if obj["kind"] == "Pod":
        node["images"] = images_of([obj])
    if obj["kind"] == "Ingress":
        node["networkingInfo"] = {"externalURLs": external_urls([obj])}
    return node


def details(obj: Object) -> list[Object]:
    """Return the facts that Argo CD's page shows beside a pod or a ReplicaSet."""
    if obj["kind"] == "Pod":
        containers = status_of(obj).get("containerStatuses") or []
        ready = sum(one["ready"] for one in containers)
        stopped = [one["state"].get("waiting") or one["state"].get("terminated") or {} for one in containers]
        reason = next((one["reason"] for one in stopped if one.get("reason")), status_of(obj).get("phase", "Pending"))
        restarts = sum(one["restartCount"] for one in containers)
        found = [
            {"name": "Status Reason", "value": reason},
            {"name": "Node", "value": spec_of(obj).get("nodeName", "")},
            {"name": "Containers", "value": f"{ready}/{len(spec_of(obj)['containers'])}"},
        ]
        return found + ([{"name": "Restart Count", "value": str(restarts)}] if restarts else [])
    revision = (meta(obj).get("annotations") or {}).get("deployment.kubernetes.io/revision")
    return [{"name": "Revision", "value": f"Rev:{revision}"}] if obj["kind"] == "ReplicaSet" and revision else []


def external_urls(objects: Iterable[Object]) -> list[str]:
    """Return the addresses under which ingresses answer, as Argo CD guesses them: any named secret means `https`."""
    found: set[str] = set()
    for obj in objects:
        if obj["kind"] != "Ingress":
            continue
        scheme = "https" if any(entry.get("secretName") for entry in spec_of(obj).get("tls") or []) else "http"
        placed = (status_of(obj).get("loadBalancer") or {}).get("ingress") or []
        address = next((one.get("hostname") or one.get("ip") for one in placed), None)
        for rule in spec_of(obj).get("rules") or []:
            if not (host := rule.get("host") or address):
                continue
            for path in (rule.get("http") or {}).get("paths") or []:
                found.add(f"{scheme}://{host}{path.get('path', '').removesuffix('*')}")
    return sorted(found)


def pods_below(nodes: Iterable[Object]) -> list[str]:
    return sorted({image for node in nodes for image in node.get("images") or []})


def summary(tree: Object) -> Object:
    """Return `status.summary`: addresses and images of what runs."""
    images = pods_below(tree["nodes"])
    urls = sorted({url for node in tree["nodes"] for url in (node.get("networkingInfo") or {}).get("externalURLs", [])})
    return {**({"images": images} if images else {}), **({"externalURLs": urls} if urls else {})}
