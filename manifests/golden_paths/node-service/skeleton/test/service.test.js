import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { build } from '../service/app.js';
import { current, logger, traceOf } from '../service/logs.js';
import { Metrics } from '../service/metrics.js';
import { settingsFrom } from '../service/settings.js';

const MAIN = fileURLToPath(new URL('../service/main.js', import.meta.url));
const HEALTHCHECK = fileURLToPath(new URL('../service/healthcheck.js', import.meta.url));
const settings = settingsFrom({ SERVICE_NAME: 'sample' });
const lines = [];
const app = build(settings, logger(settings, (line) => lines.push(JSON.parse(line))));
let base;

before(async () => {
  app.server.listen(0, '127.0.0.1');
  await once(app.server, 'listening');
  base = `http://127.0.0.1:${app.server.address().port}`;
});
after(() => {
  app.server.close();
  app.server.closeAllConnections();
});

test('it lives, is ready and says its name', async () => {
  assert.deepEqual(await (await fetch(`${base}/healthz`)).json(), { status: 'ok' });
  assert.deepEqual(await (await fetch(`${base}/readyz`)).json(), { status: 'ok' });
  assert.deepEqual(await (await fetch(`${base}/?x=1`)).json(), { service: 'sample' });
});

test('it is not ready while it stops', async () => {
  app.state.draining = true;
  assert.equal((await fetch(`${base}/readyz`)).status, 503);
  assert.equal((await fetch(`${base}/healthz`)).status, 200);
  app.state.draining = false;
});

test('requests are counted by route and not by path', async () => {
  assert.equal((await fetch(`${base}/no/such/page`)).status, 404);
  const answer = await fetch(`${base}/metrics`);
  const text = await answer.text();
  assert.match(answer.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  assert.match(text, /http_requests_total\{method="GET",route="unknown",status="404"\} 1/);
  assert.doesNotMatch(text, /no\/such\/page/);
});

test("the caller's trace is continued", async () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const answer = await fetch(base, { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } });
  assert.match(answer.headers.get('traceparent'), new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  assert.ok(lines.some((line) => line.message === 'request' && line.trace_id === traceId && line.status === 200));
});

test('a failure answers with the trace and without its cause', async () => {
  app.routes['GET /fails'] = () => {
    throw new Error('the secret cause');
  };
  const answer = await fetch(`${base}/fails`);
  const text = await answer.text();
  assert.equal(answer.status, 500);
  assert.doesNotMatch(text, /secret cause/);
  assert.ok(lines.some((line) => line.level === 'error' && line.error.includes('the secret cause')));
});

test('a line is one JSON object with its trace', () => {
  const written = [];
  current.run(traceOf(''), () => logger(settings, (line) => written.push(line)).info('two\nlines'));
  assert.equal(written[0].split('\n').length, 2);
  assert.match(JSON.parse(written[0]).trace_id, /^[0-9a-f]{32}$/);
});

test('a trace that cannot be read is replaced', () => {
  for (const text of ['', 'nonsense', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`]) {
    assert.match(traceOf(text).traceId, /^(?!0{32})[0-9a-f]{32}$/);
  }
});

test('buckets count everything below their bound', () => {
  const metrics = new Metrics();
  metrics.observe('GET', '/', 200, 0.03);
  assert.match(metrics.text(), /le="0\.025"\} 0\n.*le="0\.05"\} 1\n/);
});

test('it starts, answers and stops when asked', async () => {
  const service = spawn(process.execPath, [MAIN], { env: { ...process.env, PORT: '0', SERVICE_NAME: 'sample' } });
  let output = '';
  service.stdout.setEncoding('utf-8').on('data', (text) => (output += text));
  while (!output.includes('\n')) await once(service.stdout, 'data');
  const { port } = JSON.parse(output.split('\n')[0]);
  assert.equal(spawnSync(process.execPath, [HEALTHCHECK], { env: { ...process.env, PORT: String(port) } }).status, 0);
  service.kill('SIGTERM');
  const [code] = await once(service, 'exit');
  assert.equal(code, 0);
  assert.match(output, /"message":"stopping"/);
});

test('a setting that cannot be read is told by its name', () => {
  const done = spawnSync(process.execPath, [MAIN], { env: { ...process.env, PORT: 'many' }, encoding: 'utf-8' });
  assert.equal(done.status, 1);
  assert.match(done.stderr, /PORT must be a number/);
});
