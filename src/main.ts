import { setFlagsFromString } from 'node:v8';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from './telemetry/logger.js';
import type { LogOutput } from './telemetry/log-output.factory.js';
import { V8_SETTINGS } from './v8-settings.js';

for (const setting of V8_SETTINGS) setFlagsFromString(setting);

/** Set once it listens. */
let app: NestFastifyApplication | undefined;
let log: LogOutput | undefined;
let isStopping = false;

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop());
// Without a listener the first opens a debugger, and the second cuts every stream.
for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => {});

// Loaded only now: it takes a while, and a signal meanwhile is to end the process in order, too.
const { createApp } = await import('./app.factory.js');
const { ConfigError, loadConfig } = await import('./config/config.js');
const { PortsService } = await import('./http-edge/ports.service.js');
const { LifecycleService } = await import('./lifecycle/lifecycle.service.js');
const { LOGGER } = await import('./telemetry/logger.js');
const { createLogOutput } = await import('./telemetry/log-output.factory.js');
const { limitTurns } = await import('./runtime/turn-limit.timer.js');

try {
  const config = loadConfig(process.env);
  log = createLogOutput();
  const starting = await createApp(config, log);
  const ports = starting.get(PortsService);
  await ports.open(starting);
  limitTurns();
  app = starting;
  app.get<Logger>(LOGGER).info({ admin_url: ports.insideUrl, url: await app.getUrl() }, 'listening');
} catch (error) {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String((error as Error).stack)}\n`);
  process.exit(1);
}

async function stop(): Promise<void> {
  const lifecycle = app?.get(LifecycleService);
  if (isStopping) return lifecycle?.hurryUp();
  isStopping = true;
  await lifecycle?.stop();
  await app?.close();
  await log?.finish();
  process.exit(0);
}
