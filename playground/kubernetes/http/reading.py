"""GET: one object, or a list of them."""

from __future__ import annotations

from aiohttp import web

from playground.kubernetes.http.call import Call, respond
from playground.kubernetes.http.listing import page_of, revision_of, too_large
from playground.kubernetes.objects import Object

AS_METADATA = "as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
"""How a client asks for an object's metadata alone."""
AS_METADATA_LIST = "as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


def get(call: Call) -> web.Response:
    wanted = revision_of(call.query)
    if wanted and wanted > call.store.revision:
        raise too_large(wanted, call.store.revision)
    found = call.shown(call.existing())
    if AS_METADATA in call.request.headers.get("Accept", "").replace(" ", ""):
        found = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": found["metadata"]}
    return respond(found)


def list_(call: Call) -> web.Response:
    page = page_of(call.store.objects, call.resource, call.target.namespace, call.query)
    return respond(listed(call, page.items, page.metadata))


def listed(call: Call, items: list[Object], metadata: Object) -> Object:
    """Return a list object. Items of built-in kinds do not repeat their kind; those of custom ones do."""
    if call.resource.custom:
        shown = [call.shown(obj) for obj in items]
    else:
        shown = [{key: value for key, value in obj.items() if key not in {"kind", "apiVersion"}} for obj in items]
    if AS_METADATA_LIST in call.request.headers.get("Accept", "").replace(" ", ""):
        partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
        found = [{**partial, "metadata": obj["metadata"]} for obj in shown]
        kind = "PartialObjectMetadataList"
        return {"kind": kind, "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "items": found}
    kind = f"{call.resource.kind}List"
    return {"kind": kind, "apiVersion": call.target.api_version, "metadata": metadata, "items": shown}
