import { setFlagsFromString } from 'node:v8';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from './telemetry/logger.js';
import type { LogOutput } from './telemetry/log-output.factory.js';

// Settings of V8 that it reads at each use, so that they can still be set. What each saves: research/PERFORMANCE.md.
for (const setting of [
  // A collection in a quiet moment drops the shapes of all objects that only running requests have. The code that was optimized
  // for them goes too, and what takes its place costs each later request and chunk more, for good.
  '--memory-reducer-gc-count=0',
  // By default each further 64 MB of bodies cause a full collection; with these, a tenth more than there is of bodies and heap.
  '--external-memory-accounted-in-global-limit',
  '--external-memory-max-growing-factor=1.1',
  // A request walks through many small functions. By default only 920 bytes of them are taken into each that is optimized.
  '--max-inlined-bytecode-size-cumulative=4600',
])
  setFlagsFromString(setting);

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
const { LifecycleService } = await import('./lifecycle/lifecycle.service.js');
const { LOGGER } = await import('./telemetry/logger.js');
const { createLogOutput } = await import('./telemetry/log-output.factory.js');

try {
  const config = loadConfig(process.env);
  log = createLogOutput();
  const starting = await createApp(config, log);
  await starting.listen(config.listen.port, config.listen.host);
  app = starting;
  app.get<Logger>(LOGGER).info({ url: await app.getUrl() }, 'listening');
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
