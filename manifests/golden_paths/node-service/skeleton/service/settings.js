// Settings, read once from the environment.

export const LEVELS = { debug: 10, info: 20, warn: 30, error: 40 };

/** Throws an Error that names the variable when one cannot be read. */
export function settingsFrom(environment) {
  const level = (environment.LOG_LEVEL || 'info').toLowerCase();
  if (!(level in LEVELS)) throw new Error(`LOG_LEVEL must be one of ${Object.keys(LEVELS).join(', ')}`);
  return Object.freeze({
    name: environment.SERVICE_NAME || 'service',
    port: number(environment, 'PORT', 8080),
    level,
    /** Longest wait for running requests when the service is asked to stop, in seconds. */
    drainSeconds: number(environment, 'DRAIN_SECONDS', 20),
  });
}

function number(environment, name, fallback) {
  const text = environment[name];
  if (!text) return fallback;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new Error(`${name} must be a number, and is ${JSON.stringify(text)}`);
  return value;
}
