// Spans, sent by OTLP over HTTP (JSON) where `OTEL_EXPORTER_OTLP_ENDPOINT` is set.
//
// They wait in a list with an end. What does not fit is dropped: no request ever waits for a collector, or fails because
// of one.

import { childOf, current } from './logs.js';

export const MOST_WAITING = 2000;
const MOST_TOGETHER = 200;
const GATHER_MS = 1000;
const TIMEOUT_MS = 5000;
/** Kinds of spans and the status of one that failed, by OTLP's numbers. */
export const INTERNAL = 1;
export const SERVER = 2;
export const FAILED = 2;

/** Takes spans. Without an address it takes none. */
export class Traces {
  dropped = 0;
  #url;
  #resource;
  #post;
  #waiting = [];
  #timer = null;
  #sending = null;

  constructor(url = '', resource = {}, post = fetch) {
    this.#url = url;
    this.#resource = resource;
    this.#post = post;
  }

  get waiting() {
    return this.#waiting.length;
  }

  /** Takes a span that has ended. `beganMs` is milliseconds since 1970. */
  record(trace, name, { kind, beganMs, seconds, failed = false, attributes = {} }) {
    if (!this.#url || !trace.sampled) return;
    if (this.#waiting.length >= MOST_WAITING) {
      this.dropped += 1;
      return;
    }
    const began = BigInt(Math.round(beganMs * 1000)) * 1000n;
    this.#waiting.push({
      traceId: trace.traceId,
      spanId: trace.spanId,
      parentSpanId: trace.parentId,
      name,
      kind,
      startTimeUnixNano: String(began),
      endTimeUnixNano: String(began + BigInt(Math.round(seconds * 1e9))),
      attributes: listed(attributes),
      status: failed ? { code: FAILED } : {},
    });
    if (this.#timer === null && this.#sending === null) this.#wait();
  }

  /** Times a part of the request that is being answered: `await traces.span('ask the database', {}, () => …)`. */
  async span(name, attributes, work) {
    const trace = childOf(current.getStore());
    const beganMs = Date.now();
    const started = process.hrtime.bigint();
    let failed = true;
    try {
      const result = await current.run(trace, work);
      failed = false;
      return result;
    } finally {
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      this.record(trace, name, { kind: INTERNAL, beganMs, seconds, failed, attributes });
    }
  }

  /** Sends what waits, for at most so many milliseconds. */
  async close(withinMs = 2000) {
    let timer;
    const over = new Promise((resolve) => (timer = setTimeout(resolve, withinMs)));
    await Promise.race([this.#sendAll(), over]);
    clearTimeout(timer);
  }

  #wait() {
    this.#timer = setTimeout(() => this.#sendAll(), GATHER_MS);
    this.#timer.unref();
  }

  async #sendAll() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#sending ??= this.#loop();
    await this.#sending;
  }

  async #loop() {
    while (this.#waiting.length > 0) await this.#send(this.#waiting.splice(0, MOST_TOGETHER));
    this.#sending = null;
  }

  async #send(spans) {
    const scopeSpans = [{ scope: { name: 'service' }, spans }];
    const body = JSON.stringify({ resourceSpans: [{ resource: { attributes: listed(this.#resource) }, scopeSpans }] });
    try {
      const headers = { 'Content-Type': 'application/json' };
      const answer = await this.#post(this.#url, { method: 'POST', headers, body, signal: AbortSignal.timeout(TIMEOUT_MS) });
      await answer.arrayBuffer();
      if (!answer.ok) this.dropped += spans.length;
    } catch {
      this.dropped += spans.length;
    }
  }
}

/** Reads the variables of OpenTelemetry; `name` is the service's where they do not say it. */
export function tracesFrom(environment, name, post = fetch) {
  const base = (environment.OTEL_EXPORTER_OTLP_ENDPOINT ?? '').replace(/\/+$/, '');
  const url = environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || (base && `${base}/v1/traces`);
  const off = (environment.OTEL_SDK_DISABLED ?? '').toLowerCase() === 'true';
  const resource = { 'service.name': name };
  for (const pair of (environment.OTEL_RESOURCE_ATTRIBUTES ?? '').split(',')) {
    const [key, ...rest] = pair.split('=');
    if (key.trim() && rest.length > 0) resource[decoded(key.trim())] = decoded(rest.join('=').trim());
  }
  if (environment.OTEL_SERVICE_NAME) resource['service.name'] = environment.OTEL_SERVICE_NAME;
  return new Traces(!off && /^https?:\/\/./.test(url) && URL.canParse(url) ? url : '', resource, post);
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function listed(values) {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: Number.isInteger(value) ? { intValue: String(value) } : { stringValue: String(value) },
  }));
}
