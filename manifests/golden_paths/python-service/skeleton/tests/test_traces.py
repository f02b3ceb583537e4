from __future__ import annotations

import json
import queue
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiohttp.test_utils import TestClient, TestServer

from service import logs, traces
from service.app import STATE, build
from service.settings import Settings
from service.traces import INTERNAL, SERVER, Traces

TRACE_ID, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
DEADLINE_S = 30


class Collector:
    """Takes spans as a collector does, and answers with `status`."""

    def __init__(self, status: int = 200) -> None:
        self.bodies: queue.Queue[dict] = queue.Queue()
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = json.loads(self.rfile.read(length))
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")
                bodies.put({"path": self.path, "type": self.headers["Content-Type"], **body})

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def spans(self) -> list[dict]:
        """Wait for one request, and return its spans."""
        (resource,) = self.bodies.get(timeout=DEADLINE_S)["resourceSpans"]
        return resource["scopeSpans"][0]["spans"]


def opened(collector: Collector, **more: str) -> Traces:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"{collector.url}/", **more}
    return Traces.from_environment(environment, "sample")


def one(taker: Traces, name: str = "GET /", **more: bool) -> None:
    taker.record(logs.trace_of(""), name, kind=SERVER, began_ns=1_000, seconds=0.5, **more)


def attributes(of: dict) -> dict[str, str]:
    return {one["key"]: next(iter(one["value"].values())) for one in of["attributes"]}


class Requests(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.collector = Collector()
        self.addCleanup(self.collector.close)
        self.client = TestClient(TestServer(build(Settings(name="sample"), opened(self.collector))))
        await self.client.start_server()

    async def test_a_request_becomes_a_span_within_its_callers(self) -> None:
        answer = await self.client.get("/", headers={"traceparent": f"00-{TRACE_ID}-{CALLER}-01"})
        await self.client.get("/healthz")
        await self.client.close()
        (span,) = self.collector.spans()
        self.assertEqual((span["traceId"], span["parentSpanId"]), (TRACE_ID, CALLER))
        self.assertEqual(answer.headers["traceparent"], f"00-{TRACE_ID}-{span['spanId']}-01")
        self.assertEqual((span["name"], span["kind"], span["status"]), ("GET /", SERVER, {}))
        self.assertLessEqual(int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"]))
        self.assertEqual(attributes(span)["http.response.status_code"], "200")

    async def test_a_failure_is_marked_and_paths_are_not_told(self) -> None:
        self.client.app[STATE].clear()
        with self.assertLogs("service.app"):
            await self.client.get("/readyz")
            await self.client.get("/no/such/page")
        await self.client.close()
        failed, missing = self.collector.spans()
        self.assertEqual((failed["name"], failed["status"]), ("GET /readyz", {"code": traces.FAILED}))
        self.assertEqual((missing["name"], missing["status"]), ("GET unknown", {}))

    async def test_what_the_caller_does_not_keep_is_not_sent(self) -> None:
        answer = await self.client.get("/", headers={"traceparent": f"00-{TRACE_ID}-{CALLER}-00"})
        self.assertTrue(answer.headers["traceparent"].endswith("-00"))
        await self.client.get("/", headers={"traceparent": f"00-{TRACE_ID}-{CALLER}-01"})
        await self.client.close()
        self.assertEqual(len(self.collector.spans()), 1)


class Sending(unittest.TestCase):
    def collector(self, status: int = 200) -> Collector:
        found = Collector(status)
        self.addCleanup(found.close)
        return found

    def test_it_says_who_it_is(self) -> None:
        collector = self.collector()
        given = {"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=production, a=b%2Cc,broken"}
        taker = opened(collector, **given)
        one(taker)
        taker.close(DEADLINE_S)
        body = collector.bodies.get(timeout=DEADLINE_S)
        self.assertEqual((body["path"], body["type"]), ("/v1/traces", "application/json"))
        told = attributes(body["resourceSpans"][0]["resource"])
        self.assertEqual(told, {"service.name": "sample", "deployment.environment": "production", "a": "b,c"})
        renamed = opened(collector, OTEL_SERVICE_NAME="orders")
        one(renamed)
        renamed.close(DEADLINE_S)
        resource = collector.bodies.get(timeout=DEADLINE_S)["resourceSpans"][0]["resource"]
        self.assertEqual(attributes(resource)["service.name"], "orders")

    def test_a_part_of_a_request_is_a_span_of_its_own(self) -> None:
        collector = self.collector()
        taker = opened(collector)
        token = logs.current.set(logs.Trace(TRACE_ID, CALLER))
        with self.assertRaises(KeyError), taker.span("ask the database", rows=3):
            inner = logs.current.get()
            raise KeyError
        self.assertEqual(logs.current.get(), logs.Trace(TRACE_ID, CALLER))
        logs.current.reset(token)
        taker.close(DEADLINE_S)
        (span,) = collector.spans()
        self.assertEqual((span["traceId"], span["parentSpanId"], span["spanId"]), (TRACE_ID, CALLER, inner.span_id))
        self.assertEqual((span["kind"], span["status"]), (INTERNAL, {"code": traces.FAILED}))
        self.assertEqual(attributes(span), {"rows": "3"})

    def test_without_an_address_nothing_is_kept(self) -> None:
        for address in ("", "collector:4317", "http://[broken", "http://"):
            taker = Traces.from_environment({"OTEL_EXPORTER_OTLP_ENDPOINT": address}, "sample")
            one(taker)
            taker.close()
            self.assertEqual(taker._queue.qsize(), 0)

    def test_a_collector_that_is_away_or_refuses_costs_spans_and_nothing_else(self) -> None:
        collector = self.collector(status=503)
        for url in (collector.url, "http://127.0.0.1:1", "http://[broken"):
            with self.subTest(url=url):
                taker = Traces(f"{url}/v1/traces", {})
                one(taker)
                taker.close(DEADLINE_S)
                self.assertEqual(taker.dropped, 1)

    def test_the_queue_has_an_end(self) -> None:
        """The collector answers nobody: the thread is busy, and the queue fills up."""
        asked, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)

        def post(_url: str, _body: bytes) -> int:
            asked.set()
            go_on.wait(DEADLINE_S)
            return 200

        before, traces._post = traces._post, post
        self.addCleanup(setattr, traces, "_post", before)
        gather, traces.GATHER_S = traces.GATHER_S, 0.0
        self.addCleanup(setattr, traces, "GATHER_S", gather)
        taker = Traces("http://collector/v1/traces", {})
        one(taker)
        self.assertTrue(asked.wait(DEADLINE_S))
        for _ in range(traces.MOST_WAITING + 5):
            one(taker)
        self.assertEqual(taker.dropped, 5)
        taker.close(0.0)


if __name__ == "__main__":
    unittest.main()
