"""Service, Ingress, NetworkPolicy."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bot.rendering.kinds.meta import IntOrString, Kind, Labels, LabelSelector, ObjectMeta, PortNumber

Protocol = Literal["TCP", "UDP", "SCTP"]


class ServicePort(Kind):
    name: str | None = None
    port: PortNumber
    target_port: IntOrString | None = None
    protocol: Protocol | None = None
    app_protocol: str | None = None
    node_port: PortNumber | None = None


class ServiceSpec(Kind):
    type: Literal["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] | None = None
    external_name: str | None = None
    cluster_ip: Annotated[str | None, Field(alias="clusterIP")] = None
    selector: Labels | None = None
    ports: Annotated[list[ServicePort] | None, Field(min_length=1)] = None
    session_affinity: Literal["None", "ClientIP"] | None = None
    internal_traffic_policy: Literal["Cluster", "Local"] | None = None
    external_traffic_policy: Literal["Cluster", "Local"] | None = None
    traffic_distribution: str | None = None
    ip_family_policy: Literal["SingleStack", "PreferDualStack", "RequireDualStack"] | None = None
    load_balancer_class: str | None = None
    publish_not_ready_addresses: bool | None = None

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if self.type == "ExternalName":
            if not self.external_name:
                raise ValueError("externalName is missing; an ExternalName is another name of something")
        elif not self.selector or not self.ports:
            raise ValueError("selector and ports are needed")
        return self


class Service(Kind):
    api_version: Literal["v1"]
    kind: Literal["Service"]
    metadata: ObjectMeta
    spec: ServiceSpec


class IngressServicePort(Kind):
    name: str | None = None
    number: PortNumber | None = None


class IngressService(Kind):
    name: str
    port: IngressServicePort


class IngressBackend(Kind):
    service: IngressService


class HttpPath(Kind):
    path: str
    path_type: Literal["Prefix", "Exact", "ImplementationSpecific"]
    backend: IngressBackend


class HttpPaths(Kind):
    paths: Annotated[list[HttpPath], Field(min_length=1)]


class IngressRule(Kind):
    host: str
    http: HttpPaths


class IngressTls(Kind):
    hosts: list[str] | None = None
    secret_name: str | None = None


class IngressSpec(Kind):
    ingress_class_name: str | None = None
    default_backend: IngressBackend | None = None
    tls: list[IngressTls] | None = None
    rules: Annotated[list[IngressRule], Field(min_length=1)]


class Ingress(Kind):
    api_version: Literal["networking.k8s.io/v1"]
    kind: Literal["Ingress"]
    metadata: ObjectMeta
    spec: IngressSpec


class IpBlock(Kind):
    cidr: str
    except_: Annotated[list[str] | None, Field(alias="except")] = None


class NetworkPeer(Kind):
    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IpBlock | None = None


class NetworkPort(Kind):
    protocol: Protocol | None = None
    port: IntOrString | None = None
    end_port: PortNumber | None = None


class IngressPeers(Kind):
    from_: Annotated[list[NetworkPeer] | None, Field(alias="from")] = None
    ports: list[NetworkPort] | None = None


class EgressPeers(Kind):
    to: list[NetworkPeer] | None = None
    ports: list[NetworkPort] | None = None


class NetworkPolicySpec(Kind):
    pod_selector: LabelSelector
    policy_types: list[Literal["Ingress", "Egress"]]
    ingress: list[IngressPeers] | None = None
    egress: list[EgressPeers] | None = None


class NetworkPolicy(Kind):
    api_version: Literal["networking.k8s.io/v1"]
    kind: Literal["NetworkPolicy"]
    metadata: ObjectMeta
    spec: NetworkPolicySpec
