"""Whatever shape an answer has: it is read, or refused with an error that a person may read. Nothing else leaves."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import PlatformError
from integrations.alertmanager import alerts, shapes
from integrations.loki import logs
from integrations.prometheus import answers
from integrations.reading import Reply
from integrations.tempo import shapes as traces
from integrations.tempo import traces as tempo
from tests.integrations.alertmanager.test_alerts import ALERT, KEPT
from tests.integrations.prometheus.server import error, matrix, vector
from tests.integrations.tempo.test_traces import ID, found, of_service, spans

Step = str | int
ODD: st.SearchStrategy[Any] = st.sampled_from(
    (None, True, 0, -1, 1e308, 10**30, "", "x", "-1", "1e400", "\ud800", "9" * 30, [], [[]], [None], {}, {"a": None})
)


def reads(read: Callable[[Reply], object]) -> Callable[[bytes], object]:
    return lambda body: read(Reply(200, body, {}))


LINES = {"data": {"resultType": "streams", "result": [{"stream": {"a": "b"}, "values": [["1", "x"]]}]}}
READERS: dict[str, tuple[Any, Callable[[bytes], object]]] = {
    "vector": (vector(({"a": "b"}, "1"), warnings=["w"]), lambda body: answers.found(200, {}, body)),
    "matrix": (matrix(({"a": "b"}, [(1, "1")])), lambda body: answers.found(200, {}, body)),
    "error": (error("bad_data", "why"), lambda body: answers.found(400, {}, body)),
    "lines": (LINES | {"status": "success"}, reads(lambda reply: logs._read(reply, lambda got: logs._newest(got, 5)))),
    "counts": (matrix(({"a": "b"}, [(1, "1")])), reads(lambda reply: logs._read(reply, logs._counts))),
    "groups": (
        [{"labels": {"a": "b"}, "receiver": {"name": "r"}, "alerts": [ALERT]}],
        reads(lambda reply: alerts._many(reply, shapes.group)),
    ),
    "silences": ([KEPT], reads(lambda reply: alerts._many(reply, shapes.silence))),
    "search": ({"traces": [found(1, 5)]}, reads(lambda reply: tempo._read_now(reply, tempo._found))),
    "trace": (
        {"batches": [of_service([{"spans": spans(str)}])]},
        reads(lambda reply: tempo._read_now(reply, lambda got: traces.trace(ID, got))),
    ),
}


def places(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Yield the path of each part of a document, of itself as well."""
    yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, part in parts:
        yield from places(part, (*path, step))


def put(value: Any, path: tuple[Step, ...], odd: Any) -> Any:
    if not path:
        return odd
    changed = copy.deepcopy(value)
    node = changed
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = odd
    return changed


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
def test_any_part_of_an_answer_may_be_something_else(name: str, data: st.DataObject) -> None:
    document, read = READERS[name]
    path = data.draw(st.sampled_from(sorted(places(document), key=str)))
    body = json.dumps(put(document, path, data.draw(ODD))).encode()
    with contextlib.suppress(PlatformError):
        told = repr(read(body))
        assert told.encode()


@pytest.mark.parametrize("name", READERS)
@given(cut=st.integers(min_value=0))
def test_any_answer_may_end_too_early(name: str, cut: int) -> None:
    document, read = READERS[name]
    body = json.dumps(document).encode()
    with pytest.raises(PlatformError):
        read(body[: cut % len(body)])


@pytest.mark.parametrize("name", [name for name in READERS if name != "error"])
def test_each_of_them_is_read_when_it_is_whole(name: str) -> None:
    document, read = READERS[name]
    assert read(json.dumps(document).encode())
