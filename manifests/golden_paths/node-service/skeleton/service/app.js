// The HTTP routes, and what happens around each request.

import { createServer } from 'node:http';
import { current, traceOf } from './logs.js';
import { CONTENT_TYPE, Metrics } from './metrics.js';
import { SERVER, Traces } from './traces.js';

/** Routes that machines ask every few seconds; their successes are not worth a line or a span. */
const QUIET = new Set(['/healthz', '/readyz', '/metrics']);

/** Returns `{server, state, metrics, routes}`; `state.draining` makes the service say that it is not ready any more. */
export function build(settings, log, traces = new Traces()) {
  const metrics = new Metrics();
  const state = { draining: false };
  const routes = {
    'GET /': () => json(200, { service: settings.name }),
    'GET /healthz': () => json(200, { status: 'ok' }),
    'GET /readyz': () => (state.draining ? json(503, { status: 'draining' }) : json(200, { status: 'ok' })),
    'GET /metrics': () => ({ status: 200, type: CONTENT_TYPE, body: metrics.text() }),
  };

  async function answer(request, response) {
    const started = process.hrtime.bigint();
    const beganMs = Date.now();
    const path = request.url.split('?', 1)[0];
    const handler = routes[`${request.method} ${path}`];
    const route = handler ? path : 'unknown';
    const method = Object.keys(routes).some((key) => key.startsWith(`${request.method} `)) ? request.method : 'OTHER';
    metrics.inProgress += 1;
    let result;
    try {
      result = handler ? await handler(request) : json(404, { error: 'not found' });
    } catch (error) {
      log.error('request failed', { error: String(error?.stack ?? error) });
      result = json(500, { error: 'internal error', trace_id: current.getStore().traceId });
    } finally {
      metrics.inProgress -= 1;
    }
    response.writeHead(result.status, { 'Content-Type': result.type, traceparent: current.getStore().header });
    response.end(result.body);
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    metrics.observe(method, route, result.status, seconds);
    if (!QUIET.has(route) || result.status >= 400) {
      log.info('request', { method, route, status: result.status, ms: Math.round(seconds * 10000) / 10 });
      const attributes = {
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': result.status,
      };
      const failed = result.status >= 500;
      traces.record(current.getStore(), `${method} ${route}`, { kind: SERVER, beganMs, seconds, failed, attributes });
    }
  }

  const server = createServer((request, response) => {
    current.run(traceOf(request.headers.traceparent), () => answer(request, response));
  });
  return { server, state, metrics, routes };
}

function json(status, value) {
  return { status, type: 'application/json; charset=utf-8', body: JSON.stringify(value) };
}
