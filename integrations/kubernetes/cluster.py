"""The cluster port on Kubernetes' API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.errors import Invalid, Mistake, NotFound, UpstreamUnavailable
from bot.ports import FIELD_MANAGER, Change, Object, ObjectRef
from integrations.kubernetes.access import SERVICE_ACCOUNT, find_access
from integrations.kubernetes.answers import Ask, Expired, an_object, problem, value
from integrations.kubernetes.client import Client, Sleep, selectors
from integrations.kubernetes.connection import METADATA, Connection, Request
from integrations.kubernetes.discovery import Resource
from integrations.kubernetes.feed import Feed, Scope

LONGEST_LOG = 262_144
"""Bytes of a log that are read at most."""
LIST_TRIES = 3
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def connect(
    kubeconfig: str,
    access: Mapping[str, str],
    *,
    sleep: Sleep = asyncio.sleep,
    timeout_s: float = 15.0,
    service_account: Path = SERVICE_ACCOUNT,
) -> dict[str, KubernetesCluster]:
    """Return the clusters by name; nothing is opened before the first call. Close each in the end.

    `access` has the context of each cluster. Where `kubeconfig` is empty, a cluster without a context is the one that
    we run in; outside of one there is none. `timeout_s` bounds each call but watches. Raise `Invalid` for contexts
    that are not there.
    """
    found = find_access(kubeconfig, access, service_account=service_account)
    return {
        name: KubernetesCluster(name, Connection(name, one, timeout_s=timeout_s), sleep=sleep)
        for name, one in found.items()
    }


class KubernetesCluster:
    """Implements `bot.ports.Cluster`. Objects of lists and watches come without `metadata.managedFields`."""

    def __init__(self, name: str, connection: Connection, *, sleep: Sleep = asyncio.sleep) -> None:
        self._name = name
        self._connection = connection
        self._client = Client(name, connection, sleep=sleep)
        self._feeds: dict[Scope, Feed] = {}

    @property
    def name(self) -> str:
        return self._name

    async def close(self) -> None:
        """End all watches; who follows one is told that it is lost no more."""
        for feed in list(self._feeds.values()):
            await feed.close()
        await self._connection.close()

    async def get(self, ref: ObjectRef) -> Object | None:
        resource = await self._client.find(ref)
        ask = self._client.ask("get", resource, str(ref), ref.namespace)
        try:
            found: Object = await self._client.read(resource.path(ref.namespace, ref.name), ask, read=an_object)
        except NotFound:
            return None
        return found

    async def exists(self, ref: ObjectRef) -> bool:
        resource = await self._client.find(ref)
        ask = self._client.ask("get", resource, str(ref), ref.namespace)
        reply = await self._client.read_reply(resource.path(ref.namespace, ref.name), ask, accept=METADATA)
        try:
            value(reply, ask, an_object)
        except NotFound:
            return False
        return True

    async def list(
        self, api_version: str, kind: str, *, namespace: str = "", labels: Mapping[str, str] | None = None
    ) -> Sequence[Object]:
        resource = await self._client.discovery.find(api_version, kind)
        for _ in range(LIST_TRIES):
            try:
                pages = self._client.pages(resource, namespace, selectors(labels))
                return [obj async for page in pages for obj in page.objects]
            except Expired:
                continue  # the server kept the list's revision for too short a time: begin again
            except NotFound:
                self._client.discovery.forget(resource)
                raise
        raise self._too_fast(resource)

    async def scan(
        self, api_version: str, kind: str, *, namespace: str = "", labels: Mapping[str, str] | None = None
    ) -> AsyncIterator[Object]:
        resource = await self._client.discovery.find(api_version, kind)
        for _ in range(LIST_TRIES):
            try:
                async for page in self._client.pages(resource, namespace, selectors(labels), only_metadata=True):
                    for obj in page.objects:
                        yield obj
            except Expired:
                continue
            else:
                return
        raise self._too_fast(resource)

    async def apply(self, obj: Object, *, dry_run: bool = False, over: Collection[str] = ()) -> Object:
        applied: Object = await self._client.apply(obj, ref_of(obj), manager=FIELD_MANAGER, dry_run=dry_run, over=over)
        return applied

    async def delete(self, ref: ObjectRef, *, uid: str | None = None) -> bool:
        resource = await self._client.find(ref)
        options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        ask = self._client.ask("delete", resource, str(ref), ref.namespace, writes=True)
        try:
            await self._client.write(
                Request("DELETE", resource.path(ref.namespace, ref.name), body=options), ask, read=an_object
            )
        except NotFound:
            return False
        return True

    def _too_fast(self, resource: Resource) -> UpstreamUnavailable:
        told = f"The cluster `{self._name}` changes faster than its {resource.plural} can be read."
        return UpstreamUnavailable(told, hint="Try again.")

    async def watch(
        self,
        api_version: str,
        kind: str,
        *,
        namespace: str = "",
        labels: Mapping[str, str] | None = None,
        name: str = "",
    ) -> AsyncIterator[Change]:
        """What keeps the watch from being followed is told as `lost`, an unknown kind included, and tried again."""
        scope = Scope(api_version, kind, namespace, tuple(sorted((labels or {}).items())), name)
        feed = self._feeds.get(scope)
        if feed is None:
            feed = self._feeds[scope] = Feed(self._client, scope)
        follower = feed.join()
        try:
            while (change := await follower.next()) is not None:
                yield change
        finally:
            feed.leave(follower)
            if not feed.followed and self._feeds.get(scope) is feed:
                del self._feeds[scope]
                await feed.close()

    async def log_tail(
        self, namespace: str, pod: str, container: str = "", *, lines: int = 20, previous: bool = False
    ) -> tuple[str, ...]:
        resource = await self._client.discovery.find("v1", "Pod")
        query = {"tailLines": str(lines), "limitBytes": str(LONGEST_LOG)}
        query |= {"container": container} if container else {}
        query |= {"previous": "true"} if previous else {}
        ask = Ask(self._name, "get", "pods/log", f"the log of Pod {pod} in {namespace}", namespace)
        reply = await self._client.read_reply(resource.path(namespace, pod, "log"), ask, query)
        if reply.status in (200, 204):  # 204: the pod has no node yet
            return tuple(reply.body.decode(errors="replace").splitlines()[-lines:])
        if reply.status == 400 and not container and b"a container name must be specified" in reply.body:
            chosen = _default_container(await self.get(ObjectRef("v1", "Pod", pod, namespace)) or {})
            return await self.log_tail(namespace, pod, chosen, lines=lines, previous=previous) if chosen else ()
        if reply.status == 400 and (b"waiting to start" in reply.body or b"previous terminated" in reply.body):
            return ()
        raise problem(reply, ask)

    async def may(self, verb: str, api_version: str, resource: str, *, namespace: str = "") -> bool:
        group, _, version = api_version.rpartition("/")
        plural, _, subresource = resource.partition("/")
        attributes = {"verb": verb, "group": group, "version": version, "resource": plural, "namespace": namespace}
        if subresource:
            attributes["subresource"] = subresource
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        # Nothing is stored: it is a question, asked by POST.
        ask = Ask(self._name, "create", "selfsubjectaccessreviews.authorization.k8s.io", "an access review")
        request = Request("POST", REVIEWS, body=body)
        return await self._client.write(request, ask, read=lambda answer: bool(answer["status"].get("allowed")))

    async def version(self) -> str:
        ask = Ask(self._name, "get", "/version", "its version")
        return await self._client.read("/version", ask, read=lambda answer: str(answer["gitVersion"]))


def ref_of(obj: Object) -> ObjectRef:
    """Return what names the object. Raise `Invalid` for one that does not say what it is."""
    metadata = obj.get("metadata")
    names = metadata if isinstance(metadata, Mapping) else {}
    said = {"apiVersion": obj.get("apiVersion"), "kind": obj.get("kind"), "metadata.name": names.get("name")}
    missing = [Mistake(path, "is missing") for path, text in said.items() if not isinstance(text, str) or not text]
    if missing:
        raise Invalid("An object does not say what it is.", missing)
    api_version, kind, name = (str(text) for text in said.values())
    return ObjectRef(api_version, kind, name, str(names.get("namespace") or ""))


def _default_container(pod: Object) -> str:
    metadata, spec = pod.get("metadata"), pod.get("spec")
    if not isinstance(metadata, Mapping) or not isinstance(spec, Mapping):
        return ""
    annotations, containers = metadata.get("annotations"), spec.get("containers")
    if isinstance(annotations, Mapping) and annotations.get(DEFAULT_CONTAINER):
        return str(annotations[DEFAULT_CONTAINER])
    first = containers[0] if isinstance(containers, Sequence) and containers else {}
    return str(first.get("name") or "") if isinstance(first, Mapping) else ""
