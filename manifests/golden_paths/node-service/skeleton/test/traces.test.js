import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { build } from '../service/app.js';
import { current, logger, traceOf } from '../service/logs.js';
import { settingsFrom } from '../service/settings.js';
import { FAILED, INTERNAL, MOST_WAITING, SERVER, Traces, tracesFrom } from '../service/traces.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const settings = settingsFrom({ SERVICE_NAME: 'sample' });
const bodies = [];
let status = 200;
const collector = createServer(async (request, response) => {
  let text = '';
  for await (const part of request) text += part;
  bodies.push({ path: request.url, type: request.headers['content-type'], ...JSON.parse(text) });
  response.writeHead(status).end('{}');
});
let endpoint;

before(async () => {
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  endpoint = `http://127.0.0.1:${collector.address().port}`;
});
after(() => {
  collector.close();
  collector.closeAllConnections();
});
beforeEach(() => {
  bodies.length = 0;
  status = 200;
});

const opened = (more = {}) => tracesFrom({ OTEL_EXPORTER_OTLP_ENDPOINT: `${endpoint}/`, ...more }, 'sample');
const one = (traces, more = {}) =>
  traces.record(traceOf(''), 'GET /', { kind: SERVER, beganMs: 1000.5, seconds: 0.5, ...more });
const spans = () => bodies.flatMap((body) => body.resourceSpans[0].scopeSpans[0].spans);
const told = ({ attributes }) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]));

async function serving(traces, work) {
  const app = build(settings, logger(settings, () => {}), traces);
  app.server.listen(0, '127.0.0.1');
  await once(app.server, 'listening');
  try {
    await work(`http://127.0.0.1:${app.server.address().port}`, app);
  } finally {
    app.server.close();
    app.server.closeAllConnections();
  }
  await traces.close();
}

test("a request becomes a span within its caller's", async () => {
  let header;
  await serving(opened(), async (base) => {
    const answer = await fetch(base, { headers: { traceparent: `00-${TRACE_ID}-${CALLER}-01` } });
    header = answer.headers.get('traceparent');
    await fetch(`${base}/healthz`);
  });
  const [span, ...more] = spans();
  assert.deepEqual(more, []);
  assert.equal(header, `00-${TRACE_ID}-${span.spanId}-01`);
  assert.deepEqual([span.traceId, span.parentSpanId, span.name, span.kind], [TRACE_ID, CALLER, 'GET /', SERVER]);
  assert.equal(told(span)['http.response.status_code'], '200');
});

test('a failure is marked and paths are not told', async () => {
  await serving(opened(), async (base, app) => {
    app.routes['GET /fails'] = () => {
      throw new Error('the secret cause');
    };
    await fetch(`${base}/fails`);
    await fetch(`${base}/no/such/page`);
  });
  const [failed, missing] = spans();
  assert.deepEqual([failed.name, failed.status], ['GET /fails', { code: FAILED }]);
  assert.deepEqual([missing.name, missing.status], ['GET unknown', {}]);
  assert.doesNotMatch(JSON.stringify(bodies), /secret cause|no\/such/);
});

test('what the caller does not keep is not sent', async () => {
  await serving(opened(), async (base) => {
    const answer = await fetch(base, { headers: { traceparent: `00-${TRACE_ID}-${CALLER}-00` } });
    assert.match(answer.headers.get('traceparent'), /-00$/);
  });
  assert.deepEqual(bodies, []);
});

test('it says who it is', async () => {
  const traces = opened({ OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=production, a=b%2Cc,broken,d=%' });
  one(traces);
  await traces.close();
  const [body] = bodies;
  assert.deepEqual([body.path, body.type], ['/v1/traces', 'application/json']);
  const expected = { 'service.name': 'sample', 'deployment.environment': 'production', a: 'b,c', d: '%' };
  assert.deepEqual(told(body.resourceSpans[0].resource), expected);
  assert.deepEqual([spans()[0].startTimeUnixNano, spans()[0].endTimeUnixNano], ['1000500000', '1500500000']);
  const renamed = opened({ OTEL_SERVICE_NAME: 'orders' });
  one(renamed);
  await renamed.close();
  assert.equal(told(bodies[1].resourceSpans[0].resource)['service.name'], 'orders');
});

test('a part of a request is a span of its own', async () => {
  const traces = opened();
  let inner;
  await current.run(traceOf(`00-${TRACE_ID}-${CALLER}-01`), async () => {
    const outer = current.getStore();
    const work = () => {
      inner = current.getStore();
      throw new Error('no');
    };
    await assert.rejects(traces.span('ask the database', { rows: 3 }, work), /no/);
    assert.equal(current.getStore(), outer);
    assert.equal(inner.parentId, outer.spanId);
  });
  assert.equal(await traces.span('again', {}, () => 7), 7);
  await traces.close();
  const [span] = spans();
  assert.deepEqual([span.traceId, span.spanId, span.kind], [TRACE_ID, inner.spanId, INTERNAL]);
  assert.deepEqual([span.status, told(span)], [{ code: FAILED }, { rows: '3' }]);
});

test('without an address nothing is kept', async () => {
  for (const address of ['', 'collector:4317', 'http://[broken', 'http://']) {
    const traces = tracesFrom({ OTEL_EXPORTER_OTLP_ENDPOINT: address }, 'sample');
    one(traces);
    assert.equal(traces.waiting, 0);
  }
});

test('a collector that is away or refuses costs spans and nothing else', async () => {
  status = 503;
  for (const url of [`${endpoint}/v1/traces`, 'http://127.0.0.1:1/v1/traces']) {
    const traces = new Traces(url);
    one(traces);
    await traces.close();
    assert.equal(traces.dropped, 1);
  }
});

test('the list has an end', async () => {
  const traces = new Traces('http://collector/v1/traces', {}, () => new Promise(() => {}));
  for (let number = 0; number < MOST_WAITING + 5; number += 1) one(traces);
  assert.equal(traces.dropped, 5);
  assert.equal(traces.waiting, MOST_WAITING);
  await traces.close(0);
});
