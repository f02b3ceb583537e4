"""Services, Ingresses and NetworkPolicies."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from playground.kubernetes.names import SUBDOMAIN, SUBDOMAIN_TEXT
from playground.kubernetes.objects import Object
from playground.kubernetes.rules.workloads import PORTS, target_port
from playground.kubernetes.status import Cause, duplicate, invalid_value, not_supported, required

POLICY_TYPES = ("Ingress", "Egress")


def service(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    ports: Sequence[Mapping[str, Any]] = spec.get("ports", ())
    headless = spec.get("clusterIP") == "None"
    if not ports and not headless and spec.get("type") != "ExternalName":
        yield required("spec.ports")
    names: set[str] = set()
    for index, port in enumerate(ports):
        path = f"spec.ports[{index}]"
        name = port.get("name", "")
        if not name and len(ports) > 1:
            yield required(f"{path}.name")
        elif name and name in names:
            yield duplicate(f"{path}.name", name)
        names.add(name)
        if not 1 <= port.get("port", 0) <= 65535:
            yield invalid_value(f"{path}.port", port.get("port", 0), PORTS)
        yield from target_port(f"{path}.targetPort", port.get("targetPort", 0))
    address = spec.get("clusterIP")
    if address and not headless and not _is_address(address):
        yield invalid_value(
            "spec.clusterIPs[0]", address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        )
    if spec.get("type") == "ExternalName" and not spec.get("externalName"):
        yield required("spec.externalName")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def service_change(old: Object, new: Object) -> Iterator[Cause]:
    before, after = old["spec"].get("clusterIP"), new["spec"].get("clusterIP")
    if before and after != before and new["spec"].get("type") != "ExternalName":
        yield invalid_value("spec.clusterIPs[0]", [after] if after else None, "may not change once set")


def ingress(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    if not spec.get("rules") and not spec.get("defaultBackend"):
        text = "either `defaultBackend` or `rules` must be specified"
        yield invalid_value("spec", None, text)
    for index, rule in enumerate(spec.get("rules", ())):
        yield from _rule(rule, f"spec.rules[{index}]")
    if "defaultBackend" in spec:
        yield from _backend(spec["defaultBackend"], "spec.defaultBackend")
    for index, section in enumerate(spec.get("tls", ())):
        for place, host in enumerate(section.get("hosts", ())):
            if not re.fullmatch(rf"(\*\.)?{SUBDOMAIN}", host):
                yield invalid_value(f"spec.tls[{index}].hosts[{place}]", host, SUBDOMAIN_TEXT)


def _rule(rule: Mapping[str, Any], path: str) -> Iterator[Cause]:
    host = rule.get("host", "")
    if host and _is_address(host):
        yield invalid_value(f"{path}.host", host, "must be a DNS name, not an IP address")
    elif host and not re.fullmatch(rf"(\*\.)?{SUBDOMAIN}", host):
        yield invalid_value(f"{path}.host", host, SUBDOMAIN_TEXT)
    if "http" not in rule:
        return
    paths = rule["http"].get("paths", ())
    if not paths:
        yield required(f"{path}.http.paths")
    for index, entry in enumerate(paths):
        yield from _path(entry, f"{path}.http.paths[{index}]")


def _path(entry: Mapping[str, Any], path: str) -> Iterator[Cause]:
    kind, route = entry.get("pathType"), entry.get("path", "")
    if not kind:
        yield required(f"{path}.pathType", "pathType must be specified")
        return
    if kind not in {"Exact", "Prefix", "ImplementationSpecific"}:
        yield not_supported(f"{path}.pathType", kind, ("Exact", "ImplementationSpecific", "Prefix"))
    elif (kind != "ImplementationSpecific" or route) and not route.startswith("/"):
        yield invalid_value(f"{path}.path", route, "must be an absolute path")
    yield from _backend(entry.get("backend", {}), f"{path}.backend")


def _backend(backend: Mapping[str, Any], path: str) -> Iterator[Cause]:
    found = backend.get("service")
    if found is None:
        if "resource" not in backend:
            yield invalid_value(path, "", "resource or service backend is required")
        return
    if not found.get("name"):
        yield required(f"{path}.service.name")
    port = found.get("port", {})
    if port.get("name") and port.get("number"):
        yield invalid_value(path, "", "cannot set both port name & port number")
    elif not port.get("name") and not port.get("number"):
        yield required(path, "port name or number is required")


def network_policy(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    for field, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(field, ())):
            path = f"spec.{field}[{index}]"
            for place, port in enumerate(rule.get("ports", ())):
                if "port" in port:
                    yield from target_port(f"{path}.ports[{place}].port", port["port"])
            for place, peer in enumerate(rule.get(peers, ())):
                yield from _peer(peer, f"{path}.{peers}[{place}]")
    for index, word in enumerate(spec.get("policyTypes", ())):
        if word not in POLICY_TYPES:
            yield not_supported(f"spec.policyTypes[{index}]", word, POLICY_TYPES)


def _peer(peer: Mapping[str, Any], path: str) -> Iterator[Cause]:
    if not peer:
        yield required(path, "must specify a peer")
    block = peer.get("ipBlock")
    if block is None:
        return
    if len(peer) > 1:
        yield Cause("FieldValueForbidden", "Forbidden: may not specify both ipBlock and another peer", path)
    if not _is_network(block.get("cidr", "")):
        text = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
        yield invalid_value(f"{path}.ipBlock.cidr", block.get("cidr", ""), text)


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text
