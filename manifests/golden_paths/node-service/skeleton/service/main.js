// Run the service until it is asked to stop (SIGTERM or SIGINT), then finish what is running.

import { build } from './app.js';
import { logger } from './logs.js';
import { settingsFrom } from './settings.js';
import { tracesFrom } from './traces.js';

let settings;
try {
  settings = settingsFrom(process.env);
} catch (error) {
  process.stderr.write(`The settings cannot be read: ${error.message}.\n`);
  process.exit(1);
}

const log = logger(settings);
const traces = tracesFrom(process.env, settings.name);
const { server, state } = build(settings, log, traces);

function stop() {
  if (state.draining) return;
  state.draining = true;
  log.info('stopping');
  server.close(() => traces.close().finally(() => process.exit(0)));
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), settings.drainSeconds * 1000).unref();
}

process.on('SIGTERM', stop);
process.on('SIGINT', stop);
server.listen(settings.port, () => log.info('listening', { port: server.address().port }));
