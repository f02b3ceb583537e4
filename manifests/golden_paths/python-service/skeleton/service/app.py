"""The HTTP routes, and what happens around each request."""

from __future__ import annotations

import asyncio
import logging
import time

from aiohttp import web

from service import logs
from service.metrics import CONTENT_TYPE, Metrics
from service.settings import Settings
from service.traces import SERVER, Traces

log = logging.getLogger(__name__)

METRICS = web.AppKey("metrics", Metrics)
SETTINGS = web.AppKey("settings", Settings)
STATE = web.AppKey("state", dict)
TRACES = web.AppKey("traces", Traces)

QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""Routes that machines ask every few seconds; their successes are not worth a line or a span."""

routes = web.RouteTableDef()


@routes.get("/")
async def hello(request: web.Request) -> web.Response:
    return web.json_response({"service": request.app[SETTINGS].name})


@routes.get("/healthz")
async def healthz(_request: web.Request) -> web.Response:
    """Say that the process lives."""
    return web.json_response({"status": "ok"})


@routes.get("/readyz")
async def readyz(request: web.Request) -> web.Response:
    """Say whether requests should come here: not any more once the service has been asked to stop."""
    draining = request.app[STATE]["draining"]
    return web.json_response({"status": "draining" if draining else "ok"}, status=503 if draining else 200)


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    return web.Response(body=request.app[METRICS].text().encode(), headers={"Content-Type": CONTENT_TYPE})


@web.middleware
async def observed(request: web.Request, handler) -> web.StreamResponse:
    """Give every request a metric and, where it is worth them, a span and a line in the log."""
    trace = logs.trace_of(request.headers.get("traceparent", ""))
    token = logs.current.set(trace)
    measured, started, status = request.app[METRICS], time.perf_counter(), 500
    began_ns = time.time_ns()
    measured.in_progress += 1
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as answer:
        status = answer.status
        answer.headers["traceparent"] = trace.header
        raise
    except Exception:
        log.exception("request failed")
        response = web.json_response({"error": "internal error", "trace_id": trace.trace_id}, status=status)
    finally:
        measured.in_progress -= 1
        route = request.match_info.route.resource.canonical if request.match_info.route.resource else "unknown"
        seconds = time.perf_counter() - started
        measured.observe(request.method, route, status, seconds)
        if route not in QUIET or status >= 400:
            fields = {"method": request.method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
            log.info("request", extra={"fields": fields})
            request.app[TRACES].record(
                trace,
                f"{request.method} {route}",
                kind=SERVER,
                began_ns=began_ns,
                seconds=seconds,
                failed=status >= 500,
                attributes={
                    "http.request.method": request.method,
                    "http.route": route,
                    "http.response.status_code": status,
                },
            )
        logs.current.reset(token)
    response.headers["traceparent"] = trace.header
    return response


async def _drain(app: web.Application) -> None:
    app[STATE]["draining"] = True
    log.info("stopping")


async def _send_the_last_traces(app: web.Application) -> None:
    await asyncio.to_thread(app[TRACES].close)


def build(settings: Settings, traces: Traces | None = None) -> web.Application:
    app = web.Application(middlewares=[observed])
    app[METRICS] = Metrics()
    app[SETTINGS] = settings
    app[STATE] = {"draining": False}
    app[TRACES] = traces or Traces()
    app.add_routes(routes)
    app.on_shutdown.append(_drain)
    app.on_cleanup.append(_send_the_last_traces)
    return app
