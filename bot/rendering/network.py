"""Who may call the service, and whom it may call. Nothing else gets through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.model.platform import Environment
from bot.model.web_service import WebService
from bot.model.web_service.parts import Egress
from bot.rendering.stores.providing import provider_of
from bot.rendering.stores.store import Store

Rule = dict[str, Any]
NAMESPACE_LABEL = "kubernetes.io/metadata.name"
PREVIEW_LABEL, SOURCE_LABEL = "causeway.io/preview", "causeway.io/source"
"""Of a preview's namespace: its name, and whether what it shows is our `own` or a `fork`'s."""
PRIVATE = ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
"""Not the internet: private networks (RFC 1918), shared ones (RFC 6598), and where clouds keep their metadata."""
PRIVATE_V6 = ("fc00::/7", "fe80::/10")
NODE_DNS = "169.254.20.10/32"
"""Where a node's own DNS cache answers (Kubernetes, "NodeLocal DNSCache")."""


def values(
    document: WebService, here: Environment, known: Mapping[str, Any], store: Store | None, *, lends: bool = False
) -> dict[str, Any]:
    """Return the rules of the network policy. `lends`: previews find here the services that they have not."""
    return {
        "network": {
            "ingress": [*_ingress(document, here, known), *(_from_previews(document, known) if lends else ())],
            "egress": [
                dns(),
                *_stores(known, store),
                *_collector(here),
                *(_rule(rule, known) for rule in document.spec.egress),
            ],
        }
    }


def _ingress(document: WebService, here: Environment, known: Mapping[str, Any]) -> Iterator[Rule]:
    ports = known["ports"]
    if not ports:
        return
    numbers = {port["name"]: port["port"] for port in ports}
    everywhere = [{"protocol": port["protocol"], "port": port["port"]} for port in ports]
    yield {"from": [{"podSelector": {}}], "ports": everywhere}
    if known["ingress"]:
        yield {
            "from": [_namespace(here.ingress_namespace)],
            "ports": _tcp(numbers[known["ingress"]["port"]]),
        }
    if known["metrics"]:
        yield {"from": [_namespace(here.monitoring_namespace)], "ports": _tcp(numbers[known["metrics"]["port"]])}
    if document.spec.callers:
        callers = [_service(name, known) for name in document.spec.callers]
        yield {"from": callers, "ports": everywhere}


def _from_previews(document: WebService, known: Mapping[str, Any]) -> Iterator[Rule]:
    """Yield the rule that lets in callers of a preview, as those of the environment itself; a fork's are strangers."""
    if not known["ports"] or not document.spec.callers:
        return
    own = {"matchExpressions": [{"key": PREVIEW_LABEL, "operator": "Exists"}], "matchLabels": {SOURCE_LABEL: "own"}}
    callers = [
        {"namespaceSelector": own, "podSelector": {"matchLabels": {"app.kubernetes.io/name": name}}}
        for name in document.spec.callers
    ]
    everywhere = [{"protocol": port["protocol"], "port": port["port"]} for port in known["ports"]]
    yield {"from": callers, "ports": everywhere}


def _namespace(name: str) -> Rule:
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: name}}}


def _service(name: str, known: Mapping[str, Any]) -> Rule:
    """Return the pods of another WebService of the same environment, whatever namespace they are in."""
    labels = {"app.kubernetes.io/name": name, "causeway.io/environment": known["environment"]["name"]}
    return {"namespaceSelector": {}, "podSelector": {"matchLabels": labels}}


def _tcp(*ports: int) -> list[Rule]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def dns() -> Rule:
    return {
        "to": [{"namespaceSelector": {}}, {"ipBlock": {"cidr": NODE_DNS}}],
        "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
    }


def _stores(known: Mapping[str, Any], store: Store | None) -> Iterator[Rule]:
    if store is not None:
        yield from provider_of(store).reach(store)
    if known["cache"]:
        yield {"to": [{"podSelector": {"matchLabels": known["cache"]["selector"]}}], "ports": _tcp(6379)}


def _collector(here: Environment) -> Iterator[Rule]:
    """Yield the way to where traces are sent."""
    otlp = here.monitoring.otlp
    if otlp.endpoint:
        parts = urlsplit(otlp.endpoint)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        yield {"to": [_namespace(otlp.namespace or here.monitoring_namespace)], "ports": _tcp(port)}


def _rule(rule: Egress, known: Mapping[str, Any]) -> Rule:
    ports = rule.ports or ((443,) if rule.internet else ())
    found: Rule = {"to": _targets(rule, known)}
    return found | {"ports": _tcp(*ports)} if ports else found


def _targets(rule: Egress, known: Mapping[str, Any]) -> list[Rule]:
    if rule.service is not None:
        return [_service(rule.service, known)]
    if rule.namespace is not None:
        return [_namespace(rule.namespace)]
    if rule.cidr is not None:
        return [{"ipBlock": {"cidr": rule.cidr}}]
    return [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(PRIVATE)}},
        {"ipBlock": {"cidr": "::/0", "except": list(PRIVATE_V6)}},
    ]
