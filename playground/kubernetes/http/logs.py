"""`/log` of a Pod. What its containers wrote is told by whoever plays the node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiohttp import web

from playground.kubernetes.http.call import Call
from playground.kubernetes.http.parameters import is_set, whole_number
from playground.kubernetes.http.watching import is_connected
from playground.kubernetes.objects import Object
from playground.kubernetes.status import Cause, bad_request, invalid, invalid_value

Line = tuple[datetime, str]
Lines = Callable[[Object, str, bool], Sequence[Line]]
"""Pod, container, whether its previous run is meant → all that it wrote, oldest first. Raises `NoLines`."""
FOLLOW_EVERY_S = 1.0


class NoLines(Exception):
    """Nothing can be read; the text is the kubelet's."""


def none(pod: Object, container: str, previous: bool) -> Sequence[Line]:
    """Tell what a cluster without nodes tells."""
    raise NoLines(f'container "{container}" in pod "{pod["metadata"]["name"]}" is waiting to start: ContainerCreating')


@dataclass(frozen=True, slots=True)
class Wanted:
    container: str
    previous: bool
    since: datetime | None
    tail: int | None
    timestamps: bool
    limit: int | None

    def text(self, lines: Sequence[Line], after: int = 0) -> str:
        chosen = [line for line in lines if self.since is None or line[0] >= self.since]
        if self.tail is not None and not after:
            chosen = chosen[len(chosen) - self.tail :] if self.tail else []
        shown = "".join(
            f"{_stamp(moment)} {text}\n" if self.timestamps else f"{text}\n" for moment, text in chosen[after:]
        )
        return shown if self.limit is None else shown.encode()[: self.limit].decode(errors="ignore")


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


async def log(call: Call, lines_of: Lines, clock: Callable[[], datetime]) -> web.StreamResponse:
    pod = call.existing()
    wanted = _read(call, pod, clock())
    if not pod["spec"].get("nodeName"):
        return web.Response(status=204)
    try:
        lines = lines_of(pod, wanted.container, wanted.previous)
    except NoLines as error:
        raise bad_request(str(error)) from error
    if not is_set(call.query, "follow"):
        return web.Response(text=wanted.text(lines), content_type="text/plain")
    return await _follow(call, wanted, lines_of, lines)


async def _follow(call: Call, wanted: Wanted, lines_of: Lines, lines: Sequence[Line]) -> web.StreamResponse:
    """Send what is there, then what is added, for as long as the Pod and the client are there."""
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(call.request)
    await response.write(wanted.text(lines).encode())
    told = len(lines)
    while is_connected(call.request):
        await asyncio.sleep(FOLLOW_EVERY_S)
        pod = call.store.objects.get(call.resource.key, call.target.namespace, call.target.name)
        if pod is None:
            break
        try:
            lines = lines_of(pod, wanted.container, wanted.previous)
        except NoLines:
            break
        if len(lines) > told:
            await response.write(wanted.text(lines, told).encode())
            told = len(lines)
    return response


def _read(call: Call, pod: Object, now: datetime) -> Wanted:
    query = call.query
    tail = whole_number(query, "tailLines")
    if tail is not None and tail < 0:
        cause = invalid_value("tailLines", tail, "must be greater than or equal to 0")
        raise invalid(call.resource, call.target.name, [cause], kind="PodLogOptions")
    seconds = whole_number(query, "sinceSeconds")
    since = now - timedelta(seconds=seconds) if seconds else _moment(call)
    return Wanted(
        container=_container(call, pod),
        previous=is_set(query, "previous"),
        since=since,
        tail=tail,
        timestamps=is_set(query, "timestamps"),
        limit=whole_number(query, "limitBytes"),
    )


def _moment(call: Call) -> datetime | None:
    text = call.query.get("sinceTime")
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        cause = Cause("FieldValueInvalid", f'Invalid value: "{text}": invalid time', "sinceTime")
        raise invalid(call.resource, call.target.name, [cause], kind="PodLogOptions") from None


def _container(call: Call, pod: Object) -> str:
    spec, asked = pod["spec"], call.query.get("container", "")
    names = [container["name"] for container in spec["containers"]]
    others = [container["name"] for container in spec.get("initContainers", ())]
    if not asked:
        if len(names) == 1:
            return str(names[0])
        inits = f" or one of the init containers: [{' '.join(others)}]" if others else ""
        text = f"a container name must be specified for pod {call.target.name}, choose one of: [{' '.join(names)}]"
        raise bad_request(text + inits)
    if asked not in {*names, *others}:
        raise bad_request(f"container {asked} is not valid for pod {call.target.name}")
    return asked
