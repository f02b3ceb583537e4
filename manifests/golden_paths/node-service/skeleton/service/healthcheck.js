// Ask the running service whether it lives: exit code 0 when it does. The image's HEALTHCHECK.

import { settingsFrom } from './settings.js';

const url = `http://127.0.0.1:${settingsFrom(process.env).port}/healthz`;
try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
  process.exit(answer.ok ? 0 : 1);
} catch {
  process.exit(1);
}
