// Request metrics in Prometheus' text format.

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const DURATION = 'http_request_duration_seconds';

export class Metrics {
  inProgress = 0;
  #requests = new Map();
  #durations = new Map();

  /** `route` is the pattern, never the path: paths without number would make metrics without number. */
  observe(method, route, status, seconds) {
    const request = labels({ method, route, status: String(status) });
    this.#requests.set(request, (this.#requests.get(request) ?? 0) + 1);
    const key = JSON.stringify([method, route]);
    const duration = this.#durations.get(key) ?? { method, route, count: 0, sum: 0, buckets: BUCKETS_SECONDS.map(() => 0) };
    duration.count += 1;
    duration.sum += seconds;
    BUCKETS_SECONDS.forEach((bound, index) => {
      if (seconds <= bound) duration.buckets[index] += 1;
    });
    this.#durations.set(key, duration);
  }

  text() {
    const lines = ['# HELP http_requests_total Requests answered.', '# TYPE http_requests_total counter'];
    for (const [request, count] of this.#requests) lines.push(`http_requests_total${request} ${count}`);
    lines.push(`# HELP ${DURATION} Time to answer a request.`, `# TYPE ${DURATION} histogram`);
    for (const { method, route, count, sum, buckets } of this.#durations.values()) {
      BUCKETS_SECONDS.forEach((bound, index) => {
        lines.push(`${DURATION}_bucket${labels({ method, route, le: String(bound) })} ${buckets[index]}`);
      });
      lines.push(`${DURATION}_bucket${labels({ method, route, le: '+Inf' })} ${count}`);
      lines.push(`${DURATION}_sum${labels({ method, route })} ${sum.toFixed(6)}`);
      lines.push(`${DURATION}_count${labels({ method, route })} ${count}`);
    }
    lines.push('# HELP http_requests_in_progress Requests being answered.', '# TYPE http_requests_in_progress gauge');
    lines.push(`http_requests_in_progress ${this.inProgress}`);
    return `${lines.join('\n')}\n`;
  }
}

function labels(values) {
  const pairs = Object.entries(values).map(([name, value]) => `${name}="${escaped(value)}"`);
  return `{${pairs.join(',')}}`;
}

function escaped(value) {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
