// Logs as one JSON object a line, each with the trace it belongs to.

import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { LEVELS } from './settings.js';

/** Holds the trace of the request that is being answered. */
export const current = new AsyncLocalStorage();

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Continues the caller's trace with a span of our own; starts one when there is none that can be read. */
export function traceOf(traceparent = '') {
  const found = TRACEPARENT.exec(traceparent);
  if (found === null || /^0+$/.test(found[1]) || /^0+$/.test(found[2])) return childOf(undefined);
  return childOf({ traceId: found[1], spanId: found[2], sampled: (Number.parseInt(found[3], 16) & 1) === 1 });
}

/** Returns a span within another one; the first of a new trace where there is none. */
export function childOf(parent) {
  const traceId = parent?.traceId ?? randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  const sampled = parent?.sampled ?? true;
  const header = `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
  return { traceId, spanId, parentId: parent?.spanId ?? '', sampled, header };
}

export function logger({ name, level }, write = (line) => process.stdout.write(line)) {
  const at = (lineLevel) => (message, fields = {}) => {
    if (LEVELS[lineLevel] < LEVELS[level]) return;
    const trace = current.getStore();
    const ids = trace ? { trace_id: trace.traceId, span_id: trace.spanId } : {};
    const line = { time: new Date().toISOString(), level: lineLevel, service: name, message, ...ids, ...fields };
    write(`${JSON.stringify(line)}\n`);
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
