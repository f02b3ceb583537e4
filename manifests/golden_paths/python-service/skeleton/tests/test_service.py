from __future__ import annotations

import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import unittest
import urllib.request

from aiohttp.test_utils import TestClient, TestServer

from service import logs
from service.app import STATE, build
from service.metrics import Metrics
from service.settings import Settings


class Service(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.app = build(Settings(name="sample"))
        self.client = TestClient(TestServer(self.app))
        await self.client.start_server()
        self.addAsyncCleanup(self.client.close)

    async def test_it_lives_and_is_ready(self) -> None:
        for path in ("/healthz", "/readyz"):
            answer = await self.client.get(path)
            self.assertEqual((answer.status, await answer.json()), (200, {"status": "ok"}))

    async def test_it_is_not_ready_while_it_stops(self) -> None:
        self.app[STATE]["draining"] = True
        self.assertEqual((await self.client.get("/readyz")).status, 503)
        self.assertEqual((await self.client.get("/healthz")).status, 200)

    async def test_it_says_its_name(self) -> None:
        self.assertEqual(await (await self.client.get("/")).json(), {"service": "sample"})

    async def test_requests_are_counted_by_route_and_not_by_path(self) -> None:
        await self.client.get("/")
        await self.client.get("/no/such/page")
        answer = await self.client.get("/metrics")
        text = await answer.text()
        self.assertTrue(answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        self.assertIn('http_requests_total{method="GET",route="/",status="200"} 1', text)
        self.assertIn('http_requests_total{method="GET",route="unknown",status="404"} 1', text)
        self.assertNotIn("/no/such/page", text)

    async def test_the_callers_trace_is_continued(self) -> None:
        trace_id = "0af7651916cd43dd8448eb211c80319c"
        given = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}
        with self.assertLogs("service.app", logging.INFO) as seen:
            answer = await self.client.get("/", headers=given)
        self.assertRegex(answer.headers["traceparent"], f"^00-{trace_id}-[0-9a-f]{{16}}-01$")
        self.assertEqual(seen.records[-1].fields["status"], 200)

    async def test_a_failure_answers_with_the_trace_and_without_its_cause(self) -> None:
        self.app[STATE].clear()
        with self.assertLogs("service.app", logging.ERROR):
            answer = await self.client.get("/readyz")
        self.assertEqual(answer.status, 500)
        self.assertEqual(sorted(await answer.json()), ["error", "trace_id"])


class Logs(unittest.TestCase):
    def test_a_line_is_one_json_object_with_its_trace(self) -> None:
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logs.JsonFormatter("sample"))
        record = logging.LogRecord("x", logging.INFO, __file__, 1, "two\nlines", None, None)
        token = logs.current.set(logs.Trace("a" * 32, "b" * 16))
        handler.emit(record)
        logs.current.reset(token)
        [line] = stream.getvalue().splitlines()
        found = json.loads(line)
        self.assertEqual((found["message"], found["trace_id"], found["service"]), ("two\nlines", "a" * 32, "sample"))

    def test_levels_are_called_as_everywhere(self) -> None:
        for level, name in ((logging.DEBUG, "debug"), (logging.WARNING, "warn"), (logging.CRITICAL, "error")):
            record = logging.LogRecord("x", level, __file__, 1, "", None, None)
            self.assertEqual(json.loads(logs.JsonFormatter("sample").format(record))["level"], name)

    def test_a_trace_that_cannot_be_read_is_replaced(self) -> None:
        for text in ("", "nonsense", "00-" + "0" * 32 + "-b7ad6b7169203331-01"):
            self.assertRegex(logs.trace_of(text).trace_id, "^(?!0{32})[0-9a-f]{32}$")


class Numbers(unittest.TestCase):
    def test_buckets_count_everything_below_their_bound(self) -> None:
        metrics = Metrics()
        metrics.observe("GET", "/", 200, 0.03)
        text = metrics.text()
        self.assertIn('le="0.025"} 0', text)
        self.assertIn('le="0.05"} 1', text)
        self.assertIn('le="+Inf"} 1', text)


class Process(unittest.TestCase):
    def test_it_starts_answers_and_stops_when_asked(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = os.environ | {"PORT": str(port), "SERVICE_NAME": "sample"}
        process = subprocess.Popen([sys.executable, "-m", "service"], env=environment, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        for _ in range(600):
            if subprocess.run([sys.executable, "-m", "service.healthcheck"], env=environment, check=False).returncode == 0:
                break
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
            self.assertEqual(answer.status, 200)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0)
        self.assertTrue(all(json.loads(line)["service"] == "sample" for line in output.splitlines()))
        self.assertIn('"message": "stopping"', output)

    def test_a_setting_that_cannot_be_read_is_told_by_its_name(self) -> None:
        environment = os.environ | {"PORT": "many"}
        done = subprocess.run(
            [sys.executable, "-m", "service"], env=environment, capture_output=True, text=True, check=False
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn("PORT must be a number", done.stderr)
        self.assertNotIn("Traceback", done.stderr)


if __name__ == "__main__":
    unittest.main()
